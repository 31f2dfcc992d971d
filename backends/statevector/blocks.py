"""The matrices of all blocks at once, and the derivatives of their factors.

The factors of a block act on 2^k x 2^k matrices as they would on states (the columns). All blocks go through one scan,
as long as the fullest block, so that compiling takes the same time for ten gates or ten thousand.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.fuse import Block
from backends.statevector.lower import Factors


class Local(NamedTuple):
    """The factors of every block on the block's own qubits, padded with factors that do nothing.

    A factor is D[i] U[i ^ x] as in `Factors`. Leading axes: steps (as many as the fullest block has factors), blocks.

    Attributes:
        moved: i ^ x, shape (steps, blocks, 2^k).
        r: Real part of D: D = phase r, shape (steps, blocks, 2^k).
        phase: 1 or -i, shape (steps, blocks).
        slot: Index of the factor among all of the circuit's, shape (steps, blocks); their number where padded.
    """

    moved: jax.Array
    r: jax.Array
    phase: jax.Array
    slot: jax.Array

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
        steps = max((len(block.factors) for block in blocks), default=0)
        slot = np.full((steps, len(blocks)), len(factors), dtype=np.int32)
        qubit = np.zeros((len(blocks), k), dtype=np.uint32)
        for b, (block, place) in enumerate(zip(blocks, places, strict=True)):
            slot[: len(block.factors), b] = block.factors
            qubit[b] = place[::-1]
        there = slot < len(factors)
        some = np.where(there, slot, 0)

        def local(masks: np.ndarray) -> np.ndarray:
            bits = (masks[..., None] >> qubit.reshape(1, len(blocks), *(1,) * (masks.ndim - 2), k)) & 1
            return np.asarray(np.sum(bits << np.arange(k, dtype=np.uint32), axis=-1, dtype=np.uint32))

        index = np.arange(2**k, dtype=np.uint32)
        x = np.where(there, local(factors.x[some]), 0)
        z, weight = local(factors.z[some]), factors.weight[some]
        r = np.zeros((steps, len(blocks), 2**k))
        for column in range(z.shape[-1]):
            parity = np.bitwise_count(index & z[..., column, None]) & 1
            r += weight[..., column, None] * (1 - 2.0 * parity)
        r = np.where(there[..., None], r, 0)
        phase = factors.phase[some].astype(np.result_type(dtype, np.complex64))
        moved = (index ^ x[..., None]).astype(np.int32)
        return cls(*(jnp.asarray(part) for part in (moved, r.astype(dtype), phase, slot)))


def matrices(local: Local, angles: jax.Array) -> jax.Array:
    """Unitary matrices of all blocks, shape (blocks, 2^k, 2^k), for the angles of all factors, shape (factors,)."""

    def step(u, factor):
        part, angle = factor
        c, s = _sines(part, angle)
        return u + c * u - s * _moved(part, u), None

    _, blocks, size = local.r.shape
    start = jnp.broadcast_to(jnp.eye(size, dtype=local.phase.dtype), (blocks, size, size))
    u, _ = jax.lax.scan(step, start, (local, _padded(angles)[local.slot]))
    return u


def slopes(local: Local, angles: jax.Array, u: jax.Array, cotangent: jax.Array) -> jax.Array:
    """Derivatives of 2 Re sum_ij T_ij U_ij by the angle of every factor, shape (factors,).

    Args:
        local: The factors of the blocks.
        angles: Shape (factors,).
        u: The matrices that these angles give, shape (blocks, 2^k, 2^k).
        cotangent: T, same shape.
    """

    def back(pair, factor):
        part, angle = factor
        u, w = pair
        moved = _moved(part, u)
        slope = 2 * jnp.sum((w.conj() * (-1j * moved)).real, axis=(1, 2))
        c, s = _sines(part, angle)
        return (u + c * u + s * moved, w + c * w + s * _moved(part, w)), slope

    _, found = jax.lax.scan(back, (u, cotangent.conj()), (local, _padded(angles)[local.slot]), reverse=True)
    return jnp.zeros(len(angles) + 1, angles.dtype).at[local.slot].set(found)[:-1]


def _padded(angles: jax.Array) -> jax.Array:
    return jnp.concatenate([angles, jnp.zeros(1, angles.dtype)])


def _sines(part: Local, angle: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(cos - 1) |D|^2, shape (blocks, 2^k, 1), and i sin, shape (blocks, 1, 1)."""
    c, s = jnp.cos(angle) - 1, jnp.sin(angle)
    return (c[:, None] * part.r**2)[..., None], 1j * s[:, None, None]


def _moved(part: Local, u: jax.Array) -> jax.Array:
    """G U: rows of D[i] U[i ^ x]."""
    rows = jnp.take_along_axis(u, part.moved[..., None], axis=1, mode="promise_in_bounds")
    return (part.phase[:, None] * part.r)[..., None] * rows
