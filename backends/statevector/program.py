"""A circuit made ready: its steps, their arrays, and the compiled functions that run them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax.numpy as jnp
import numpy as np
from qiskit import QuantumCircuit

from backends.angles import Angles
from backends.statevector import wide
from backends.statevector.blocks import Local
from backends.statevector.buffers import Buffers
from backends.statevector.compiled import executable, prepare
from backends.statevector.diagonals import Diagonals
from backends.statevector.evolve import Arrays, evolve, value_and_slopes
from backends.statevector.fuse import Block, Costs, Diagonal, Wide, fuse
from backends.statevector.kernels import overlap
from backends.statevector.lower import lower
from backends.statevector.observe import Terms, apply
from backends.statevector.plan import RUNG, Plan, Scan, Turn, looped_plan, places, plan
from backends.statevector.stepwise import Observed, Operands, Walk, rehearsed, slopes_of

UNROLLED = 40
"""Blocks up to which each has a product of its own in one program; more run in a loop, amplitudes moved by gathers."""

STEPWISE = 17
"""Qubits from which on states are large enough to be evolved kernel by kernel."""

SMALL: Costs = (1.0, 1.0, 1.0, 1.1, 1.5)
LARGE_DOUBLE: Costs = (4.0, 4.0, 4.0, 4.5, 6.4, 9.4)
LARGE_SINGLE: Costs = (4.0, 4.0, 4.0, 4.5, 6.4, 9.4)
"""Times of blocks on 0, 1, ... qubits, in passes over the state."""

MOST_ROWS, TILE_BYTES = 64, 2**20
"""Rows that are evaluated together, and what their states may take: with the kept ones, they should stay in cache."""


@dataclass(frozen=True, eq=False)
class Program:
    """A circuit as steps.

    Attributes:
        angles: From the circuit's parameters to the angles of the factors.
        plan: The steps; circuits with equal plans share what XLA compiled.
        arrays: What the steps are made of.
        real: Type of real numbers.
    """

    angles: Angles
    plan: Plan
    arrays: Arrays
    real: np.dtype

    def energies(self, terms: tuple[Terms, ...]) -> Callable[[np.ndarray], np.ndarray]:
        """Expectation values as a function of rows: (rows, params) -> (rows, observables)."""
        run = self._tiled("energies", terms)
        return lambda rows: run(rows)[0]

    def energies_and_slopes(self, terms: tuple[Terms, ...]) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """The same with derivatives by the factors' angles, shape (rows, observables, factors)."""
        return self._tiled("slopes", terms)

    def state(self, row: np.ndarray) -> np.ndarray:
        """The final state, complex, shape (2^n,)."""
        (x,) = self._tiled("state", ())(row[None])
        return x[0].reshape(2, -1)[0] + 1j * x[0].reshape(2, -1)[1]

    @property
    def tile(self) -> int:
        """Rows that are evaluated together, a power of two."""
        return max(1, min(MOST_ROWS, TILE_BYTES // (2 * self.real.itemsize * 2**self.plan.n_qubits)))

    def _tiled(self, what: str, terms: tuple[Terms, ...]) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """A function of rows that runs them a tile at a time; several tiles are under way at once."""
        if self.plan.n_qubits >= STEPWISE:
            return self._walked(what, terms)
        compiled: dict[int, Callable] = {}

        def run(rows: np.ndarray) -> tuple[np.ndarray, ...]:
            angles = self.angles.values(rows).astype(self.real)
            size = min(self.tile, 1 << (len(rows) - 1).bit_length())
            full = np.concatenate([angles, np.repeat(angles[-1:], -len(angles) % size, axis=0)])
            tiles = full.reshape(-1, size, angles.shape[1]) if size > 1 else full
            if size not in compiled:
                arguments = (self.arrays, tiles[0], terms)
                compiled[size] = executable(FUNCTIONS[what], arguments, static=(self.plan,), rows=size > 1)
            results = [compiled[size](self.arrays, tile, terms) for tile in tiles]
            columns = [[np.asarray(x) for x in column] for column in zip(*results, strict=True)]
            if size > 1:
                return tuple(np.concatenate(column)[: len(rows)] for column in columns)
            return tuple(np.stack(column) for column in columns)

        return run

    def _walked(self, what: str, terms: tuple[Terms, ...]) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """The same for large states, step by step, one row after the other."""
        observed = tuple(map(Observed.of, terms))
        zeros = np.zeros(self.angles.n_angles, self.real)
        sizes = rehearsed(self.plan, self.arrays, observed, zeros, derivative=what == "slopes", keep=True)
        prepare(sizes.requests)
        walk = Walk(self.plan, True, Buffers(self.real))

        def one(angles: np.ndarray) -> tuple[np.ndarray, ...]:
            operands = Operands.of(self.plan, self.arrays, angles)
            if what == "state":
                psi = walk.state(operands)
                copy = np.array(psi)
                walk.memory.give(psi)
                return (copy,)
            if what == "energies":
                return (np.array([np.asarray(value) for value in walk.energies(operands, observed)]),)
            energies, found = walk.energies_and_slopes(operands, observed)
            slopes = [slopes_of(self.plan, self.arrays, angles, operands, one) for one in found]
            return np.array([np.asarray(value) for value in energies]), np.array(slopes)

        def run(rows: np.ndarray) -> tuple[np.ndarray, ...]:
            results = [one(angles) for angles in self.angles.values(rows).astype(self.real)]
            return tuple(np.stack(column) for column in zip(*results, strict=True))

        return run


def compile_program(circuit: QuantumCircuit, real: np.dtype) -> Program:
    """Lower, fuse and lay out a circuit; call it in the precision that it is to run in."""
    factors = lower(circuit)
    costs = block_costs(circuit.num_qubits, real)
    k = len(costs) - 1
    steps = fuse(factors, costs)
    blocks = [step for step in steps if isinstance(step, Block)]
    in_one_program = circuit.num_qubits < STEPWISE
    if in_one_program and len(blocks) > UNROLLED:
        laid = looped_plan(steps, circuit.num_qubits, k)
    else:
        laid = plan(steps, circuit.num_qubits, k, rung=None if in_one_program else RUNG)
    slot = np.array([f for step in steps if isinstance(step, Wide) for f in step.factors], dtype=int)
    x, z = factors.x[slot], factors.z[slot]
    for step in laid.steps:
        if isinstance(step, Scan):
            part = slice(step.start, step.stop)
            x[part], z[part] = relabelled(x[part], step.after), relabelled(z[part], step.after)
    layers = [step for step in steps if isinstance(step, Diagonal)]
    layouts = [step.layout for step in laid.steps if isinstance(step, Turn)]
    arrays = Arrays(
        Local.of(factors, blocks, places(laid), real),
        wide.Masks.of(factors, slot, x, z, real),
        Diagonals.of(factors, layers, layouts, real),
    )
    return Program(factors.angles, laid, arrays, real)


def block_costs(n_qubits: int, real: np.dtype) -> Costs:
    """Times of blocks by their width, a gradient's share included."""
    if n_qubits < STEPWISE:
        return SMALL[: n_qubits + 1]
    return (LARGE_DOUBLE if real.itemsize == 8 else LARGE_SINGLE)[: n_qubits + 1]


def relabelled(masks: np.ndarray, layout: tuple[int, ...]) -> np.ndarray:
    """Masks over qubits as masks over the index of a layout that starts with C."""
    new = np.zeros_like(masks)
    for k, q in enumerate(reversed(layout[1:])):
        new |= (masks >> np.uint32(q) & np.uint32(1)) << np.uint32(k)
    return new


def _state(plan, arrays, angles, terms):
    return (evolve(plan, arrays, angles),)


def _energies(plan, arrays, angles, terms):
    psi = evolve(plan, arrays, angles)
    return (jnp.stack([overlap(psi, apply(part, psi)) for part in terms]),)


def _slopes(plan, arrays, angles, terms):
    return value_and_slopes(plan, arrays, angles, tuple(partial(apply, part) for part in terms))


FUNCTIONS = {"state": _state, "energies": _energies, "slopes": _slopes}
