"""Observables of pubs that Qiskit does not know: problems, matrices and operators of PennyLane's."""

from typing import Any, TypeAlias, cast

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers.bindings_array import BindingsArrayLike
from qiskit.primitives.containers.estimator_pub import EstimatorPubLike
from qiskit.primitives.containers.observables_array import ObservablesArrayLike
from qiskit.quantum_info import Operator, ScalarOp

from backends.checks import ObservablesLike
from circuits import Problem
from circuits.problems.operators import as_hermitian, is_pennylane_operator

Observables: TypeAlias = ObservablesArrayLike | ObservablesLike

PubLike: TypeAlias = (
    EstimatorPubLike
    | tuple[QuantumCircuit, Observables]
    | tuple[QuantumCircuit, Observables, BindingsArrayLike]
    | tuple[QuantumCircuit, Observables, BindingsArrayLike, float]
)
"""What Qiskit takes for a pub, whose observables may also be problems or operators of PennyLane's."""


def with_known_observables(pub: PubLike) -> EstimatorPubLike:
    """The pub with observables of Qiskit's kinds.

    Raises:
        Refused: for an operator that is no observable.
    """
    if not isinstance(pub, tuple) or len(pub) < 2 or not isinstance(pub[0], QuantumCircuit):
        return cast("EstimatorPubLike", pub)  # a pub of Qiskit's, or what Qiskit refuses
    circuit, observables, *rest = pub
    return cast("EstimatorPubLike", (circuit, _known(observables, circuit.num_qubits), *rest))


def _known(observables: Any, n_qubits: int) -> Any:
    if isinstance(observables, Problem):
        return observables.hamiltonian
    if isinstance(observables, Operator | ScalarOp) or is_pennylane_operator(observables):
        return as_hermitian(observables, "the observable", n_qubits)
    if isinstance(observables, list | tuple) or (isinstance(observables, np.ndarray) and observables.dtype == object):
        return [_known(one, n_qubits) for one in observables]
    return observables
