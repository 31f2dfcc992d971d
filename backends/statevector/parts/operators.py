"""Sums of Pauli strings on parts, as an operator that is read from left to right.

At a boundary, a string is known by what it does on the left. `done` has nothing left to do on the right, `begun` has
done nothing yet; the others are told apart by their left shares. A part takes each of them one step further:

    W[a, b] = sum of the shares on the part of all strings that are known as a on its left and as b on its right.

References:
    Schollwöck, The density-matrix renormalization group in the age of matrix product states, Ann. Phys. 326, 96 (2011).
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from backends.statevector.native.clifford import Pauli
from backends.statevector.parts.line import Strings, lowest

BEGUN, DONE = (0, 0), None
"""The names of these two; those of the others are masks of what they do on the left."""

Name = tuple[int, int] | None


class Diagonal(NamedTuple):
    """Strings with one X mask: (P psi)[s] = values[s] psi[source[s]].

    Attributes:
        source: Shape (2^qubits,); None for the same index.
        values: Real or complex, shape (2^qubits, 1), or a number.
    """

    source: np.ndarray | None
    values: np.ndarray | float


@dataclass(frozen=True, eq=False)
class Local:
    """A sum of Pauli strings on the own qubits of a part."""

    strings: Strings
    n_qubits: int
    real: np.dtype

    @cached_property
    def diagonals(self) -> tuple[Diagonal, ...]:
        """One for each X mask."""
        together: dict[int, Strings] = {}
        for string, c in self.strings:
            together.setdefault(string.x, []).append((string, c))
        return tuple(self._diagonal(x, own) for x, own in together.items())

    def _diagonal(self, x: int, strings: Strings) -> Diagonal:
        index = np.arange(2**self.n_qubits) ^ x
        source = index if x else None
        if len(strings) == 1 and strings[0][0].z == 0:
            return Diagonal(source, strings[0][1])
        values = np.zeros(len(index), complex)
        for (_, z, phase), c in strings:
            values += c * (1, 1j, -1, -1j)[phase] * (1 - 2.0 * (np.bitwise_count(index & z) & 1))
        real = all(phase % 2 == 0 for (_, _, phase), _ in strings)
        made = np.real(values).astype(self.real) if real else values.astype(np.result_type(self.real, np.complex64))
        return Diagonal(source, made[:, None])

    @property
    def bytes(self) -> int:
        """Of the tables, at most."""
        masks = {string.x for string, _ in self.strings}
        return len(masks) * 2**self.n_qubits * (8 + 2 * self.real.itemsize)

    def add(self, psi: np.ndarray, total: np.ndarray) -> None:
        """Add the sum, applied to psi, to a total, both of shape (right, 2^qubits, left)."""
        for source, values in self.diagonals:
            moved = psi if source is None else psi.take(source, axis=1)
            total += moved if isinstance(values, float) and values == 1.0 else values * moved


@dataclass(frozen=True, eq=False)
class Step:
    """What one part adds to the strings of an observable.

    Attributes:
        n_before: How many are told apart at its left boundary; `begun` is the first, `done` the last.
        n_after: At its right boundary.
        shares: W as (a, b, sum).
    """

    n_before: int
    n_after: int
    shares: tuple[tuple[int, int, Local], ...]


def steps(strings: Strings, edges: list[int], real: np.dtype) -> tuple[Step, ...]:
    """The steps of an observable, from left to right.

    Args:
        strings: Of it.
        edges: First qubit of each part, and the number of all.
        real: Type of real numbers.
    """
    identity = [(Pauli(0, 0), 1.0)]
    shares: list[dict[tuple[Name, Name], Strings]] = [
        {(BEGUN, BEGUN): identity, (DONE, DONE): identity} for _ in edges[1:]
    ]
    for string, coefficient in strings:
        support = string.x | string.z or 1
        first, last = bisect_right(edges, lowest(support)) - 1, bisect_right(edges, support.bit_length() - 1) - 1
        before: Name = BEGUN
        for k in range(first, last + 1):
            own, below = (1 << edges[k + 1]) - (1 << edges[k]), (1 << edges[k + 1]) - 1
            share = Pauli.string((string.x & own) >> edges[k], (string.z & own) >> edges[k])
            if k == last:
                shares[k].setdefault((before, DONE), []).append((share, coefficient))
            else:
                after = (string.x & below, string.z & below)
                shares[k][before, after] = [(share, 1.0)]
                before = after
    numbers = [_numbers(place, shares) for place in range(len(edges))]
    return tuple(
        Step(
            len(numbers[k]),
            len(numbers[k + 1]),
            tuple(
                (numbers[k][a], numbers[k + 1][b], Local(own, edges[k + 1] - edges[k], real))
                for (a, b), own in shares[k].items()
                if a in numbers[k] and b in numbers[k + 1]
            ),
        )
        for k in range(len(shares))
    )


def _numbers(place: int, shares: list[dict[tuple[Name, Name], Strings]]) -> dict[Name, int]:
    """Numbers of the strings that are told apart at a boundary; at the ends all are begun, or done."""
    names: dict[Name, None] = {BEGUN: None} if place < len(shares) else {}
    if 0 < place < len(shares):
        names |= {after: None for _, after in shares[place - 1] if after is not DONE}
    if place:
        names[DONE] = None
    return {name: number for number, name in enumerate(names)}


def crossings(strings: Strings, n_qubits: int) -> np.ndarray:
    """How many strings are told apart at each place between two qubits, `begun` and `done` included.

    Left shares are told apart by random numbers for the letters of each qubit, added up.
    """
    letters = _bits([string.x for string, _ in strings], n_qubits) + 2 * _bits(
        [string.z for string, _ in strings], n_qubits
    )
    numbers = np.random.default_rng(0).integers(2**63, size=(n_qubits, 4), dtype=np.uint64)
    shares = np.cumsum(numbers[np.arange(n_qubits), letters], axis=1)
    begun = np.logical_or.accumulate(letters > 0, axis=1)
    to_do = np.logical_or.accumulate(letters[:, ::-1] > 0, axis=1)[:, ::-1]
    between = [len(np.unique(shares[begun[:, q] & to_do[:, q + 1], q])) for q in range(n_qubits - 1)]
    return np.array([0, *between, 0]) + 2


def _bits(masks: list[int], n_qubits: int) -> np.ndarray:
    """The bits of masks, shape (masks, qubits)."""
    n_bytes = (n_qubits + 7) // 8
    packed = np.frombuffer(b"".join(mask.to_bytes(n_bytes, "little") for mask in masks), np.uint8)
    return np.unpackbits(packed.reshape(-1, n_bytes), axis=1, count=n_qubits, bitorder="little")
