"""Applying an observable: all its X masks in one pass or few, each a flip of the state times a small table of signs.

Strings with one X mask are one diagonal. Where their Z masks lie on few qubits, it is a table over these; else it is a
product of two matrices, of the signs of the upper and of the lower half of the index.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit import parity
from backends.statevector.passes.kernels import apart, overlap
from backends.statevector.passes.plan import axes
from backends.statevector.runtime.namespace import matmul
from backends.statevector.whole.fuse import bits
from backends.statevector.whole.strings import by_x_mask

MOST_IN_TABLE = 6
"""Bits over which the diagonal of an X mask is a table."""

TOGETHER = 24
"""X masks that one pass adds to H psi."""


@partial(
    jax.tree_util.register_dataclass, data_fields=["tables", "upper", "lower"], meta_fields=["n_qubits", "near", "far"]
)
@dataclass(frozen=True)
class Terms:
    """An observable on n qubits, over the bits of a plan's index.

    Attributes:
        n_qubits: n.
        near: X mask and mask of the diagonal's bits, of those with a table.
        far: X masks of the others.
        tables: Diagonals over their bits, shapes (2^bits,), real or complex.
        upper: Signs of the upper bits for each string of a far mask, shape (2^(n - n // 2), strings), with weights.
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
        n, near, far = len(order), [], []
        tables, upper, lower = [], [], []
        for x, z, weight in masks_of(observable, order):
            union = int(np.bitwise_or.reduce(z))
            if union.bit_count() <= MOST_IN_TABLE:
                near.append((x, union))
                tables.append(_narrow(weight @ parity.signs(_local(z, union), np.arange(2 ** union.bit_count())), real))
                continue
            half = np.uint32(n // 2)
            signs = parity.signs(z >> half, np.arange(2 ** (n - n // 2))).T
            parts = (np.real(weight), np.imag(weight)) if np.any(np.imag(weight)) else (np.real(weight),)
            far.append(x)
            upper.append(tuple((signs * part).astype(real) for part in parts))
            lower.append(parity.signs(z & np.uint32(2 ** int(half) - 1), np.arange(2 ** int(half))).astype(real))
        arrays = jax.device_put((tuple(tables), tuple(upper), tuple(lower)))
        return cls(n, tuple(near), tuple(far), *arrays)


def masks_of(observable: SparsePauliOp, order: tuple[int, ...]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """X mask, Z masks (strings,) and weights (strings,) over the bits of the index."""
    place = {q: p for p, q in enumerate(order)}

    def moved(mask: int) -> int:
        return sum(1 << place[q] for q in bits(int(mask)))

    for x, (z, weight) in by_x_mask(observable).items():
        yield moved(x), np.array([moved(one) for one in z.tolist()], np.uint32), weight


def apply(terms: Terms, psi: jax.Array) -> jax.Array:
    """H psi, shape (2^n,)."""
    lam = None
    for start in range(0, len(terms.near), TOGETHER):
        group = slice(start, start + TOGETHER)
        added = partial(_near, terms.n_qubits, terms.near[group])
        lam = apart(added, lam, terms.tables[group], psi)
    for x, upper, lower in zip(terms.far, terms.upper, terms.lower, strict=True):
        lam = apart(partial(_far, terms.n_qubits, x), lam, upper, lower, psi)
    return jnp.zeros_like(psi) if lam is None else lam


def energy(terms: Terms, psi: jax.Array) -> jax.Array:
    """<psi|H|psi>."""
    return apart(overlap, psi, apply(terms, psi))


def _near(n: int, masks: tuple[tuple[int, int], ...], lam, tables, psi: jax.Array) -> jax.Array:
    total = jnp.zeros_like(psi) if lam is None else lam
    for (x, union), table in zip(masks, tables, strict=True):
        positions = tuple(reversed(bits(x | union)))
        shape, places = axes(n, positions)
        small = [1] * len(shape)
        for p, place in zip(positions, places, strict=True):
            small[place] = 1 + (union >> p & 1)
        total += (table.reshape(small) * _moved(n, x, psi).reshape(shape)).reshape(-1)
    return total


def _far(n: int, x: int, lam, upper, lower, psi: jax.Array) -> jax.Array:
    moved = _moved(n, x, psi)
    for turn, signs in zip((1, 1j), upper, strict=False):
        added = turn * matmul(signs, lower).reshape(-1) * moved
        lam = added if lam is None else lam + added
    return lam


def _moved(n: int, x: int, psi: jax.Array) -> jax.Array:
    """psi[i ^ x]."""
    shape, places = axes(n, tuple(reversed(bits(x))))
    return jnp.flip(psi.reshape(shape), places).reshape(-1) if x else psi


def _local(z: np.ndarray, union: int) -> np.ndarray:
    """Masks over the bits of the union only."""
    return np.array([sum((one >> p & 1) << k for k, p in enumerate(bits(union))) for one in z.tolist()], np.uint32)


def _narrow(table: np.ndarray, real: np.dtype) -> np.ndarray:
    return table.real.astype(real) if not np.any(table.imag) else table.astype(np.result_type(real, np.complex64))
