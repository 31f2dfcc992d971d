"""Applying an observable: one diagonal, small matrices on neighbouring qubits, and what is left by its X masks.

All strings with the same X mask are one diagonal after one permutation of the amplitudes. Masks whose strings fit on k
neighbouring qubits are summed into one 2^k x 2^k matrix: a chain of n sites takes n / k matrix products, not one
pass for each term.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit import parity
from backends.statevector.runtime.namespace import HIGHEST, matmul
from backends.statevector.whole.strings import MOST_PRECOMPUTED, by_x_mask, supports, windows

TOGETHER = 5
"""X masks that one kernel adds to H psi."""


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["diagonal", "matrices", "x", "table", "z", "weight"],
    meta_fields=["n_qubits", "lowest"],
)
@dataclass(frozen=True)
class Terms:
    """An observable on n qubits.

    Attributes:
        n_qubits: n.
        lowest: The lowest qubit of each window.
        diagonal: Strings of I and Z, shape (2^n,), or (1,) for a multiple of the identity.
        matrices: Of the windows, shapes (parts, 2^k, 2^k): the real part and, where there is one, the imaginary part.
        x: X masks of the other strings, shape (masks,).
        table: Their diagonals (real, and imaginary where there is one), shape (masks, parts, 2^n); or None.
        z: Without a table, Z masks of their strings, shape (masks, strings); padded.
        weight: Coefficients of these, with (-i)^(number of Y), shape (masks, parts, strings).
    """

    n_qubits: int
    lowest: tuple[int, ...]
    diagonal: jax.Array
    matrices: tuple[jax.Array, ...]
    x: jax.Array
    table: jax.Array | None
    z: jax.Array | None
    weight: jax.Array | None

    @classmethod
    def of(cls, observable: SparsePauliOp, k: int, dtype: np.dtype) -> "Terms":
        """Sort the strings.

        Args:
            observable: Hermitian.
            k: Qubits of a window.
            dtype: Of the amplitudes' real and imaginary parts.
        """
        n, groups = int(observable.num_qubits or 0), by_x_mask(observable)
        z, weight = groups.pop(0, (np.zeros(1, np.uint32), np.zeros(1, complex)))
        real = np.real(weight).astype(dtype)
        diagonal = jax.device_put(parity.diagonal(z, real, n) if z.any() else real)
        lowest, matrices = [], []
        for low, masks in windows(supports(groups), n, k).items():
            inside = {x >> low: (groups[x][0] >> np.uint32(low), groups[x][1]) for x in masks}
            for x in masks:
                del groups[x]
            lowest.append(low)
            matrices.append(_parts(_matrix(inside, min(k, n))).astype(dtype))
        longest = max((len(z) for z, _ in groups.values()), default=0)
        zs, weights = np.zeros((len(groups), longest), np.uint32), np.zeros((len(groups), longest), complex)
        for row, (z, weight) in enumerate(groups.values()):
            zs[row, : len(z)], weights[row, : len(z)] = z, weight
        weight = np.moveaxis(_parts(weights), 0, 1).astype(dtype)
        x = jax.device_put(np.array(list(groups), np.uint32))
        parts = (tuple(lowest), diagonal, jax.device_put(tuple(matrices)), x)
        if weight.shape[0] * weight.shape[1] * 2**n > MOST_PRECOMPUTED:
            return cls(n, *parts, None, *jax.device_put((zs, weight)))
        table = np.empty((*weight.shape[:2], 2**n), dtype)
        for row, pair in enumerate(zip(zs, weight, strict=True)):
            table[row] = parity.diagonal(*pair, n)
        return cls(n, *parts, jax.device_put(table), None, None)


def apply(terms: Terms, psi: jax.Array) -> jax.Array:
    """H psi for a real state: shape (2^(n+1),), real parts first."""
    lam = _diagonal_part(psi, psi, terms.diagonal)
    for low, parts in zip(terms.lowest, terms.matrices, strict=True):
        for part, h in enumerate(parts):
            lam = _added(part, lam, jax.lax.optimization_barrier(_window_part(low, psi, h, psi)))  # fused sums are slow

    def add(lam, group):
        return _masked(lam, psi, *group), None

    if not len(terms.x):
        return lam
    return jax.lax.scan(add, lam, (terms.x, terms.z, terms.weight, terms.table))[0]


Part = tuple[str, Callable, tuple, tuple]
"""How a kernel adds to H psi ("change" it, or "write" what is added then), the kernel, its arrays, static arguments."""


def apart(terms: Terms) -> list[Part]:
    """What `applied` does, kernel by kernel, after the diagonal."""
    parts: list[Part] = []
    for low, matrices in zip(terms.lowest, terms.matrices, strict=True):
        parts += [("write", _window_part, (np.asarray(h),), (low, part)) for part, h in enumerate(matrices)]
    for start in range(0, len(terms.x), TOGETHER):
        group = slice(start, start + TOGETHER)
        if terms.table is not None:
            parts.append(("change", _masked_by_tables, (np.asarray(terms.x[group]), terms.table[group]), ()))
        else:
            fields: tuple[Any, ...] = (terms.x, terms.z, terms.weight)
            own = tuple(np.asarray(field[group]) for field in fields)
            parts.append(("change", _masked_by_strings, own, ()))
    return parts


def applied(diagonal: jax.Array, parts: list[Part], psi: Any, memory: Any) -> Any:
    """`apply` kernel by kernel, in a buffer of the memory's (`Buffers` or `Sizes`)."""
    lam = memory.write(_diagonal_part, psi.size, psi, diagonal)
    for how, function, arrays, static in parts:
        if how == "change":
            lam = memory.change(function, lam, psi, *arrays, static=static)
            continue
        turn = memory.write(function, psi.size, *arrays, psi, static=static[:1])
        lam = memory.change(_added, lam, turn, static=static[1:])
        memory.give(turn)
    return lam


def _diagonal_part(out: jax.Array, psi: jax.Array, diagonal: jax.Array) -> jax.Array:
    return (diagonal * psi.reshape(2, -1)).reshape(-1)


def _window_part(low: int, out: jax.Array, h: jax.Array, psi: jax.Array) -> jax.Array:
    return _window(h, psi.reshape(2, -1), low).reshape(-1)


def _added(part: int, lam: jax.Array, turn: jax.Array) -> jax.Array:
    """The sum with a real (0) or imaginary part (1)."""
    return lam + (_turned(turn.reshape(2, -1)).reshape(-1) if part else turn)


def _masked(lam: jax.Array, psi: jax.Array, x, z, weight, d) -> jax.Array:
    """The sum with all strings of one X mask."""
    parts = psi.reshape(2, -1)
    index = jnp.arange(parts.shape[1], dtype=jnp.uint32)
    d = _signed(z, weight, index) if d is None else d
    moved = parts[:, index ^ x]
    lam = lam.reshape(2, -1) + d[0] * moved
    return (lam + _turned(d[1] * moved) if len(d) > 1 else lam).reshape(-1)


def _masked_by_tables(lam, psi, x, tables):
    for k in range(len(x)):
        lam = _masked(lam, psi, x[k], None, None, tables[k])
    return lam


def _masked_by_strings(lam, psi, x, z, weight):
    for k in range(len(x)):
        lam = _masked(lam, psi, x[k], z[k], weight[k], None)
    return lam


def _window(h: jax.Array, x: jax.Array, low: int) -> jax.Array:
    """A real matrix on the qubits from the lowest upwards."""
    size = len(h)
    if not low:
        return matmul(x.reshape(-1, size), h.T).reshape(x.shape)
    parts = x.reshape(-1, size, 2**low)
    if size <= 2 ** (low + 1):  # in place, one product for each setting of the qubits above
        return matmul(jnp.broadcast_to(h, (len(parts), *h.shape)), parts).reshape(x.shape)
    return jnp.einsum("ij,ljr->lir", h, parts, precision=HIGHEST).reshape(x.shape)


def _turned(x: jax.Array) -> jax.Array:
    """Times i."""
    return jnp.stack([-x[1], x[0]])


def _parts(numbers: np.ndarray) -> np.ndarray:
    """Real part and, unless it is zero, imaginary part, along a new first axis."""
    real, imaginary = np.real(numbers), np.imag(numbers)
    return np.stack([real, imaginary]) if np.any(imaginary) else real[None]


def _matrix(groups: dict[int, tuple[np.ndarray, np.ndarray]], k: int) -> np.ndarray:
    index = np.arange(2**k, dtype=np.uint32)
    matrix = np.zeros((2**k, 2**k), dtype=complex)
    for x, (z, weight) in groups.items():
        matrix[index, index ^ np.uint32(x)] += weight @ parity.signs(z, index)
    return matrix


def _signed(z: jax.Array, weight: jax.Array, index: jax.Array) -> jax.Array:
    """sum_k weight_k (-1)^parity(i & z_k): masks (strings,), weights (parts, strings) -> (parts, 2^n)."""

    def add(total, string):
        z, weight = string
        odd = jax.lax.population_count(index & z) & 1
        return total + jnp.where(odd == 1, -weight[:, None], weight[:, None]), None

    total, _ = jax.lax.scan(add, jnp.zeros((len(weight), len(index)), weight.dtype), (z, weight.T))
    return total
