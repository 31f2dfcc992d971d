"""Dense states in numpy, one plain function for each thing that can be done to them.

A state is an array of shape (2,) * n whose axis n-1-q belongs to qubit q; flattened, its index is Qiskit's.
"""

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.instructions import terms
from backends.measurement.groups import Measurements
from backends.measurement.outcomes import Outcomes

H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
S_DAGGER = np.diag([1, -1j])
TO_Z = {"X": H, "Y": H @ S_DAGGER}
"""Gates after which measuring Z means measuring X or Y before them."""


def zero_state(n_qubits: int) -> np.ndarray:
    """|0...0>."""
    psi = np.zeros((2,) * n_qubits, dtype=complex)
    psi[(0,) * n_qubits] = 1
    return psi


def apply_matrix(psi: np.ndarray, matrix: np.ndarray, qubits: tuple[int, ...]) -> np.ndarray:
    """Apply a gate's matrix, Qiskit's order: bit j of its index belongs to qubits[j]."""
    k = len(qubits)
    axes = [psi.ndim - 1 - q for q in reversed(qubits)]
    gate = np.asarray(matrix).reshape((2,) * (2 * k))
    return np.moveaxis(np.tensordot(gate, psi, axes=(range(k, 2 * k), axes)), range(k), axes)


def apply_pauli(psi: np.ndarray, label: str, qubits: tuple[int, ...] | None = None) -> np.ndarray:
    """Apply a Pauli string; its rightmost letter acts on qubits[0]."""
    qubits = tuple(range(psi.ndim)) if qubits is None else qubits
    for letter, q in zip(reversed(label), qubits, strict=True):
        axis = psi.ndim - 1 - q
        column = (2,) + (1,) * q
        if letter in "XY":
            psi = np.flip(psi, axis)
        if letter == "Y":
            psi = psi * np.array([-1j, 1j]).reshape(column)
        if letter == "Z":
            psi = psi * np.array([1, -1]).reshape(column)
    return psi


def expectation(psi: np.ndarray, observable: SparsePauliOp) -> float:
    """<psi|H|psi>, term by term; without BLAS, which cuts a scalar product by its number of threads."""
    bra = psi.conj()
    return float(sum(c * np.sum(bra * apply_pauli(psi, label)).real for label, c in terms(observable)))


def reduced_density_matrix(psi: np.ndarray, qubits: tuple[int, ...]) -> np.ndarray:
    """rho of some qubits, shape (2^k, 2^k); bit j of its index belongs to qubits[j]."""
    axes = [psi.ndim - 1 - q for q in reversed(qubits)]
    m = np.moveaxis(psi, axes, range(len(axes))).reshape(2 ** len(axes), -1)
    return m @ m.conj().T


def probabilities(psi: np.ndarray, basis: str | None = None) -> np.ndarray:
    """Probability of each bit string, shape (2^n,), when each qubit is measured in its letter's basis (I as Z)."""
    for q, letter in enumerate(reversed(basis or "")):
        if letter in TO_Z:
            psi = apply_matrix(psi, TO_Z[letter], (q,))
    p = np.abs(psi.reshape(-1)).astype(np.float64) ** 2  # NumPy draws from sums that are 1 in double precision
    return p / p.sum()


def draw(p: np.ndarray, shots: int, rng: np.random.Generator) -> Outcomes:
    """Measure: draw bit strings with probabilities p of shape (2^n,)."""
    counts = rng.multinomial(shots, p)
    seen = np.flatnonzero(counts)
    n_qubits = len(p).bit_length() - 1
    bits = ((seen[:, None] >> np.arange(n_qubits)) & 1).astype(np.uint8)
    return Outcomes(bits, counts[seen])


def estimate(psi: np.ndarray, measurements: Measurements, shots: int, seeds: np.random.SeedSequence):
    """Expectation values and standard errors from sampling a state, each group with a random stream of its own."""
    streams = seeds.spawn(len(measurements.groups))
    outcomes = [
        draw(probabilities(psi, group.basis), shots, np.random.default_rng(stream))
        for group, stream in zip(measurements.groups, streams, strict=True)
    ]
    return measurements.estimate(outcomes)
