"""The lowest eigenvalue of a sum of Pauli terms.

Terms that flip the same qubits (the same X mask m) act together as one diagonal and one permutation,

    (H psi)[i] = sum_m D_m[i] psi[i xor m],      D_m[i] = sum_t c_t (-i)^{#Y_t} (-1)^{popcount(z_t and i)}.

The sum over the terms of a mask is a Walsh-Hadamard transform of their coefficients, which costs as much for thousands
of terms as for one. Where they fit, all D_m are kept as a sparse matrix; else they are computed again, block by block,
whenever they are needed. No product is left to BLAS, whose threads cost more than such products and whose sums depend
on their number: the same operator gives the same bits on any number of threads. The smallest operators are diagonalized
as they are, by LAPACK on matrices that it does not share among threads, before SciPy could be imported.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from circuits import memory
from circuits.errors import Refused, shown
from circuits.problems.lanczos import N_PRODUCTS, N_VECTORS, lowest

MAX_QUBITS = 26
"""Largest operator that Lanczos is tried on; a diagonal one may have `MAX_DIAGONAL_QUBITS`."""

MAX_DIAGONAL_QUBITS = 32

MATRIX_BYTES = 1 << 30
"""Largest matrix that is kept. A fixed number: what memory happens to be free must not change the result's bits."""

DENSE = 64
"""Largest dimension of a matrix that is diagonalized at once."""

BLOCK_BITS = 12
"""Amplitudes that are worked on at a time, as a power of two: they stay in the cache."""

COLUMNS = 16
"""Diagonals that are transformed at a time."""

FEW = 8
"""Terms of a mask up to which they are summed one by one."""

SECONDS_PER_ENTRY = 4e-9
"""Time of a matrix entry in one product, when the memory is the limit."""

SECONDS_PER_AMPLITUDE = 12e-9, 45e-9
"""Time of an amplitude for each mask in one product without a matrix, with few terms and with many."""

SECONDS_PER_ENERGY = 45e-9
"""Time of one energy of a diagonal operator."""


def lowest_eigenvalue(hamiltonian: SparsePauliOp) -> float:
    """Smallest eigenvalue of a Hermitian operator, to about 1e-10 of its norm; the same input gives the same bits.

    Args:
        hamiltonian: Operator on n qubits with real coefficients.

    Returns:
        The eigenvalue, in the coefficients' unit.

    Raises:
        Refused: if n is too large or what is needed would not fit into the free memory; the message says how many bytes
            that is.

    >>> round(lowest_eigenvalue(SparsePauliOp.from_list([("ZZ", -1.0), ("XI", -1.0), ("IX", -1.0)])), 6)
    -2.236068
    """
    _check_size(hamiltonian)
    H = _pauli_sum(hamiltonian)
    if not np.any(H.masks):
        return float(min(np.min(energies) for energies in _diagonal(H)))
    if 1 << H.n_qubits <= DENSE:
        return float(np.linalg.eigvalsh(_dense(H))[0])
    _check_memory(H)
    return lowest(_product(H), 1 << H.n_qubits, H.coefficients.dtype)


def seconds(hamiltonian: SparsePauliOp) -> float:
    """Predicted time of `lowest_eigenvalue` on one core, to within a factor of three or so; infinite if it is refused.

    It counts qubits, terms, and how many of them flip the same qubits; the number of Lanczos steps, which depends on
    the spectrum, is taken to be that of a usual gap.

    >>> seconds(SparsePauliOp("X" * 8)) < 0.1 < 10 < seconds(SparsePauliOp("X" * 26))
    True
    >>> seconds(SparsePauliOp("X" * 40))
    inf
    """
    size = 2.0 ** _n_qubits(hamiltonian)
    try:
        _check_size(hamiltonian)
        if not np.any(hamiltonian.paulis.x):
            return SECONDS_PER_ENERGY * size
        H = _pauli_sum(hamiltonian)
        _check_memory(H)
    except Refused:
        return float("inf")
    if _matrix_bytes(H) <= MATRIX_BYTES:
        return (N_PRODUCTS + 20) * SECONDS_PER_ENTRY * size * len(H.masks)
    many = np.count_nonzero(np.bincount(H.group) > FEW)
    few, each = SECONDS_PER_AMPLITUDE
    return N_PRODUCTS * size * (few * (len(H.masks) - many) + each * many)


def as_product(hamiltonian: SparsePauliOp) -> Callable[[np.ndarray], np.ndarray]:
    """H as a function psi -> H psi on vectors of shape (2^n,), complex.

    Raises:
        Refused: if vectors of this size would not fit into the free memory.

    >>> as_product(SparsePauliOp(["X", "Z"], [1.0, 2.0]))(np.array([1.0 + 0j, 0.0])).real.tolist()
    [2.0, 1.0]
    """
    _check_size(hamiltonian)
    H = _pauli_sum(hamiltonian)
    _check_memory(H)
    return _product(H)


@dataclass(frozen=True)
class _PauliSum:
    """Terms sorted by X mask, then Z mask.

    Attributes:
        n_qubits: Number of qubits.
        masks: X masks that occur, ascending, shape (masks,).
        group: Index of each term's X mask, ascending, shape (terms,).
        z: Z mask of each term.
        coefficients: Of each term, (-i)^{#Y} included; real if all are.
    """

    n_qubits: int
    masks: np.ndarray
    group: np.ndarray
    z: np.ndarray
    coefficients: np.ndarray


def _n_qubits(hamiltonian: SparsePauliOp) -> int:
    return hamiltonian.paulis.z.shape[1]


def _pauli_sum(hamiltonian: SparsePauliOp) -> _PauliSum:
    operator = hamiltonian.simplify(atol=0.0, rtol=0.0)
    powers = np.int64(1) << np.arange(_n_qubits(operator), dtype=np.int64)
    x, z = operator.paulis.x @ powers, operator.paulis.z @ powers
    n_y = np.sum(operator.paulis.x & operator.paulis.z, axis=1)
    coefficients = np.real(np.asarray(operator.coeffs, dtype=complex)) * np.array([1, -1j, -1, 1j])[n_y % 4]
    if not np.any(n_y % 2):
        coefficients = np.real(coefficients).copy()
    order = np.lexsort((z, x))
    masks, group = np.unique(x[order], return_inverse=True)
    return _PauliSum(_n_qubits(operator), masks, group, z[order], coefficients[order])


def _parity(index: np.ndarray) -> np.ndarray:
    """(-1)^{popcount}."""
    return 1.0 - 2.0 * (np.bitwise_count(index) & 1)


def _transformed(z: np.ndarray, columns: np.ndarray, weights: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """sum_t w_t (-1)^{popcount(z_t and i)} of the terms of each column, for all i: a Walsh-Hadamard transform.

    Args:
        z: Z masks, below the number of rows.
        columns: Column of each term.
        weights: Of each term.
        shape: (rows, columns); the rows are a power of two.
    """
    place = z * shape[1] + columns
    table = np.bincount(place, np.real(weights), shape[0] * shape[1]).astype(weights.dtype)
    if np.iscomplexobj(weights):
        table += 1j * np.bincount(place, np.imag(weights), shape[0] * shape[1])
    half = 1
    while half < shape[0]:
        pairs = table.reshape(-1, 2, half * shape[1])
        below = pairs[:, 0] - pairs[:, 1]
        pairs[:, 0] += pairs[:, 1]
        pairs[:, 1] = below
        half *= 2
    return table.reshape(shape)


def _diagonal(H: _PauliSum) -> Iterator[np.ndarray]:
    """The energies of a diagonal operator, some at a time."""
    low_bits = min(H.n_qubits, BLOCK_BITS)
    n_blocks = 1 << (H.n_qubits - low_bits)
    low = H.z & ((1 << low_bits) - 1)
    for first in range(0, n_blocks, COLUMNS):
        high = np.arange(first, min(first + COLUMNS, n_blocks), dtype=np.int64) << low_bits
        weights = H.coefficients[:, None] * _parity(H.z[:, None] & high[None, :])
        columns = np.broadcast_to(np.arange(len(high)), weights.shape)
        yield _transformed(np.repeat(low, len(high)), columns.ravel(), weights.ravel(), (1 << low_bits, len(high)))


def _diagonals(H: _PauliSum, high: int, low: np.ndarray) -> Iterator[tuple[int, np.ndarray | complex]]:
    """D_m on the block of indices high + low for each mask: its index, and shape (len(low),) or a number."""
    counts = np.bincount(H.group)
    starts = np.append(0, np.cumsum(counts)).tolist()
    weights = H.coefficients * _parity(H.z & high)
    z = H.z & (len(low) - 1)
    for k in np.flatnonzero(counts <= FEW):
        terms = range(starts[k], starts[k + 1])
        yield int(k), sum(weights[t] * _parity(low & z[t]) if z[t] else weights[t] for t in terms)
    many = np.flatnonzero(counts > FEW)
    for first in range(0, len(many), COLUMNS):
        chosen = many[first : first + COLUMNS]
        terms = np.flatnonzero(np.isin(H.group, chosen))
        columns = np.repeat(np.arange(len(chosen)), counts[chosen])
        table = _transformed(z[terms], columns, weights[terms], (len(low), len(chosen)))
        yield from zip(chosen.tolist(), np.ascontiguousarray(table.T), strict=True)


def _matrix_bytes(H: _PauliSum) -> int:
    return (len(H.masks) << H.n_qubits) * (H.coefficients.dtype.itemsize + 4)


def _product(H: _PauliSum) -> Callable[[np.ndarray], np.ndarray]:
    if _matrix_bytes(H) <= MATRIX_BYTES:
        matrix = _matrix(H)
        return lambda psi: matrix @ psi
    return lambda psi: _apply(H, psi)


def _matrix(H: _PauliSum) -> Any:
    """H as a sparse matrix: row i has an entry in column i xor m for every mask m."""
    from scipy.sparse import csr_array

    entries, columns = _entries(H)
    ends = np.arange(0, entries.size + 1, len(H.masks), dtype=np.int32)
    return csr_array((entries.ravel(), columns.ravel(), ends), shape=(len(entries), len(entries)))


def _dense(H: _PauliSum) -> np.ndarray:
    entries, columns = _entries(H)
    matrix = np.zeros((len(entries), len(entries)), dtype=entries.dtype)
    np.put_along_axis(matrix, columns, entries, axis=1)
    return matrix


def _entries(H: _PauliSum) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the entries and their columns, both of shape (2^n, masks)."""
    size, n_masks = 1 << H.n_qubits, len(H.masks)
    low = np.arange(min(size, 1 << BLOCK_BITS), dtype=np.int64)
    entries = np.empty((size, n_masks), dtype=H.coefficients.dtype)
    for high in range(0, size, len(low)):
        for k, diagonal in _diagonals(H, high, low):
            entries[high : high + len(low), k] = diagonal
    return entries, np.arange(size, dtype=np.int32)[:, None] ^ H.masks.astype(np.int32)


def _apply(H: _PauliSum, psi: np.ndarray) -> np.ndarray:
    """H psi for psi of shape (2^n,), without a matrix."""
    low = np.arange(min(len(psi), 1 << BLOCK_BITS), dtype=np.int64)
    psi = psi.reshape(-1, len(low))
    result = np.zeros(psi.shape, dtype=np.result_type(psi, H.coefficients))
    for block in range(len(psi)):
        for k, diagonal in _diagonals(H, block * len(low), low):
            mask = int(H.masks[k])
            flipped = psi[block ^ (mask >> BLOCK_BITS)]
            if mask & (len(low) - 1):
                flipped = flipped.take(low ^ (mask & (len(low) - 1)))
            result[block] += flipped * diagonal
    return result.reshape(-1)


def _check_size(hamiltonian: SparsePauliOp) -> None:
    n_qubits, diagonal = _n_qubits(hamiltonian), not np.any(hamiltonian.paulis.x)
    if n_qubits > (MAX_DIAGONAL_QUBITS if diagonal else MAX_QUBITS):
        what = f"a search through 2^{n_qubits} energies" if diagonal else f"vectors of 2^{n_qubits} amplitudes"
        most = MAX_DIAGONAL_QUBITS if diagonal else MAX_QUBITS
        raise Refused(
            f"an exact energy on {n_qubits} qubits means {what}, {shown(8 << n_qubits)} bytes; at most {most} qubits "
            f"are tried, take a smaller problem for a reference"
        )


def _check_memory(H: _PauliSum) -> None:
    needed = N_VECTORS * H.coefficients.dtype.itemsize << H.n_qubits
    if _matrix_bytes(H) <= MATRIX_BYTES:
        needed += 2 * _matrix_bytes(H)
    free = memory.free_bytes()
    if needed > free:
        raise Refused(
            f"an exact energy on {H.n_qubits} qubits by Lanczos needs {needed} bytes ({needed / 2**30:.3g} GiB), "
            f"but {free / 2**30:.3g} GiB are free here"
        )
