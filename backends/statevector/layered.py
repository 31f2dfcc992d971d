"""A circuit evolved layer by layer, and back again for its gradient, as one program.

A layer takes one gather, with phases, and one matrix product for each window: the qubits that have mixers are shared
out among few windows, and the order of the bits, which the gather is free to choose, puts them where products need no
moves: the first window in front, the second at the back, qubits without mixers between them. All layers have the same
form, so that compiling takes as long for one as for a hundred.

Going backwards, a product is undone on lambda = H psi. The overlaps of lambda with the state that was kept before the
product, traced over the other qubits, give the slopes of the mixers; Im conj(lambda) psi, summed with the signs of the
strings, gives those of the phases.
"""

from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from backends.statevector import kernels
from backends.statevector.arrangement import Arrays, Form, Strings
from backends.statevector.blocks import product_slopes, products
from backends.statevector.namespace import HIGHEST, matmul

UNROLLED = 8
"""Layers that are compiled one by one; of more, so many at a time."""

FEW = 4
"""Strings of phi on the front window and others, up to which each is a factor; more are summed up."""


class Matrices(NamedTuple):
    """Of the mixers.

    Attributes:
        units: Shape (layers, units, 4, 4).
        there: Of each window, shape (layers, K, K), or (layers, K, 2 K) with the imaginary part behind the real one.
        back: Of the inverses.
    """

    units: jax.Array
    there: tuple[jax.Array, ...]
    back: tuple[jax.Array, ...]


class Phases(NamedTuple):
    """exp(-i phi) for every pass, in parts.

    Attributes:
        upper: Cosines and sines of what depends on the front window only, each of shape (passes, front).
        lower: Of what depends on the others only, shape (passes, others).
        both: Of each string on both, shape (passes, strings); or, of more than a few, the angles.
        signs: Of these strings, shapes (passes, front, strings) and (passes, others, strings).
        fixed: Of what follows no angle, shape (passes, front, others); or None.
    """

    upper: tuple[jax.Array, jax.Array]
    lower: tuple[jax.Array, jax.Array]
    both: tuple[jax.Array, ...]
    signs: tuple[jax.Array, jax.Array]
    fixed: tuple[jax.Array, jax.Array] | None


class Passed(NamedTuple):
    """An evolution, with what its derivative needs.

    Attributes:
        psi: The final state, shape (2^(n+1),), real parts first, in Qiskit's order.
        kept: The states before the products, shape (layers, front, 2, others).
        phases: Of the passes.
    """

    psi: jax.Array
    kept: jax.Array
    phases: Phases


def evolve(form: Form, arrays: Arrays, angles: jax.Array) -> jax.Array:
    """The final state, real, shape (2^(n+1),), real parts first, in Qiskit's order.

    Args:
        form: Static.
        arrays: Of the circuit.
        angles: Of all factors, shape (factors,).
    """
    return forward(form, arrays, angles, matrices(form, arrays, angles)).psi


def forward(form: Form, arrays: Arrays, angles: jax.Array, mixers: Matrices) -> Passed:
    """All layers."""
    phases = _phases(form, arrays, angles)

    def step(x, layer):
        source, phase, there = layer
        y = _together(form, _gathered(_turned(form, _apart(form, x), phase), source))
        return _product(form, there, y), y

    along = (arrays.source, _but_last(phases), mixers.there)
    x, kept = jax.lax.scan(step, arrays.start, along, unroll=_unroll(arrays))
    psi = _gathered(_turned(form, _apart(form, x), _last(phases)), arrays.last_source)
    return Passed(jnp.concatenate(psi), kept, phases)


def backward(
    form: Form, arrays: Arrays, angles: jax.Array, mixers: Matrices, passed: Passed, lam: jax.Array
) -> jax.Array:
    """2 Re <lambda| dpsi> by the angles of all factors, shape (factors,); lambda with its real parts first."""
    parts, final = ([*x.reshape(2, -1)] for x in (lam, passed.psi))
    end = _sums(form, arrays.strings.after_upper[-1], arrays.strings.after_lower[-1], parts, final)
    z = _undone(form, parts, arrays.last_target, _last(passed.phases))

    def step(z, layer):
        target, phase, back, y, upper, lower = layer
        below = _product(form, back, z)
        overlaps = [_overlaps(form, window, below, y) for window in range(len(form.windows))]
        parts = _apart(form, below)
        return _undone(form, parts, target, phase), (overlaps, _sums(form, upper, lower, parts, _apart(form, y)))

    strings = _but_last((arrays.strings.after_upper, arrays.strings.after_lower))
    along = (arrays.target, _but_last(passed.phases), mixers.back, passed.kept, *strings)
    _, (overlaps, sums) = jax.lax.scan(step, z, along, reverse=True, unroll=_unroll(arrays))
    found = _string_slopes(arrays.strings, jnp.concatenate([sums, end[None]]))
    return found + _mixer_slopes(form, arrays, angles, mixers, overlaps) if form.windows else found


def matrices(form: Form, arrays: Arrays, angles: jax.Array) -> Matrices:
    """For the angles of all factors."""
    units = products(arrays.turns, angles).reshape(len(arrays.source), sum(form.units), 4, 4)
    there, back, first = [], [], 0
    for size, count in zip(form.windows, form.units, strict=True):
        parts = [units[:, first + k].real if form.real else units[:, first + k] for k in range(count)]
        if size % 2:
            parts[-1] = parts[-1][:, ::2, ::2]
        m = reduce(_kron, parts)
        inverse = m.swapaxes(1, 2)
        if not form.real:
            m, inverse = (jnp.concatenate([x.real, x.imag], axis=2) for x in (m, inverse.conj()))
        if form.around(len(there))[1] == 1:  # they are multiplied from the right
            m, inverse = m.swapaxes(1, 2), inverse.swapaxes(1, 2)
        there.append(m)
        back.append(inverse)
        first += count
    return Matrices(units, tuple(there), tuple(back))


def _unroll(arrays: Arrays) -> int:
    return max(1, min(len(arrays.source), UNROLLED))


def _last(tree: Any) -> Any:
    return jax.tree.map(lambda a: a[-1], tree)


def _but_last(tree: Any) -> Any:
    return jax.tree.map(lambda a: a[:-1], tree)


def _kron(a: jax.Array, b: jax.Array) -> jax.Array:
    size = a.shape[1] * b.shape[1]
    return (a[:, :, None, :, None] * b[:, None, :, None, :]).reshape(-1, size, size)


def _phases(form: Form, arrays: Arrays, angles: jax.Array) -> Phases:
    strings = arrays.strings
    a = strings.weight * jnp.concatenate([angles, jnp.zeros(1, angles.dtype)])[strings.slot]
    lower, both = form.strings[0], form.strings[0] + form.strings[1]
    kinds = (strings.upper[..., :lower], a[:, :lower]), (strings.lower[..., lower:both], a[:, lower:both])
    sums = [jnp.sum(signs * own[:, None], axis=2) for signs, own in kinds]
    signs = (strings.upper[..., both:], strings.lower[..., both:])
    rest = _tables(a[:, both:]) if form.strings[2] <= FEW else (a[:, both:],)
    return Phases(_tables(sums[0]), _tables(sums[1]), rest, signs, arrays.fixed)


def _tables(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    c, s = kernels.table(jnp.stack(_cosines(x)).reshape(-1)).reshape(2, *x.shape)
    return c, s


def _cosines(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.cos(x), jnp.sin(x)


def _multiplied(a, b):
    """exp(-i a) exp(-i b) from their cosines and sines."""
    return a[0] * b[0] - a[1] * b[1], a[1] * b[0] + a[0] * b[1]


def _phase(form: Form, phases: Phases) -> tuple[jax.Array, jax.Array] | None:
    """Cosines and sines of phi in one pass, shape (front, others)."""
    n_upper, n_lower, n_both = form.strings
    found = []
    if n_upper:
        found.append(tuple(x[:, None] for x in phases.upper))
    if n_lower:
        found.append(tuple(x[None] for x in phases.lower))
    up, low = phases.signs
    if n_both > FEW:
        found.append(_cosines(matmul(up * phases.both[0], low.T)))
    else:
        c, s = phases.both if n_both else ((), ())
        found += [(c[k], s[k] * up[:, k, None] * low[:, k]) for k in range(n_both)]
    if phases.fixed is not None:
        found.append(phases.fixed)
    return reduce(_multiplied, found) if found else None


def _turned(form: Form, parts: list[jax.Array], phases: Phases, *, back: bool = False) -> list[jax.Array]:
    """exp(-i phi) or its inverse times a state, as real and imaginary part, shape (2^n,)."""
    phase = _phase(form, phases)
    if phase is None:
        return parts
    re, im = parts
    c, s = (x + jnp.zeros_like(re, shape=form.shape[::2]) for x in phase)
    c, s = c.reshape(-1), (-s if back else s).reshape(-1)
    return [re * c + im * s, im * c - re * s]


def _undone(form: Form, parts: list[jax.Array], target: jax.Array, phases: Phases) -> jax.Array:
    return _together(form, _turned(form, _gathered(parts, target), phases, back=True))


def _gathered(parts: list[jax.Array], source: jax.Array) -> list[jax.Array]:
    return [x.at[source].get(mode="promise_in_bounds") for x in parts]


def _apart(form: Form, x: jax.Array) -> list[jax.Array]:
    """Real and imaginary part of a state between passes, shape (2^n,)."""
    return [x[:, k].reshape(-1) for k in (0, 1)]


def _together(form: Form, parts: list[jax.Array]) -> jax.Array:
    """The state from its parts, in the form's shape."""
    return jnp.stack([x.reshape(form.shape[0], -1) for x in parts], axis=1)


def _product(form: Form, mats: tuple[jax.Array, ...], y: jax.Array) -> jax.Array:
    for window, m in enumerate(mats):
        before, after = form.around(window)
        x = _real_and_turned(form, y, before, after, axis=1)
        if before == 1:
            y = matmul(m, x[0])
        elif after == 1:
            y = matmul(x[..., 0], m)
        else:
            y = jnp.einsum("ij,ajb->aib", m, x, precision=HIGHEST)
        y = y.reshape(form.shape)
    return y


def _real_and_turned(form: Form, y: jax.Array, before: int, after: int, axis: int) -> jax.Array:
    """A state about a window, shape (before, K, after); with i times the same behind it where matrices are complex."""
    x = y.reshape(before, -1, after)
    if form.real:
        return x
    return jnp.concatenate([x, jnp.stack([-y[:, 1], y[:, 0]], axis=1).reshape(x.shape)], axis=axis)


def _overlaps(form: Form, window: int, lam: jax.Array, psi: jax.Array) -> jax.Array:
    """sum lambda[i] psi[j] over the other qubits, shape (K, K), or (K, 2 K) with i psi behind psi."""
    before, after = form.around(window)
    x = _real_and_turned(form, psi, before, after, axis=1)
    lam = lam.reshape(before, -1, after)
    if before == 1:
        return matmul(lam[0], x[0].T)
    if after == 1:
        return matmul(jax.lax.optimization_barrier(lam[..., 0].T), x[..., 0])
    return jnp.einsum("aib,ajb->ij", lam, x, precision=HIGHEST)


def _sums(form: Form, upper: jax.Array, lower: jax.Array, lam: list[jax.Array], psi: list[jax.Array]) -> jax.Array:
    """sum of 2 Im(conj(lambda) psi) over all amplitudes with the signs of each string, shape (strings,)."""
    w = 2 * (lam[0] * psi[1] - lam[1] * psi[0])
    return jnp.sum(matmul(w.reshape(form.shape[0], -1), lower) * upper, axis=0)


def _string_slopes(strings: Strings, sums: jax.Array) -> jax.Array:
    found = (sums * strings.weight).reshape(-1)
    return jnp.sum(jnp.concatenate([found, jnp.zeros(1, found.dtype)])[strings.place], axis=1)


def _mixer_slopes(form: Form, arrays: Arrays, angles: jax.Array, mixers: Matrices, overlaps: list) -> jax.Array:
    traced = []
    for overlap, size in zip(overlaps, form.windows, strict=True):
        if not form.real:
            half = overlap.shape[-1] // 2
            overlap = overlap[..., :half] - 1j * overlap[..., half:]
        traced += _traced(overlap, size)
    t = jnp.stack(traced, axis=1)
    turned = jnp.sum(mixers.units.conj()[..., None] * t[:, :, None], axis=3)
    return product_slopes(arrays.turns, angles, mixers.units.reshape(-1, 4, 4), turned.reshape(-1, 4, 4))


def _traced(t: jax.Array, size: int) -> list[jax.Array]:
    """A window's overlaps for each unit, traced over the other qubits: (layers, K, K) -> (layers, 4, 4) each."""
    if size == 1:
        return [_kron(t, jnp.asarray([[[1, 0], [0, 0]]], t.dtype))]
    if size == 2:
        return [t]
    x = t.reshape(len(t), 4, 2 ** (size - 2), 4, -1)
    own = reduce(jnp.add, [x[:, :, k, :, k] for k in range(x.shape[2])])
    others = reduce(jnp.add, [x[:, k, :, k, :] for k in range(4)])
    return [own, *_traced(others, size - 2)]
