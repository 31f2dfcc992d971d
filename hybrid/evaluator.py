"""Answers an optimizer's questions on one backend, with a random seed of its own for every answer."""

from collections.abc import Callable

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from backends.gradients import shift_rule
from backends.sampling import child_seed
from hybrid.optimizers.optimizer import Points, Told
from hybrid.workload import Workload

EVALUATIONS = 1
"""Branch of the run's tree of seeds that the evaluations draw from."""


class Evaluator:
    """Compiles the workload for a backend once, then evaluates points.

    Args:
        workload: What is minimized.
        backend: Where the numbers come from.
    """

    def __init__(self, workload: Workload, backend: Backend):
        circuit, hamiltonian, shots = workload.circuit, workload.problem.hamiltonian, workload.shots
        can = backend.capabilities()
        sampled = shots is not None or not can.exact
        self._values = backend.prepare(circuit, hamiltonian)
        self._seed, self._shots = workload.seed, shots
        if workload.derivative and (sampled or can.gradient == "parameter-shift"):
            self._derivative = _by_shifts(backend, circuit, hamiltonian, shots)
        elif workload.derivative:
            self._derivative = _natively(backend, circuit, hamiltonian)

    def __call__(self, points: Points, number: int) -> Told:
        """Evaluate points; the number of the evaluation picks its seed.

        Raises:
            FailedJob: if the backend fails.
        """
        seed = child_seed(self._seed, EVALUATIONS, number)
        if points.gradient:
            return self._derivative(points.rows, seed)
        result = self._values(points.rows, shots=self._shots, seed=seed)
        return Told(result.values[:, 0], result.standard_errors[:, 0], None)


def _by_shifts(
    backend: Backend, circuit: QuantumCircuit, hamiltonian: SparsePauliOp, shots: int | None
) -> Callable[[np.ndarray, int], Told]:
    """Values, their standard errors and gradients from shifted values."""
    rule = shift_rule(circuit)
    shifted = backend.prepare(rule.circuit, hamiltonian)

    def evaluate(rows: np.ndarray, seed: int) -> Told:
        result = shifted(rule.rows(rows), shots=shots, seed=seed)
        derivative = rule.combine(rows, result.values[:, 0], result.standard_errors[:, 0])
        return Told(derivative.values, derivative.standard_errors, derivative.gradients)

    return evaluate


def _natively(
    backend: Backend, circuit: QuantumCircuit, hamiltonian: SparsePauliOp
) -> Callable[[np.ndarray, int], Told]:
    """Exact values and gradients by the backend's own method."""
    value_and_grad = backend.value_and_grad(circuit, hamiltonian)

    def evaluate(rows: np.ndarray, seed: int) -> Told:
        del seed  # nothing is random
        values, gradients = value_and_grad(rows)
        return Told(values, np.zeros_like(values), gradients)

    return evaluate
