"""A circuit made ready: its passes, their matrices, and the functions that walk them there and back.

Going back, each pass is undone on lambda = H psi and, where the state before it was not kept, on psi; all that the
gradient needs of it is its cotangent, one sum over both.

References:
    Jones and Gacon, "Efficient calculation of gradients in classical simulations of variational quantum algorithms",
    arXiv:2009.02823.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.passes.kernels import apart, apply, cotangent, undo
from backends.statevector.passes.observe import Terms, energy
from backends.statevector.passes.observe import apply as observed
from backends.statevector.passes.plan import Pass, Plan
from backends.statevector.representation import TracedProgram
from backends.statevector.whole.blocks import Local, matrices, slopes
from backends.statevector.whole.kernels import transpose
from backends.statevector.whole.plan import transposition


def state(plan: Plan, arrays: Local, angles: jax.Array, terms: tuple) -> tuple[jax.Array]:
    """Real and imaginary parts of the final state in the natural order of the qubits, shape (2^(n+1),)."""
    psi, _ = _forward(plan, matrices(arrays, angles)[0])
    natural = tuple(range(plan.n_qubits - 1, -1, -1))
    psi = transpose(psi, transposition(tuple(reversed(plan.order)), natural))
    return (jnp.concatenate([psi.real, psi.imag]),)


def energies(plan: Plan, arrays: Local, angles: jax.Array, terms: tuple[Terms, ...]) -> tuple[jax.Array]:
    """Expectation values for one row, shape (observables,)."""
    psi, _ = _forward(plan, matrices(arrays, angles)[0])
    return (jnp.stack([energy(one, psi) for one in terms]),)


def energies_and_slopes(
    plan: Plan, arrays: Local, angles: jax.Array, terms: tuple[Terms, ...]
) -> tuple[jax.Array, jax.Array]:
    """Expectation values, shape (observables,), and their derivatives by the angles, shape (observables, factors)."""
    u, small = matrices(arrays, angles)
    psi, kept = _forward(plan, u)
    values, found = [], []
    for one in terms:
        lam = observed(one, psi)
        t = _back(plan, u, kept, psi, lam[: 2**plan.stored])
        values.append(jnp.sum(t[-1] * u[-1]).real)  # <lambda|psi>
        found.append(slopes(arrays, angles, u, small, t))
        psi, *_ = jax.lax.optimization_barrier((psi, found[-1]))  # one way back after the other
    return jnp.stack(values), jnp.stack(found)


def _forward(plan: Plan, u: jax.Array) -> tuple[jax.Array, list[jax.Array | None]]:
    """The final state, and before each pass that which is kept."""
    psi, kept = jnp.ones(1, u.dtype), []
    for k, one in enumerate(plan.passes):
        kept.append(psi if plan.keeps(k) else None)
        psi = apart(partial(apply, one), u[k], psi)
    return jnp.pad(psi, (0, 2**plan.n_qubits - psi.size)), kept


def _back(plan: Plan, u: jax.Array, kept: list, psi: jax.Array, lam: jax.Array) -> jax.Array:
    """Cotangents of the passes, shape (passes, K, K)."""
    found = []
    for k, one in reversed(list(enumerate(plan.passes))):
        psi = kept[k] if plan.keeps(k) else psi
        psi, lam, t = apart(partial(_undone, one, plan.keeps(k)), u[k], psi, lam)  # else XLA undoes all of psi first
        found.append(t)
    return jnp.stack(found[::-1])


def _undone(one: Pass, kept: bool, u: jax.Array, psi: jax.Array, lam: jax.Array) -> tuple[jax.Array, ...]:
    """psi and lambda before a pass, and its cotangent; from psi after it, unless that before it was kept."""
    if not kept:
        psi = apart(partial(undo, one), u, psi)
    t = apart(partial(cotangent, one, len(u)), psi, lam)
    return psi, apart(partial(undo, one), u, lam), t


@dataclass(frozen=True, eq=False)
class PassProgram(TracedProgram):
    """A circuit as passes.

    Attributes:
        arrays: Their matrices' factors.
        plan: The passes; circuits with equal plans share what XLA compiled.
    """

    functions: ClassVar[Mapping[str, Callable[..., tuple]]] = {
        "state": state,
        "energies": energies,
        "slopes": energies_and_slopes,
    }
    arrays: Local
    plan: Plan

    @property
    def static(self) -> tuple[Plan]:
        """See `TracedProgram.static`."""
        return (self.plan,)

    def vector(self, x: np.ndarray) -> np.ndarray:
        """Complex, shape (2^n,), from real and imaginary parts."""
        re, im = x.reshape(2, -1)
        return re + 1j * im

    def terms(self, observable: SparsePauliOp) -> Terms:
        """See `Program.terms`."""
        return Terms.of(observable, self.plan.order, self.real)
