r"""Cutting a circuit on a line of qubits into parts that bonds join.

A boundary lies between two parts. Where a Pauli string P (x) Q of a rotation reaches over it, the part of P copies the
eigenvalue of P into a new qubit, a bond, and the part of Q reads the bond's Z in place of P:

    exp(-i angle P (x) Q) = sum_b [projector of P on (-1)^b] (x) exp(-i angle (-1)^b Q).

Each part is then a circuit of its own, on its qubits and the bonds at its boundaries. In the part that copies, a bond
starts in |0>; in the one that reads, in |+>, times sqrt(2). The state is the sum, over the values of all bonds, of the
products of the parts' states. A string over several boundaries goes from part to part: each copies the eigenvalue of
what it has read times its own share of the string. A bond serves all later rotations that need the same P, until
something that does not commute with it acts on its side. Few bonds are enough for circuits of few layers, on chains
above all: there is little entanglement to carry.

References:
    Bravyi, Smith and Smolin, "Trading classical and quantum computational resources", Phys. Rev. X 6, 021043 (2016),
    sum over the bonds' values of two parts instead; Vidal, "Efficient classical simulation of slightly entangled
    quantum computations", Phys. Rev. Lett. 91, 147902 (2003), makes each qubit a part.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from math import pi
from typing import NamedTuple

from backends.statevector.native.clifford import Pauli
from backends.statevector.native.rotations import Gate, Rotation
from backends.statevector.parts.line import bits, lowest, moved

ONE = -1
"""Number of the angle that is 1 whatever the parameters."""


class Held(NamedTuple):
    """What a bond holds the eigenvalue of: a string on one side of a boundary.

    Attributes:
        boundary: Number of it.
        left: Whether the string is left of it.
        x: X mask.
        z: Z mask.
    """

    boundary: int
    left: bool
    x: int
    z: int


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a circuit: a circuit on its left bonds, its own qubits, and its right bonds, in this order.

    Attributes:
        n_left: Bonds at its left boundary.
        n_own: Qubits of its own.
        n_right: Bonds at its right boundary.
        n_read: How many of the bonds it reads; its state is short by sqrt(2) for each.
        gates: Of it.
    """

    n_left: int
    n_own: int
    n_right: int
    n_read: int
    gates: list[Gate]

    @property
    def n_qubits(self) -> int:
        """Of its circuit."""
        return self.n_left + self.n_own + self.n_right


def cut(gates: Iterable[Gate], n_qubits: int, boundaries: list[int]) -> list[Part]:
    """The parts of a circuit, from left to right.

    Args:
        gates: Of the circuit, on qubits that stand on a line in the order of their bits.
        n_qubits: How many there are.
        boundaries: The first qubit of each part but the first, ascending.
    """
    known = _Known(n_qubits, boundaries)
    circuits = [_Circuit() for _ in range(len(boundaries) + 1)]
    for number, gate in enumerate(gates):
        for rotation in gate:
            string = rotation.string
            reader = known.reader(string)
            for boundary, left in known.pass_on(string, reader):
                bond = 1 << n_qubits + known.bonds[boundary][-1]
                source, target = (boundary, boundary + 1) if left else (boundary + 1, boundary)
                circuits[source].copy(known.local(string, source, left=left, right=not left), bond)
                circuits[target].read(bond, number)
            local = known.local(string, reader, left=True, right=True)
            circuits[reader].add(rotation._replace(string=local), number)
            known.forget(string)
    edges, bonds = [0, *boundaries, n_qubits], [[], *known.bonds, []]
    parts = []
    for k, circuit in enumerate(circuits):
        left, right = ([n_qubits + number for number in bonds[j]] for j in (k, k + 1))
        own = moved((gate for _, gate in circuit.gates), [*left, *range(edges[k], edges[k + 1]), *right])
        parts.append(Part(len(left), edges[k + 1] - edges[k], len(right), circuit.n_read, own))
    return parts


def counts(
    gates: Iterable[Gate], n_qubits: int, boundaries: list[int], most: int | None = None
) -> tuple[list[int], list[float]]:
    """Bonds at every boundary and rotations of every part, as `cut` makes them.

    Args:
        gates: Of the circuit, on qubits that stand on a line in the order of their bits.
        n_qubits: How many there are.
        boundaries: The first qubit of each part but the first, ascending.
        most: Bonds that make a boundary useless. From then on it is as if the parts beside it were one; where all are
            useless, there is no more counting. By default none is.

    Returns:
        Bonds, and rotations, those of Clifford gates by half: they may be none.
    """
    known = _Known(n_qubits, boundaries, most)
    turns = [0.0] * (len(boundaries) + 1)
    for gate in gates:
        if boundaries and known.n_useless == len(boundaries):
            break
        for rotation in gate:
            reader = known.reader(rotation.string)
            known.pass_on(rotation.string, reader)
            known.forget(rotation.string)
            turns[reader] += rotation.eighths is None or bool(rotation.string.x) / 2
    return [len(own) for own in known.bonds], turns


class _Known:
    """What bonds hold while a circuit is cut: `bonds` are their numbers at each boundary."""

    def __init__(self, n_qubits: int, boundaries: list[int], most: int | None = None):
        self.n_qubits, self.boundaries, self.most = n_qubits, boundaries, most
        self.sides = [((1 << b) - 1, (1 << n_qubits) - (1 << b)) for b in boundaries]
        self.bonds: list[list[int]] = [[] for _ in boundaries]
        self.held: dict[Held, int] = {}
        self.on_qubit: list[set[Held]] = [set() for _ in range(n_qubits)]
        self.n_bonds = self.n_useless = 0

    def reader(self, string: Pauli) -> int:
        """The part that a string is applied in: others pass on to it what they know, with fewest new bonds."""
        first, last = self._ends(string)
        if first == last:
            return first
        from_left, from_right = [0.0], [0.0]
        for j in range(first, last):
            from_left.append(self._cost(self._share(string, j, left=True), from_left[-1]))
        for j in reversed(range(first, last)):
            from_right.append(self._cost(self._share(string, j, left=False), from_right[-1]))
        total = [sum(both) for both in zip(from_left, reversed(from_right), strict=True)]
        return last - total[::-1].index(min(total))

    def pass_on(self, string: Pauli, reader: int) -> list[tuple[int, bool]]:
        """Let bonds hold what a string does on either side of a part.

        Returns:
            The boundary of each new bond, and whether it passes something on from the left.
        """
        first, last = self._ends(string)
        new = []
        for left, way in ((True, range(first, reader)), (False, range(last - 1, reader - 1, -1))):
            shares = [self._share(string, j, left=left) for j in way if not self._is_useless(j)]
            known = [k for k, share in enumerate(shares) if share in self.held]
            for share in shares[known[-1] + 1 if known else 0 :]:
                self._hold(share)
                new.append((share.boundary, left))
        return new

    def local(self, string: Pauli, part: int, *, left: bool, right: bool) -> Pauli:
        """What a string does on a part, times Z of the bonds that hold what it does on its left or right."""
        first, last = self._ends(string)
        own, bonds = -1, 0
        if part > first:
            own &= self.sides[part - 1][1]
            bonds |= left and 1 << self.held[self._share(string, part - 1, left=True)]
        if part < last:
            own &= self.sides[part][0]
            bonds |= right and 1 << self.held[self._share(string, part, left=False)]
        return Pauli.string(string.x & own, string.z & own | bonds << self.n_qubits)

    def forget(self, string: Pauli) -> None:
        """Of all that bonds hold, what does not commute with a string that has acted."""
        for held in {held for q in bits(string.x | string.z) for held in self.on_qubit[q]}:
            if not Pauli(held.x, held.z).commutes(string):
                del self.held[held]
                for q in bits(held.x | held.z):
                    self.on_qubit[q].discard(held)

    def _ends(self, string: Pauli) -> tuple[int, int]:
        support = string.x | string.z
        return bisect_right(self.boundaries, lowest(support)), bisect_right(self.boundaries, support.bit_length() - 1)

    def _share(self, string: Pauli, boundary: int, *, left: bool) -> Held:
        side = self.sides[boundary][not left]
        return Held(boundary, left, string.x & side, string.z & side)

    def _is_useless(self, boundary: int) -> bool:
        return len(self.bonds[boundary]) == self.most

    def _cost(self, share: Held, before: float) -> float:
        """New bonds until a share is known; those that hold Z cost a little less, and useless boundaries need none."""
        if self._is_useless(share.boundary):
            return before
        return 0.0 if share in self.held else before + (1.1 if share.x else 1.0)

    def _hold(self, share: Held) -> None:
        own = self.bonds[share.boundary]
        own.append(self.n_bonds)
        self.n_useless += len(own) == self.most
        self.held[share] = self.n_bonds
        for q in bits(share.x | share.z):
            self.on_qubit[q].add(share)
        self.n_bonds += 1


class _Circuit:
    """The circuit of a part while it is made: gates, with their numbers in the whole; those of bonds have none."""

    def __init__(self):
        self.gates: list[tuple[int | None, Gate]] = []
        self.n_read = 0

    def add(self, rotation: Rotation, number: int) -> None:
        """Apply a rotation, together with those of the same gate."""
        if self.gates and self.gates[-1][0] == number:
            self.gates[-1][1].append(rotation)
        else:
            self.gates.append((number, [rotation]))

    def copy(self, string: Pauli, bond: int) -> None:
        """Let a bond hold the eigenvalue of a string: exp(-i pi/4 (1 - P)(1 - X)) turns it where P = -1."""
        both = Pauli.string(string.x | bond, string.z)
        self.gates.append((None, [_fixed(string, -1), _fixed(Pauli(bond, 0), -1), _fixed(both, 1)]))

    def read(self, bond: int, number: int) -> None:
        """Let a bond start in |+>, before the gate that reads it."""
        begun = bool(self.gates) and self.gates[-1][0] == number
        self.gates.insert(len(self.gates) - begun, (None, [_fixed(Pauli.string(bond, bond), 1)]))
        self.n_read += 1


def _fixed(string: Pauli, eighths: int) -> Rotation:
    return Rotation(string, eighths, ONE, eighths * pi / 4)
