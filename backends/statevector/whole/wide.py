"""Factors on many qubits: applied to the whole state one by one, in one compiled loop.

A double excitation of UCCSD acts on all qubits between its orbitals, but as one group of Pauli strings with a common X
mask: a gather and a diagonal, no ladder of CNOTs.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.circuit.lower import Factors


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
        return cls(*jax.device_put((x, z, weight, real, slot.astype(np.int32))))

    def apart(self, start: int, stop: int, angles) -> list[tuple[tuple, Any]]:
        """The same factors one by one: (x, z, weight, real) and the angle."""
        some = [np.asarray(field) for field in self.part(start, stop)]
        return [(tuple(field[k] for field in some[:4]), angles[some[4][k]]) for k in range(stop - start)]

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

    def step(psi, factor):
        mask, angle = factor
        return turned(1, psi, psi, mask.x, mask.z, mask.weight, mask.real, angle), None

    return jax.lax.scan(step, x, (masks, angles[masks.slot]))[0]


def back(masks: Masks, angles: jax.Array, psi: jax.Array, lam: jax.Array):
    """Undo the factors on psi and lambda; returns both, and 2 Re <lambda| dpsi> for each angle, shape (factors,)."""

    def step(states, factor):
        mask, angle = factor
        psi, lam = states
        own = (mask.x, mask.z, mask.weight, mask.real)
        found = 2 * slope(psi, lam, *own)
        return tuple(turned(-1, x, x, *own, angle) for x in states), found

    return jax.lax.scan(step, (psi, lam), (masks, angles[masks.slot]), reverse=True)


def turned(sign: int, out: jax.Array, psi: jax.Array, x, z, weight, real, angle) -> jax.Array:
    """One factor, or its inverse where the sign is -1: psi + (cos - 1) |D|^2 psi - i sin D psi[i ^ x]."""
    return turned_with(sign, psi, psi, x, z, weight, real, angle)


def turned_with(sign: int, psi: jax.Array, partner: jax.Array, x, z, weight, real, angle) -> jax.Array:
    """The same with psi[i ^ x] taken from the partner[i ^ x]: the part of psi that another device holds."""
    r = _diagonal(z, weight, psi.size // 2)
    c, s = jnp.cos(angle) - 1, sign * jnp.sin(angle)
    parts = psi.reshape(2, -1)
    return (parts + c * r**2 * parts + s * _generated(partner.reshape(2, -1), r, x, real)).reshape(-1)


def slope(psi: jax.Array, lam: jax.Array, x, z, weight, real) -> jax.Array:
    """Re <lambda| -i D psi[i ^ x]>."""
    r = _diagonal(z, weight, psi.size // 2)
    product = lam.reshape(2, -1) * _generated(psi.reshape(2, -1), r, x, real)
    return jnp.sum(jnp.sum(product.reshape(-1, min(psi.size, 1024)), axis=0))


def _generated(psi: jax.Array, r: jax.Array, x, real) -> jax.Array:
    """-i D psi[i ^ x]: times -r where the phase of D is -i, times -i r where it is 1."""
    moved = jnp.arange(r.size, dtype=jnp.uint32) ^ x
    re, im = r * psi[0, moved], r * psi[1, moved]
    return jnp.stack([(1 - real) * im - real * re, (real - 1) * re - real * im])


def _diagonal(z, weight, size: int) -> jax.Array:
    """Real part of D: sum_k weight_k (-1)^parity(i & z_k)."""
    index = jnp.arange(size, dtype=jnp.uint32)
    total = jnp.zeros(size, weight.dtype)
    for k in range(z.size):  # unrolled: one fused loop over the amplitudes, no array of signs
        parity = jax.lax.population_count(index & z[k]) & 1
        total += jnp.where(parity == 1, -weight[k], weight[k])
    return total
