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
from collections import defaultdict
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


def cut(gates: list[Gate], n_qubits: int, boundaries: list[int]) -> list[Part]:
    """The parts of a circuit, from left to right.

    Args:
        gates: Of the circuit, on qubits that stand on a line in the order of their bits.
        n_qubits: How many there are.
        boundaries: The first qubit of each part but the first, ascending.
    """
    line = _Line(n_qubits, boundaries)
    for gate in gates:
        line.open += 1
        for rotation in gate:
            line.act(rotation)
    edges = [0, *boundaries, n_qubits]
    parts = []
    for k, own in enumerate(line.gates):
        left, right = ([n_qubits + number for number in line.bonds[j]] if j in line.bonds else [] for j in (k - 1, k))
        qubits = [*left, *range(edges[k], edges[k + 1]), *right]
        circuit = moved([gate for _, gate in own], qubits)
        parts.append(Part(len(left), edges[k + 1] - edges[k], len(right), line.read[k], circuit))
    return parts


class _Line:
    """The parts while they are being made. Bond number b is bit n_qubits + b in both of its parts."""

    def __init__(self, n_qubits: int, boundaries: list[int]):
        self.n_qubits, self.boundaries = n_qubits, boundaries
        self.sides = [((1 << b) - 1, (1 << n_qubits) - (1 << b)) for b in boundaries]
        self.gates: list[list[tuple[int | None, Gate]]] = [[] for _ in range(len(boundaries) + 1)]
        self.read = [0] * len(self.gates)
        self.bonds: dict[int, list[int]] = {j: [] for j in range(len(boundaries))}
        self.held: dict[Held, int] = {}
        self.on_qubit: dict[int, set[Held]] = defaultdict(set)
        self.n_bonds = 0
        self.open = 0
        """Number of the gate in work; its rotations on a part stay together. Those of bonds have none."""

    def act(self, rotation: Rotation) -> None:
        """Apply a rotation: in one part, which reads what the others know."""
        string = rotation.string
        first, last = self._ends(string)
        reader = first if first == last else self._reader(string, first, last)
        self._pass_on(string, range(first, reader), left=True)
        self._pass_on(string, range(reader, last)[::-1], left=False)
        self._add(reader, rotation._replace(string=self._local(string, reader, left=True, right=True)))
        for held in {held for q in bits(string.x | string.z) for held in self.on_qubit[q]}:
            if not Pauli(held.x, held.z).commutes(string):
                del self.held[held]
                for q in bits(held.x | held.z):
                    self.on_qubit[q].discard(held)

    def _ends(self, string: Pauli) -> tuple[int, int]:
        """The first and the last part that a string acts on."""
        support = string.x | string.z
        return bisect_right(self.boundaries, lowest(support)), bisect_right(self.boundaries, support.bit_length() - 1)

    def _on_side(self, string: Pauli, boundary: int, left: bool) -> Held:
        side = self.sides[boundary][not left]
        return Held(boundary, left, string.x & side, string.z & side)

    def _reader(self, string: Pauli, first: int, last: int) -> int:
        """The part to which the others pass on what they know, so that fewest new bonds are needed."""
        from_left, from_right = [0.0], [0.0]
        for j in range(first, last):
            from_left.append(self._cost(string, j, left=True, before=from_left[-1]))
        for j in reversed(range(first, last)):
            from_right.append(self._cost(string, j, left=False, before=from_right[-1]))
        total = [sum(both) for both in zip(from_left, reversed(from_right), strict=True)]
        return last - total[::-1].index(min(total))

    def _cost(self, string: Pauli, boundary: int, *, left: bool, before: float) -> float:
        """New bonds for passing a string on as far as beyond a boundary; those that hold Z cost a little less."""
        held = self._on_side(string, boundary, left)
        return 0.0 if held in self.held else before + (1.1 if held.x else 1.0)

    def _pass_on(self, string: Pauli, boundaries: range, *, left: bool) -> None:
        known = [k for k, j in enumerate(boundaries) if self._on_side(string, j, left) in self.held]
        for j in boundaries[known[-1] + 1 if known else 0 :]:
            self._copy(string, j, left=left)

    def _copy(self, string: Pauli, boundary: int, *, left: bool) -> None:
        """Let a bond hold the eigenvalue of what a string does on one side of a boundary."""
        held = self._on_side(string, boundary, left)
        source, reader = (boundary, boundary + 1) if left else (boundary + 1, boundary)
        bond = 1 << self.n_qubits + self.n_bonds
        x, z, _ = self._local(string, source, left=left, right=not left)
        # exp(-i pi/4 (1 - P)(1 - X)) turns the bond where P = -1.
        turns = (Pauli.string(x, z), -1), (Pauli(bond, 0), -1), (Pauli.string(x | bond, z), 1)
        self.gates[source].append((None, [_fixed(*turn) for turn in turns]))
        there = self.gates[reader]
        in_work = bool(there) and there[-1][0] == self.open
        there.insert(len(there) - in_work, (None, [_fixed(Pauli.string(bond, bond), 1)]))
        self.read[reader] += 1
        self.held[held] = self.n_bonds
        for q in bits(held.x | held.z):
            self.on_qubit[q].add(held)
        self.bonds[boundary].append(self.n_bonds)
        self.n_bonds += 1

    def _local(self, string: Pauli, part: int, *, left: bool, right: bool) -> Pauli:
        """What a string does on a part, with Z of the bonds that hold what it does on its left and on its right."""
        first, last = self._ends(string)
        own, bonds = -1, 0
        if part > first:
            own &= self.sides[part - 1][1]
            bonds |= 1 << self.held[self._on_side(string, part - 1, True)] if left else 0
        if part < last:
            own &= self.sides[part][0]
            bonds |= 1 << self.held[self._on_side(string, part, False)] if right else 0
        return Pauli.string(string.x & own, string.z & own | bonds << self.n_qubits)

    def _add(self, part: int, rotation: Rotation) -> None:
        own = self.gates[part]
        if own and own[-1][0] == self.open:
            own[-1][1].append(rotation)
        else:
            own.append((self.open, [rotation]))


def _fixed(string: Pauli, eighths: int) -> Rotation:
    return Rotation(string, eighths, ONE, eighths * pi / 4)
