"""The Fubini-Study metric of a circuit's states, by parameter shifts where a backend has no better way.

Near a = b the fidelity F(a, b) = |<psi(a)|psi(b)>|^2 falls as

    F(theta, theta + d) = 1 - d.g d + O(d^3),

so the metric is g = -1/2 d^2 F / db db at b = a. As a function of b, F is the expectation value of a projector, and
parameter-shift rules, applied twice, give g exactly; P rotations take 2 P^2 + P fidelities.

References:
    Mari, Bromley, Killoran, Phys. Rev. A 103, 012405 (2021).
"""

from collections.abc import Callable

import numpy as np
from qiskit import QuantumCircuit

from backends.base import Backend, Tangents
from backends.gradients.fidelity import fidelities, obtainable
from backends.gradients.shift_rule import shift_rule

Metric = Callable[[np.ndarray, int], np.ndarray]
"""``f(row, seed)``: parameters of shape (params,), radians, to a metric of shape (params, params)."""


def metric(backend: Backend, circuit: QuantumCircuit, *, shots: int | None = None) -> Metric:
    """The Fubini-Study metric as a function ``f(row, seed)``: (params,) -> (params, params).

    Args:
        backend: As for `fidelities`.
        circuit: As for `fidelities`.
        shots: For each fidelity. The metric of a finite number of them may have negative eigenvalues.

    Raises:
        Refused: if exact values are asked of a backend that hands out no states.
    """
    shots = obtainable(backend, shots)
    if shots is None and isinstance(backend, Tangents):
        exact = backend.metric(circuit)
        return lambda row, seed: exact(row)
    return _by_shifts(backend, circuit, shots)


def _by_shifts(backend: Backend, circuit: QuantumCircuit, shots: int | None) -> Metric:
    rule = shift_rule(circuit)
    compare = fidelities(backend, rule.circuit, shots=shots)
    first, second = np.triu_indices(len(rule.shifts))

    def evaluate(row: np.ndarray, seed: int) -> np.ndarray:
        base = rule.angles.values(row[None])[0]
        pairs = np.tile(base, (len(first), 2, 1))
        for shifted in (first, second):
            pairs[np.arange(len(first)), 1, rule.source[shifted]] += rule.shifts[shifted]
        shares = rule.weights[first] * rule.weights[second] * compare(pairs, seed)
        curvature = np.zeros((rule.angles.n_angles, rule.angles.n_angles))
        np.add.at(curvature, (rule.source[first], rule.source[second]), shares)
        apart = first != second
        np.add.at(curvature, (rule.source[second[apart]], rule.source[first[apart]]), shares[apart])
        jacobian = rule.angles.jacobian(row).toarray()
        found = np.einsum("jb,bk->jk", np.einsum("aj,ab->jb", jacobian, curvature), jacobian)
        return -0.25 * (found + found.T)  # rounding, too, is symmetric

    return evaluate
