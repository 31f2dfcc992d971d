"""Answers an optimizer's questions on one backend, with a random seed of its own for every answer."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends import fidelity
from backends.base import Backend
from backends.gradients import shift_rule
from backends.sampling import child_seed
from circuits.layers import layers
from hybrid.optimizers.optimizer import Metric, Points, Told
from hybrid.workload import Workload

EVALUATIONS = 1
"""Branch of the run's tree of seeds that the evaluations draw from."""

METRICS, FIDELITIES = 1, 2
"""Branches of an evaluation's own tree."""


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
        if workload.optimizer.geometry == "metric":
            self._metrics = _metrics(backend, circuit, shots if sampled else None)
        if workload.optimizer.geometry == "fidelities":
            self._fidelities = fidelity.fidelities(backend, circuit, shots=shots)

    def __call__(self, points: Points, number: int) -> Told:
        """Evaluate points; the number of the evaluation picks its seed.

        Raises:
            FailedJob: if the backend fails.
        """
        seed = child_seed(self._seed, EVALUATIONS, number)
        if points.gradient:
            told = self._derivative(points.rows, seed)
        else:
            result = self._values(points.rows, shots=self._shots, seed=seed)
            told = Told(result.values[:, 0], result.standard_errors[:, 0], None)
        if points.metric:
            told = replace(told, metrics=self._metrics(points.rows, points.metric, child_seed(seed, METRICS)))
        if points.pairs is not None:
            told = replace(told, fidelities=self._fidelities(points.pairs, child_seed(seed, FIDELITIES)))
        return told


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


def _metrics(
    backend: Backend, circuit: QuantumCircuit, shots: int | None
) -> Callable[[np.ndarray, Metric, int], np.ndarray]:
    """Metrics of rows: the backend's own, or from the fidelities of so many shots."""
    if fidelity.check_obtainable(backend, shots) is None:
        found = _unseeded(backend.metric(circuit))
    else:
        found = fidelity.metric(backend, circuit, shots=shots)
    same_layer = np.zeros((circuit.num_parameters,) * 2, dtype=bool)
    for block in layers(circuit):
        same_layer[np.ix_(block, block)] = True

    def evaluate(rows: np.ndarray, part: Metric, seed: int) -> np.ndarray:
        metrics = np.stack([found(row, child_seed(seed, k)) for k, row in enumerate(rows)])
        return metrics if part == "full" else np.where(same_layer, metrics, 0.0)

    return evaluate


def _unseeded(exact: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray, int], np.ndarray]:
    return lambda row, seed: exact(row)
