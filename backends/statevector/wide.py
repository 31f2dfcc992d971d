"""Factors on many qubits: applied to the whole state one by one, in one compiled loop.

A double excitation of UCCSD acts on all qubits between its orbitals, but as one group of Pauli strings with a common X
mask: a gather and a diagonal, no ladder of CNOTs.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.lower import Factors


class Masks(NamedTuple):
    """Wide factors as arrays for the device; see `Factors` for the fields. Leading axis: wide factors.

    Attributes:
        slot: Index of the factor among all of the circuit's.
    """

    x: jax.Array
    z: jax.Array
    weight: jax.Array
    phase: jax.Array
    slot: jax.Array

    @classmethod
    def of(cls, factors: Factors, slot: np.ndarray, x: np.ndarray, z: np.ndarray, dtype: np.dtype) -> "Masks":
        """Factors with masks over the bits of the index that they will meet, and real numbers of the given type."""
        weight = factors.weight[slot].astype(dtype)
        phase = factors.phase[slot].astype(np.result_type(dtype, np.complex64))
        return cls(*(jnp.asarray(part) for part in (x, z, weight, phase, slot.astype(np.int32))))

    def part(self, start: int, stop: int) -> "Masks":
        """Some of them."""
        return Masks(*(field[start:stop] for field in self))


def forward(masks: Masks, angles: jax.Array, psi: jax.Array) -> jax.Array:
    """Apply the factors to psi, shape (2^n,)."""
    index = jnp.arange(psi.size, dtype=jnp.uint32)

    def step(psi, factor):
        mask, angle = factor
        r = _diagonal(mask, index)
        c, s = jnp.cos(angle) - 1, -1j * mask.phase * jnp.sin(angle)
        return psi + c * r**2 * psi + s * r * psi[index ^ mask.x], None

    psi, _ = jax.lax.scan(step, psi, (masks, angles))
    return psi


def back(masks: Masks, angles: jax.Array, psi: jax.Array, lam: jax.Array):
    """Undo the factors on psi and lambda; returns both, and 2 Re <lambda| dpsi> for each angle, shape (factors,)."""
    index = jnp.arange(psi.size, dtype=jnp.uint32)

    def step(states, factor):
        mask, angle = factor
        psi, lam = states
        r, moved = _diagonal(mask, index), index ^ mask.x
        generator = (-1j * mask.phase) * r * psi[moved]
        slope = 2 * jnp.vdot(lam, generator).real
        c, s = jnp.cos(angle) - 1, 1j * mask.phase * jnp.sin(angle)
        psi = psi + c * r**2 * psi + s * r * psi[moved]
        lam = lam + c * r**2 * lam + s * r * lam[moved]
        return (psi, lam), slope

    return jax.lax.scan(step, (psi, lam), (masks, angles), reverse=True)


def _diagonal(mask: Masks, index: jax.Array) -> jax.Array:
    """Real part of D: sum_k weight_k (-1)^parity(i & z_k)."""
    total = jnp.zeros(index.shape, mask.weight.dtype)
    for k in range(mask.z.size):  # unrolled: one fused loop over the amplitudes, no array of signs
        parity = jax.lax.population_count(index & mask.z[k]) & 1
        total += jnp.where(parity == 1, -mask.weight[k], mask.weight[k])
    return total
