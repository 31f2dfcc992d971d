"""The lowest eigenvalue of a sum of Pauli terms, without ever building its matrix.

Terms that flip the same qubits (the same X mask m) act together as one diagonal and one permutation,

    (H psi)[i] = sum_m D_m[i] psi[i xor m],      D_m[i] = sum_t c_t (-i)^{#Y_t} (-1)^{popcount(z_t and i)}.

With i split into high and low bits the sign is a product of two small tables, so that a block of D_m is a small matrix
product, computed again whenever it is needed: besides the Lanczos vectors nothing of size 2^n is kept.

References:
    R. B. Lehoucq, D. C. Sorensen, C. Yang, ARPACK Users' Guide, SIAM 1998 (implicitly restarted Lanczos).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused

MAX_QUBITS = 26
"""Largest operator that Lanczos is tried on; a diagonal one may have `MAX_DIAGONAL_QUBITS`."""

MAX_DIAGONAL_QUBITS = 32

DENSE_QUBITS = 7
LOW_BITS = 12
BLOCK_BITS = 17
KRYLOV_VECTORS = 24
WORK_VECTORS = 6
"""Vectors that ARPACK and one product keep beside the Krylov space."""


def lowest_eigenvalue(hamiltonian: SparsePauliOp) -> float:
    """Smallest eigenvalue of a Hermitian operator, to about 1e-10 of its norm; the same input gives the same bits.

    Args:
        hamiltonian: Operator on n qubits with real coefficients.

    Returns:
        The eigenvalue, in the coefficients' unit.

    Raises:
        Refused: if n is too large or the vectors would not fit into the free memory; the message says how many bytes
            are needed.

    >>> round(lowest_eigenvalue(SparsePauliOp.from_list([("ZZ", -1.0), ("XI", -1.0), ("IX", -1.0)])), 6)
    -2.236068
    """
    groups = _groups(hamiltonian)
    n_qubits = hamiltonian.paulis.z.shape[1]
    if all(group.x == 0 for group in groups):
        return _lowest_diagonal(groups, n_qubits)
    return _lowest_lanczos(groups, n_qubits)


def as_product(hamiltonian: SparsePauliOp) -> Callable[[np.ndarray], np.ndarray]:
    """H as a function psi -> H psi on vectors of shape (2^n,), complex; no matrix is built.

    >>> as_product(SparsePauliOp(["X", "Z"], [1.0, 2.0]))(np.array([1.0 + 0j, 0.0])).real.tolist()
    [2.0, 1.0]
    """
    groups, n_qubits = _int64(_groups(hamiltonian)), hamiltonian.paulis.z.shape[1]
    return lambda psi: _apply(groups, psi, n_qubits)


@dataclass(frozen=True)
class _Group:
    """Terms that share the X mask ``x``: their Z masks and coefficients, (-i)^{#Y} included."""

    x: int
    z: np.ndarray
    coefficients: np.ndarray

    def diagonal(self, high: np.ndarray, low: np.ndarray) -> np.ndarray | complex | float:
        """D_m on the block of indices ``high + low``, shape (len(high), len(low)); a number if it is constant."""
        if len(self.z) == 1 and self.z[0] == 0:
            return self.coefficients[0]
        return (_signs(high, self.z) * self.coefficients) @ _signs(low, self.z).T


def _signs(index: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(-1)^{popcount(z and i)}, shape (len(index), len(z))."""
    return 1.0 - 2.0 * (np.bitwise_count(index[:, None] & z[None, :]) & 1)


def _groups(hamiltonian: SparsePauliOp) -> list[_Group]:
    operator = hamiltonian.simplify(atol=0.0, rtol=0.0)
    powers = 1 << np.arange(operator.paulis.z.shape[1], dtype=object)
    x = operator.paulis.x @ powers
    z = operator.paulis.z @ powers
    n_y = np.sum(operator.paulis.x & operator.paulis.z, axis=1)
    coefficients = np.real(np.asarray(operator.coeffs, dtype=complex)) * (-1j) ** (n_y % 4)
    groups = []
    for mask in sorted(set(x)):
        members = x == mask
        weights = coefficients[members]
        real = bool(np.all(n_y[members] % 2 == 0))
        groups.append(_Group(int(mask), z[members].astype(object), weights.real.copy() if real else weights))
    return groups


def _blocks(n_qubits: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """High parts (a run of rows) and low parts of the indices of one block after the other."""
    low_bits = min(n_qubits, LOW_BITS)
    low = np.arange(1 << low_bits, dtype=np.int64)
    rows = 1 << (n_qubits - low_bits)
    step = 1 << (BLOCK_BITS - LOW_BITS)
    for start in range(0, rows, step):
        yield np.arange(start, min(start + step, rows), dtype=np.int64) << low_bits, low


def _lowest_diagonal(groups: list[_Group], n_qubits: int) -> float:
    if not groups:
        return 0.0
    if n_qubits > MAX_DIAGONAL_QUBITS:
        raise Refused(
            f"an exact energy on {n_qubits} qubits means a search through 2^{n_qubits} energies "
            f"({8 << n_qubits} bytes of them); at most {MAX_DIAGONAL_QUBITS} qubits are searched here"
        )
    (group,) = _int64(groups)
    return float(min(np.min(group.diagonal(high, low)) for high, low in _blocks(n_qubits)))


def _lowest_lanczos(groups: list[_Group], n_qubits: int) -> float:
    real = all(np.isrealobj(group.coefficients) for group in groups)
    dtype = np.dtype(np.float64 if real else np.complex128)
    _check_memory(n_qubits, dtype.itemsize)
    groups = _int64(groups)
    size = 1 << n_qubits
    if n_qubits <= DENSE_QUBITS:
        matrix = np.stack([_apply(groups, column, n_qubits) for column in np.eye(size, dtype=dtype)], axis=1)
        return float(np.linalg.eigvalsh(matrix)[0])
    return lanczos(lambda psi: _apply(groups, psi, n_qubits), size, dtype)


def lanczos(product: Callable[[np.ndarray], np.ndarray], size: int, dtype: np.dtype) -> float:
    """Lowest eigenvalue of a Hermitian operator that is known by its product with a vector.

    The random start overlaps with every eigenvector; a symmetric one could miss the ground state's symmetry sector.

    Args:
        product: From psi of shape (size,) to H psi.
        size: Dimension, more than `KRYLOV_VECTORS`.
        dtype: Of the vectors.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    rng = np.random.default_rng(0)
    operator = LinearOperator(shape=(size, size), matvec=product, dtype=dtype)  # pyright: ignore[reportCallIssue]
    options: dict[str, Any] = {"which": "SA", "ncv": KRYLOV_VECTORS, "tol": 1e-11, "return_eigenvectors": False}
    values = eigsh(operator, k=1, v0=rng.standard_normal(size).astype(dtype), rng=rng, **options)
    return float(values[0])


def _apply(groups: list[_Group], psi: np.ndarray, n_qubits: int) -> np.ndarray:
    """H psi for psi of shape (2^n,), block by block so that each block stays in the cache."""
    low_bits = min(n_qubits, LOW_BITS)
    psi = psi.reshape(-1, 1 << low_bits)
    result = np.empty_like(psi)
    for high, low in _blocks(n_qubits):
        rows = high >> low_bits
        total = np.zeros((len(high), len(low)), dtype=psi.dtype)
        for group in groups:
            flipped = psi[rows ^ (group.x >> low_bits)]
            mask = group.x & ((1 << low_bits) - 1)
            if mask:
                flipped = flipped.take(low ^ mask, axis=1)
            flipped *= group.diagonal(high, low)
            total += flipped
        result[rows] = total
    return result.reshape(-1)


def _int64(groups: list[_Group]) -> list[_Group]:
    """The same groups with masks as machine words, once n is known to be small."""
    return [_Group(group.x, group.z.astype(np.int64), group.coefficients) for group in groups]


def _check_memory(n_qubits: int, itemsize: int) -> None:
    import psutil

    needed = (KRYLOV_VECTORS + WORK_VECTORS) * itemsize << n_qubits
    free = psutil.virtual_memory().available
    what = f"an exact energy on {n_qubits} qubits by Lanczos would need {needed} bytes ({needed / 2**30:.3g} GiB)"
    if n_qubits > MAX_QUBITS:
        raise Refused(f"{what}; at most {MAX_QUBITS} qubits are tried, take a smaller problem for a reference")
    if needed > free:
        raise Refused(f"{what} of memory, but {free / 2**30:.3g} GiB are free here")
