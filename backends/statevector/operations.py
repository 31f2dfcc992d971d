"""How many operations and bytes a value with its gradient takes, to hold against what a machine can do."""

import numpy as np
from qiskit import QuantumCircuit

from backends.base import Precision
from backends.checks import ObservableLike, as_observables
from backends.statevector.choose import choose
from backends.statevector.circuit.lower import lower
from backends.statevector.representation import Question


def roofline(circuit: QuantumCircuit, observable: ObservableLike, precision: Precision) -> dict[str, float]:
    """Operations in products of matrices, and bytes of states read and written, for one value with its gradient.

    What is counted depends on how the engine would run the circuit; see the `work` of each representation.

    Returns:
        ``flops`` and ``bytes``.
    """
    real = np.dtype(np.float64 if precision == "double" else np.float32)
    (H,) = as_observables(observable, circuit.num_qubits)
    return choose(Question(lower(circuit), real, (H,))).work()
