"""What is done to a whole state: moves, products, turns, and the products of two states that gradients need.

States are real arrays of shape (2^bits,); one bit of the index, C, tells real from imaginary parts. A complex product
A + iB is the real product [[A, -B], [B, A]] on both parts, which XLA does several times faster.
"""

import jax
import jax.numpy as jnp

from backends.statevector.plan import Layout

HIGHEST = jax.lax.Precision.HIGHEST
"""Matrix units of GPUs would otherwise round single precision to ten bits."""

LONG_SUMS = (("xla_cpu_experimental_ynn_fusion_type", ""),)
"""In double precision XLA's other library runs a small product with a long sum on all cores; YNNPACK uses one."""

Transposition = tuple[tuple[int, ...], tuple[int, ...]]
"""Shape and order of axes."""


def transposition(old: Layout, new: Layout) -> Transposition:
    """The move between two layouts; bits that stay neighbours move as one axis.

    >>> transposition((-1, 3, 2, 1, 0), (-1, 1, 0, 3, 2))
    ((2, 4, 4), (0, 2, 1))
    """
    runs: list[list[int]] = []
    place = {q: k for k, q in enumerate(old)}
    for q in new:
        if runs and place[q] == place[runs[-1][-1]] + 1:
            runs[-1].append(q)
        else:
            runs.append([q])
    order = sorted(range(len(runs)), key=lambda k: place[runs[k][0]])
    axis = {k: a for a, k in enumerate(order)}
    return tuple(2 ** len(runs[k]) for k in order), tuple(axis[k] for k in range(len(runs)))


def transpose(x: jax.Array, move: Transposition) -> jax.Array:
    """Reorder the bits of a state."""
    shape, axes = move
    return x.reshape(shape).transpose(axes).reshape(-1)


def written_transpose(move: Transposition, out: jax.Array, x: jax.Array) -> jax.Array:
    """`transpose` into the memory of out."""
    return transpose(x, move)


def embedded(u: jax.Array) -> jax.Array:
    """The real form of matrices: (..., K, K) -> (..., 2 K, 2 K)."""
    top, bottom = jnp.concatenate([u.real, -u.imag], axis=-1), jnp.concatenate([u.imag, u.real], axis=-1)
    return jnp.concatenate([top, bottom], axis=-2)


def matrix(u: jax.Array, real: bool, present: int) -> jax.Array:
    """A block's matrix (K, K) in the form that its product takes; columns of new qubits other than |0> are left out."""
    return u.real if real else embedded(u[:, : 2**present])


def product(m: jax.Array, x: jax.Array) -> jax.Array:
    """A matrix on the bits at the front."""
    return dot(m, x.reshape(m.shape[1], -1), 1, 0).reshape(-1)


def written_product(out: jax.Array, m: jax.Array, x: jax.Array) -> jax.Array:
    """`product` into the memory of out."""
    return product(m, x)


def dot(a: jax.Array, b: jax.Array, axis_a: int, axis_b: int) -> jax.Array:
    """Product of two matrices over the given axes, in full precision."""
    return jax.lax.dot_general(a, b, (((axis_a,), (axis_b,)), ((), ())), precision=HIGHEST)


def cotangent(real: bool, present: int, u: jax.Array, psi: jax.Array, lam: jax.Array, below: jax.Array) -> jax.Array:
    """T_ij = sum_m conj(lambda[i, m]) psi[j, m] of one block, shape (K, K).

    Args:
        real: Whether the block's matrix is real.
        present: How many of its qubits are stored before it.
        u: The block's matrix.
        psi: Before it.
        lam: After it.
        below: lambda before it; where all qubits are stored, T is conj(U) times the same sum over this one.
    """
    if real:
        rows = len(u)
        return (u.real @ dot(below.reshape(rows, -1), psi.reshape(rows, -1), 1, 1)).astype(u.dtype)
    rows = 2 ** (present + 1)
    psi = psi.reshape(rows, -1)
    if 2**present < len(u):  # lambda before it lacks what the block turned out of the stored states
        t = gram(lam.reshape(2 * len(u), -1), psi)
        return jnp.pad(t, ((0, 0), (0, len(u) - t.shape[1])))
    return jnp.matmul(u.conj(), gram(below.reshape(rows, -1), psi), precision=HIGHEST)


def gram(lam: jax.Array, psi: jax.Array) -> jax.Array:
    """sum_m conj(lambda[i, m]) psi[j, m] from real arrays of shapes (2 I, M) and (2 J, M)."""
    g = dot(lam, psi, 1, 1)
    g = g.reshape(2, len(lam) // 2, 2, len(psi) // 2)
    return jax.lax.complex(g[0, :, 0] + g[1, :, 1], g[0, :, 1] - g[1, :, 0])


def overlap(a: jax.Array, b: jax.Array) -> jax.Array:
    """Real part of <a|b>, summed in columns first, which the processor does several at a time."""
    return jnp.sum(jnp.sum((a * b).reshape(-1, min(a.size, 1024)), axis=0))


def turn(place: int, x: jax.Array, angle: jax.Array, levels: jax.Array, level: jax.Array | None) -> jax.Array:
    """exp(-i angle D) psi, with D[z] = levels[level[z]] in the layout's order without C, which is the bit at place."""
    re, im = _parts(place, x)
    c, s = (_entries(f(angle * levels), level).reshape(re.shape) for f in (jnp.cos, jnp.sin))
    return jnp.stack([re * c + im * s, im * c - re * s], axis=1).reshape(-1)


def written_turn(
    place: int, out: jax.Array, x: jax.Array, angle: jax.Array, levels: jax.Array, level: jax.Array | None
) -> jax.Array:
    """`turn` into the memory of out."""
    return turn(place, x, angle, levels, level)


def turn_slope(place: int, psi: jax.Array, lam: jax.Array, levels: jax.Array, level: jax.Array | None) -> jax.Array:
    """2 Re <lambda| -i D psi>."""
    (re, im), (lam_re, lam_im) = _parts(place, psi), _parts(place, lam)
    d = _entries(levels, level).reshape(re.shape)
    return 2 * jnp.sum(jnp.sum((d * (lam_re * im - lam_im * re)).reshape(-1, min(re.size, 1024)), axis=0))


def _entries(levels: jax.Array, level: jax.Array | None) -> jax.Array:
    return levels if level is None else jnp.take(levels, level, mode="clip")


def _parts(place: int, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    parts = x.reshape(2**place, 2, -1)
    return parts[:, 0], parts[:, 1]
