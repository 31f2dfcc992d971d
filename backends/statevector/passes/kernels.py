"""What is done to a whole state, each in one pass that XLA fuses.

States are complex arrays of shape (2^qubits,). A pass is a sum over what its X masks flip, where a flip reverses axes:
(U psi)[b, r] = sum_j U[b, b ^ j] psi[b ^ j, r] with the bits b of the pass and the others r.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from backends.statevector.accelerator import on_processor
from backends.statevector.passes.plan import COLUMN_QUBITS, Pass, axes


def apart(function: Callable, *arrays: Any) -> Any:
    """``function(*arrays)`` as kernels of its own: XLA would compute what other kernels read anew for each of them.

    Accelerators keep barriers until kernels are made. On the processor XLA drops them before, but not calls.
    """
    if on_processor():
        return set_xla_metadata(jax.jit(function)(*arrays), inlineable="false")
    return jax.lax.optimization_barrier(function(*jax.lax.optimization_barrier(arrays)))


def apply(one: Pass, u: jax.Array, psi: jax.Array) -> jax.Array:
    """U psi, shape (2^size,) -> (2^after,); u of shape (K, K)."""
    shape, places = axes(one.size, one.positions)
    state, total = psi.reshape(shape), 0.0
    for k, flip in enumerate(one.flips):
        total += _entries(one, u, k).reshape(2**one.new, *_small(shape, places)) * _flipped(state, places, flip)
    return jnp.asarray(total).reshape(-1)


def undo(one: Pass, u: jax.Array, psi: jax.Array) -> jax.Array:
    """U+ psi, shape (2^after,) -> (2^size,): what has all added qubits in |0> before U."""
    shape, places = axes(one.size, one.positions)
    state, total = psi.reshape(2**one.new, *shape), 0.0
    for k, flip in enumerate(one.flips):
        entries = _entries(one, u, k).conj().reshape(2**one.new, *_small(shape, places))
        for a in range(2**one.new):  # conj(U[(a, b ^ j), (0, b)]) is the entry of the same flip at b ^ j
            total += _flipped(entries[a] * state[a], places, flip)
    return jnp.asarray(total).reshape(-1)


def cotangent(one: Pass, size: int, psi: jax.Array, lam: jax.Array) -> jax.Array:
    """T_ij = sum_r conj(lambda[i, r]) psi[j, r] wherever U_ij may not be 0, else 0; shape (size, size).

    Args:
        one: The pass.
        size: Of its matrix, K.
        psi: Before it, shape (2^one.size,).
        lam: After it, shape (2^one.after,).
    """
    shape, places = axes(one.size, one.positions)
    state, bra = psi.reshape(shape), lam.reshape(2**one.new, *shape).conj()
    low = min(COLUMN_QUBITS, one.size)
    high = tuple(p - low for p in one.positions if p >= low)
    above, own = axes(one.size - low, high)
    products = tuple(
        (bra[a] * _flipped(state, places, flip)).reshape(*above, 2**low)
        for flip in one.flips
        for a in range(2**one.new)
    )
    columns = jnp.stack(summed(tuple(k for k in range(len(above)) if k not in own), products))
    below, own = axes(low, one.positions[len(high) :])
    last = columns.reshape(len(products), 2 ** len(high), *below)
    sums = last.sum(tuple(k + 2 for k in range(len(below)) if k not in own))
    rows, cols = _places(one, size)
    return jnp.zeros((size, size), psi.dtype).at[rows, cols].set(sums.reshape(rows.shape))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def summed(along: tuple[int, ...], arrays: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    """The sums of several arrays along the same axes, in one pass over what they are made of.

    XLA makes one kernel of several sums on accelerators, as far as their shared memory goes, but not on the processor.
    """
    if not on_processor():
        return tuple(jnp.sum(x, along) for x in arrays)
    zero = jnp.zeros((), arrays[0].dtype)
    return tuple(jax.lax.reduce(arrays, (zero,) * len(arrays), _added, along))


@summed.defjvp
def _change_of_sums(along, primals, tangents):
    return summed(along, *primals), summed(along, *tangents)


def overlap(a: jax.Array, b: jax.Array) -> jax.Array:
    """Real part of <a|b>, summed in columns first."""
    return jnp.sum(jnp.sum((a.conj() * b).real.reshape(-1, min(a.size, 2**COLUMN_QUBITS)), axis=0))


def _added(a, b):
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _places(one: Pass, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (a, b) and columns (0, b ^ j) in the matrix, shape (flips, 2^new, 2^positions)."""
    step = size >> (one.new + len(one.positions))
    b = np.arange(2 ** len(one.positions))
    row = (np.arange(2**one.new)[:, None] << len(one.positions)) | b
    column = np.array(one.flips)[:, None, None] ^ b
    return np.broadcast_arrays(row * step, column * step)  # type: ignore[return-value]


def _entries(one: Pass, u: jax.Array, k: int) -> jax.Array:
    """U[(a, b), (0, b ^ j)] of one flip, shape (2^new, 2^positions)."""
    rows, columns = _places(one, len(u))
    return u[rows[k], columns[k]]


def _small(shape: tuple[int, ...], places: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(2 if k in places else 1 for k in range(len(shape)))


def _flipped(x: jax.Array, places: tuple[int, ...], flip: int) -> jax.Array:
    """Along the axes of a number's ones; its highest bit belongs to the first axis."""
    chosen = [place for k, place in enumerate(reversed(places)) if flip >> k & 1]
    return jnp.flip(x, chosen) if chosen else x
