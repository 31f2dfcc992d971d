"""The state over several devices, of one process or of many.

Every device holds the amplitudes with its own values of the global qubits, and runs the same steps: products on local
qubits, all-to-alls that exchange global qubits, transfers between partners (`spread`, as `shard_plan` planned them).
Energies, slopes and the blocks' cotangents are added up over all devices in one fixed order, and replicated: every
process reads the same numbers.

Nothing is initialized here. For several processes `jax.distributed.initialize` must have been called before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit.frame import real_frame, returned_state, turned_observable
from backends.statevector.circuit.lower import Factors, lower
from backends.statevector.representation import Program
from backends.statevector.sharded.exchange import ShardPlan, Sweep, global_qubits
from backends.statevector.sharded.partner import AXIS, SharedTerms, apply, divided, summed
from backends.statevector.sharded.shard_plan import shard_plan
from backends.statevector.sharded.spread import Layer, ShardArrays, backward, forward
from backends.statevector.whole import kernels, wide
from backends.statevector.whole.blocks import Local, slopes
from backends.statevector.whole.costs import block_costs
from backends.statevector.whole.fuse import Block, Diagonal, Wide, fuse
from backends.statevector.whole.plan import Apply, C, Layout, Turn
from circuits.errors import Refused

MOST_GATHERED = 26
"""Qubits up to which `Sharded.state` brings the whole state to every process."""


@dataclass(frozen=True, eq=False)
class Sharded(Program):
    """A circuit made ready for several devices.

    Attributes:
        plan: The steps, exchanges included; see `cluster` for what they move.
        arrays: What the steps are made of.
        mesh: The devices.
    """

    in_xla: ClassVar[bool] = True

    plan: ShardPlan
    arrays: ShardArrays
    mesh: Mesh

    def terms(self, observable: SparsePauliOp) -> SharedTerms:
        """See `Program.terms`."""
        observable = turned_observable(observable) if self.factors.turned else observable
        terms = SharedTerms.of(observable, self.plan.last, self.plan.last_outer, self.real)
        with jax.enable_x64(self.real.itemsize == 8):
            return jax.tree.map(partial(replicated, self.mesh), terms)

    def energies(self, terms: tuple[SharedTerms, ...]) -> Callable[[np.ndarray], np.ndarray]:
        """See `Program.energies`."""
        run = self._rows("energies", terms)
        return lambda rows: run(rows)[0]

    def energies_and_slopes(
        self, terms: tuple[SharedTerms, ...]
    ) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """See `Program.energies_and_slopes`."""
        run = self._rows("slopes", terms)

        def both(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            energies, found = run(rows)
            return energies, found

        return both

    def state(self, row: np.ndarray) -> np.ndarray:
        """The final state of parameters (params,), complex, shape (2^n,), on every process.

        Raises:
            Refused: for more qubits than `MOST_GATHERED`.
        """
        n, plan = self.plan.n_qubits, self.plan
        if n > MOST_GATHERED:
            raise Refused(f"a state of {n} qubits stays on its devices; at most {MOST_GATHERED} qubits are gathered")
        (x,) = self._rows("state", ())(row[None])
        layout = (*plan.last_outer, *plan.last)
        order = [layout.index(q) for q in (C, *reversed(range(n)))]
        re, im = x.reshape((2,) * len(layout)).transpose(order).reshape(2, -1)
        return returned_state(re + 1j * im) if self.factors.turned else re + 1j * im

    def _rows(self, what: str, terms: tuple[SharedTerms, ...]) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        def run(rows: np.ndarray) -> tuple[np.ndarray, ...]:
            angles = self.angles.values(rows).astype(self.real)
            with jax.enable_x64(self.real.itemsize == 8):
                results = [_run(what, self.plan, self.mesh, self.arrays, one, terms) for one in angles]
                return tuple(np.stack([np.asarray(x) for x in column]) for column in zip(*results, strict=True))

        return run


def compile_sharded(circuit: QuantumCircuit, real: np.dtype, devices: Sequence[Any] | None = None) -> Sharded:
    """Lower, fuse and lay out a circuit for several devices.

    Args:
        circuit: Without measurements.
        real: float32 or float64.
        devices: A power of two of them, of all processes, in the same order on each; all that JAX knows by default.

    Raises:
        Refused: for another number of devices, or more than leave a local qubit.
    """
    devices = list(jax.devices() if devices is None else devices)
    factors = real_frame(lower(circuit))
    steps, plan = planned(factors, len(devices), real)
    mesh = Mesh(np.array(devices), (AXIS,))
    with jax.enable_x64(real.itemsize == 8):
        arrays = _arrays(factors, steps, plan, real)
        arrays = jax.tree.map(partial(replicated, mesh), arrays)
    return Sharded(factors, real, plan, arrays, mesh)


def planned(factors: Factors, n_devices: int, real: np.dtype) -> tuple[list[Block | Wide | Diagonal], ShardPlan]:
    """The fused steps of a circuit, and their plan."""
    n_local = factors.n_qubits - global_qubits(n_devices, factors.n_qubits)
    costs = block_costs(factors.n_qubits)[: n_local + 1]
    steps = fuse(factors, costs)
    return steps, shard_plan(steps, factors, n_devices, len(costs) - 1)


def replicated(mesh: Mesh, x: Any) -> jax.Array:
    """The same array on every device; each process brings its own copy."""
    x = np.asarray(x)
    return jax.make_array_from_callback(x.shape, NamedSharding(mesh, PartitionSpec()), lambda index: x[index])


def _arrays(factors: Factors, steps: list[Block | Wide | Diagonal], plan: ShardPlan, real: np.dtype) -> ShardArrays:
    blocks = [step for step in steps if isinstance(step, Block)]
    places: list[Layout] = [()] * len(blocks)
    layers: list[Any] = [None] * sum(isinstance(step, Diagonal) for step in steps)
    slot = np.array([f for step in steps if isinstance(step, Wide) for f in step.factors], dtype=int)
    x = np.zeros(len(slot), np.uint32)
    z, digits = np.zeros(factors.z[slot].shape, np.uint32), np.zeros(factors.z[slot].shape, np.uint32)
    for step, outer, fused in zip(plan.steps, plan.outers, plan.order, strict=True):
        if isinstance(step, Apply):
            places[step.block] = step.place
        elif isinstance(step, Sweep):
            part = slice(step.start, step.stop)
            x[part], _ = divided(factors.x[slot[part]], step.after, outer)
            z[part], digits[part] = divided(factors.z[slot[part]], step.after, outer)
        elif isinstance(step, Turn) and fused is not None:
            layers[step.diagonal] = _layer(factors, steps[fused], step.layout, outer, real)
    masks = wide.Masks.of(factors, slot, x, z, real)
    return ShardArrays(Local.of(factors, blocks, places, real), masks, digits, tuple(layers))


def _layer(factors: Factors, layer: Any, layout: Layout, outer: Layout, real: np.dtype) -> Layer:
    chosen = list(layer.factors)
    z, weight = factors.z[chosen], factors.weight[chosen] * np.array(layer.ratios)[:, None]
    order = (C, *(q for q in layout if q != C))
    z, digits = divided(z[weight != 0], order, outer)
    return Layer(np.int32(chosen[0]), z, digits, weight[weight != 0][None].astype(real))


@partial(jax.jit, static_argnums=(0, 1, 2))
def _run(what: str, plan: ShardPlan, mesh: Mesh, arrays, angles, terms):
    """One row on all devices; what comes out is the same on each."""
    everywhere = PartitionSpec()
    body = partial(FUNCTIONS[what], plan)
    return jax.shard_map(body, mesh=mesh, in_specs=everywhere, out_specs=everywhere, check_vma=False)(
        arrays, angles, terms
    )


def _state(plan: ShardPlan, arrays: ShardArrays, angles: jax.Array, terms: tuple) -> tuple[jax.Array]:
    """The parts of all devices, shape (devices, 2^(m+1))."""
    psi, *_ = forward(plan, arrays, angles)
    return (jax.lax.all_gather(psi, AXIS),)


def _energies(plan, arrays, angles, terms):
    psi, *_ = forward(plan, arrays, angles)
    return (summed(jnp.stack([kernels.overlap(psi, apply(part, psi)) for part in terms])),)


def _slopes(plan, arrays, angles, terms):
    psi, u, small = forward(plan, arrays, angles)
    energies, found, cotangents = [], [], []
    for part in terms:
        lam = jax.lax.optimization_barrier(apply(part, psi))
        energies.append(kernels.overlap(psi, lam))
        slope, t = backward(plan, arrays, angles, u, psi, lam)
        found.append(slope)
        cotangents.append(t)
    total, found, cotangents = map(summed, (jnp.stack(energies), jnp.stack(found), jnp.stack(cotangents)))
    if len(u):
        found += jnp.stack([slopes(arrays.local, angles, u, small, t) for t in cotangents])
    return total, found


FUNCTIONS = {"state": _state, "energies": _energies, "slopes": _slopes}
