"""The state through all steps of a plan, and back again by the adjoint method on whole blocks, as one program.

Going backwards, each block is undone on lambda = H psi, and all that the gradient needs of it is its cotangent, one
more product with the state that was kept before the block; wide factors are undone and differentiated one by one.
`stepwise` does the same step by step, for states that are too large to keep or to allocate anew in each call.

References:
    Jones and Gacon, "Efficient calculation of gradients in classical simulations of variational quantum algorithms",
    arXiv:2009.02823.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.runtime.namespace import matmul
from backends.statevector.whole import kernels, wide
from backends.statevector.whole.blocks import Local, matrices, slopes
from backends.statevector.whole.diagonals import Diagonals
from backends.statevector.whole.plan import C, Grow, Layout, Plan, Run, Scan, Turn, transposition


class Arrays(NamedTuple):
    """What a circuit's steps are made of.

    Attributes:
        local: Factors of the blocks.
        masks: Wide factors, in the plan's layouts.
        diagonals: Diagonal layers.
    """

    local: Local
    masks: wide.Masks
    diagonals: Diagonals


class Passed(NamedTuple):
    """An evolution, with what its derivative needs.

    Attributes:
        psi: The final state, in the plan's last layout.
        kept: For each step the state before its product or turn; after it for a scan, which undoes it on the way back.
        u: Matrices of the blocks.
        small: Of their pieces.
    """

    psi: jax.Array
    kept: tuple
    u: jax.Array
    small: jax.Array


def evolve(plan: Plan, arrays: Arrays, angles: jax.Array) -> jax.Array:
    """The final state from |0...0>, real, shape (2^(n+1),) in the plan's natural layout.

    Args:
        plan: Static.
        arrays: Of the circuit.
        angles: Of all factors, shape (factors,).
    """
    return move(forward(plan, arrays, angles).psi, plan.last, plan.natural)


def value_and_slopes(plan: Plan, arrays: Arrays, angles: jax.Array, applies: tuple) -> tuple[jax.Array, jax.Array]:
    """<H> and its derivative by the angle of every factor, for several observables.

    Args:
        plan: Static.
        arrays: Of the circuit.
        angles: Of all factors, shape (factors,).
        applies: For each observable H psi as a function of real states in the plan's natural layout.

    Returns:
        Shapes (observables,) and (observables, factors).
    """
    passed = forward(plan, arrays, angles)
    psi = move(passed.psi, plan.last, plan.natural)
    energies, found = [], []
    for apply in applies:
        lam = jax.lax.optimization_barrier(apply(psi))
        energies.append(kernels.overlap(psi, lam))
        found.append(backward(plan, arrays, angles, passed, move(lam, plan.natural, plan.last)))
    return jnp.stack(energies), jnp.stack(found)


def forward(plan: Plan, arrays: Arrays, angles: jax.Array) -> Passed:
    """All steps from |0...0>."""
    u, small = matrices(arrays.local, angles)
    x = jnp.zeros(2, angles.dtype).at[0].set(1)
    kept: list = []
    for step in plan.steps:
        if isinstance(step, Grow):
            x = grown(x, step)
            kept.append(None)
        elif isinstance(step, Scan):
            x = move(x, step.before, step.after)
            x = wide.forward(arrays.masks.part(step.start, step.stop), angles, x)
            kept.append(x)
        elif isinstance(step, Run):
            x, before = _run(kernels.embedded(u[step.start : step.stop]), step, x)
            kept.append(before)
        elif isinstance(step, Turn):
            kept.append(x)
            x = kernels.turn(step.layout.index(C), x, *arrays.diagonals.phases(step.diagonal, angles, back=False))
        else:
            x = move(x, step.before, step.front)
            kept.append(x)
            x = _product(kernels.matrix(u[step.block], step.shape), x)
    return Passed(x, tuple(kept), u, small)


def backward(plan: Plan, arrays: Arrays, angles: jax.Array, passed: Passed, lam: jax.Array) -> jax.Array:
    """2 Re <lambda| dpsi> by the angle of every factor, shape (factors,).

    Args:
        plan: Static.
        arrays: Of the circuit.
        angles: Shape (factors,).
        passed: What `forward` returned.
        lam: In the plan's last layout.
    """
    found = jnp.zeros(len(angles), angles.dtype)
    cotangents = [jnp.zeros(passed.u.shape[1:], passed.u.dtype)] * len(passed.u)
    for step, kept in zip(reversed(plan.steps), reversed(passed.kept), strict=True):
        if isinstance(step, Grow):
            lam = shrunk(lam, step)
        elif isinstance(step, Scan):
            part = arrays.masks.part(step.start, step.stop)
            (_, lam), slope = wide.back(part, angles, kept, lam)
            lam = move(lam, step.after, step.before)
            found = found.at[part.slot].set(slope)
        elif isinstance(step, Run):
            part = slice(step.start, step.stop)
            lam, cotangents[part] = _run_back(passed.u[part], step, kept, lam)
        elif isinstance(step, Turn):
            place = step.layout.index(C)
            lam = kernels.turn(place, lam, *arrays.diagonals.phases(step.diagonal, angles, back=True))
            generated = kernels.generated(place, kept, kept, *arrays.diagonals.values(step.diagonal))
            slope = 2 * kernels.overlap(lam, jax.lax.optimization_barrier(generated))
            found = found.at[arrays.diagonals.slot[step.diagonal]].set(slope)
        else:
            m = kernels.inverse(passed.u[step.block], step.shape)
            below = _product(jax.lax.optimization_barrier(m), lam)  # else the product transposes it anew
            t = kernels.cotangent(step.shape, passed.u[step.block], kept, lam, below)
            below, cotangents[step.block] = jax.lax.optimization_barrier((below, t))
            lam = move(below, step.front, step.before)
    if len(passed.u):
        found += slopes(arrays.local, angles, passed.u, passed.small, jnp.stack(cotangents))
    return found


def move(x: jax.Array, old: Layout, new: Layout) -> jax.Array:
    """Reorder the bits of a state, shape (2^bits,) -> same."""
    if old == new:
        return x
    moved = kernels.transpose(x, transposition(old, new))
    return jax.lax.optimization_barrier(moved)  # else XLA moves anew for every product that reads it


def grown(x: jax.Array, step: Grow) -> jax.Array:
    """Store more qubits, which are |0>."""
    x = move(x, step.before, step.front).reshape(2, -1)
    return jnp.pad(x, ((0, 0), (0, x.shape[1] * (2 ** (len(step.after) - len(step.before)) - 1)))).reshape(-1)


def shrunk(x: jax.Array, step: Grow) -> jax.Array:
    """Drop qubits that are |0> before this step."""
    x = x.reshape(2, -1)[:, : 2 ** (len(step.before) - 1)]
    return move(x.reshape(-1), step.front, step.before)


def _product(m: jax.Array, x: jax.Array) -> jax.Array:
    return jax.lax.optimization_barrier(kernels.product(m, x))  # with a move fused in it is several times slower


def _run(real: jax.Array, step: Run, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Blocks in a loop; real forms of shape (blocks, 2 K, 2 K). Returns the states before them, after their moves."""
    tables, which = _gathers([(a, b) for a, b in itertools.pairwise((step.before, *step.fronts))])

    def apply(x, block):
        m, table = block
        before = x[tables[table]]
        return kernels.product(m, before), before

    return jax.lax.scan(apply, x, (real, which))


def _run_back(u: jax.Array, step: Run, kept: jax.Array, lam: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Undo them; returns lambda before, and the cotangents."""
    tables, which = _gathers([(b, a) for a, b in itertools.pairwise((step.before, *step.fronts))])

    def undo(lam, block):
        u, table, psi = block
        m = kernels.embedded(u.conj().T)
        lam = kernels.product(m, lam)
        t = kernels.gram(lam.reshape(len(m), -1), psi.reshape(len(m), -1))
        return lam[tables[table]], matmul(u.conj(), t)

    return jax.lax.scan(undo, lam, (u, which, kept), reverse=True)


def _gathers(moves: list[tuple[Layout, Layout]]) -> tuple[jax.Array, jax.Array]:
    """Where the amplitudes of a new layout lay in the old one: distinct tables (tables, 2^bits), and each move's."""
    axes = [tuple(old.index(q) for q in new) for old, new in moves]
    distinct = {order: k for k, order in enumerate(dict.fromkeys(axes))}
    index = np.arange(2 ** len(axes[0]), dtype=np.int32).reshape((2,) * len(axes[0]))
    tables = np.array([index.transpose(order).reshape(-1) for order in distinct])
    return jnp.asarray(tables), jnp.asarray([distinct[order] for order in axes], dtype=np.int32)
