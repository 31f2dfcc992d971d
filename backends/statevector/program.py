"""A circuit made ready: its steps, their arrays, and the compiled functions that run them."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from qiskit import QuantumCircuit

from backends.angles import Angles
from backends.statevector import wide
from backends.statevector.blocks import Local
from backends.statevector.evolve import evolve, overlap, relabelled, value_and_slopes
from backends.statevector.fuse import Block, Wide, fuse
from backends.statevector.lower import lower
from backends.statevector.observe import Terms, apply
from backends.statevector.plan import Plan, Scan, places, plan, small_plan

SMALL, MEDIUM = 13, 16
"""Up to so many qubits the blocks of any circuit, or of a deep one, run in one loop, amplitudes moved by gathers."""

DEEP = 30
"""Blocks from which on compiling each one's own move costs more than its gather."""


@dataclass(frozen=True, eq=False)
class Program:
    """A circuit as steps.

    Attributes:
        angles: From the circuit's parameters to the angles of the factors.
        plan: The steps; circuits with equal plans share what XLA compiled.
        local: Factors of the blocks.
        masks: Wide factors.
        real: Type of real numbers.
    """

    angles: Angles
    plan: Plan
    local: Local
    masks: wide.Masks
    real: np.dtype

    def energies(self, rows: np.ndarray, terms: tuple[Terms, ...]) -> np.ndarray:
        """Expectation values: (rows, params) -> (rows, observables)."""
        values = [_energies(self.plan, self.local, self.masks, row, terms) for row in self._angles(rows)]
        return np.array([np.asarray(value) for value in values]).reshape(len(rows), len(terms))

    def energies_and_slopes(self, rows: np.ndarray, terms: Terms) -> tuple[np.ndarray, np.ndarray]:
        """Values of shape (rows,) and their derivatives by the factors' angles, shape (rows, factors)."""
        angles = self._angles(rows)
        pairs = [_value_and_slopes(self.plan, self.local, self.masks, row, terms) for row in angles]
        values = np.array([float(value) for value, _ in pairs])
        slopes = np.array([np.asarray(slope, dtype=np.float64) for _, slope in pairs])
        return values, slopes.reshape(angles.shape)

    def state(self, row: np.ndarray) -> np.ndarray:
        """The final state, complex, shape (2^n,)."""
        x = np.asarray(_evolve(self.plan, self.local, self.masks, self._angles(row[None])[0])).reshape(2, -1)
        return x[0] + 1j * x[1]

    def _angles(self, rows: np.ndarray) -> np.ndarray:
        return self.angles.values(rows).astype(self.real)


def compile_program(circuit: QuantumCircuit, real: np.dtype) -> Program:
    """Lower, fuse and lay out a circuit; call it in the precision that it is to run in."""
    factors = lower(circuit)
    steps = fuse(factors, block_width(circuit.num_qubits, real))
    blocks = [step for step in steps if isinstance(step, Block)]
    in_one_loop = circuit.num_qubits <= (MEDIUM if len(blocks) > DEEP else SMALL)
    lay_out = small_plan if in_one_loop else plan
    laid = lay_out(steps, circuit.num_qubits, block_width(circuit.num_qubits, real))
    slot = np.array([f for step in steps if isinstance(step, Wide) for f in step.factors], dtype=int)
    x, z = factors.x[slot], factors.z[slot]
    for step in laid.steps:
        if isinstance(step, Scan):
            part = slice(step.start, step.stop)
            x[part], z[part] = relabelled(x[part], step.after), relabelled(z[part], step.after)
    masks = wide.Masks.of(factors, slot, x, z, real)
    return Program(factors.angles, laid, Local.of(factors, blocks, places(laid), real), masks, real)


def block_width(n_qubits: int, real: np.dtype) -> int:
    """Qubits of a block: wide enough that products outweigh moves, narrow enough that they do not dominate."""
    if n_qubits <= 16:
        return min(4, n_qubits)
    return 5 if real.itemsize == 8 else 6


@partial(jax.jit, static_argnums=0)
def _evolve(plan, local, masks, angles):
    return evolve(plan, local, masks, angles)


@partial(jax.jit, static_argnums=0)
def _energies(plan, local, masks, angles, terms):
    psi = evolve(plan, local, masks, angles)
    return jnp.stack([overlap(psi, apply(part, psi)) for part in terms])


@partial(jax.jit, static_argnums=0)
def _value_and_slopes(plan, local, masks, angles, terms):
    return value_and_slopes(plan, local, masks, angles, partial(apply, terms))
