"""Bit strings that were measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

ENTRY_BYTES = 250
"""Of an entry in a dictionary of counts: its place, the string's head, the number."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Bit strings that were measured.

    Attributes:
        bits: Shape (distinct strings, qubits), 0 or 1; column q belongs to qubit q.
        counts: How often each was seen, shape (distinct strings,).
    """

    bits: np.ndarray
    counts: np.ndarray

    def to_counts(self, registers: Sequence[int] = ()) -> dict[str, int]:
        """Qiskit's dictionary; bit 0 is the rightmost character.

        Args:
            registers: Sizes of the registers that the bits belong to; the first one's are the rightmost word.
        """
        ends = np.cumsum(registers[:-1], dtype=int) if len(registers) > 1 else ()
        counts: dict[str, int] = {}
        for row, count in zip(self.bits, self.counts.tolist(), strict=True):
            letters = "".join("01"[bit] for bit in row)
            words = " ".join(letters[a:b] for a, b in pairwise((0, *ends, len(letters))))[::-1]
            counts[words] = counts.get(words, 0) + count
        return counts


def counts_bytes(n_strings: int, n_bits: int) -> int:
    """Bytes of a dictionary of counts, and of what it is made from.

    Args:
        n_strings: Distinct ones.
        n_bits: Of each.
    """
    return n_strings * (ENTRY_BYTES + 4 * n_bits)


def all_bits(size: int) -> np.ndarray:
    """The bits of the indices 0, ..., size - 1, shape (size, qubits); column q belongs to qubit q."""
    return ((np.arange(size)[:, None] >> np.arange(size.bit_length() - 1)) & 1).astype(np.uint8)


def from_counts(counts: Mapping[str, int]) -> Outcomes:
    """Outcomes from Qiskit's dictionary of counts, in a fixed order; all registers are one.

    Args:
        counts: Bit string to count; bit 0 is the rightmost character, words of registers are joined.
    """
    strings = sorted(counts)
    letters = "".join(strings).replace(" ", "").encode()
    bits = np.frombuffer(letters, dtype=np.uint8).reshape(len(strings), -1)[:, ::-1] - ord("0")
    return Outcomes(bits, np.array([counts[s] for s in strings]))
