"""The lowest eigenvalue of a Hermitian operator that is known by its products with vectors.

    beta_k v_k+1 = H v_k - alpha_k v_k - beta_k-1 v_k-1,      alpha_k = <v_k| H |v_k>

Three vectors are kept, and none is made orthogonal to all others again: rounding then repeats eigenvalues that have
been found, but does not move them. A sum over a vector is taken in a fixed order and without BLAS, so that the same
operator gives the same bits on any number of threads.

References:
    C. Lanczos, J. Res. Natl. Bur. Stand. 45, 255 (1950).
    C. C. Paige, J. Inst. Maths Applics 18, 341 (1976), for the residual in spite of rounding.
    B. N. Parlett, The Symmetric Eigenvalue Problem, SIAM 1998, chapter 13.
"""

import math
from collections.abc import Callable

import numpy as np

from circuits.errors import FailedJob

N_VECTORS = 4
"""Vectors that the iteration and one product keep."""

N_PRODUCTS = 120
"""Products that a usual gap takes; a small one takes hundreds."""

MAX_PRODUCTS = 20_000
TOLERANCE = 1e-11
"""Of the residual, over the norm. The eigenvalue is off by that at most, mostly by its square over the gap."""

CHECKED = 5
"""Products until the next look at the residual, or a twentieth of those so far."""

_BLOCK = 1 << 16


def lowest(product: Callable[[np.ndarray], np.ndarray], size: int, dtype: np.dtype) -> float:
    """Lowest eigenvalue of a Hermitian operator.

    The random start overlaps with every eigenvector; a symmetric one could miss the ground state's symmetry sector.

    Args:
        product: From psi of shape (size,) to H psi.
        size: Dimension, at least 1.
        dtype: Of the vectors, float64 or complex128.

    Returns:
        The eigenvalue, in the operator's unit.

    Raises:
        FailedJob: if the residual is not small after 20,000 products.
    """
    from scipy.linalg import eigh_tridiagonal

    v = np.random.default_rng(0).standard_normal(size).astype(dtype)
    v /= math.sqrt(_overlap(v, v))
    before = np.zeros_like(v)
    diagonal: list[float] = []
    beside: list[float] = []
    norm, checked = 0.0, 1
    for k in range(1, MAX_PRODUCTS + 1):
        w = product(v).astype(dtype, copy=False)
        alpha = _overlap(v, w)
        w = _less(w, alpha, v, beside[-1] if beside else 0.0, before)
        beta = math.sqrt(_overlap(w, w))
        diagonal.append(alpha)
        norm = max(norm, abs(alpha) + beta + (beside[-1] if beside else 0.0))
        if k >= checked or beta <= TOLERANCE * norm:
            checked = k + max(CHECKED, k // 20)
            values, vectors = eigh_tridiagonal(diagonal, beside, select="i", select_range=(0, 0))
            if beta * abs(vectors[-1, 0]) <= TOLERANCE * norm:
                return float(values[0])
        beside.append(beta)
        w /= beta
        before, v = v, w
    raise FailedJob(f"Lanczos did not find the lowest eigenvalue in {MAX_PRODUCTS} products: its gap is too small")


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Real part of <a|b>, block by block in a fixed order."""
    a, b = a.view(np.float64), b.view(np.float64)
    return math.fsum(float(np.einsum("i,i->", a[k : k + _BLOCK], b[k : k + _BLOCK])) for k in range(0, len(a), _BLOCK))


def _less(w: np.ndarray, alpha: float, v: np.ndarray, beta: float, before: np.ndarray) -> np.ndarray:
    """The vector w - alpha v - beta before; it takes the place of before, and w is used up."""
    before *= -beta
    before += w
    np.multiply(v, -alpha, out=w)
    before += w
    return before
