"""What a parabola through a point's neighbours still promises below it."""

from collections.abc import Callable

import numpy as np

FULL = 30
"""Parameters up to which mixed derivatives are looked at, too: their neighbours grow as the square of it."""


def promise(
    values: Callable[[np.ndarray], np.ndarray], theta: np.ndarray, value: float, *, h: float, reach: float
) -> tuple[float, np.ndarray]:
    """How much lower Newton's method expects the minimum, and the step there.

    Gradient g and Hessian are central differences of neighbours in the distance h. Along an eigenvector of curvature w
    the promise is g^2 / 2w, at the step -g / w; where w is negative or lost in rounding, |g| r + |w| r^2 / 2 of a
    step of the length r = reach. Beyond `FULL` parameters each is looked at alone.

    Args:
        values: From rows, shape (rows, params), to their values, shape (rows,); called once.
        theta: The point, shape (params,).
        value: There.
        h: Distance of the neighbours, radians.
        reach: Longest step along one direction, radians.

    Returns:
        The promise, in the unit of the values, and the step, shape (params,), radians.
    """
    n = theta.size
    unit = h * np.eye(n)
    first, second = np.triu_indices(n, 1) if n <= FULL else (np.empty(0, int),) * 2
    told = values(theta + np.concatenate([unit, -unit, unit[first] + unit[second]]))
    up, down, mixed = told[:n], told[n : 2 * n], told[2 * n :]
    gradient = (up - down) / (2.0 * h)
    bends, along, vectors = up + down - 2.0 * value, gradient, None
    if mixed.size:
        hessian = np.diag(bends)
        hessian[first, second] = hessian[second, first] = mixed - up[first] - up[second] + value
        bends, vectors = np.linalg.eigh(hessian)
        along = gradient @ vectors
    curvatures = bends / h**2
    lost = 8.0 * np.finfo(float).eps * float(np.abs(told).max()) / h**2
    curved = curvatures > max(lost, 1e-9 * np.abs(curvatures).max())
    lengths = np.minimum(np.where(curved, np.abs(along) / np.where(curved, curvatures, 1.0), reach), reach)
    promises = lengths * np.abs(along) - np.where(np.abs(curvatures) > lost, curvatures, 0.0) * lengths**2 / 2.0
    step = np.where(along > 0.0, -lengths, lengths)
    return float(promises.sum()), step if vectors is None else vectors @ step
