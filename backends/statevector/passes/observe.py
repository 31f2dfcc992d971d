"""Applying an observable: all its X masks in one pass or few, each a flip of the state times a small table of signs.

Strings with one X mask are one diagonal: tables over few qubits where their Z masks lie on few, else a product of two
matrices, of the signs of the upper and of the lower half of the index.
"""

import itertools
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit import parity
from backends.statevector.passes.kernels import apart, overlap
from backends.statevector.passes.plan import axes
from backends.statevector.passes.strings import Strings, sorted_strings
from backends.statevector.runtime.namespace import matmul
from backends.statevector.whole.fuse import bits

TOGETHER = 48
"""Tables that one pass adds to H psi."""


@partial(
    jax.tree_util.register_dataclass, data_fields=["tables", "upper", "lower"], meta_fields=["n_qubits", "near", "far"]
)
@dataclass(frozen=True)
class Terms:
    """An observable on n qubits, over the bits of a plan's index.

    Attributes:
        n_qubits: n.
        near: X mask of each table, and mask of its bits.
        far: X masks of the other diagonals.
        tables: Shapes (2^bits,), real or complex.
        upper: Of each other diagonal signs of the upper bits times weights, shape (2^(n - n // 2), strings).
        lower: Of the lower bits, shape (strings, 2^(n // 2)).
    """

    n_qubits: int
    near: tuple[tuple[int, int], ...]
    far: tuple[int, ...]
    tables: tuple[jax.Array, ...]
    upper: tuple[tuple[jax.Array, ...], ...]
    lower: tuple[jax.Array, ...]

    @classmethod
    def of(cls, observable: SparsePauliOp, order: tuple[int, ...], real: np.dtype) -> "Terms":
        """Sort the strings.

        Args:
            observable: Hermitian.
            order: Qubit of each bit.
            real: Type of real numbers.
        """
        n, half = len(order), len(order) // 2
        strings = sorted_strings(observable, order)
        near, far = [one for one in strings if one.near], [one for one in strings if not one.near]
        tables = tuple(_table(one, real) for one in near)
        upper, lower = zip(*(_factors(one, n, half, real) for one in far), strict=True) if far else ((), ())
        masks = tuple((one.x, one.union) for one in near), tuple(one.x for one in far)
        return cls(n, *masks, *jax.device_put((tables, upper, lower)))


def apply(terms: Terms, psi: jax.Array) -> jax.Array:
    """H psi, shape (2^n,)."""
    near = [slice(start, start + TOGETHER) for start in range(0, len(terms.near), TOGETHER)]
    far = zip(terms.far, terms.upper, terms.lower, strict=True)
    lam = None
    for group, wide in itertools.zip_longest(near, far):
        masks, tables = (terms.near[group], terms.tables[group]) if group else ((), ())
        lam = apart(partial(_added, terms.n_qubits, masks, wide[0] if wide else 0), lam, tables, wide and wide[1:], psi)
    return jnp.zeros_like(psi) if lam is None else lam


def energy(terms: Terms, psi: jax.Array) -> jax.Array:
    """<psi|H|psi>."""
    return apart(overlap, psi, apply(terms, psi))


def _added(n: int, masks: tuple[tuple[int, int], ...], far: int, lam, tables, factors, psi: jax.Array) -> jax.Array:
    """lam, if there is one, with the strings of some tables and of one other diagonal."""
    total = jnp.zeros_like(psi) if lam is None else lam
    for (x, union), table in zip(masks, tables, strict=True):
        positions = tuple(reversed(bits(x | union)))
        shape, places = axes(n, positions)
        small = [1] * len(shape)
        for p, place in zip(positions, places, strict=True):
            small[place] = 1 + (union >> p & 1)
        total += (table.reshape(small) * _moved(n, x, psi).reshape(shape)).reshape(-1)
    for turn, upper in zip((1, 1j), factors[0] if factors else (), strict=False):
        total += turn * matmul(upper, factors[1]).reshape(-1) * _moved(n, far, psi)
    return total


def _moved(n: int, x: int, psi: jax.Array) -> jax.Array:
    """psi[i ^ x]."""
    shape, places = axes(n, tuple(reversed(bits(x))))
    return jnp.flip(psi.reshape(shape), places).reshape(-1) if x else psi


def _table(strings: Strings, real: np.dtype) -> np.ndarray:
    """Sum of the signs over the bits of the union."""
    local = [sum((z >> p & 1) << k for k, p in enumerate(bits(strings.union))) for z in strings.z]
    table = strings.weight @ parity.signs(np.array(local), np.arange(2 ** strings.union.bit_count()))
    return table.astype(np.result_type(real, np.complex64)) if np.any(table.imag) else table.real.astype(real)


def _factors(strings: Strings, n: int, half: int, real: np.dtype) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Signs of the upper bits times weights, their real and, where there is one, imaginary part; of the lower bits."""
    z = np.array(strings.z)
    upper, lower = parity.signs(z >> half, np.arange(2 ** (n - half))), parity.signs(z % 2**half, np.arange(2**half))
    parts = [np.array([weight.real for weight in strings.weight]), np.array([weight.imag for weight in strings.weight])]
    weights = parts if np.any(parts[1]) else parts[:1]
    return tuple((upper.T * part).astype(real) for part in weights), lower.astype(real)
