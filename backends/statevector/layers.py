r"""Circuits as layers: permutations and phases of all amplitudes, then small matrices on disjoint qubits.

CNOT, CZ, SWAP, rotations about Z and their like only permute amplitudes and turn their phases. However many of them
follow each other, they are one pass over the state,

    new[i] = exp(-i phi(j)) old[j],    j = A i ^ b,    phi(j) = sum_k c_k (-1)^parity(j & z_k),

with a matrix A over GF(2), a mask b, and coefficients c_k that are numbers or angles. What is left, the mixers, act on
one or two qubits each, and those on disjoint qubits are one product with small matrices.

References:
    Dehaene and De Moor, "Clifford group, stabilizer states, and linear and quadratic operations over GF(2)",
    Phys. Rev. A 68, 042318 (2003), for permutations of basis states as matrices over GF(2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_, xor
from typing import NamedTuple

import numpy as np

from backends.statevector import parity
from backends.statevector.fuse import bits
from backends.statevector.lower import Factors

MOST_FLIPPED = 8
"""Qubits on which a permutation's phases may depend."""


class String(NamedTuple):
    """One term of phi.

    Attributes:
        z: Mask of its Zs, before the pass.
        weight: Its coefficient, or that of the factor's angle.
        factor: The factor whose angle counts; None for a number.
    """

    z: int
    weight: float
    factor: int | None


class Unit(NamedTuple):
    """Mixers on one or two qubits: one small matrix.

    Attributes:
        support: Mask of the qubits.
        factors: In the order of their application.
    """

    support: int
    factors: tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A pass, and the mixers after it.

    Attributes:
        images: A, as the mask A e_q for each qubit q.
        shift: b.
        strings: The terms of phi.
        units: On disjoint qubits; none in the last layer, and there only.
    """

    images: tuple[int, ...]
    shift: int
    strings: tuple[String, ...]
    units: tuple[Unit, ...]

    def after(self, string: String) -> String:
        """The same string on the amplitudes after the pass."""
        z = sum(1 << q for q, image in enumerate(self.images) if (image & string.z).bit_count() & 1)
        sign = -1 if (self.shift & string.z).bit_count() & 1 else 1
        return String(z, sign * string.weight, string.factor)


class _Flip(NamedTuple):
    """A fixed factor that permutes: new[i] = exp(-i phi(j)) old[j], j = i ^ x where parity(i & h) is odd, else i.

    Where ``even`` is set, it is where that parity is even.

    Strings of phi are pairs of a mask and a coefficient.
    """

    x: int
    h: int
    even: bool
    strings: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Layered:
    """A circuit.

    Attributes:
        n_qubits: Width.
        first: Fixed factors at the front: what they make of |0...0> is known.
        layers: One or more.
    """

    n_qubits: int
    first: tuple[int, ...]
    layers: tuple[Layer, ...]

    @property
    def mixed(self) -> int:
        """Mask of the qubits with mixers."""
        return reduce(or_, (unit.support for layer in self.layers for unit in layer.units), 0)


def layered(factors: Factors) -> Layered | None:
    """The circuit in layers, None where a mixer acts on three qubits or more."""
    constant = _constant(factors)
    flips = {f: flip for f in constant if (flip := _flip(factors, f))}
    passing = {f for f in range(len(factors)) if not factors.x[f]} | flips.keys()
    supports = [int(s) for s in factors.support]
    first, left = _swept(list(range(len(factors))), supports, constant.__contains__)
    if any(supports[f].bit_count() > 2 for f in left if f not in passing):
        return None
    layers: list[Layer] = []
    while not layers or layers[-1].units:
        taken, left = _swept(left, supports, passing.__contains__)
        images, shift, strings = _composed(factors, taken, constant, flips)
        units = _Units(supports)
        _, left = _swept(left, supports, lambda f, units=units: f not in passing and units.take(f))
        layers.append(Layer(images, shift, strings, units.found))
    return Layered(factors.n_qubits, tuple(first), tuple(layers))


def _swept(waiting: list[int], supports: list[int], accept: Callable[[int], bool]) -> tuple[list[int], list[int]]:
    """What is accepted of the factors that need not wait for one that is not, and the rest."""
    taken, left, blocked = [], [], 0
    for f in waiting:
        if supports[f] & blocked or not accept(f):
            blocked |= supports[f]
            left.append(f)
        else:
            taken.append(f)
    return taken, left


class _Units:
    """Units while they grow."""

    def __init__(self, supports: list[int]):
        self.supports = supports
        self.chosen: dict[int, tuple[int, ...]] = {}

    def take(self, f: int) -> bool:
        """Put a mixer into the unit on its qubits, or join two, if that stays on two qubits."""
        touched = [mask for mask in self.chosen if mask & self.supports[f]]
        union = self.supports[f]
        for mask in touched:
            union |= mask
        if union.bit_count() > 2:
            return False
        self.chosen[union] = (*(g for mask in touched for g in self.chosen.pop(mask)), f)
        return True

    @property
    def found(self) -> tuple[Unit, ...]:
        return tuple(Unit(mask, chosen) for mask, chosen in sorted(self.chosen.items()))


def _composed(
    factors: Factors, taken: list[int], constant: set[int], flips: dict[int, _Flip]
) -> tuple[tuple[int, ...], int, tuple[String, ...]]:
    """A, b and the terms of phi of several factors one after the other."""
    n = factors.n_qubits
    images, shift = [1 << q for q in range(n)], 0
    before = [(1 << q, 1) for q in range(n)]
    """Z on each qubit now as a string before the pass, and its sign."""
    angled: list[String] = []
    fixed: dict[int, float] = {}
    for f in taken:
        flip = flips.get(f)
        for z, weight in flip.strings if flip else _diagonal_strings(factors, f):
            mask, sign = _product(before, z)
            if flip or f in constant:
                scale = 1.0 if flip else float(factors.angles.offset[f])
                fixed[mask] = fixed.get(mask, 0.0) + scale * sign * weight
            else:
                angled.append(String(mask, sign * weight, f))
        if flip:
            source = reduce(xor, (images[q] for q in bits(flip.x)))
            images = [image ^ source if flip.h >> q & 1 else image for q, image in enumerate(images)]
            shift ^= source if flip.even else 0
            mask, sign = _product(before, flip.h)
            sign = -sign if flip.even else sign
            for q in bits(flip.x):
                before[q] = before[q][0] ^ mask, before[q][1] * sign
    numbers = (String(z, weight, None) for z, weight in fixed.items() if z and abs(weight) > 1e-15)
    return tuple(images), shift, (*angled, *numbers)


def _product(single: list[tuple[int, int]], z: int) -> tuple[int, int]:
    """A string of Zs from what each of them is."""
    mask, sign = 0, 1
    for q in bits(z):
        mask, sign = mask ^ single[q][0], sign * single[q][1]
    return mask, sign


def _diagonal_strings(factors: Factors, f: int) -> list[tuple[int, float]]:
    pairs = zip(factors.z[f].tolist(), factors.weight[f].tolist(), strict=True)
    return [(z, weight) for z, weight in pairs if weight]


def _constant(factors: Factors) -> set[int]:
    """Factors whose angle follows no parameter."""
    free = np.diff(factors.angles.matrix.indptr) > 0
    return set(np.flatnonzero(~free).tolist()) - {index for index, _, _ in factors.angles.curved}


def _flip(factors: Factors, f: int) -> _Flip | None:
    """A constant factor with an X mask as a permutation, if it is one with a condition on a single parity."""
    x, angle = int(factors.x[f]), float(factors.angles.offset[f])
    qubits = bits(int(factors.support[f]))
    if not x or abs(np.cos(angle)) > 1e-12 or len(qubits) > MOST_FLIPPED:
        return None
    index = np.arange(2 ** len(qubits))
    d = _local(factors.weight[f], np.array([_gathered(int(z), qubits) for z in factors.z[f]]), index)
    there = np.abs(d) > 0.5
    alone = there[1 << np.arange(len(qubits))]  # where one bit is set
    h = 0 if there.all() else sum(1 << q for q, same in zip(qubits, alone == there[0], strict=True) if not same)
    wanted = parity.signs(np.array([_gathered(h, qubits)]), index)[0] == 1
    if not np.array_equal(wanted, there == there[0]):
        return None
    phase = np.where(there, -1j * np.sin(angle) * factors.phase[f] * d, 1)
    source = index ^ np.where(there, _gathered(x, qubits), 0)
    return _Flip(x, h, bool(there[0]), _strings_of(-np.angle(phase)[source], qubits))


def _local(weight: np.ndarray, z: np.ndarray, index: np.ndarray) -> np.ndarray:
    return weight @ parity.signs(z, index)


def _gathered(mask: int, qubits: list[int]) -> int:
    """The bits of a mask at the given places, side by side."""
    return sum((mask >> q & 1) << k for k, q in enumerate(qubits))


def _strings_of(values: np.ndarray, qubits: list[int]) -> tuple[tuple[int, float], ...]:
    """A function of a few bits as a sum of strings, but for its mean, which is a global phase."""
    index = np.arange(len(values))
    coefficients = parity.signs(index, index) @ values / len(values)
    found = []
    for z in np.flatnonzero(np.abs(coefficients) > 1e-14).tolist():
        mask = sum(1 << q for k, q in enumerate(qubits) if z >> k & 1)
        found.append((mask, float(coefficients[z])))
    return tuple(found)
