"""Where the qubits of a layered circuit lie in the index, and the tables of its passes."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from backends.statevector import parity
from backends.statevector.blocks import Turns, turns_of
from backends.statevector.fuse import Block, bits
from backends.statevector.layers import Layer, Layered, String
from backends.statevector.lower import Factors

WIDEST = 6
"""Qubits of a window at most."""

ALONE = 4
"""Qubits with mixers up to which there is one window only."""

NO_QUBIT = 99
"""The other bit of a unit on one qubit."""

Place = tuple[int, ...]
"""Qubits in the order of the index, the one of the most significant bit first."""


@dataclass(frozen=True)
class Form:
    """What a compiled program depends on, besides the shapes of its arrays.

    Attributes:
        n_qubits: Width.
        windows: Qubits of each window.
        real: Whether all mixers are real.
        strings: How many terms of phi a pass may have on the front window only, on the other qubits only, on both.
    """

    n_qubits: int
    windows: tuple[int, ...]
    real: bool
    strings: tuple[int, int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a state: front window, real and imaginary part, the others."""
        front = sum(self.windows[:1])
        return 2**front, 2, 2 ** (self.n_qubits - front)

    @property
    def units(self) -> list[int]:
        """Of each window."""
        return [-(-size // 2) for size in self.windows]

    def first(self, window: int) -> int:
        """Where a window begins in a `Place`."""
        if window == 0:
            return 0
        return self.n_qubits - sum(self.windows[window + 1 :]) - self.windows[1 if window > 1 else window]

    def around(self, window: int) -> tuple[int, int]:
        """How many numbers there are before and behind a window's own index in a state."""
        before = 2 ** (self.first(window) + (window > 0))  # the bit between real and imaginary parts
        return before, 2 ** (self.n_qubits + 1 - self.windows[window]) // before


class Strings(NamedTuple):
    """The terms of phi that have angles. Leading axis: passes.

    Attributes:
        upper: Signs on the front window before a pass, shape (passes, front, strings).
        lower: On the others, shape (passes, others, strings).
        after_upper: After the pass.
        after_lower: After the pass.
        weight: Of the angle, shape (passes, strings).
        slot: Index of the factor whose angle counts, shape (passes, strings); the number of factors where padded.
        place: Where each factor's strings stand in the flattened last; their number where there is none,
            shape (factors, most strings of a factor).
    """

    upper: jax.Array
    lower: jax.Array
    after_upper: jax.Array
    after_lower: jax.Array
    weight: jax.Array
    slot: jax.Array
    place: jax.Array


class Arrays(NamedTuple):
    """What a circuit's layers are made of.

    Attributes:
        turns: Factors of the units of all layers.
        strings: Terms of phi with angles.
        fixed: Cosines and sines of those without, each of shape (passes, front, others); or None.
        start: The state that the first factors make, in the form's shape and Qiskit's order.
        source: Where the amplitudes come from in each pass but the last, shape (passes - 1, 2^n).
        target: Where they go.
        last_source: In the last pass, shape (2^n,).
        last_target: In the last pass.
    """

    turns: Turns
    strings: Strings
    fixed: tuple[jax.Array, jax.Array] | None
    start: jax.Array
    source: jax.Array
    target: jax.Array
    last_source: jax.Array
    last_target: jax.Array


def arranged(circuit: Layered, factors: Factors, dtype: np.dtype) -> tuple[Form, Arrays]:
    """Choose windows and places, and make the tables.

    Args:
        circuit: In layers.
        factors: Of the circuit.
        dtype: Of real numbers.
    """
    n, layers = circuit.n_qubits, circuit.layers
    windows = _windows(circuit)
    natural = tuple(reversed(range(n)))
    after = [*(_place(layer, circuit.mixed, windows, n) for layer in layers[:-1]), natural]
    before = [natural, *after[:-1]]
    mixers = [f for layer in layers for unit in layer.units for f in unit.factors]
    real = bool(np.all(factors.phase[mixers] != 1))
    front = sum(windows[:1])
    kinds = [_kinds(layer, place, front) for layer, place in zip(layers, before, strict=True)]
    upper, lower, both = (max(map(len, kind)) for kind in zip(*kinds, strict=True))
    form = Form(n, windows, real, (upper, lower, both))
    source = np.stack([_source(*three) for three in zip(layers, before, after, strict=True)])
    members, own = _members(form, layers[:-1], after)
    target = np.argsort(source, axis=1).astype(np.int32)
    start = _start(circuit, factors).reshape(2, form.shape[0], -1).swapaxes(0, 1).astype(dtype)
    arrays = Arrays(
        turns_of(factors, members, own, dtype),
        _strings(form, layers, kinds, before, after, len(factors), dtype),
        _fixed(form, layers, before, dtype),
        *jax.device_put((start, source[:-1], target[:-1], source[-1], target[-1])),
    )
    return form, arrays


def _windows(circuit: Layered) -> tuple[int, ...]:
    """Sizes, with room for the pairs of every layer."""
    mixed = circuit.mixed.bit_count()
    count = min(mixed, 1) if mixed <= ALONE else max(2, -(-mixed // WIDEST))
    sizes = [mixed // count + (k < mixed % count) for k in range(count)]
    pairs = max(sum(unit.support.bit_count() == 2 for unit in layer.units) for layer in circuit.layers)
    while sum(size // 2 for size in sizes) < pairs:  # two odd windows hold one pair less than two even ones
        odd = [k for k, size in enumerate(sizes) if size % 2]
        sizes[odd[0]] += 1
        sizes[odd[-1]] -= 1
    return tuple(size for size in sizes if size)


def _place(layer: Layer, mixed: int, windows: tuple[int, ...], n: int) -> Place:
    """The two qubits of a unit side by side, in a window; the other qubits in descending order."""
    pairs = sorted((bits(unit.support)[::-1] for unit in layer.units if unit.support.bit_count() == 2), reverse=True)
    paired = {q for pair in pairs for q in pair}
    single = [q for q in reversed(bits(mixed)) if q not in paired]
    filled: list[list[int]] = [[] for _ in windows]
    for pair in pairs:
        next(part for part, size in zip(filled, windows, strict=True) if size - len(part) >= 2).extend(pair)
    for part, size in zip(filled, windows, strict=True):
        while len(part) < size:
            part.append(single.pop(0))
    lanes = [q for q in reversed(range(n)) if not mixed >> q & 1]
    return tuple(q for part in (*filled[:1], lanes, *filled[2:], *filled[1:2]) for q in part)


def _members(form: Form, layers: tuple[Layer, ...], places: list[Place]) -> tuple[list[Block], list[Place]]:
    """The units of all layers and windows, and the qubits of their two bits."""
    members, own = [], []
    for layer, place in zip(layers, places, strict=False):
        for window, size in enumerate(form.windows):
            first = form.first(window)
            for k in range(first, first + size, 2):
                pair = place[k : min(k + 2, first + size)]
                mask = sum(1 << q for q in pair)
                chosen = (f for unit in layer.units if not unit.support & ~mask for f in unit.factors)
                members.append(Block(mask, tuple(chosen)))
                own.append((*pair, NO_QUBIT)[:2])
    return members, own


def _source(layer: Layer, before: Place, after: Place) -> np.ndarray:
    """Where the amplitudes of a pass come from, shape (2^n,)."""
    found = np.array([_at(layer.shift, before)], np.int32)
    for q in reversed(after):
        found = np.concatenate([found, found ^ np.int32(_at(layer.images[q], before))])
    return found


def _at(mask: int, place: Place) -> int:
    """A mask over qubits as one over the index."""
    return sum((mask >> q & 1) << k for k, q in enumerate(reversed(place)))


def _kinds(layer: Layer, place: Place, front: int) -> tuple[list[String], list[String], list[String]]:
    """The terms with angles: on the front window only, on the others only, on both."""
    window = sum(1 << q for q in place[:front])
    kinds: tuple[list[String], list[String], list[String]] = ([], [], [])
    for string in layer.strings:
        if string.factor is not None:
            kinds[0 if not string.z & ~window else 2 if string.z & window else 1].append(string)
    return kinds


def _strings(form: Form, layers, kinds, before, after, n_factors: int, dtype: np.dtype) -> Strings:
    front, _, others = form.shape
    total = sum(form.strings)
    shape = (len(layers), total)
    masks, after_masks = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    weight, sign = np.zeros(shape, dtype), np.ones(shape, dtype)
    slot = np.full(shape, n_factors, np.int32)
    where: list[list[int]] = [[] for _ in range(n_factors)]
    for p, layer in enumerate(layers):
        for first, kind in zip(np.cumsum((0, *form.strings)), kinds[p], strict=False):
            for s, string in enumerate(kind, int(first)):
                new = layer.after(string)
                masks[p, s], after_masks[p, s] = _at(string.z, before[p]), _at(new.z, after[p])
                weight[p, s], sign[p, s], slot[p, s] = string.weight, new.weight / string.weight, string.factor
                where[string.factor].append(p * total + s)
    place = np.full((n_factors, max(map(len, where), default=0)), slot.size, np.int32)
    for f, found in enumerate(where):
        place[f, : len(found)] = found

    def signs(masks: np.ndarray, size: int) -> np.ndarray:
        return parity.signs(masks.reshape(-1), np.arange(size)).reshape(*shape, size).swapaxes(1, 2).astype(dtype)

    up, low = signs(masks // others, front), signs(masks % others, others)
    after_up, after_low = signs(after_masks // others, front) * sign[:, None], signs(after_masks % others, others)
    return Strings(*jax.device_put((up, low, after_up, after_low, weight, slot, place)))


def _fixed(form: Form, layers, before: list[Place], dtype: np.dtype) -> tuple[jax.Array, jax.Array] | None:
    """Phases that follow no angle, unless they are global."""
    front, _, others = form.shape
    found = np.zeros((len(layers), 2**form.n_qubits))
    for row, layer, place in zip(found, layers, before, strict=True):
        numbers = [(_at(s.z, place), s.weight) for s in layer.strings if s.factor is None]
        if numbers:
            z, weight = (np.array(part) for part in zip(*numbers, strict=True))
            row[:] = parity.diagonal(z, weight, form.n_qubits)
    if np.abs(np.exp(1j * (found - found[:, :1])) - 1).max() < 1e-12:
        return None
    found = found.reshape(-1, front, others)
    return jax.device_put((np.cos(found).astype(dtype), np.sin(found).astype(dtype)))


def _start(circuit: Layered, factors: Factors) -> np.ndarray:
    """What the first factors make of |0...0>, shape (2, 2^n)."""
    index = np.arange(2**circuit.n_qubits)
    psi = (index == 0).astype(complex)
    for f in circuit.first:
        d = factors.phase[f] * (factors.weight[f] @ parity.signs(factors.z[f], index))
        angle, x = factors.angles.offset[f], int(factors.x[f])
        if x:
            psi = psi + (np.cos(angle) - 1) * np.abs(d) ** 2 * psi - 1j * np.sin(angle) * d * psi[index ^ x]
        else:
            psi = psi * np.exp(-1j * angle * d)
    return np.stack([psi.real, psi.imag])
