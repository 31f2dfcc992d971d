"""Circuits that never leave a small part of the state space.

UCCSD keeps the number of electrons of each spin: of the 16384 amplitudes of water in its smallest basis, 441 can ever
differ from zero. Such a part is found for any circuit by following the basis states that |0...0> can reach, factor by
factor; nothing is assumed about symmetries. Inside it a factor is a permutation and a diagonal, as on the whole state.
Where all factors are real, so is the state.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit import parity
from backends.statevector.circuit.frame import returned_state, turned_observable
from backends.statevector.circuit.lower import Factors
from backends.statevector.representation import TracedProgram
from backends.statevector.runtime.namespace import matmul
from backends.statevector.sector.reached import DENSE, Reached, diagonal
from backends.statevector.whole.strings import by_x_mask


class Arrays(NamedTuple):
    """The factors on the part. Leading axis: factors.

    Attributes:
        slot: Index of the factor among all of the circuit's, shape (factors,).
        moved: Where i ^ x lies in the part, or i itself if it lies outside, shape (factors, states).
        r: Real part of D, 0 where i ^ x lies outside, shape (factors, states).
        real: 1 where the phase of D is -i, shape (factors,).
        start: First state, shape (parts, states); one part if everything is real, else real and imaginary.
    """

    slot: jax.Array
    moved: jax.Array
    r: jax.Array
    real: jax.Array
    start: jax.Array


class Terms(NamedTuple):
    """An observable on the part: one matrix, or a diagonal for each X mask.

    Attributes:
        matrix: Real and, where there is one, imaginary part, shape (1 or 2, states, states); or None.
        moved: As in `Arrays`, shape (masks, states); or None.
        d: Real and imaginary parts of the diagonals, shape (masks, 2, states); or None.
    """

    matrix: jax.Array | None
    moved: jax.Array | None
    d: jax.Array | None


def terms(observable: SparsePauliOp, states: np.ndarray, real: np.dtype) -> Terms:
    """An observable on the given basis states."""
    groups = by_x_mask(observable)
    moved = np.empty((len(groups), len(states)), np.int32)
    d: np.ndarray = np.zeros((len(groups), len(states)), complex)
    for row, (x, (z, weight)) in enumerate(groups.items()):
        moved[row], inside = _places(states, states ^ np.uint32(x))
        d[row] = np.where(inside, weight @ parity.signs(z, states), 0)
    if len(states) > DENSE:
        parts = np.stack([np.real(d), np.imag(d)], axis=1).astype(real)
        return Terms(None, *jax.device_put((moved, parts)))
    matrix: np.ndarray = np.zeros((len(states), len(states)), complex)
    np.add.at(matrix, (np.arange(len(states)), moved), d)
    parts = np.stack([np.real(matrix), np.imag(matrix)] if np.any(np.imag(matrix)) else [np.real(matrix)])
    return Terms(jax.device_put(parts.astype(real)), None, None)


def _places(states: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the wanted states stand, their own place where they are none of them; and which are."""
    place = np.minimum(np.searchsorted(states, wanted), len(states) - 1)
    inside = states[place] == wanted
    return np.where(inside, place, np.arange(len(states))), inside


def _evolve(arrays: Arrays, angles: jax.Array) -> jax.Array:
    def step(psi, factor):
        moved, r, real, angle = factor
        return _turned(psi, moved, r, real, jnp.cos(angle) - 1, jnp.sin(angle)), None

    return jax.lax.scan(step, arrays.start, (arrays.moved, arrays.r, arrays.real, angles[arrays.slot]))[0]


def _turned(psi, moved, r, real, c, s):
    return psi + c * r**2 * psi + s * _generated(psi, moved, r, real)


def _generated(psi, moved, r, real):
    """-i D psi[i ^ x]; see `wide`."""
    if len(psi) == 1:
        return -r * psi[:, moved]
    re, im = r * psi[0, moved], r * psi[1, moved]
    return jnp.stack([(1 - real) * im - real * re, (real - 1) * re - real * im])


def _applied(term: Terms, psi: jax.Array) -> jax.Array:
    """H psi; a real state needs the real part only, since psi^T Im(H) psi = 0 and slopes are real."""
    if term.matrix is not None:
        lam = matmul(psi, term.matrix[0].T)
        if len(term.matrix) == 1 or len(psi) == 1:
            return lam
        turned = matmul(psi, term.matrix[1].T)
        return lam + jnp.stack([-turned[1], turned[0]])

    def add(lam, group):
        moved, d = group
        x = psi[:, moved]
        lam = lam + d[0] * x
        return (lam if len(psi) == 1 else lam + d[1] * jnp.stack([-x[1], x[0]])), None

    return jax.lax.scan(add, jnp.zeros_like(psi), (term.moved, term.d))[0]


def state(arrays, angles, observables):
    """The final state on the part, for one row."""
    return (_evolve(arrays, angles),)


def energies(arrays, angles, observables):
    """Expectation values for one row."""
    psi = _evolve(arrays, angles)
    return (jnp.stack([jnp.sum(psi * _applied(term, psi)) for term in observables]),)


def energies_and_slopes(arrays, angles, observables):
    """Expectation values and their derivatives by the angles for one row."""
    psi = _evolve(arrays, angles)
    lams = [_applied(term, psi) for term in observables]

    def back(states, factor):
        moved, r, real, angle = factor
        psi, lams = states
        found = 2 * jnp.sum(lams * _generated(psi, moved, r, real), axis=(1, 2))
        c, s = jnp.cos(angle) - 1, -jnp.sin(angle)
        undo = partial(_turned, moved=moved, r=r, real=real, c=c, s=s)
        return (undo(psi), jax.vmap(undo)(lams)), found

    steps = (arrays.moved, arrays.r, arrays.real, angles[arrays.slot])
    _, found = jax.lax.scan(back, (psi, jnp.stack(lams)), steps, reverse=True)
    slopes = jnp.zeros((len(lams), len(angles)), angles.dtype).at[:, arrays.slot].set(found.T)
    return jnp.stack([jnp.sum(psi * lam) for lam in lams]), slopes


@dataclass(frozen=True, eq=False)
class SectorProgram(TracedProgram):
    """A circuit on the part of the state space that it reaches.

    Attributes:
        arrays: The factors.
        states: Basis states of the part, ascending.
    """

    functions: ClassVar[Mapping[str, Callable[..., tuple]]] = {
        "state": state,
        "energies": energies,
        "slopes": energies_and_slopes,
    }
    arrays: Arrays
    states: np.ndarray

    @property
    def static(self) -> tuple[()]:
        """See `TracedProgram.static`."""
        return ()

    def terms(self, observable: SparsePauliOp) -> Terms:
        """The observable on the part."""
        return terms(turned_observable(observable) if self.factors.turned else observable, self.states, self.real)

    def vector(self, x: np.ndarray) -> np.ndarray:
        """Complex, shape (2^n,), in the frame of the circuit, from real and imaginary part on the part."""
        psi = np.zeros(2**self.factors.n_qubits, np.result_type(self.real, np.complex64))
        psi[self.states] = x[0] + 1j * x[1] if len(x) == 2 else x[0]
        return returned_state(psi) if self.factors.turned else psi

    @property
    def state_bytes(self) -> int:
        """Bytes of one state on the part."""
        return self.arrays.start.size * self.real.itemsize


def sector_program(factors: Factors, part: Reached, real: np.dtype) -> SectorProgram:
    """The circuit on the part that it reaches."""
    start, states, first = part
    moved = np.empty((len(factors) - first, len(states)), np.int32)
    r = np.empty(moved.shape)
    for row, f in enumerate(range(first, len(factors))):
        moved[row], inside = _places(states, states ^ factors.x[f])
        r[row] = np.where(inside, diagonal(factors, f, states), 0)
    is_real = factors.phase[first:] != 1
    parts = 1 if is_real.all() else 2
    begin = np.zeros((parts, len(states)))
    begin[0, np.searchsorted(states, start)] = 1
    slot = np.arange(first, len(factors), dtype=np.int32)
    arrays = Arrays(*jax.device_put((slot, moved, r.astype(real), is_real.astype(real), begin.astype(real))))
    return SectorProgram(factors, real, arrays, states)
