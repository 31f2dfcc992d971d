"""Which way to group terms has the smaller error: fewer shots' noise, or fewer gates'."""

import math
from statistics import fmean

from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from backends.measurement.circuits import MeasuredCircuits
from backends.measurement.targets import target_of


def two_qubit_error(target: BackendV2 | Target) -> float | None:
    """Mean error of a gate on two qubits; None where the target does not say."""
    gates = target_of(target)
    errors = [
        one.error
        for name in gates.operation_names
        for qubits, one in (gates.get(name) or {}).items()
        if qubits is not None and len(qubits) == 2 and one is not None and one.error is not None
    ]
    return fmean(errors) if errors else None


def predicted_error(program: MeasuredCircuits, shots: int, error: float) -> float:
    """Error of a value in an average state: that of the shots, and what the gates of the changes of basis add.

    With the best shares the first is sum_g s_g / sqrt(shots); a change of basis of k gates on two qubits takes the part
    1 - (1 - error)^k of what its group is worth, s_g, at random.

    Args:
        program: The measured circuits.
        shots: Of all groups together.
        error: Of a gate on two qubits.
    """
    sizes = [group.typical for group in program.plan.groups]
    lost = [1 - (1 - error) ** tail.circuit.num_nonlocal_gates() for tail in program.tails]
    gates = math.sqrt(sum((size * part) ** 2 for size, part in zip(sizes, lost, strict=True)))
    return math.hypot(sum(sizes) / math.sqrt(shots), gates) if sizes else 0.0
