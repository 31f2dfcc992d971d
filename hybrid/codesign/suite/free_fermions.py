"""Circuits of ZZ on the bonds of an open chain and X on its sites, exactly and at any width, as free fermions.

With the Majorana operators a_2j = X_0 ... X_{j-1} Z_j and a_2j+1 = X_0 ... X_{j-1} Y_j both kinds of generators are
quadratic, X_j = i a_2j a_2j+1 and Z_j Z_j+1 = i a_2j+1 a_2j+2, so that a state is its covariance matrix
C_kl = <i [a_k, a_l]> / 2 of 2n rows, and a gate turns two of them.

References:
    B. M. Terhal, D. P. DiVincenzo, Phys. Rev. A 65, 032325 (2002);
    E. Lieb, T. Schultz, D. Mattis, Ann. Phys. 16, 407 (1961).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Chain:
    """Strengths of an open chain, H = -sum_j bonds[j] Z_j Z_j+1 - sum_j fields[j] X_j.

    Attributes:
        bonds: Shape (sites - 1,).
        fields: Shape (sites,).
    """

    bonds: np.ndarray
    fields: np.ndarray

    @classmethod
    def uniform(cls, n: int, *, bond: float = 1.0, field: float = 1.0) -> "Chain":
        """The same strength on every bond, and the same on every site."""
        return cls(np.full(n - 1, bond), np.full(n, field))

    def ground_energy(self) -> float:
        """The lowest eigenvalue of H: minus the sum of the singular values of a matrix of n rows."""
        matrix = np.diag(self.fields) + np.diag(self.bonds, 1)
        return -float(np.sum(np.linalg.svd(matrix, compute_uv=False)))


def correlations(n: int, layers: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Expectation values after layers prod_j exp(-i x_j X_j / 2) prod_j exp(-i z_j Z_j Z_j+1 / 2) on |+...+>.

    Args:
        n: Sites.
        layers: Of each, first to last, the angles z of shape (sites - 1,) and x of shape (sites,), radians.

    Returns:
        <Z_j Z_j+1>, shape (sites - 1,), and <X_j>, shape (sites,).
    """
    covariance = np.zeros((2 * n, 2 * n))
    even = np.arange(0, 2 * n, 2)
    covariance[even, even + 1], covariance[even + 1, even] = 1.0, -1.0
    for z, x in layers:
        covariance = _turned(covariance, even[:-1] + 1, np.asarray(z, dtype=float))
        covariance = _turned(covariance, even, np.asarray(x, dtype=float))
    return covariance[even[:-1] + 1, even[1:]], covariance[even, even + 1]


def _turned(covariance: np.ndarray, first: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Rows and columns k and k + 1, for k in ``first``, turned in their planes."""
    cos, sin = np.cos(angles), np.sin(angles)
    for turn in (lambda m: m, np.transpose):
        rows = turn(covariance).copy()
        upper, lower = rows[first].copy(), rows[first + 1].copy()
        rows[first] = cos[:, None] * upper + sin[:, None] * lower
        rows[first + 1] = cos[:, None] * lower - sin[:, None] * upper
        covariance = turn(rows)
    return covariance
