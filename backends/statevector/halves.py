"""A circuit that was cut: both halves evolved as states of their own, observables taken across the bonds.

With psi = 2^(bonds/2) sum_b L_b (x) R_b and H = sum_t A_t (x) B_t, the energy and the vectors that the halves'
gradients start from need small matrices over the bonds only:

    <H> = 2^bonds sum_t sum_bc <L_b|A_t|L_c> <R_b|B_t|R_c>,    lambda_b = 2^bonds sum_t sum_c <R_b|B_t|R_c> A_t L_c.

The whole state is made only where it is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.angles import Angles
from backends.statevector import kernels, layered
from backends.statevector.arrangement import Arrays, Form, arranged
from backends.statevector.cut import Cut
from backends.statevector.frame import returned_state, turned_observable
from backends.statevector.observe import Terms, apply
from backends.statevector.tiles import tiled

LEFT, RIGHT = 0, 1

WINDOW = 4
"""Qubits of a window of the observable."""


class Joint(NamedTuple):
    """An observable on both halves: what acts on one of them alone, and products of two.

    Attributes:
        alone: Of each half.
        across: Pairs (A, B).
    """

    alone: tuple[Terms, Terms]
    across: tuple[tuple[Terms, Terms], ...]


@dataclass(frozen=True, eq=False)
class HalvesProgram:
    """A cut circuit made ready, with the methods of `Program`.

    Attributes:
        cut: The halves.
        forms: Of each half in layers.
        arrays: What the layers are made of.
        real: Type of real numbers.
        turned: Whether all stands in the frame of `frame`.
    """

    cut: Cut
    forms: tuple[Form, Form]
    arrays: tuple[Arrays, Arrays]
    real: np.dtype
    turned: bool

    @property
    def angles(self) -> Angles:
        """From the circuit's parameters to the angles of the left half's factors, then the right half's."""
        return self.cut.angles

    def energies(self, terms: tuple[Joint, ...]) -> Callable[[np.ndarray], np.ndarray]:
        """See `Program.energies`."""
        run = self._tiled(energies, terms)
        return lambda rows: run(rows)[0]

    def energies_and_slopes(self, terms: tuple[Joint, ...]) -> Callable[[np.ndarray], tuple]:
        """See `Program.energies_and_slopes`."""
        return self._tiled(energies_and_slopes, terms)

    def state(self, row: np.ndarray) -> np.ndarray:
        """The final state, complex, shape (2^n,)."""
        chi = 2**self.cut.bonds
        parts = [np.asarray(x[0]).reshape(2, chi, -1) for x in self._tiled(states, ())(row[None])]
        left, right = (part[0] + 1j * part[1] for part in parts)
        psi = (right.T @ left).reshape((2,) * sum(map(len, self.cut.sides))) * np.sqrt(chi).astype(self.real)
        ascending = [*self.cut.sides[LEFT], *self.cut.sides[RIGHT]]  # axes belong to them in descending order
        n = len(ascending)
        psi = psi.transpose([n - 1 - ascending.index(q) for q in reversed(range(n))]).reshape(-1)
        return returned_state(psi) if self.turned else psi

    def terms(self, observable: SparsePauliOp) -> Joint:
        """The observable in the form that the other methods take."""
        return joint(turned_observable(observable) if self.turned else observable, self.cut, self.real)

    def _tiled(self, function: Callable, terms: tuple[Joint, ...]) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        to_angles = lambda rows: self.angles.values(rows).astype(self.real)  # noqa: E731
        state_bytes = 2 * self.real.itemsize * self.cut.amplitudes
        static = (self.forms, self.cut.bonds, len(self.cut.halves[LEFT]))
        return tiled(function, static, self.arrays, terms, to_angles, state_bytes)


def halves_program(cut: Cut, real: np.dtype, *, turned: bool) -> HalvesProgram:
    """A cut circuit made ready; see `HalvesProgram`."""
    made = zip(cut.layers, cut.halves, strict=True)
    left, right = (arranged(layers, half, real) for layers, half in made)
    return HalvesProgram(cut, (left[0], right[0]), (left[1], right[1]), real, turned)


def joint(observable: SparsePauliOp, cut: Cut, real: np.dtype) -> Joint:
    """Sort the strings by the halves on which they act, and those on both by their part on one of them."""
    alone, across = cut.split(observable)

    def made(parts: list[tuple[str, float]], half: int) -> Terms:
        n = cut.halves[half].n_qubits
        listed = [("I" * cut.bonds + p, c) for p, c in parts] or [("I" * n, 0.0)]
        return Terms.of(SparsePauliOp.from_list(listed), WINDOW, real)

    pairs = [(made([(p, 1.0)], LEFT), made(q, RIGHT)) for p, q in across.items()]
    return Joint((made(alone[LEFT], LEFT), made(alone[RIGHT], RIGHT)), tuple(pairs))


def states(forms, bonds, first, arrays, angles, terms):
    """The final states of both halves, for one row."""
    return tuple(map(layered.evolve, forms, arrays, _shared(first, angles)))


def energies(forms, bonds, first, arrays, angles, terms):
    """Expectation values for one row."""
    psi = states(forms, bonds, first, arrays, angles, terms)
    return (jnp.stack([_observed(term, psi, 2**bonds)[0] for term in terms]),)


def energies_and_slopes(forms, bonds, first, arrays, angles, terms):
    """Expectation values and their derivatives by the angles of both halves for one row."""
    own = _shared(first, angles)
    mixers = tuple(map(layered.matrices, forms, arrays, own))
    passed = tuple(map(layered.forward, forms, arrays, own, mixers))
    values, slopes = [], []
    for term in terms:
        value, lams = _observed(term, tuple(p.psi for p in passed), 2**bonds)
        values.append(value)
        slopes.append(jnp.concatenate([*map(layered.backward, forms, arrays, own, mixers, passed, lams)]))
    return jnp.stack(values), jnp.stack(slopes)


def _observed(joint: Joint, psi: tuple[jax.Array, ...], chi: int) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    """<H>, and lambda of each half.

    Args:
        joint: H.
        psi: States of the halves, shape (2^(n+1),), the bonds in front.
        chi: Values that the bonds take together.
    """
    left, right = psi
    a = [apply(joint.alone[LEFT], left), left, *(apply(p, left) for p, _ in joint.across)]
    b = [right, apply(joint.alone[RIGHT], right), *(apply(q, right) for _, q in joint.across)]
    lam = chi * _mixed(_overlaps(right, b, chi), a), chi * _mixed(_overlaps(left, a, chi), b)
    return kernels.overlap(left, lam[LEFT]), lam


def _overlaps(x: jax.Array, others: list[jax.Array], chi: int) -> jax.Array:
    """<x_b|y_c> for each of the others, shape (others, chi, chi)."""
    rows = 2 * chi
    return jnp.stack([kernels.gram(x.reshape(rows, -1), y.reshape(rows, -1)) for y in others])


def _mixed(m: jax.Array, parts: list[jax.Array]) -> jax.Array:
    """sum_t m_t parts_t over the bonds' values."""
    wide = jnp.concatenate(list(kernels.embedded(m)), axis=1)
    return kernels.product(wide, jnp.concatenate(parts))


def _shared(first: int, angles: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The angles of each half, so many of the left one first."""
    return angles[:first], angles[first:]
