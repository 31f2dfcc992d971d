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

    Args:
        standard_error: Sigma of each value.
        accuracy: In the same unit.
        at_least: Shortest window.

    Returns:
        Number of values, at most `MOST` unless more are asked for at least.

    >>> window(0.0, 1e-6, 20), window(0.02, 0.01, 20)
    (20, 64)
    """
    return max(at_least, math.ceil(min((4.0 * standard_error / accuracy) ** 2, MOST)))


def fall(values: tuple[float, ...], last: int, parts: int = 2) -> tuple[float, float]:
    """How far the last values fell: the mean of their first part minus that of the last, and its standard error.

    The error is judged by the scatter within both, so what an optimizer's own steps shake counts as noise, too.
    Both are infinite while there are fewer values. With three parts, a fall that slows down as a power of the number of
    steps shows more of what it still has before it.

    Args:
        values: One for each step.
        last: How many of them to look at.
        parts: Into how many parts they are cut.

    Returns:
        The fall, positive downwards, and its standard error, in the unit of the values.

    >>> fall((9.0, 3.0, 3.0, 1.0, 1.0), 4)
    (2.0, 0.0)
    >>> fall((3.0, 3.0, 9.0, 9.0, 1.0, 1.0), 6, parts=3)
    (2.0, 0.0)
    """
    size = last // parts
    if len(values) < last or size < 2:
        return math.inf, math.inf
    trace = np.array(values[len(values) - parts * size :]).reshape(parts, size)[[0, -1]]
    early, late = trace.mean(axis=1)
    return float(early - late), float(np.sqrt(trace.var(axis=1, ddof=1).sum() / size))


def settled(values: tuple[float, ...], standard_error: float, accuracy: float, at_least: int) -> bool:
    """Whether noisy values stopped falling: no more than the accuracy, two standard errors included.

    The second quarter of the run is compared with the last: what falls as a power of the number of steps shows a trend
    only over a fixed share of it. A long, flat valley cannot be told from a minimum.

    Args:
        values: One for each step, all of the run.
        standard_error: Of each value.
        accuracy: In the objective's unit.
        at_least: Shortest window.

    Returns:
        True if no further fall can be told.
    """
    last = max(3 * len(values) // 4, 3 * window(standard_error, accuracy, at_least) // 2)
    difference, doubt = fall(values, last, parts=3)
    return abs(difference) + 2.0 * doubt < accuracy
