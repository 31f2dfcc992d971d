"""Fidelities of pairs of a circuit's states.

F(a, b) = |<psi(a)|psi(b)>|^2 comes from states where a backend hands them out, and from compute-uncompute circuits
elsewhere: it is the probability that U(b)+ U(a) |0> is measured as all zeros.

References:
    Havlicek et al., Nature 567, 209 (2019), for compute-uncompute circuits.
"""

from collections.abc import Callable

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from backends.base import Backend, Samples, States
from backends.checks import check_unitary
from backends.seeds import child_seed
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
    shots = obtainable(backend, shots)
    if isinstance(backend, States):
        return _from_states(backend.states(circuit), shots)
    assert shots is not None
    assert isinstance(backend, Samples)
    return _from_counts(backend, circuit, shots)


def _from_states(states: Callable[[np.ndarray], np.ndarray], shots: int | None) -> Fidelities:

    def evaluate(pairs: np.ndarray, seed: int) -> np.ndarray:
        rows = {row.tobytes(): row for pair in pairs for row in pair}
        known = {key: states(row) for key, row in rows.items()}
        # Summed by numpy itself: the bits of a threaded dot product depend on the number of threads.
        overlaps = [(known[a.tobytes()].conj() * known[b.tobytes()]).sum() for a, b in pairs]
        exact = np.minimum(np.abs(np.array(overlaps, dtype=complex)) ** 2, 1.0)
        return exact if shots is None else np.random.default_rng(seed).binomial(shots, exact) / shots

    return evaluate


def obtainable(backend: Backend, shots: int | None) -> int | None:
    """Shots that fidelities take on a backend, None for exact ones.

    Raises:
        Refused: if exact ones are asked of a backend that hands out no states, or any of one that does not sample.
    """
    can = backend.capabilities()
    shots = can.default_shots if shots is None else shots
    if shots is None and not isinstance(backend, States):
        raise Refused(
            f"'{can.name}' hands out no states, so fidelities and metrics cannot be exact there: give shots, "
            "or take 'statevector'"
        )
    if not isinstance(backend, States | Samples):
        raise Refused(f"'{can.name}' hands out neither states nor samples, so it has no fidelities: take 'statevector'")
    return shots


def _from_counts(backend: Samples, circuit: QuantumCircuit, shots: int) -> Fidelities:
    a, b = (ParameterVector(name, circuit.num_parameters) for name in "ab")
    there, back = circuit.assign_parameters(a), circuit.assign_parameters(b).inverse()
    both = there & back
    zeros = "0" * circuit.num_qubits

    def evaluate(pairs: np.ndarray, seed: int) -> np.ndarray:
        seeds = [child_seed(seed, k) for k in range(len(pairs))]
        counts = backend.sample_rows(both, pairs.reshape(len(pairs), -1), shots=shots, seeds=seeds)
        return np.array([one.get(zeros, 0) for one in counts], dtype=float) / shots

    return evaluate
