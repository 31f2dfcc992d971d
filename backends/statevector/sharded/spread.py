"""The state through all steps of a plan and back, as every device does it, inside `jax.shard_map`.

Blocks are products on local qubits; an exchange is an all-to-all among the devices whose numbers differ in the
exchanged bits only; wide factors take the partner's part of the state. Going backwards, steps are undone on psi and
lambda, so that a device never keeps more than a few states.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from backends.statevector.sharded.exchange import Exchange, ShardPlan, Sweep
from backends.statevector.sharded.partner import AXIS, diagonal, from_partner, signed
from backends.statevector.whole import kernels, wide
from backends.statevector.whole.blocks import Local, matrices
from backends.statevector.whole.evolve import grown, move, shrunk
from backends.statevector.whole.plan import C, Grow, Layout, Turn


class Layer(NamedTuple):
    """A diagonal layer as its strings.

    Attributes:
        slot: Index of the factor whose angle counts, among all of the circuit's.
        z: Local parts of the Z masks, shape (strings,).
        digits: Global parts.
        weight: Shape (1, strings).
    """

    slot: Any
    z: Any
    digits: Any
    weight: Any


class ShardArrays(NamedTuple):
    """What a circuit's steps are made of, replicated.

    Attributes:
        local: Factors of the blocks.
        masks: Wide factors; masks have their local parts.
        digits: Global parts of their Z masks, shape (factors, strings).
        layers: Diagonal layers.
    """

    local: Local
    masks: wide.Masks
    digits: Any
    layers: tuple[Layer, ...]


def forward(plan: ShardPlan, arrays: ShardArrays, angles: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """All steps from |0...0> on this device.

    Args:
        plan: Static.
        arrays: Of the circuit.
        angles: Of all factors, shape (factors,).

    Returns:
        This device's part of the state, real, shape (2^(m+1),) in the plan's last layout; matrices of the blocks and
        of their pieces.
    """
    u, small = matrices(arrays.local, angles)
    x = jnp.zeros(2, angles.dtype).at[0].set(jnp.where(jax.lax.axis_index(AXIS) == 0, 1, 0).astype(angles.dtype))
    layout: Layout = (C,)
    for step in plan.steps:
        if isinstance(step, Grow):
            x, layout = grown(x, step), step.after
        elif isinstance(step, Exchange):
            x, layout = exchanged(plan, step, move(x, step.before, step.front)), step.after
        elif isinstance(step, Sweep):
            x, layout = _swept(step, arrays, angles, move(x, step.before, step.after)), step.after
        elif isinstance(step, Turn):
            x = kernels.turn(step.layout.index(C), x, *_turn(arrays.layers[step.diagonal], angles, x))
        else:
            x, layout = (
                _product(kernels.matrix(u[step.block], step.shape), move(x, step.before, step.front)),
                step.after,
            )
    return move(x, layout, plan.last), u, small


def backward(
    plan: ShardPlan, arrays: ShardArrays, angles: jax.Array, u: jax.Array, psi: jax.Array, lam: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The share of this device in 2 Re <lambda| dpsi>, all steps undone on psi and lambda.

    Args:
        plan: Static.
        arrays: Of the circuit.
        angles: Shape (factors,).
        u: Matrices of the blocks.
        psi: Final state.
        lam: lambda = H psi.

    Returns:
        Derivatives by the angles of factors in no block, shape (factors,); cotangents of the blocks, shape as u.
    """
    found = jnp.zeros(len(angles), angles.dtype)
    cotangents = [jnp.zeros(u.shape[1:], u.dtype)] * len(u)
    ends = [step.layout if isinstance(step, Turn) else step.after for step in plan.steps]
    pair = [move(x, plan.last, ends[-1] if ends else plan.last) for x in (psi, lam)]
    for step in reversed(plan.steps):
        if isinstance(step, Grow):
            pair = _one_by_one(partial(shrunk, step=step), *pair)
        elif isinstance(step, Exchange):
            pair = _one_by_one(lambda x, step=step: move(exchanged(plan, step, x), step.front, step.before), *pair)
        elif isinstance(step, Sweep):
            pair, slope = _swept_back(step, arrays, angles, *pair)
            pair = _one_by_one(partial(move, old=step.after, new=step.before), *pair)
            found = found.at[arrays.masks.slot[step.start : step.stop]].set(slope)
        elif isinstance(step, Turn):
            layer, place = arrays.layers[step.diagonal], step.layout.index(C)
            angle, d = _turn(layer, angles, pair[0])
            slope = 2 * kernels.overlap(pair[1], kernels.generated(place, pair[0], pair[0], d))
            *pair, d, slope = jax.lax.optimization_barrier((*pair, d, slope))
            pair = _one_by_one(lambda x, place=place, angle=angle, d=d: kernels.turn(place, x, -angle, d), *pair)
            found = found.at[layer.slot].set(slope)
        else:
            m = jax.lax.optimization_barrier(kernels.inverse(u[step.block], step.shape))
            psi, lam = jax.lax.optimization_barrier((kernels.product(m, pair[0]), pair[1]))
            below = _product(m, lam)
            t = kernels.cotangent(step.shape, u[step.block], psi, lam, below)
            psi, below, cotangents[step.block] = jax.lax.optimization_barrier((psi, below, t))
            pair = _one_by_one(partial(move, old=step.front, new=step.before), psi, below)
        pair = jax.lax.optimization_barrier(pair)
    return found, jnp.stack(cotangents) if len(u) else jnp.zeros((0, 1, 1), u.dtype)


def exchanged(plan: ShardPlan, step: Exchange, x: jax.Array) -> jax.Array:
    """The bits in front of the index change places with bits of the device's number; its own inverse."""
    size = 2 ** len(step.digits)
    spread = [sum((j >> k & 1) << d for k, d in enumerate(reversed(step.digits))) for j in range(size)]
    firsts = [d for d in range(plan.n_devices) if not d & spread[-1]]
    groups = [[first | s for s in spread] for first in firsts]
    x = x.reshape(size, -1)
    return jax.lax.all_to_all(x, AXIS, 0, 0, axis_index_groups=groups, tiled=True).reshape(-1)


def _one_by_one(function: Callable, psi: jax.Array, lam: jax.Array) -> list[jax.Array]:
    """Both in turn, so that what one needs on the way is free again for the other."""
    psi, lam = jax.lax.optimization_barrier((function(psi), lam))
    return [psi, function(lam)]


def _product(m: jax.Array, x: jax.Array) -> jax.Array:
    return jax.lax.optimization_barrier(kernels.product(m, x))


def _turn(layer: Layer, angles: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    return angles[layer.slot], diagonal(layer.z, signed(layer.digits, layer.weight), x.size // 2)[0]


def _swept(step: Sweep, arrays: ShardArrays, angles: jax.Array, x: jax.Array) -> jax.Array:
    fetch, factors = _factors(step, arrays, angles)

    def turn(psi, factor):
        which, digits, (x, z, weight, real, _), angle = factor
        return wide.turned_with(1, psi, fetch(which, psi), x, z, signed(digits, weight), real, angle), None

    return jax.lax.scan(turn, x, factors)[0]


def _swept_back(step: Sweep, arrays: ShardArrays, angles: jax.Array, psi: jax.Array, lam: jax.Array):
    fetch, factors = _factors(step, arrays, angles)

    def undo(pair, factor):
        which, digits, (x, z, weight, real, _), angle = factor
        psi, lam = pair
        weight = signed(digits, weight)
        partner = fetch(which, psi)
        slope = 2 * wide.slope(partner, lam, x, z, weight, real)
        psi = wide.turned_with(-1, psi, partner, x, z, weight, real, angle)
        psi, lam, slope = jax.lax.optimization_barrier((psi, lam, slope))
        return (psi, wide.turned_with(-1, lam, fetch(which, lam), x, z, weight, real, angle)), slope

    pair, slope = jax.lax.scan(undo, (psi, lam), factors, reverse=True)
    return list(pair), slope


def _factors(step: Sweep, arrays: ShardArrays, angles: jax.Array) -> tuple[Callable, tuple]:
    """How to get the partner's part of a state, and what a scan over the factors runs through."""
    masks = arrays.masks.part(step.start, step.stop)
    partners = sorted(set(step.partners))
    which = jnp.asarray([partners.index(partner) for partner in step.partners], jnp.int32)
    branches = [partial(from_partner, mask=partner) for partner in partners]

    def fetch(which: jax.Array, x: jax.Array) -> jax.Array:
        return branches[0](x) if len(branches) == 1 else jax.lax.switch(which, branches, x)

    return fetch, (which, arrays.digits[step.start : step.stop], masks, angles[masks.slot])
