"""The geometry of a circuit's states: fidelities of pairs, and the metric that follows from them.

The fidelity F(a, b) = |<psi(a)|psi(b)>|^2 comes from states where a backend hands them out, and from compute-uncompute
circuits elsewhere: it is the probability that U(b)+ U(a) |0> is measured as all zeros. Near a = b it falls as

    F(theta, theta + d) = 1 - d.g d + O(d^3),

so the Fubini-Study metric is g = -1/2 d^2 F / db db at b = a. As a function of b, F is the expectation value of a
projector, and parameter-shift rules, applied twice, give g exactly; P rotations take 2 P^2 + P fidelities.

References:
    Havlicek et al., Nature 567, 209 (2019), for compute-uncompute circuits;
    Mari, Bromley, Killoran, Phys. Rev. A 103, 012405 (2021), for the metric by parameter shifts.
"""

from collections.abc import Callable

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from backends.base import Backend
from backends.batch import check_unitary
from backends.gradients import shift_rule
from backends.sampling import child_seed
from circuits.errors import Refused

Fidelities = Callable[[np.ndarray, int], np.ndarray]
"""``f(pairs, seed)``: parameters of shape (pairs, 2, params), radians, to fidelities of shape (pairs,)."""


def fidelities(backend: Backend, circuit: QuantumCircuit, *, shots: int | None = None) -> Fidelities:
    """Fidelities |<psi(a)|psi(b)>|^2 of pairs of a circuit's states, as a function of their parameters.

    Args:
        backend: Exact and without noise if it hands out states; any other runs compute-uncompute circuits.
        circuit: With parameters, without measurements.
        shots: For each pair; None for exact values, or a device's default. Each is a whole number of shots over shots.

    Raises:
        Refused: if exact values are asked of a backend that hands out no states.
    """
    check_unitary(circuit)
    shots = check_obtainable(backend, shots)
    if not backend.capabilities().states:
        assert shots is not None
        return _from_counts(backend, circuit, shots)
    states = backend.states(circuit)

    def evaluate(pairs: np.ndarray, seed: int) -> np.ndarray:
        rows = {row.tobytes(): row for pair in pairs for row in pair}
        known = {key: states(row) for key, row in rows.items()}
        # Summed by numpy itself: the bits of a threaded dot product depend on the number of threads.
        overlaps = [(known[a.tobytes()].conj() * known[b.tobytes()]).sum() for a, b in pairs]
        exact = np.minimum(np.abs(np.array(overlaps, dtype=complex)) ** 2, 1.0)
        return exact if shots is None else np.random.default_rng(seed).binomial(shots, exact) / shots

    return evaluate


def metric(
    backend: Backend, circuit: QuantumCircuit, *, shots: int | None = None
) -> Callable[[np.ndarray, int], np.ndarray]:
    """The Fubini-Study metric by parameter shifts, ``f(row, seed)``: (params,) -> (params, params).

    Args:
        backend: As for `fidelities`.
        circuit: As for `fidelities`.
        shots: For each fidelity. The metric of a finite number of them may have negative eigenvalues.

    Raises:
        Refused: if exact values are asked of a backend that hands out no states.
    """
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


def check_obtainable(backend: Backend, shots: int | None) -> int | None:
    """Shots that fidelities take on a backend, None for exact ones.

    Raises:
        Refused: if exact ones are asked of a backend that hands out no states.
    """
    can = backend.capabilities()
    shots = can.default_shots if shots is None else shots
    if shots is None and not can.states:
        raise Refused(
            f"'{can.name}' hands out no states, so fidelities and metrics cannot be exact there: give shots, "
            "or take 'statevector'"
        )
    return shots


def _from_counts(backend: Backend, circuit: QuantumCircuit, shots: int) -> Fidelities:
    a, b = (ParameterVector(name, circuit.num_parameters) for name in "ab")
    there, back = circuit.assign_parameters(a), circuit.assign_parameters(b).inverse()
    both = there & back
    zeros = "0" * circuit.num_qubits

    def evaluate(pairs: np.ndarray, seed: int) -> np.ndarray:
        counts = [
            backend.sample(both, pair.reshape(-1), shots=shots, seed=child_seed(seed, k)).get(zeros, 0)
            for k, pair in enumerate(pairs)
        ]
        return np.array(counts, dtype=float) / shots

    return evaluate
