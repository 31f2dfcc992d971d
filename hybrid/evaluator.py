"""Answers an optimizer's questions on one backend, with a random seed of its own for every answer."""

import numpy as np

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
        self._workload, self._backend = workload, backend
        circuit, hamiltonian, shots = workload.circuit, workload.problem.hamiltonian, workload.shots
        can = backend.capabilities()
        sampled = shots is not None or not can.exact
        self._values = backend.prepare(circuit, hamiltonian)
        self._native = self._rule = None
        if workload.derivative and (sampled or can.gradient == "parameter-shift"):
            self._rule = shift_rule(circuit)
            self._shifted = backend.prepare(self._rule.circuit, hamiltonian)
        elif workload.derivative:
            self._native = backend.value_and_grad(circuit, hamiltonian)

    def __call__(self, points: Points, number: int) -> Told:
        """Evaluate points; the number of the evaluation picks its seed.

        Raises:
            FailedJob: if the backend fails.
        """
        seed = child_seed(self._workload.seed, EVALUATIONS, number)
        shots = self._workload.shots
        if not points.gradient:
            result = self._values(points.rows, shots=shots, seed=seed)
            return Told(result.values[:, 0], result.standard_errors[:, 0], None)
        if self._native is not None:
            values, gradients = self._native(points.rows)
            return Told(values, np.zeros_like(values), gradients)
        rows = self._rule.rows(points.rows)
        result = self._shifted(rows, shots=shots, seed=seed)
        derivative = self._rule.combine(points.rows, result.values[:, 0], result.standard_errors[:, 0])
        return Told(derivative.values, derivative.standard_errors, derivative.gradients)
