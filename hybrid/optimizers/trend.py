"""Whether a noisy trace of values still falls."""

import math

import numpy as np

SHORTEST = 40
"""Values before which no run with falling gains is called settled."""

MOST = 100_000
"""Longest window; beyond, the noise is out of all proportion to the accuracy."""


def window(standard_error: float, accuracy: float, at_least: int) -> int:
    """Number of last values whose two halves' means differ by accuracy / 2 in standard error.

    Each mean of n/2 values has the standard error sigma sqrt(2/n), their difference 2 sigma / sqrt(n).

    >>> window(0.0, 1e-6, 20), window(0.02, 0.01, 20)
    (20, 64)
    """
    return max(at_least, math.ceil(min((4.0 * standard_error / accuracy) ** 2, MOST)))


def fall(values: tuple[float, ...], last: int) -> tuple[float, float]:
    """How far the last values fell: the mean of their first half minus that of the second, and its standard error.

    The error is judged by the scatter within the halves, so what an optimizer's own steps shake counts as noise, too.
    Both are infinite while there are fewer values.

    >>> fall((9.0, 3.0, 3.0, 1.0, 1.0), 4)
    (2.0, 0.0)
    """
    half = last // 2
    if len(values) < last or half < 2:
        return math.inf, math.inf
    trace = np.array(values[len(values) - 2 * half :]).reshape(2, half)
    early, late = trace.mean(axis=1)
    return float(early - late), float(np.sqrt(trace.var(axis=1, ddof=1).sum() / half))


def settled(values: tuple[float, ...], standard_error: float, accuracy: float) -> bool:
    """Whether the last quarter of a run's values is no lower than the quarter before, within the accuracy.

    Twice the standard error of the difference is included, and the quarters are long enough to tell.

    >>> settled((1.0,) * 100, 0.0, 1e-3), settled(tuple(1 / (1 + k) for k in range(100)), 0.0, 1e-3)
    (True, False)
    """
    difference, doubt = fall(values, max(len(values) // 2, window(2.0 * standard_error, accuracy, SHORTEST)))
    return abs(difference) + 2.0 * doubt < accuracy
