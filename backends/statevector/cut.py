r"""Cutting a circuit into two halves that share few bonds.

Where a Pauli string P (x) Q of a factor reaches over the cut, the half of P copies the eigenvalue of P into a new
qubit, a bond, and the other half reads the bond's Z in place of P:

    exp(-i angle P (x) Q) = sum_b [projector of P on (-1)^b] (x) exp(-i angle (-1)^b Q).

Both halves are then circuits of their own, on their qubits and all the bonds, and psi = 2^(bonds/2) sum_b L_b (x) R_b.
A bond serves all later factors that need the same P, until something that does not commute with it acts on its half.
Few bonds are enough for circuits of few layers, on chains above all: there is little entanglement to carry.

References:
    Bravyi, Smith and Smolin, "Trading classical and quantum computational resources", Phys. Rev. X 6, 021043 (2016),
    sum over the bonds' values instead; Vidal, "Efficient classical simulation of slightly entangled quantum
    computations", Phys. Rev. Lett. 91, 147902 (2003), is the general case of many parts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import pi
from typing import NamedTuple

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.angles import Angles
from backends.statevector.fuse import bits
from backends.statevector.layers import Layered, layered
from backends.statevector.lower import Factors, mask_type

LAYER, STRING = 6.0, 3.0
"""Time of a layer of a half, and of a string across, in passes over the half; a gradient's share included."""

SLACK = 2
"""Qubits by which the sides of a cut may differ from half of all."""


class String(NamedTuple):
    """A Pauli string by its masks, with a coefficient."""

    x: int
    z: int
    coefficient: float

    def on(self, side: int) -> "String":
        """What it does to some qubits."""
        return String(self.x & side, self.z & side, 1.0)

    def commutes(self, other: "String") -> bool:
        """Whether the order of the two makes no difference."""
        return not ((self.x & other.z).bit_count() + (self.z & other.x).bit_count()) & 1

    @property
    def support(self) -> int:
        """Mask of the qubits that it acts on."""
        return self.x | self.z


@dataclass(frozen=True, eq=False)
class Cut:
    """A circuit in two halves.

    Attributes:
        sides: Qubits of each half, ascending; in its own circuit they are the first, and the bonds follow.
        halves: Factors of each.
        layers: The same as layers.
        angles: From the circuit's parameters to the angles of the left half's factors, then the right half's.
        bonds: How many.
    """

    sides: tuple[tuple[int, ...], tuple[int, ...]]
    halves: tuple[Factors, Factors]
    layers: tuple[Layered, Layered]
    angles: Angles
    bonds: int

    @property
    def amplitudes(self) -> int:
        """Of both halves together."""
        return sum(2**half.n_qubits for half in self.halves)

    def cost(self, observables: tuple[SparsePauliOp, ...]) -> float:
        """Time of a value, in passes over one amplitude."""
        per_string = STRING * sum(len(self.split(observable)[1]) for observable in observables)
        pairs = zip(self.halves, self.layers, strict=True)
        return sum(2**half.n_qubits * (LAYER * len(own.layers) + per_string) for half, own in pairs)

    def split(self, observable: SparsePauliOp) -> tuple[tuple[list, list], dict[str, list]]:
        """The strings with their coefficients: those on each half alone, and those on both by their part on the left.

        The identity counts as one on the left half.
        """
        alone: tuple[list, list] = ([], [])
        across: dict[str, list] = {}
        for label, coefficient in observable.simplify(atol=0).to_list():
            letters = label[::-1]
            p, q = ("".join(letters[k] for k in reversed(side)) for side in self.sides)
            c = float(np.real(coefficient))
            if not q.strip("I"):
                alone[0].append((p, c))
            elif not p.strip("I"):
                alone[1].append((q, c))
            else:
                across.setdefault(p, []).append((q, c))
        return alone, across


def cut(factors: Factors) -> Cut | None:
    """The cut with fewest amplitudes, None if all have more than half of those of the whole state."""
    n = factors.n_qubits
    best, most = None, 2 ** (n - 1)
    strings = [list(_strings(factors, f)) for f in range(len(factors))]
    for side in _candidates(factors):
        a = side.bit_count()
        room = (most - 1).bit_length() - 1 - max(a, n - a)
        if room >= 0 and (made := _made(factors, strings, side, room)) and made.amplitudes <= most:
            best, most = made, made.amplitudes - 1
    return best


def _candidates(factors: Factors) -> Iterator[int]:
    """Masks of about half of the qubits: the first in their own order, and in that of the graph's slowest vibration."""
    n = factors.n_qubits
    natural = list(range(n))
    graph = np.zeros((n, n))
    for support in map(int, factors.support):
        for p in bits(support):
            for q in bits(support):
                graph[p, q] += p != q
    slowest = np.linalg.eigh(np.diag(graph.sum(axis=1)) - graph)[1][:, min(1, n - 1)]
    seen = set()
    for order in (natural, np.argsort(slowest.round(9), kind="stable").tolist()):
        for size in sorted(range(1, n), key=lambda size: abs(2 * size - n)):
            side = sum(1 << q for q in order[:size])
            if abs(2 * size - n) <= 2 * SLACK and side not in seen:
                seen.add(side)
                yield side


def _strings(factors: Factors, f: int) -> Iterator[String]:
    x = int(factors.x[f])
    for z, weight in zip(factors.z[f].tolist(), factors.weight[f].tolist(), strict=True):
        if weight:
            yield String(x, z, weight * (-1) ** ((x & z).bit_count() // 2))


class _Half:
    """One half while it is being made: lists of strings, of angles, and of gates."""

    def __init__(self, side: int):
        self.side = side
        self.place = {q: k for k, q in enumerate(bits(side))}
        self.copies: dict[String, int] = {}
        """Bonds by the string whose eigenvalue they hold."""
        self.strings: list[list[String]] = []
        self.angles: list[int] = []
        self.gates: list[int] = []

    def add(self, strings: list[String], angle: int, gate: int) -> None:
        self.strings.append(strings)
        self.angles.append(angle)
        self.gates.append(gate)

    def local(self, string: String, bond: int | None = None) -> String:
        """On the half's own bits, with Z on a bond."""
        x, z = (sum(1 << self.place[q] for q in bits(mask & self.side)) for mask in (string.x, string.z))
        return String(x, z | (0 if bond is None else self.bond(bond)), string.coefficient)

    def bond(self, number: int) -> int:
        """Mask of a bond."""
        return 1 << len(self.place) + number

    def spoil(self, strings: list[String]) -> None:
        """Forget the bonds that what acts now makes useless for later."""
        for held in [held for held in self.copies if not all(held.commutes(s.on(self.side)) for s in strings)]:
            del self.copies[held]


def _made(factors: Factors, strings: list[list[String]], side: int, room: int) -> Cut | None:
    """The halves, if they need no more bonds than there is room for."""
    n, n_angles = factors.n_qubits, len(factors)
    halves = _Half(side), _Half((1 << n) - 1 & ~side)
    constants = np.array([-pi / 4, pi / 4, pi / 2])  # angles that follow those of the circuit
    bonds = gate = 0
    source, reader = halves
    crossed = False
    for f, members in enumerate(strings):
        if f and factors.gate[f] != factors.gate[f - 1]:
            gate, crossed = gate + 1, False
        support = int(factors.support[f])
        inside = [half for half in halves if not support & ~half.side]
        if crossed and all(s.on(support) in source.copies for s in members):  # the other half knows it as well
            inside = []
        if inside:
            inside[0].spoil(members)
            inside[0].add([inside[0].local(s) for s in members], f, gate)
            continue
        source, needed = min(((half, _needed(half, members)) for half in halves), key=lambda pair: _count(*pair))
        if needed is None:
            return None
        reader, crossed = halves[source is halves[0]], True
        for held in needed:
            if held in source.copies:
                continue
            if bonds == room:
                return None
            own, there = source.bond(bonds), reader.bond(bonds)
            copied = source.local(held)
            for copying, angle in _copied(copied, own):
                source.add(copying, n_angles + angle, gate + 1)
            reader.add([String(there, there, 1.0)], n_angles + 1, gate + 1)
            source.copies[held] = bonds
            bonds, gate = bonds + 1, gate + 2
        source.spoil(members)
        reader.spoil(members)
        reader.add([reader.local(s, source.copies.get(s.on(source.side))) for s in members], f, gate)
    made = tuple(_as_factors(factors, half, bonds, constants) for half in halves)
    layers = tuple(map(layered, made))
    if None in layers:
        return None
    together = factors.angles.chosen(np.array(halves[0].angles + halves[1].angles, int), constants)
    return Cut((tuple(bits(halves[0].side)), tuple(bits(halves[1].side))), made, layers, together, bonds)  # pyright: ignore[reportArgumentType]


def _copied(held: String, bond: int) -> Iterator[tuple[list[String], int]]:
    """exp(-i pi/4 (1 - P)(1 - X)), which turns the bond where P = -1: strings, and which of the constant angles."""
    both = String(held.x | bond, held.z, 1.0)
    yield [held], 0
    if held.x:
        yield [String(bond, 0, -1.0)], 1
        yield [both], 1
    else:
        yield [String(bond, 0, -0.5), String(*both[:2], 0.5)], 2


def _needed(half: _Half, strings: list[String]) -> list[String] | None:
    """The strings whose eigenvalues the other half must know, None if they do not commute."""
    found = list(dict.fromkeys(s.on(half.side) for s in strings if s.support & half.side))
    return found if all(p.commutes(q) for p in found for q in found) else None


def _count(half: _Half, needed: list[String] | None) -> float:
    return np.inf if needed is None else sum(held not in half.copies for held in needed)


def _as_factors(factors: Factors, half: _Half, bonds: int, constants: np.ndarray) -> Factors:
    width = max(map(len, half.strings), default=1)
    n = len(half.place) + bonds
    x = np.zeros(len(half.strings), mask_type(n))
    z = np.zeros((len(x), width), x.dtype)
    weight = np.zeros((len(x), width))
    phase = np.ones(len(x), complex)
    for row, group in enumerate(half.strings):
        for column, string in enumerate(group):
            n_y = (string.x & string.z).bit_count()
            x[row], z[row, column] = string.x, string.z
            phase[row] = 1 if n_y % 2 == 0 else -1j
            weight[row, column] = string.coefficient * (-1) ** (n_y // 2)
    angles = factors.angles.chosen(np.array(half.angles, int), constants)
    gate = np.unique(np.array(half.gates, int), return_inverse=True)[1]
    return replace(factors, n_qubits=n, angles=angles, x=x, z=z, weight=weight, phase=phase, gate=gate)
