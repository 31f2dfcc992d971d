"""The state through all steps of a plan, and back again by the adjoint method on whole blocks.

A complex product A + iB is the real product [[A, -B], [B, A]] on real and imaginary parts, which XLA does several times
faster. Going backwards, each block is undone on psi and on lambda = H psi, and all that the gradient needs of it is its
cotangent T_ij = sum_m conj(lambda[i, m]) psi[j, m], one more product; wide factors are differentiated one by one.

References:
    Jones and Gacon, "Efficient calculation of gradients in classical simulations of variational quantum algorithms",
    arXiv:2009.02823.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector import wide
from backends.statevector.blocks import Local, matrices, slopes
from backends.statevector.plan import Apply, Grow, Layout, Plan, Run, Scan


def evolve(plan: Plan, local: Local, masks: wide.Masks, angles: jax.Array) -> jax.Array:
    """The final state from |0...0>, real, shape (2^(n+1),) in the plan's natural layout.

    Args:
        plan: Static.
        local: Factors of the blocks.
        masks: Wide factors, in the plan's layouts.
        angles: Of all factors, shape (factors,).
    """
    x = _forward(plan, _embedded(matrices(local, angles)), masks, angles)
    return move(x, plan.last, plan.natural)


def value_and_slopes(plan: Plan, local: Local, masks: wide.Masks, angles: jax.Array, apply):
    """<H> and its derivative by the angle of every factor.

    Args:
        plan: Static.
        local: Factors of the blocks.
        masks: Wide factors.
        angles: Of all factors, shape (factors,).
        apply: H psi, on real states in the plan's natural layout.

    Returns:
        A number, and an array of shape (factors,).
    """
    u = matrices(local, angles)
    real = _embedded(u)
    inverse = jax.lax.optimization_barrier(real.swapaxes(1, 2))  # else every product transposes its matrix anew
    psi = _forward(plan, real, masks, angles)
    psi = move(psi, plan.last, plan.natural)
    lam = jax.lax.optimization_barrier(apply(psi))
    energy = overlap(psi, lam)
    found = jnp.zeros(len(angles), angles.dtype)
    psi, lam = (move(x, plan.natural, plan.last) for x in (psi, lam))
    cotangents = [jnp.zeros(u.shape[1:], u.dtype)] * len(u)
    for step in reversed(plan.steps):
        if isinstance(step, Grow):
            psi, lam = (_shrink(x, step) for x in (psi, lam))
        elif isinstance(step, Scan):
            part, angle = masks.part(step.start, step.stop), angles[masks.slot[step.start : step.stop]]
            pair, slope = wide.back(part, angle, _complex(psi), _complex(lam))
            psi, lam = (move(_real(x), step.after, step.before) for x in pair)
            found = found.at[masks.slot[step.start : step.stop]].set(slope)
        elif isinstance(step, Run):
            part = slice(step.start, step.stop)
            psi, lam, cotangents[part] = _run_back(real[part].swapaxes(1, 2), u[part], step, psi, lam)
        else:
            m = _rows(inverse[step.block], step.present)
            before = _undo(m, psi, step)
            below = _undo(m, lam, step)
            cotangent = _cotangent(u[step.block], before, lam, below, step)
            before, below, cotangent = jax.lax.optimization_barrier((before, below, cotangent))  # frees lambda
            psi, lam = (move(x, step.front, step.before) for x in (before, below))
            cotangents[step.block] = cotangent
    if cotangents:
        found += slopes(local, angles, u, jnp.stack(cotangents))
    return energy, found


def move(x: jax.Array, old: Layout, new: Layout) -> jax.Array:
    """Reorder the bits of a state, shape (2^bits,) -> same; bits that stay neighbours move as one axis."""
    if old == new:
        return x
    runs: list[list[int]] = []
    place = {q: k for k, q in enumerate(old)}
    for q in new:
        if runs and place[q] == place[runs[-1][-1]] + 1:
            runs[-1].append(q)
        else:
            runs.append([q])
    order = sorted(range(len(runs)), key=lambda k: place[runs[k][0]])
    axis = {k: a for a, k in enumerate(order)}
    x = x.reshape([2 ** len(runs[k]) for k in order])
    moved = x.transpose([axis[k] for k in range(len(runs))]).reshape(-1)
    return jax.lax.optimization_barrier(moved)  # else XLA moves anew for every product that reads it


def overlap(a: jax.Array, b: jax.Array) -> jax.Array:
    """Real part of <a|b>, summed in columns first, which the processor does several at a time."""
    return jnp.sum(jnp.sum((a * b).reshape(-1, min(a.size, 1024)), axis=0))


def _forward(plan: Plan, real: jax.Array, masks: wide.Masks, angles: jax.Array) -> jax.Array:
    x = jnp.zeros(2, angles.dtype).at[0].set(1)
    for step in plan.steps:
        if isinstance(step, Grow):
            x = move(x, step.before, step.front).reshape(2, -1)
            x = jnp.pad(x, ((0, 0), (0, x.shape[1] * (2 ** (len(step.after) - len(step.before)) - 1)))).reshape(-1)
        elif isinstance(step, Scan):
            x = move(x, step.before, step.after)
            angle = angles[masks.slot[step.start : step.stop]]
            x = _real(wide.forward(masks.part(step.start, step.stop), angle, _complex(x)))
        elif isinstance(step, Run):
            x = _run(real[step.start : step.stop], step, x)
        else:
            x = move(x, step.before, step.front)
            m = _rows(real[step.block].T, step.present).T
            x = x.reshape(m.shape[1], -1)
            x = (_dot(x, m, 0, 1) if step.behind else _dot(m, x, 1, 0)).reshape(-1)
    return x


def _run(real: jax.Array, step: Run, x: jax.Array) -> jax.Array:
    """Blocks in a loop; real forms of shape (blocks, 2 K, 2 K)."""
    tables, which = _gathers([(a, b) for a, b in itertools.pairwise((step.before, *step.fronts))])

    def apply(x, block):
        m, table = block
        return _dot(m, x[tables[table]].reshape(len(m), -1), 1, 0).reshape(-1), None

    return jax.lax.scan(apply, x, (real, which))[0]


def _run_back(inverse: jax.Array, u: jax.Array, step: Run, psi: jax.Array, lam: jax.Array):
    """Undo them; returns both states before, and the cotangents."""
    tables, which = _gathers([(b, a) for a, b in itertools.pairwise((step.before, *step.fronts))])

    def undo(pair, block):
        m, u, table = block
        psi, lam = (_dot(m, x.reshape(len(m), -1), 1, 0) for x in pair)
        t = jnp.matmul(u.conj(), _gram(lam, psi), precision="highest")
        moved = tables[table]
        return (psi.reshape(-1)[moved], lam.reshape(-1)[moved]), t

    (psi, lam), cotangents = jax.lax.scan(undo, (psi, lam), (inverse, u, which), reverse=True)
    return psi, lam, cotangents


def _gathers(moves: list[tuple[Layout, Layout]]) -> tuple[jax.Array, jax.Array]:
    """Where the amplitudes of a new layout lay in the old one: distinct tables (tables, 2^bits), and each move's."""
    axes = [tuple(old.index(q) for q in new) for old, new in moves]
    distinct = {order: k for k, order in enumerate(dict.fromkeys(axes))}
    index = np.arange(2 ** len(axes[0]), dtype=np.int32).reshape((2,) * len(axes[0]))
    tables = np.array([index.transpose(order).reshape(-1) for order in distinct])
    return jnp.asarray(tables), jnp.asarray([distinct[order] for order in axes], dtype=np.int32)


def _undo(m: jax.Array, x: jax.Array, step: Apply) -> jax.Array:
    """The state before a block, window in front, from the block's inverse."""
    if step.behind:
        return _dot(m, x.reshape(-1, m.shape[1]), 1, 1).reshape(-1)
    return _dot(m, x.reshape(m.shape[1], -1), 1, 0).reshape(-1)


def _cotangent(u: jax.Array, psi: jax.Array, lam: jax.Array, below: jax.Array, step: Apply) -> jax.Array:
    """T of one block, shape (2^k, 2^k), from psi before it and lambda after it or (as conj(U) T') before it."""
    rows = 2 ** (step.present + 1)
    psi = psi.reshape(rows, -1)
    if 2**step.present < len(u):  # lambda before it lacks what the block turned out of the stored states
        t = _gram(lam.reshape(2 * len(u), -1), psi)
        return jnp.pad(t, ((0, 0), (0, len(u) - t.shape[1])))
    return jnp.matmul(u.conj(), _gram(below.reshape(rows, -1), psi), precision="highest")


def _gram(lam: jax.Array, psi: jax.Array) -> jax.Array:
    """sum_m conj(lambda[i, m]) psi[j, m] from real arrays of shapes (2 I, M) and (2 J, M)."""
    g = _dot(lam, psi, 1, 1)
    g = g.reshape(2, len(lam) // 2, 2, len(psi) // 2)
    return jax.lax.complex(g[0, :, 0] + g[1, :, 1], g[0, :, 1] - g[1, :, 0])


def _embedded(u: jax.Array) -> jax.Array:
    """The real form of matrices: (blocks, K, K) -> (blocks, 2 K, 2 K)."""
    top, bottom = jnp.concatenate([u.real, -u.imag], axis=2), jnp.concatenate([u.imag, u.real], axis=2)
    return jnp.concatenate([top, bottom], axis=1)


def _rows(m: jax.Array, present: int) -> jax.Array:
    """Rows of a real form for which the window's new qubits are |0>, shape (2^(present+1), 2 K)."""
    return m.reshape(2, -1, m.shape[1])[:, : 2**present].reshape(-1, m.shape[1])


def _dot(a: jax.Array, b: jax.Array, axis_a: int, axis_b: int) -> jax.Array:
    product = jax.lax.dot_general(a, b, (((axis_a,), (axis_b,)), ((), ())), precision=jax.lax.Precision.HIGHEST)
    return jax.lax.optimization_barrier(product)  # a product with a move fused in is several times slower


def _shrink(x: jax.Array, step: Grow) -> jax.Array:
    """Drop qubits that are |0> before this step."""
    x = x.reshape(2, -1)[:, : 2 ** (len(step.before) - 1)]
    return move(x.reshape(-1), step.front, step.before)


def _complex(x: jax.Array) -> jax.Array:
    x = x.reshape(2, -1)
    return jax.lax.complex(x[0], x[1])


def _real(psi: jax.Array) -> jax.Array:
    return jnp.concatenate([psi.real, psi.imag])


def relabelled(masks: np.ndarray, layout: Layout) -> np.ndarray:
    """Masks over qubits as masks over the index of a layout that starts with C."""
    new = np.zeros_like(masks)
    for k, q in enumerate(reversed(layout[1:])):
        new |= (masks >> np.uint32(q) & np.uint32(1)) << np.uint32(k)
    return new
