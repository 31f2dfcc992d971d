"""A circuit as Pauli rotations and an observable as Pauli strings, on any number of qubits."""

from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.angles import Angles
from backends.statevector.circuit.lower import lower

WORD = 64
"""Qubits of a word of a mask; qubit q is bit q % 64 of word q // 64."""


@dataclass(frozen=True, eq=False)
class PauliRotations:
    """exp(-i weight angle / 2 P) one after the other.

    Attributes:
        n_qubits: Width.
        x: X masks, shape (rotations, words).
        z: Z masks, shape (rotations, words).
        angle: Which of the circuit's angles each takes, shape (rotations,).
        weight: Of the angle, shape (rotations,).
        free: Whether the angle depends on parameters, shape (rotations,), 0 or 1.
        angles: From the circuit's parameters to its angles.
    """

    n_qubits: int
    x: np.ndarray
    z: np.ndarray
    angle: np.ndarray
    weight: np.ndarray
    free: np.ndarray
    angles: Angles

    def __len__(self) -> int:
        return len(self.angle)

    def at(self, rows: np.ndarray) -> np.ndarray:
        """The angle of each rotation, in radians: (rows, params) -> (rows, rotations)."""
        return self.angles.values(rows)[:, self.angle] * self.weight

    def pulled(self, row: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives by the parameters from those by the rotations' angles: (params,), (rotations,) -> (params,)."""
        by_angle = np.bincount(self.angle, self.weight * slopes, minlength=self.angles.n_angles)
        return self.angles.pulled(row[None], by_angle[None])[0]


def pauli_rotations(circuit: QuantumCircuit) -> PauliRotations:
    """Write a circuit without measurements as Pauli rotations.

    Raises:
        Refused: naming a gate that has neither a rule nor a definition.
    """
    factors = lower(circuit)
    place, column = np.nonzero(factors.weight)
    x = words([int(factors.x[f]) for f in place], circuit.num_qubits)
    z = words([int(factors.z[f, k]) for f, k in zip(place, column, strict=True)], circuit.num_qubits)
    y = np.bitwise_count(x & z).sum(axis=1, dtype=int)
    sign = 1 - y // 2 % 2 * 2  # a factor's weights leave the i of each Y out
    weight = 2 * sign * factors.weight[place, column]
    return PauliRotations(circuit.num_qubits, x, z, place, weight, factors.free[place].astype(np.uint8), factors.angles)


def strings(observable: SparsePauliOp) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X masks and Z masks, each of shape (terms, words), and real coefficients, shape (terms,); each string once."""
    observable = observable.simplify(atol=0)
    return (
        _packed(np.asarray(observable.paulis.x)),
        _packed(np.asarray(observable.paulis.z)),
        np.ascontiguousarray(np.real(np.asarray(observable.coeffs)), dtype=float),
    )


def words(masks: list[int], n_qubits: int) -> np.ndarray:
    """Masks as rows of words, shape (masks, words).

    >>> words([1 << 64 | 3], 65).tolist()
    [[3, 1]]
    """
    n_words = -(-n_qubits // WORD)
    joined = b"".join(mask.to_bytes(n_words * 8, "little") for mask in masks)
    return np.frombuffer(joined, "<u8").astype(np.uint64).reshape(len(masks), n_words)


def _packed(bits: np.ndarray) -> np.ndarray:
    """Rows of bits as rows of words."""
    n_words = -(-bits.shape[1] // WORD)
    padded = np.zeros((len(bits), n_words * WORD), bool)
    padded[:, : bits.shape[1]] = bits
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
