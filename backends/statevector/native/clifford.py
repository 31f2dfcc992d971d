"""Clifford gates that are not applied: later strings are seen through them.

For a circuit U = C R of rotations R and a Clifford C, a rotation that follows is exp(-i a P) C = C exp(-i a C+ P C),
and an observable H becomes C+ H C. What C does to a string is known from what it does to X and Z of each qubit.

References:
    Aaronson and Gottesman, Improved simulation of stabilizer circuits, Phys. Rev. A 70, 052328 (2004).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

import numpy as np


class Pauli(NamedTuple):
    """i^phase X^x Z^z; a string of X, Y and Z has as many i as there are Y.

    Attributes:
        x: Mask of the qubits with X or Y.
        z: Mask of the qubits with Z or Y.
        phase: Power of i, 0 to 3.
    """

    x: int
    z: int
    phase: int = 0

    @classmethod
    def string(cls, x: int, z: int) -> Self:
        """The product of X, Y and Z with these masks.

        >>> Pauli.string(1, 1)  # Y = i X Z
        Pauli(x=1, z=1, phase=1)
        """
        return cls(x, z, (x & z).bit_count() % 4)

    @property
    def sign(self) -> int:
        """1 or -1: of a Hermitian product, before its string of X, Y and Z."""
        return 1 - (self.phase - (self.x & self.z).bit_count()) % 4

    def commutes(self, other: "Pauli") -> bool:
        """Whether the two commute."""
        return ((self.x & other.z).bit_count() + (self.z & other.x).bit_count()) % 2 == 0

    def times(self, other: "Pauli") -> "Pauli":
        """The product, this one on the left.

        >>> Pauli(1, 0).times(Pauli(0, 1)).times(Pauli(1, 0))  # XZX = -Z
        Pauli(x=0, z=1, phase=2)
        """
        crossed = 2 * (self.z & other.x).bit_count()
        return Pauli(self.x ^ other.x, self.z ^ other.z, (self.phase + other.phase + crossed) % 4)


class Frame:
    """C+ P C for every string P, where C is the product of the Clifford rotations told so far."""

    def __init__(self) -> None:
        self._x: dict[int, Pauli] = {}
        self._z: dict[int, Pauli] = {}

    def seen(self, string: Pauli) -> Pauli:
        """C+ P C.

        >>> frame = Frame()
        >>> frame.turn(Pauli(0, 1))  # S, up to a phase: S+ X S = -Y
        >>> frame.seen(Pauli(1, 0)).sign, frame.seen(Pauli(1, 0))[:2]
        (-1, (1, 1))
        """
        total = Pauli(0, 0, string.phase)
        for qubit in _bits(string.x):
            total = total.times(self._x.get(qubit, Pauli(1 << qubit, 0)))
        for qubit in _bits(string.z):
            total = total.times(self._z.get(qubit, Pauli(0, 1 << qubit)))
        return total

    def turn(self, string: Pauli, eighths: int = 1) -> None:
        """Let C be followed by exp(-i eighths pi/4 P) of a Hermitian string P."""
        eighths %= 4
        if not eighths:
            return
        seen = self.seen(string)
        # G+ Q G of a Q that does not commute with P is Q exp(-2 i eighths pi/4 P): -i Q P, -Q or i Q P.
        by = Pauli(0, 0, 2) if eighths == 2 else Pauli(seen.x, seen.z, (seen.phase - eighths) % 4)
        for qubit in _bits(string.z):
            self._x[qubit] = self._x.get(qubit, Pauli(1 << qubit, 0)).times(by)
        for qubit in _bits(string.x):
            self._z[qubit] = self._z.get(qubit, Pauli(0, 1 << qubit)).times(by)

    def permutation(self, n_qubits: int) -> tuple[np.ndarray, np.ndarray]:
        """C, if it takes basis states to basis states: (C psi)[i] = phase[i] psi[source[i]], up to a global phase.

        Since C+ X C = P for X of a qubit, a phase follows from that of the index without the qubit's bit.

        Returns:
            source, shape (2^n,), and the power of i in the phase, 0 to 3, of the same shape.

        >>> frame = Frame()
        >>> for string, eighths in ((Pauli(0, 1), -1), (Pauli(2, 0), -1), (Pauli(2, 1), 1)):  # CNOT from qubit 0 to 1
        ...     frame.turn(string, eighths)
        >>> frame.permutation(2)[0]
        array([0, 3, 2, 1])
        """
        first = 0
        for qubit in range(n_qubits):
            if self.seen(Pauli(0, 1 << qubit)).sign < 0:
                first ^= self.seen(Pauli(1 << qubit, 0)).x
        source, power = np.array([first]), np.array([0], np.int8)
        for qubit in range(n_qubits):
            seen = self.seen(Pauli(1 << qubit, 0))
            crossed = power - np.int8(seen.phase) + 2 * (np.bitwise_count(source & seen.z) & 1).astype(np.int8)
            source, power = np.concatenate([source, source ^ seen.x]), np.concatenate([power, crossed % 4])
        return source, power


def permutes(rotations: Iterable[tuple[Pauli, int]]) -> bool:
    """Whether Clifford rotations, pairs of a string and a multiple of pi/4, take basis states to basis states.

    >>> permutes([(Pauli(0, 1), 1)]), permutes([(Pauli(1, 1, 1), 1)])  # S, and a Hadamard gate without its Z
    (True, False)
    """
    rotations = tuple(rotations)
    frame, support = Frame(), 0
    for string, eighths in rotations:
        frame.turn(string, eighths)
        support |= string.x | string.z
    return all(frame.seen(Pauli(0, 1 << qubit)).x == 0 for qubit in _bits(support))


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
