"""The gradient of an expectation value by parameter shift, on any backend's values."""

from collections.abc import Callable
from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from backends.batch import Evaluate
from backends.checks import ObservableLike, as_observables, check_request
from backends.gradients.shift_rule import shift_rule
from backends.gradients.value_and_gradient import ValueAndGradient, as_function


def parameter_shift(
    prepare: Callable[[QuantumCircuit, Any], Evaluate],
    circuit: QuantumCircuit,
    observable: ObservableLike,
    *,
    precision: float | None = None,
    shots: int | None = None,
    seed: int | None = None,
) -> ValueAndGradient:
    """An expectation value and its parameter-shift gradient as a function.

    Args:
        prepare: A backend's own, see `Backend.prepare`.
        circuit: With parameters, without measurements.
        observable: One Hermitian operator on the circuit's qubits.
        precision: Wanted standard error of each expectation value (not of the gradient).
        shots: Shots for each measured circuit, instead of a precision.
        seed: Root of the random numbers of every call.

    Raises:
        Refused: for a gate with a free parameter that has no known rule; or as ``prepare``.
    """
    check_request(precision, shots, seed)
    (observable,) = as_observables(observable, circuit.num_qubits)
    rule = shift_rule(circuit)
    expectation = prepare(rule.circuit, observable)

    def evaluate(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        result = expectation(rule.rows(rows), precision, shots, seed)
        out = rule.combine(rows, result.values[:, 0], result.standard_errors[:, 0])
        return out.values, out.gradients

    return as_function(circuit, evaluate, seed)
