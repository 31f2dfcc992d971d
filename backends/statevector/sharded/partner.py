"""Pauli strings on a state that lies on several devices.

A mask has a local part, over the index of an amplitude on its device, and a global part, over the device's number d:
psi[i ^ x] then comes from the partner, device d ^ x, and (-1)^parity(i & z) gains a sign that is the device's own.
All of this runs inside `jax.shard_map` over the one axis `AXIS`. Diagonals are summed up on the spot and never stored.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.whole.plan import C, Layout, relabelled
from backends.statevector.whole.strings import by_x_mask

AXIS = "device"
"""Name of the mesh's axis."""

UNROLLED_STRINGS = 8
"""Strings whose signs are summed in one pass over the amplitudes."""


@partial(jax.tree_util.register_dataclass, data_fields=["x", "z", "digits", "weight"], meta_fields=["partners"])
@dataclass(frozen=True)
class SharedTerms:
    """An observable, its strings sorted by X mask, the X masks by their global part.

    Attributes:
        partners: The different global parts, ascending: what the partner's number differs in.
        x: For each of them the local parts of its X masks, shape (masks,).
        z: Local parts of the Z masks of their strings, shape (masks, strings); padded.
        digits: Global parts of these.
        weight: Coefficients with (-i)^(number of Y), real and, where there is one, imaginary part,
            shape (masks, parts, strings); zeros where padded.
    """

    partners: tuple[int, ...]
    x: tuple
    z: tuple
    digits: tuple
    weight: tuple

    @classmethod
    def of(cls, observable: SparsePauliOp, layout: Layout, outer: Layout, dtype: np.dtype) -> "SharedTerms":
        """Sort the strings.

        Args:
            observable: Hermitian.
            layout: Of the state on each device, C in front.
            outer: Global qubits, the highest bit of the device's number first.
            dtype: Of real numbers.
        """
        groups: dict[int, list] = {}
        for x, (z, weight) in by_x_mask(observable).items():
            local, digits = divided(np.array([x], z.dtype), layout, outer)
            groups.setdefault(int(digits[0]), []).append((local[0], *divided(z, layout, outer), weight))
        partners = tuple(sorted(groups))
        packed = [_packed(groups[partner], dtype) for partner in partners]
        return cls(partners, *(tuple(column) for column in zip(*packed, strict=True)))


def divided(masks: np.ndarray, layout: Layout, outer: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Masks over qubits as their parts over a device's index and over its number, both uint32."""
    return relabelled(masks, layout).astype(np.uint32), relabelled(masks, (C, *outer)).astype(np.uint32)


def from_partner(x: jax.Array, mask: int) -> jax.Array:
    """What device d ^ mask holds; the mask is static."""
    if not mask:
        return x
    return jax.lax.ppermute(x, AXIS, [(d, d ^ mask) for d in range(jax.lax.axis_size(AXIS))])


def signed(digits: jax.Array, weight: jax.Array) -> jax.Array:
    """Weights (..., strings) with this device's signs, for global parts of the Z masks of shape (strings,)."""
    here = jax.lax.axis_index(AXIS).astype(jnp.uint32)
    return jnp.where(jax.lax.population_count(digits & here) & 1, -weight, weight)


def diagonal(z: jax.Array, weight: jax.Array, size: int) -> jax.Array:
    """sum_k weight_k (-1)^parity(i & z_k): masks (strings,), weights (parts, strings) -> (parts, size)."""
    index = jnp.arange(size, dtype=jnp.uint32)

    def add(total, strings):
        z, weight = strings
        for k in range(len(z)):  # unrolled: one fused loop over the amplitudes
            odd = (jax.lax.population_count(index & z[k]) & 1) == 1
            total += jnp.where(odd, -weight[:, k, None], weight[:, k, None])
        return total, None

    start = jnp.zeros((len(weight), size), weight.dtype)
    if len(z) <= UNROLLED_STRINGS:
        return add(start, (z, weight))[0]
    spare = -len(z) % UNROLLED_STRINGS
    z = jnp.pad(z, (0, spare)).reshape(-1, UNROLLED_STRINGS)
    weight = jnp.pad(weight, ((0, 0), (0, spare))).reshape(len(weight), -1, UNROLLED_STRINGS).swapaxes(0, 1)
    return jax.lax.scan(add, start, (z, weight))[0]


def apply(terms: SharedTerms, psi: jax.Array) -> jax.Array:
    """H psi on this device, real, C in front: shape (2^(m+1),). One transfer for each global part of an X mask."""
    lam = jnp.zeros_like(psi).reshape(2, -1)
    index = jnp.arange(psi.size // 2, dtype=jnp.uint32)
    for partner, x, z, digits, weight in zip(terms.partners, terms.x, terms.z, terms.digits, terms.weight, strict=True):
        psi, lam = jax.lax.optimization_barrier((psi, lam))  # else all partners' parts are fetched at once
        parts = from_partner(psi, partner).reshape(2, -1)

        def add(lam, group, parts=parts):
            x, z, digits, weight = group
            d = diagonal(z, signed(digits, weight), index.size)
            moved = parts[:, index ^ x]
            lam += d[0] * moved
            return (lam + jnp.stack([-d[1] * moved[1], d[1] * moved[0]]) if len(d) > 1 else lam), None

        lam, _ = jax.lax.scan(add, lam, (x, z, digits, weight))
    return lam.reshape(-1)


def summed(x: jax.Array) -> jax.Array:
    """The sum over all devices, in pairs of pairs: the same on each to the last bit, whatever connects them."""
    mask = 1
    while mask < jax.lax.axis_size(AXIS):
        x += from_partner(x, mask)
        mask *= 2
    return x


def _packed(group: list, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    longest = max(len(z) for _, z, _, _ in group)
    z, digits = np.zeros((len(group), longest), np.uint32), np.zeros((len(group), longest), np.uint32)
    weight = np.zeros((len(group), longest), complex)
    for row, (_, one_z, one_digits, one_weight) in enumerate(group):
        z[row, : len(one_z)], digits[row, : len(one_z)], weight[row, : len(one_z)] = one_z, one_digits, one_weight
    parts = [np.real(weight), np.imag(weight)] if np.any(np.imag(weight)) else [np.real(weight)]
    return np.array([x for x, *_ in group], np.uint32), z, digits, np.stack(parts, axis=1).astype(dtype)
