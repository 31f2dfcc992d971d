"""What a circuit can reach of the state space, found before anything is computed."""

from typing import NamedTuple

import numpy as np

from backends.statevector.circuit import parity
from backends.statevector.circuit.lower import Factors

SHARE = 8
"""A part is small if it has at most the 8th of all basis states."""

MOST_ENTRIES = 2**25
"""Entries of the tables of all factors, beyond which the whole state is the better choice."""

DENSE = 1024
"""States up to which an observable is one matrix on the part."""


class Reached(NamedTuple):
    """The part of the state space that a circuit can reach.

    Attributes:
        start: The basis state that the leading X gates prepare.
        states: All reachable ones, ascending.
        first: Number of the leading gates' factors.
    """

    start: int
    states: np.ndarray
    first: int


def reached(factors: Factors, most: int | None = None) -> Reached | None:
    """What a circuit can reach, or None if that is more than so many basis states; left out, more than is worth it."""
    limit = min(2**factors.n_qubits // SHARE, MOST_ENTRIES // max(len(factors), 1)) if most is None else most
    start = first = 0
    constant = factors.angles.n_slopes == 0
    curved = {index for index, _, _ in factors.angles.curved}
    alone = np.count_nonzero(factors.weight, axis=1) == 1
    for f in range(len(factors)):
        flips = constant[f] and f not in curved and alone[f] and factors.x[f]
        if not (flips and abs(np.cos(factors.angles.offset[f])) < 1e-15):
            break
        start, first = start ^ int(factors.x[f]), f + 1
    states = np.array([start], dtype=np.uint32)
    for f in range(first, len(factors)):
        if factors.x[f]:
            new = states[diagonal(factors, f, states) != 0] ^ factors.x[f]
            states = _joined(states, new)
            if len(states) > limit:
                return None
    return Reached(start, states, first)


def _joined(states: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The union, ascending; of numbers that are almost in order, sorting makes it 20 times faster than hashing."""
    both = np.sort(np.concatenate([states, new]))
    return both[np.append(True, both[1:] != both[:-1])]


def diagonal(factors: Factors, f: int, states: np.ndarray) -> np.ndarray:
    """The diagonal of a factor on basis states, 0 where it is but rounding."""
    some = factors.weight[f] != 0
    total = factors.weight[f][some] @ parity.signs(factors.z[f][some], states)
    return np.where(np.abs(total) < 1e-12, 0.0, total)
