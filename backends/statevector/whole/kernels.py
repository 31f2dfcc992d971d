"""What is done to a whole state: moves, products, turns, and the products of two states that gradients need.

States are real arrays of shape (2^bits,); one bit of the index, C, tells real from imaginary parts. A complex product
A + iB is the real product [[A, -B], [B, A]] on both parts, which XLA does several times faster.
"""

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.runtime.namespace import matmul, namespace
from backends.statevector.whole.plan import Transposition


def run(move: Transposition) -> int:
    """Number of the last bits that stay where they are."""
    shape, axes = move
    return shape[-1].bit_length() - 1 if axes[-1] == len(shape) - 1 else 0


def transpose(x: jax.Array, move: Transposition) -> jax.Array:
    """Reorder the bits of a state."""
    shape, axes = move
    return x.reshape(shape).transpose(axes).reshape(-1)


def written_transpose(move: Transposition, out: jax.Array, x: jax.Array) -> jax.Array:
    """`transpose` into the memory of out."""
    return transpose(x, move)


def written_gather(run: int, out: jax.Array, x: jax.Array, source: jax.Array) -> jax.Array:
    """The same for any move that leaves the last bits where they are: one kernel for all, if not the fastest for each.

    Args:
        run: Number of the last bits that stay.
        out: Memory.
        x: The state.
        source: Where each other bit of the new index, from the lowest, stands in the old one, shape (bits - run,).
    """
    rows = jnp.arange(x.size >> run, dtype=jnp.int32)
    old = jnp.zeros_like(rows)
    for bit in range(len(source)):
        old |= (rows >> bit & 1) << source[bit]
    return x.reshape(-1, 2**run).at[old].get(mode="promise_in_bounds").reshape(-1)


def embedded(u: jax.Array) -> jax.Array:
    """The real form of matrices: (..., K, K) -> (..., 2 K, 2 K)."""
    xp = namespace(u)
    top, bottom = xp.concatenate([u.real, -u.imag], axis=-1), xp.concatenate([u.imag, u.real], axis=-1)
    return xp.concatenate([top, bottom], axis=-2)


Shape = tuple[bool, int, int]
"""Of a block: whether its matrix is real, how many of its qubits are stored before it, how many it has."""


def matrix(u: jax.Array, shape: Shape) -> jax.Array:
    """A block's matrix (K, K) in the form that its product takes.

    Rows and columns of qubits that do not exist are left out, and columns of new qubits other than |0>.
    """
    real, present, width = shape
    step = len(u) >> width
    u = u[::step, ::step]
    return u.real if real else embedded(u[:, : 2**present])


def inverse(u: jax.Array, shape: Shape) -> jax.Array:
    """The same of the inverse, which leaves new qubits out."""
    return matrix(u, shape).T


def product(m: jax.Array, x: jax.Array) -> jax.Array:
    """A matrix on the bits at the front."""
    return matmul(m, x.reshape(m.shape[1], -1)).reshape(-1)


def written_product(shape: Shape, shrinks: bool, out: jax.Array, m: jax.Array, block: jax.Array, x: jax.Array):
    """One block, or its inverse, into the memory of out; m as `forms` gives it for all blocks, of them or the inverses.

    Args:
        shape: Of the block.
        shrinks: Whether it is an inverse that leaves qubits out.
        out: Memory.
        m: Matrices.
        block: Which of them.
        x: The state.
    """
    real, present, width = shape
    m = m[block].reshape(2, len(m[0]) // 2, 2, -1)
    step = m.shape[1] >> width
    if real:
        return product(m[0, ::step, 0, ::step], x)
    m = m[:, ::step, :, ::step]
    m = m[:, : 2**present] if shrinks else m[..., : 2**present]
    return product(m.reshape(m.shape[0] * m.shape[1], -1), x)


def forms(u: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The real forms of all blocks' matrices and of their inverses, which a product would transpose anew each time."""
    m = embedded(u)
    return m, m.swapaxes(1, 2)


def cotangent(shape: Shape, u: jax.Array, psi: jax.Array, lam: jax.Array, below: jax.Array) -> jax.Array:
    """T_ij = sum_m conj(lambda[i, m]) psi[j, m] of one block, shape (K, K); 0 for qubits that do not exist.

    Args:
        shape: Of the block.
        u: The block's matrix.
        psi: Before it.
        lam: After it.
        below: lambda before it; where all qubits are stored, T is conj(U) times the same sum over this one.
    """
    real, present, width = shape
    step = len(u) >> width
    small = u[::step, ::step]
    if real:
        rows = 2**width
        t = matmul(small.real, matmul(below.reshape(rows, -1), psi.reshape(rows, -1).T)).astype(u.dtype)
    elif present < width:  # lambda before it lacks what the block turned out of the stored states
        t = gram(lam.reshape(2 ** (width + 1), -1), psi.reshape(2 ** (present + 1), -1))
        t = namespace(t).pad(t, ((0, 0), (0, 2**width - 2**present)))
    else:
        rows = 2 ** (width + 1)
        t = matmul(small.conj(), gram(below.reshape(rows, -1), psi.reshape(rows, -1)))
    corner = np.zeros((step, step))
    corner[0, 0] = 1
    return t if step == 1 else namespace(t).kron(t, corner.astype(t.dtype))


def block_cotangent(
    shape: Shape, u: jax.Array, block: jax.Array, psi: jax.Array, lam: jax.Array, below: jax.Array
) -> jax.Array:
    """The same for one of all blocks, whose matrices are u."""
    return cotangent(shape, u[block], psi, lam, below)


def gram(lam: jax.Array, psi: jax.Array) -> jax.Array:
    """sum_m conj(lambda[i, m]) psi[j, m] from real arrays of shapes (2 I, M) and (2 J, M)."""
    g = matmul(lam, psi.T)
    g = g.reshape(2, len(lam) // 2, 2, len(psi) // 2)
    return g[0, :, 0] + g[1, :, 1] + 1j * (g[0, :, 1] - g[1, :, 0])


def overlap(a: jax.Array, b: jax.Array) -> jax.Array:
    """Real part of <a|b>, summed in columns first, which the processor does several at a time."""
    return jnp.sum(jnp.sum((a * b).reshape(-1, min(a.size, 1024)), axis=0))


def turn(place: int, x: jax.Array, *phases: jax.Array) -> jax.Array:
    """exp(-i angle D) psi.

    Args:
        place: Which bit of the layout C is.
        x: The state.
        phases: Cosines and sines of angle times the distinct values of D, and which of them each amplitude has, in the
            layout's order without C; or the angle and D itself.
    """
    re, im = _parts(place, x)
    if len(phases) == 3:
        c, s = (_entries(table, phases[2]).reshape(re.shape) for table in phases[:2])
    else:
        c, s = (f(phases[0] * phases[1]).reshape(re.shape) for f in (jnp.cos, jnp.sin))
    return jnp.stack([re * c + im * s, im * c - re * s], axis=1).reshape(-1)


def written_turn(place: int, out: jax.Array, x: jax.Array, *phases: jax.Array) -> jax.Array:
    """`turn` into the memory of out."""
    return turn(place, x, *phases)


def generated(place: int, out: jax.Array, x: jax.Array, *values: jax.Array) -> jax.Array:
    """-i D psi, into the memory of out; with the distinct values of D and which each amplitude has, or D itself."""
    re, im = _parts(place, x)
    d = (_entries(*values) if len(values) == 2 else values[0]).reshape(re.shape)
    return jnp.stack([d * im, -d * re], axis=1).reshape(-1)


def table(numbers: jax.Array) -> jax.Array:
    """The same numbers, computed once: XLA would compute those that a gather reads anew for each amplitude."""
    return (jnp.stack([numbers, jnp.zeros_like(numbers)], axis=1) @ jnp.ones((2, 1), numbers.dtype))[:, 0]


def _entries(levels: jax.Array, level: jax.Array) -> jax.Array:
    return levels.at[level].get(mode="promise_in_bounds")


def _parts(place: int, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    parts = x.reshape(2**place, 2, -1)
    return parts[:, 0], parts[:, 1]
