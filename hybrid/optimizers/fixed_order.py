"""Small dense linear algebra that sums in a fixed order.

LAPACK and threaded BLAS round differently with each number of threads, and an optimizer that uses them takes another
path on another machine setting. Here every sum is one of NumPy's own loops, which know no threads.
"""

import numpy as np

SWEEPS = 30
"""Most sweeps of Jacobi's method; it converges quadratically, in 6 to 10."""


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product a b of matrices of shapes (m, k) and (k, n), or of a matrix and a vector of shape (k,)."""
    return np.einsum("ik,kj->ij" if b.ndim == 2 else "ik,k->i", a, b)


def cholesky(A: np.ndarray) -> np.ndarray | None:
    """Lower triangle L with A = L L^T, or None if the symmetric matrix A is not positive definite.

    Args:
        A: Shape (n, n); its lower triangle is read.
    """
    L = np.zeros_like(A)
    for j in range(len(A)):
        column = A[j:, j] - np.einsum("ik,k->i", L[j:, :j], L[j, :j])
        if not column[0] > 0.0:
            return None
        L[j:, j] = column / np.sqrt(column[0])
    return L


def inverse_triangle(L: np.ndarray) -> np.ndarray:
    """The inverse of a lower triangle, shape (n, n)."""
    inverse = np.zeros_like(L)
    for i in range(len(L)):
        inverse[i, : i + 1] = -np.einsum("k,kj->j", L[i, :i], inverse[:i, : i + 1]) / L[i, i]
        inverse[i, i] = 1.0 / L[i, i]
    return inverse


def eigh(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, shape (n,), ascending, and eigenvectors as columns, shape (n, n), of a symmetric matrix.

    Jacobi's method: in turn, each pair of rows and columns is rotated so that its off-diagonal element vanishes. The
    pairs of one round of a round-robin tournament share no index, so n/2 rotations are done at once.

    References:
        Golub, Van Loan, Matrix Computations, 4th edition (2013), section 8.5.
    """
    n = len(A)
    size = n + n % 2  # a player of an odd tournament rests against the one that does not exist
    D, V = np.array(A, dtype=float), np.eye(n)
    tiny = np.finfo(float).eps * float(np.sqrt((D * D).sum()))
    players = np.arange(size)
    for _ in range(SWEEPS):
        if n < 2 or float(np.abs(D - np.diag(np.diag(D))).max()) <= tiny:
            break
        for _ in range(size - 1):
            p, q = players[: size // 2], players[size // 2 :][::-1]
            real = np.maximum(p, q) < n
            D, V = _rotate(D, V, p[real], q[real])
            players = np.concatenate([players[:1], players[-1:], players[1:-1]])
    order = np.argsort(np.diag(D), kind="stable")
    return np.diag(D)[order], V[:, order]


def _rotate(D: np.ndarray, V: np.ndarray, p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with the disjoint pairs (p, q) of rows and columns rotated so that D[p, q] = 0."""
    off = D[p, q]
    half = 0.5 * (D[q, q] - D[p, p])
    reach = np.abs(half) + np.hypot(half, off)
    t = np.where(half < 0.0, -off, off) / np.where(reach > 0.0, reach, 1.0)
    c = 1.0 / np.sqrt(1.0 + t * t)
    s = t * c
    for M in (D, V):
        M[:, p], M[:, q] = c * M[:, p] - s * M[:, q], s * M[:, p] + c * M[:, q]
    D[p], D[q] = c[:, None] * D[p] - s[:, None] * D[q], s[:, None] * D[p] + c[:, None] * D[q]
    D[p, q] = D[q, p] = 0.0
    return D, V
