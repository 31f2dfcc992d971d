"""Applying the factors of a circuit, and differentiating by the adjoint method.

The adjoint method keeps the final state only: going backwards, each factor is undone on psi and on lambda = H psi, and
its angle's derivative is 2 Re <lambda| -i G |psi>. Three states are held, however many parameters there are.

References:
    Jones and Gacon, "Efficient calculation of gradients in classical simulations of variational quantum algorithms",
    arXiv:2009.02823.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.lower import Factors
from backends.statevector.observe import Terms, apply


class Masks(NamedTuple):
    """`Factors` as arrays for the device; see there for the fields. Leading axis: factors."""

    x: jax.Array
    z: jax.Array
    weight: jax.Array
    phase: jax.Array

    @classmethod
    def of(cls, factors: Factors, dtype: np.dtype) -> "Masks":
        """Convert, with real numbers of the given type."""
        weight = factors.weight.astype(dtype)
        return cls(
            jnp.asarray(factors.x),
            jnp.asarray(factors.z),
            jnp.asarray(weight),
            jnp.asarray(factors.phase + 0 * weight[:, 0]),
        )


def energies(masks: Masks, angles: jax.Array, terms: tuple[Terms, ...], n_qubits: int) -> jax.Array:
    """Expectation values: angles of shape (factors,), result of shape (observables,)."""
    psi = evolve(masks, angles, n_qubits)
    return jnp.stack([jnp.vdot(psi, apply(part, psi)).real for part in terms])


def energy_and_slopes(masks: Masks, angles: jax.Array, terms: Terms, n_qubits: int) -> tuple[jax.Array, jax.Array]:
    """<H> and its derivative by each angle, shape (factors,)."""
    psi = evolve(masks, angles, n_qubits)
    lam = apply(terms, psi)
    energy = jnp.vdot(psi, lam).real
    index = _index(n_qubits)

    def back(states, factor):
        mask, angle = factor
        psi, lam = states
        r, moved = _diagonal(mask, index), index ^ mask.x
        generator = (-1j * mask.phase) * r * psi[moved]
        slope = 2 * jnp.vdot(lam, generator).real
        c, s = jnp.cos(angle) - 1, 1j * mask.phase * jnp.sin(angle)
        psi = psi + c * r**2 * psi + s * r * psi[moved]
        lam = lam + c * r**2 * lam + s * r * lam[moved]
        return (psi, lam), slope

    _, slopes = jax.lax.scan(back, (psi, lam), (masks, angles), reverse=True)
    return energy, slopes


def evolve(masks: Masks, angles: jax.Array, n_qubits: int) -> jax.Array:
    """The final state from |0...0>, shape (2^n,); bit q of the index is qubit q."""
    index = _index(n_qubits)
    dtype = jnp.result_type(masks.phase)

    def step(psi, factor):
        mask, angle = factor
        r = _diagonal(mask, index)
        c, s = jnp.cos(angle) - 1, -1j * mask.phase * jnp.sin(angle)
        return psi + c * r**2 * psi + s * r * psi[index ^ mask.x], None

    start = jnp.zeros(2**n_qubits, dtype=dtype).at[0].set(1)
    psi, _ = jax.lax.scan(step, start, (masks, angles))
    return psi


def _index(n_qubits: int) -> jax.Array:
    return jnp.arange(2**n_qubits, dtype=jnp.uint32)


def _diagonal(mask: Masks, index: jax.Array) -> jax.Array:
    """Real part of D: sum_k weight_k (-1)^parity(i & z_k)."""
    total = jnp.zeros(index.shape, mask.weight.dtype)
    for k in range(mask.z.size):  # unrolled: one fused loop over the amplitudes, no array of signs
        parity = jax.lax.population_count(index & mask.z[k]) & 1
        total += jnp.where(parity == 1, -mask.weight[k], mask.weight[k])
    return total
