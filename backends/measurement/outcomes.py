"""Bit strings that were measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Bit strings that were measured.

    Attributes:
        bits: Shape (distinct strings, qubits), 0 or 1; column q belongs to qubit q.
        counts: How often each was seen, shape (distinct strings,).
    """

    bits: np.ndarray
    counts: np.ndarray

    def to_counts(self) -> dict[str, int]:
        """Qiskit's dictionary; qubit 0 is the rightmost character."""
        strings = ("".join("01"[bit] for bit in reversed(row)) for row in self.bits)
        return {string: int(count) for string, count in zip(strings, self.counts, strict=True)}


def all_bits(size: int) -> np.ndarray:
    """The bits of the indices 0, ..., size - 1, shape (size, qubits); column q belongs to qubit q."""
    return ((np.arange(size)[:, None] >> np.arange(size.bit_length() - 1)) & 1).astype(np.uint8)


def from_counts(counts: Mapping[str, int]) -> Outcomes:
    """Outcomes from Qiskit's dictionary of counts, in a fixed order."""
    strings = sorted(counts)
    bits = np.array([np.frombuffer(s.encode(), dtype=np.uint8)[::-1] - ord("0") for s in strings])
    return Outcomes(bits, np.array([counts[s] for s in strings]))
