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
        index = np.arange(2**self.n_qubits)
        found = []
        for mask in dict.fromkeys(string.x for string, _ in self.strings):
            own = [(string.z, (string.x & string.z).bit_count(), c) for string, c in self.strings if string.x == mask]
            source = index ^ mask if mask else None
            if len(own) == 1 and own[0][0] == 0:
                found.append(Diagonal(source, float(own[0][2])))
                continue
            values = np.zeros(len(index), complex if any(n_y % 2 for _, n_y, _ in own) else float)
            for z, n_y, c in own:
                phase = (1j**n_y).real if n_y % 2 == 0 else 1j**n_y
                values += c * phase * (1.0 - 2.0 * (np.bitwise_count((index ^ mask) & z) & 1))
            kind = np.result_type(self.real, np.complex64) if values.dtype == complex else self.real
            found.append(Diagonal(source, values.astype(kind)[:, None]))
        return tuple(found)

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


def crossings(strings: Strings, n_qubits: int) -> list[int]:
    """How many strings are told apart at each place between two qubits, `begun` and `done` included."""
    found: list[set] = [set() for _ in range(n_qubits + 1)]
    for x, z, _ in (string for string, _ in strings):
        support = x | z
        if support:
            for place in range(lowest(support) + 1, support.bit_length()):
                below = (1 << place) - 1
                found[place].add((x & below, z & below))
    return [len(own) + 2 for own in found]
