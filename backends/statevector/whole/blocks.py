"""The matrices of all blocks at once, and the derivatives of their factors.

A block is a product of few small gates' matrices on two qubits or so (`Pieces`), and each of these is a product of
factors. Both levels run through one loop that is as long as the fullest block or piece: compiling takes the same time
for ten gates or ten thousand, and most of the loop's turns touch 4 x 4 matrices only.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.circuit.lower import Factors
from backends.statevector.runtime.namespace import namespace, scan
from backends.statevector.whole.fuse import Block, fuse_within


class Turns(NamedTuple):
    """The factors of many small matrices on the matrices' own qubits, padded with factors that do nothing.

    A factor is D[i] U[i ^ x] as in `Factors`. Leading axes: turns (as many as the longest product), matrices.

    Attributes:
        moved: i ^ x, shape (turns, matrices, size).
        r: Real part of D: D = phase r, shape (turns, matrices, size).
        phase: 1 or -i, shape (turns, matrices).
        slot: Index of the factor among all of the circuit's, shape (turns, matrices); their number where padded.
        place: Where each of the circuit's factors stands in the flattened first two axes; their number if nowhere.
    """

    moved: jax.Array
    r: jax.Array
    phase: jax.Array
    slot: jax.Array
    place: jax.Array


class Pieces(NamedTuple):
    """Every block as a product of smaller matrices, padded with the identity.

    Leading axes: turns (as many as the fullest block has pieces), blocks.

    Attributes:
        which: The piece, shape (turns, blocks); the number of pieces where padded.
        rows: Order of the block's rows, relative to the turn before, that brings the piece's qubits to the front,
            shape (turns, blocks, 2^k).
        last: From there back to the block's own order, shape (blocks, 2^k).
        place: Where each piece stands in the flattened first two axes.
    """

    which: jax.Array
    rows: jax.Array
    last: jax.Array
    place: jax.Array


class Local(NamedTuple):
    """All blocks of a circuit, ready to be multiplied out."""

    turns: Turns
    pieces: Pieces

    @property
    def on_host(self) -> "Local":
        """The same as NumPy's arrays, for which `matrices` and `slopes` compile nothing."""
        return jax.tree.map(np.asarray, self)

    @classmethod
    def of(cls, factors: Factors, blocks: list[Block], places: list[tuple[int, ...]], dtype: np.dtype) -> "Local":
        """Translate masks to the blocks' own bits.

        Args:
            factors: Of the circuit.
            blocks: What was fused.
            places: The qubits of each block; the first belongs to the highest bit of its index.
            dtype: Of real numbers.
        """
        k = len(places[0]) if places else 0
        pieces = [fuse_within(factors, block, min(k, 2)) for block in blocks]
        small = max((p.window.bit_count() for part in pieces for p in part), default=0)
        small = min(k, max(small, 2))
        own: list[tuple[int, ...]] = []
        for place, part in zip(places, pieces, strict=True):
            for piece in part:
                inside = [q for q in place if piece.window >> q & 1]
                own.append((*inside, *[q for q in place if q not in inside][: small - len(inside)]))
        flat = [piece for part in pieces for piece in part]
        return cls(turns_of(factors, flat, own, dtype), _pieces(places, [len(part) for part in pieces], own, k))


def matrices(local: Local, angles: Any) -> tuple[Any, Any]:
    """Unitary matrices for the angles of all factors, shape (factors,).

    Returns:
        Of all blocks, shape (blocks, 2^k, 2^k), and of their pieces, for `slopes`.
    """
    blocks, size = local.pieces.last.shape
    if not blocks:
        none = namespace(angles).zeros((0, 1, 1), local.turns.phase.dtype)
        return none, none
    small = products(local.turns, angles)
    start = _identities(angles, (blocks, size), small.dtype)
    padded = _with_identity(small)

    def turn(u, piece):
        which, rows = piece
        return _times(padded[which], _taken(u, rows)), None

    u, _ = scan(turn, start, (local.pieces.which, local.pieces.rows))
    return _taken(u, local.pieces.last), small


def shapes(local: Local) -> tuple[jax.ShapeDtypeStruct, jax.ShapeDtypeStruct]:
    """Of what `matrices` returns."""
    (blocks, size), dtype = local.pieces.last.shape, local.turns.phase.dtype
    _, count, small = local.turns.r.shape
    if not blocks:
        return jax.ShapeDtypeStruct((0, 1, 1), dtype), jax.ShapeDtypeStruct((0, 1, 1), dtype)
    return jax.ShapeDtypeStruct((blocks, size, size), dtype), jax.ShapeDtypeStruct((count, small, small), dtype)


def slopes(local: Local, angles: Any, u: Any, small: Any, cotangent: Any) -> Any:
    """Derivatives of 2 Re sum_ij T_ij U_ij by the angle of every factor, shape (factors,); 0 for those in no block.

    Args:
        local: The blocks.
        angles: Shape (factors,).
        u: Matrices of the blocks that these angles give, shape (blocks, 2^k, 2^k).
        small: Of their pieces.
        cotangent: T, shape as u.
    """
    xp = namespace(angles)
    padded = _with_identity(small)
    back = xp.argsort(local.pieces.last, axis=-1)
    pair = xp.stack([_taken(u, back), _taken(cotangent.conj(), back)])

    def turn(pair, piece):
        which, rows = piece
        m = padded[which]
        undone = _times(m.conj().swapaxes(-1, -2), pair)
        size = m.shape[-1]
        before, after = (x.reshape(*x.shape[:-2], size, -1) for x in (undone[0], pair[1]))
        return _taken(undone, xp.argsort(rows, axis=-1)[None]), _overlaps(after, before)

    _, found = scan(turn, pair, (local.pieces.which, local.pieces.rows), reverse=True)
    found = found.reshape(-1, *found.shape[2:])[local.pieces.place]
    return product_slopes(local.turns, angles, small, found)


def products(turns: Turns, angles: jax.Array) -> jax.Array:
    """Products of factors, shape (matrices, size, size)."""

    def turn(u, factor):
        *part, angle = factor
        c, s = _sines(part, angle)
        return u + c * u - s * _moved(part, u), None

    _, count, size = turns.r.shape
    start = _identities(angles, (count, size), turns.phase.dtype)
    return scan(turn, start, (*_steps(turns), _padded(angles)[turns.slot]))[0]


def product_slopes(turns: Turns, angles: jax.Array, u: jax.Array, cotangent: jax.Array) -> jax.Array:
    """Derivatives of `products` by the angles of all factors, shape (factors,), from the cotangents of the matrices."""

    def back(pair, factor):
        *part, angle = factor
        u, w = pair
        moved = _moved(part, u)
        slope = 2 * namespace(u).sum((w.conj() * (-1j * moved)).real, axis=(1, 2))
        c, s = _sines(part, angle)
        return (u + c * u + s * moved, w + c * w + s * _moved(part, w)), slope

    start = (u, cotangent.conj())
    _, found = scan(back, start, (*_steps(turns), _padded(angles)[turns.slot]), reverse=True)
    return _padded(found.reshape(-1))[turns.place]


def _steps(turns: Turns) -> tuple[jax.Array, jax.Array, jax.Array]:
    return turns.moved, turns.r, turns.phase


def _padded(numbers: jax.Array) -> jax.Array:
    xp = namespace(numbers)
    return xp.concatenate([numbers, xp.zeros(1, numbers.dtype)])


def _sines(part, angle: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(cos - 1) |D|^2, shape (matrices, size, 1), and i sin, shape (matrices, 1, 1)."""
    _, r, _ = part
    xp = namespace(angle)
    c, s = xp.cos(angle) - 1, xp.sin(angle)
    return (c[:, None] * r**2)[..., None], 1j * s[:, None, None]


def _moved(part, u: jax.Array) -> jax.Array:
    """G U: rows of D[i] U[i ^ x]."""
    moved, r, phase = part
    return (phase[:, None] * r)[..., None] * _taken(u, moved)


def _taken(u: jax.Array, rows: jax.Array) -> jax.Array:
    """Rows of matrices in another order: (..., blocks, size, columns) by (blocks, size)."""
    if isinstance(u, np.ndarray):
        return u[..., np.arange(rows.shape[-2])[:, None], rows.reshape(rows.shape[-2:]), :]
    return jnp.take_along_axis(u, rows[..., None], axis=-2, mode="promise_in_bounds")


def _times(m: jax.Array, u: jax.Array) -> jax.Array:
    """Small matrices (blocks, size, size) on the leading bits of the rows of (..., blocks, 2^k, columns)."""
    x = u.reshape(*u.shape[:-2], m.shape[-1], -1)
    if isinstance(x, np.ndarray):
        return np.matmul(m, x).reshape(u.shape)
    return jnp.sum(m[..., None] * x[..., None, :, :], axis=-2).reshape(u.shape)


def _overlaps(after: jax.Array, before: jax.Array) -> jax.Array:
    """sum_m conj(after[i, m]) before[j, m] of many small matrices."""
    if isinstance(after, np.ndarray):
        return np.matmul(after.conj(), before.swapaxes(-1, -2))
    return jnp.sum(after.conj()[:, :, None] * before[:, None], axis=-1)


def _with_identity(small: jax.Array) -> jax.Array:
    xp = namespace(small)
    return xp.concatenate([small, xp.eye(small.shape[-1], dtype=small.dtype)[None]])


def _identities(like: jax.Array, shape: tuple[int, int], dtype: np.dtype) -> jax.Array:
    count, size = shape
    xp = namespace(like)
    return xp.broadcast_to(xp.eye(size, dtype=dtype), (count, size, size))


def turns_of(factors: Factors, members: list[Block], places: list[tuple[int, ...]], dtype: np.dtype) -> Turns:
    """The factors of several matrices, with the qubits that each stands on."""
    size = len(places[0]) if places else 0
    length = max((len(block.factors) for block in members), default=0)
    slot = np.full((length, len(members)), len(factors), dtype=np.int32)
    qubit = np.zeros((len(members), size), dtype=np.uint32)
    for b, (block, place) in enumerate(zip(members, places, strict=True)):
        slot[: len(block.factors), b] = block.factors
        qubit[b] = np.minimum(place[::-1], 8 * factors.x.itemsize - 1)  # a bit that no mask has
    there = slot < len(factors)
    some = np.where(there, slot, 0) if len(factors) else slot

    def local(masks: np.ndarray) -> np.ndarray:
        own = (masks[..., None] >> qubit.reshape(1, len(members), *(1,) * (masks.ndim - 2), size)) & 1
        return np.asarray(np.sum(own << np.arange(size, dtype=np.uint32), axis=-1, dtype=np.uint32))

    index = np.arange(2**size, dtype=np.uint32)
    x = np.where(there, local(factors.x[some]), 0) if length else np.zeros(slot.shape, np.uint32)
    r = np.zeros((length, len(members), 2**size))
    if length:
        z, weight = local(factors.z[some]), factors.weight[some]
        for column in range(z.shape[-1]):
            parity = np.bitwise_count(index & z[..., column, None]) & 1
            r += weight[..., column, None] * (1 - 2.0 * parity)
    r = np.where(there[..., None], r, 0)
    phase = (factors.phase[some] if length else np.ones(slot.shape)).astype(np.result_type(dtype, np.complex64))
    moved = (index ^ x[..., None]).astype(np.int32)
    place = np.full(len(factors), slot.size, dtype=np.int32)
    place[slot[there]] = np.flatnonzero(there)
    return Turns(*jax.device_put((moved, r.astype(dtype), phase, slot, place)))


def _pieces(places: list[tuple[int, ...]], counts: list[int], own: list[tuple[int, ...]], k: int) -> Pieces:
    length = max(counts, default=0)
    which = np.full((length, len(places)), len(own), dtype=np.int32)
    rows = np.broadcast_to(np.arange(2**k, dtype=np.int32), (length, len(places), 2**k)).copy()
    last = np.broadcast_to(np.arange(2**k, dtype=np.int32), (len(places), 2**k)).copy()
    index = np.arange(2**k, dtype=np.int32).reshape((2,) * k)
    first = 0
    for b, (place, count) in enumerate(zip(places, counts, strict=True)):
        order = place
        for turn in range(count):
            front = own[first + turn]
            new = (*front, *(q for q in order if q not in front))
            rows[turn, b] = index.transpose([order.index(q) for q in new]).reshape(-1)
            which[turn, b], order = first + turn, new
        last[b] = index.transpose([order.index(q) for q in place]).reshape(-1)
        first += count
    place = np.zeros(len(own), dtype=np.int32)
    place[which[which < len(own)]] = np.flatnonzero(which < len(own))
    return Pieces(*jax.device_put((which, rows, last, place)))
