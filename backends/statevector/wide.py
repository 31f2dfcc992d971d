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
        real: 1 where the phase of D is -i, so that the factor is real; 0 where D is.
        slot: Index of the factor among all of the circuit's.
    """

    x: jax.Array
    z: jax.Array
    weight: jax.Array
    real: jax.Array
    slot: jax.Array

    @classmethod
    def of(cls, factors: Factors, slot: np.ndarray, x: np.ndarray, z: np.ndarray, dtype: np.dtype) -> "Masks":
        """Factors with masks over the bits of the index that they will meet, and real numbers of the given type."""
        weight = factors.weight[slot].astype(dtype)
        real = (factors.phase[slot] != 1).astype(dtype)
        return cls(*(jnp.asarray(part) for part in (x, z, weight, real, slot.astype(np.int32))))

    def part(self, start: int, stop: int) -> "Masks":
        """Some of them."""
        return Masks(*(field[start:stop] for field in self))


def forward(masks: Masks, angles: jax.Array, x: jax.Array) -> jax.Array:
    """Apply the factors to a real state, C in front, shape (2^(n+1),).

    Args:
        masks: The factors.
        angles: Of all of the circuit's factors.
        x: The state.
    """
    index = jnp.arange(x.size // 2, dtype=jnp.uint32)

    def step(psi, factor):
        mask, angle = factor
        return _turned(psi, _diagonal(mask, index), index ^ mask.x, mask.real, jnp.cos(angle) - 1, jnp.sin(angle)), None

    return jax.lax.scan(step, x.reshape(2, -1), (masks, angles[masks.slot]))[0].reshape(-1)


def back(masks: Masks, angles: jax.Array, psi: jax.Array, lam: jax.Array):
    """Undo the factors on psi and lambda; returns both, and 2 Re <lambda| dpsi> for each angle, shape (factors,)."""
    index = jnp.arange(psi.size // 2, dtype=jnp.uint32)

    def step(states, factor):
        mask, angle = factor
        psi, lam = states
        r, moved = _diagonal(mask, index), index ^ mask.x
        slope = 2 * jnp.sum(lam * _generated(psi, r, moved, mask.real))
        c, s = jnp.cos(angle) - 1, -jnp.sin(angle)
        return tuple(_turned(x, r, moved, mask.real, c, s) for x in states), slope

    start = (psi.reshape(2, -1), lam.reshape(2, -1))
    (psi, lam), slopes = jax.lax.scan(step, start, (masks, angles[masks.slot]), reverse=True)
    return (psi.reshape(-1), lam.reshape(-1)), slopes


def _turned(psi: jax.Array, r: jax.Array, moved: jax.Array, real: jax.Array, c: jax.Array, s: jax.Array) -> jax.Array:
    """psi + c |D|^2 psi - i s D psi[i ^ x]."""
    return psi + c * r**2 * psi + s * _generated(psi, r, moved, real)


def _generated(psi: jax.Array, r: jax.Array, moved: jax.Array, real: jax.Array) -> jax.Array:
    """-i D psi[i ^ x]: times -r where the phase of D is -i, times -i r where it is 1."""
    re, im = r * psi[0, moved], r * psi[1, moved]
    return jnp.stack([(1 - real) * im - real * re, (real - 1) * re - real * im])


def _diagonal(mask: Masks, index: jax.Array) -> jax.Array:
    """Real part of D: sum_k weight_k (-1)^parity(i & z_k)."""
    total = jnp.zeros(index.shape, mask.weight.dtype)
    for k in range(mask.z.size):  # unrolled: one fused loop over the amplitudes, no array of signs
        parity = jax.lax.population_count(index & mask.z[k]) & 1
        total += jnp.where(parity == 1, -mask.weight[k], mask.weight[k])
    return total
