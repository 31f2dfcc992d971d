"""A circuit made ready: its steps, their arrays, and the compiled functions that run them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit.frame import returned_state, turned_observable
from backends.statevector.circuit.lower import Factors
from backends.statevector.representation import TracedProgram
from backends.statevector.runtime.compiled import prepare
from backends.statevector.whole import wide
from backends.statevector.whole.blocks import Local
from backends.statevector.whole.buffers import Buffers
from backends.statevector.whole.costs import is_stepwise
from backends.statevector.whole.diagonals import Diagonals
from backends.statevector.whole.evolve import Arrays, evolve, value_and_slopes
from backends.statevector.whole.fuse import Block, Diagonal, Wide
from backends.statevector.whole.kernels import overlap
from backends.statevector.whole.observe import Terms, apply
from backends.statevector.whole.plan import Plan, Scan, Turn, places, relabelled
from backends.statevector.whole.stepwise import Observed, Operands, Walk, rehearsed, slopes_of


def state(plan, arrays, angles, terms):
    """The final state in the natural layout, for one row."""
    return (evolve(plan, arrays, angles),)


def energies(plan, arrays, angles, terms):
    """Expectation values for one row."""
    psi = evolve(plan, arrays, angles)
    return (jnp.stack([overlap(psi, apply(part, psi)) for part in terms]),)


def energies_and_slopes(plan, arrays, angles, terms):
    """Expectation values and their derivatives by the angles for one row."""
    return value_and_slopes(plan, arrays, angles, tuple(partial(apply, part) for part in terms))


@dataclass(frozen=True, eq=False)
class XlaProgram(TracedProgram):
    """A circuit as steps.

    Attributes:
        arrays: What the steps are made of.
        plan: The steps; circuits with equal plans share what XLA compiled.
        keep: Whether gradients of large states keep the states before the steps.
    """

    functions: ClassVar[Mapping[str, Callable[..., tuple]]] = {
        "state": state,
        "energies": energies,
        "slopes": energies_and_slopes,
    }
    arrays: Arrays
    plan: Plan
    keep: bool = True

    @property
    def static(self) -> tuple[Plan]:
        """See `TracedProgram.static`."""
        return (self.plan,)

    def vector(self, x: np.ndarray) -> np.ndarray:
        """Complex, shape (2^n,), in the frame of the circuit, from real and imaginary part in the natural layout."""
        re, im = x.reshape(2, -1)
        psi = re + 1j * im
        return returned_state(psi) if self.factors.turned else psi

    def terms(self, observable: SparsePauliOp) -> Terms:
        """See `Program.terms`."""
        return Terms.of(
            turned_observable(observable) if self.factors.turned else observable, self.plan.width, self.real
        )

    def of_rows(self, what: str, terms: tuple[Terms, ...]) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """See `TracedProgram.of_rows`; large states go step by step."""
        return self._walked(what, terms) if is_stepwise(self.plan.n_qubits) else super().of_rows(what, terms)

    def _walked(self, what: str, terms: tuple[Terms, ...]) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """The same for large states, step by step, one row after the other."""
        observed = tuple(map(Observed.of, terms))
        zeros = np.zeros(self.angles.n_angles, self.real)
        prepare(
            rehearsed(self.plan, self.arrays, observed, zeros, derivative=what == "slopes", keep=self.keep).requests
        )
        walk = Walk(self.plan, self.keep, Buffers(self.real))

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
            results = [one(angles) for angles in self.to_angles(rows)]
            return tuple(np.stack(column) for column in zip(*results, strict=True))

        return run


def arrays_of(factors: Factors, steps: list[Block | Wide | Diagonal], laid: Plan, real: np.dtype) -> Arrays:
    """What the steps are made of."""
    blocks = [step for step in steps if isinstance(step, Block)]
    slot = np.array([f for step in steps if isinstance(step, Wide) for f in step.factors], dtype=int)
    x, z = factors.x[slot], factors.z[slot]
    for step in laid.steps:
        if isinstance(step, Scan):
            part = slice(step.start, step.stop)
            x[part], z[part] = relabelled(x[part], step.after), relabelled(z[part], step.after)
    layers = [step for step in steps if isinstance(step, Diagonal)]
    layouts = [step.layout for step in laid.steps if isinstance(step, Turn)]
    return Arrays(
        Local.of(factors, blocks, places(laid), real),
        wide.Masks.of(factors, slot, x, z, real),
        Diagonals.of(factors, layers, layouts, real),
    )
