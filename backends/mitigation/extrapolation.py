"""From values at amplified noise to the value without noise, with its statistical error and an estimate of its bias.

Each curve is fitted by least squares with equal weights, so that a value follows from the points as E = sum_k J_k y_k
to first order, and its variance is sum_k J_k^2 var_k.

References:
    Temme, Bravyi and Gambetta, Phys. Rev. Lett. 119, 180509 (2017), for Richardson's extrapolation;
    Endo, Benjamin and Li, Phys. Rev. X 8, 031027 (2018), for the exponential one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backends.mitigation.words import Extrapolation

MOST_DECAY = 5.0
"""Largest rate of decay, for a factor of 1: beyond it nothing of the signal is left."""


MOST_GROWTH = 1.0
"""Largest rate at which values may seem to grow with the noise, by their statistical errors."""


@dataclass(frozen=True, eq=False)
class Corrected:
    """A value that was estimated from several measured ones.

    Attributes:
        value: In the observable's unit.
        slopes: Its derivative by each of the measured values, shape (points,).
        variance: What the fit adds to the variance that comes from the measured values.
        bias: Estimated size of its systematic error.
    """

    value: float
    slopes: np.ndarray
    variance: float
    bias: float


def extrapolated(
    factors: Sequence[float], values: np.ndarray, *, limit: float, bound: float, kind: Extrapolation
) -> Corrected:
    """The value without noise.

    Args:
        factors: Of amplification, different from each other, shape (points,).
        values: At these, shape (points,).
        limit: The value where noise has left nothing: the part of the observable that the identity has.
        bound: Largest distance of any value from the limit, the sum of the other coefficients' sizes: an exponential
            that starts further away is none.
        kind: Of the curve.

    Returns:
        The value; its bias is the distance from what another curve through the same points gives.
    """
    x = np.asarray(factors, dtype=float)
    value, slopes = _fit(x, values, limit, bound, kind)
    if kind == "richardson" and len(x) > 2:
        other = _fit(x[:-1], values[:-1], limit, bound, kind)[0]
    elif kind == "linear" and len(x) > 2:
        other = _fit(x, values, limit, bound, "richardson")[0]
    else:
        other = _fit(x, values, limit, bound, "linear" if kind == "exponential" else "exponential")[0]
    return Corrected(value, slopes, 0.0, abs(value - other))


def amplification(factors: Sequence[float], kind: Extrapolation) -> float:
    """By how much extrapolation multiplies the variance of a value: sum_k J_k^2; for a slow decay, that of a line."""
    x = np.asarray(factors, dtype=float)
    return float(np.sum(_linear(x, kind) ** 2))


def _linear(x: np.ndarray, kind: Extrapolation) -> np.ndarray:
    degree = len(x) - 1 if kind == "richardson" else 1
    return np.linalg.pinv(np.vander(x, degree + 1, increasing=True))[0]


def _fit(x: np.ndarray, y: np.ndarray, limit: float, bound: float, kind: Extrapolation) -> tuple[float, np.ndarray]:
    if kind != "exponential":
        slopes = _linear(x, kind)
        return float(slopes @ y), slopes
    return _decay(x, y - limit, limit, bound)


def _decay(x: np.ndarray, y: np.ndarray, limit: float, bound: float) -> tuple[float, np.ndarray]:
    """y = b exp(-c x): b follows from c; the slopes are those of b at the best b and c, after Gauss and Newton.

    Shots let a slow decay look like growth. Such a c < 0 is kept: b would be too large on average, and too certain
    where c is 0 by chance, if c were held at 0. Where c ends at a bound, the slopes are still those with c free.
    """

    def size(c: float) -> float:
        f = np.exp(-c * x)
        return float(f @ y / (f @ f))

    def misfit(c: float) -> float:
        return float(np.sum((y - size(c) * np.exp(-c * x)) ** 2))

    grid = np.linspace(-MOST_GROWTH, MOST_DECAY, 121)
    grid = np.array([c for c in grid if c <= 0.0 or abs(size(c)) <= bound])
    k = int(np.argmin([misfit(c) for c in grid]))
    low, high = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
    from scipy.optimize import minimize_scalar

    minimum: Any = minimize_scalar(misfit, bounds=(low, high), method="bounded", options={"xatol": 1e-12})
    c = float(minimum.x)
    f = np.exp(-c * x)
    b = size(c)
    jacobian = np.column_stack([f, -x * f])  # by b and by b c, so that the slopes do not hang on the size of b
    return limit + b, np.linalg.pinv(jacobian)[0]
