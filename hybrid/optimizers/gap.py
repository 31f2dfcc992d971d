"""How far above the minimum a point still is, judged by its gradient and the curvature seen on the way."""

import numpy as np

from hybrid.optimizers.trend import fall

Pair = tuple[np.ndarray, np.ndarray]
"""A step s and the change of the gradient y along it, each of shape (params,)."""


def gap(gradient: np.ndarray, pairs: tuple[Pair, ...]) -> float:
    """An estimate from above of f(theta) - f(minimum).

    For a function whose curvature is at least mu, f - f* <= |g|^2 / (2 mu). The smallest curvature seen along the last
    steps, min s.y / s.s, stands for mu. It can only be larger than the true one, so steps along slow directions must be
    among the pairs: an optimizer that has almost converged has been following them.

    Args:
        gradient: At the point, shape (params,).
        pairs: The last steps and gradient changes; those without positive curvature are passed over.

    Returns:
        The estimate, in the objective's unit; infinite while no positive curvature was seen.
    """
    norm = float(gradient @ gradient)
    if norm == 0.0:
        return 0.0
    curvatures = [float(s @ y) / float(s @ s) for s, y in pairs if float(s @ y) > 0.0]
    return norm / (2.0 * min(curvatures)) if curvatures else np.inf


def is_down(
    gradient: np.ndarray, pairs: tuple[Pair, ...], values: tuple[float, ...], last: int, accuracy: float
) -> bool:
    """Whether exact values have come to rest, and less than a tenth of the accuracy is left below them.

    Args:
        gradient: At the last point, shape (params,).
        pairs: As for `gap`.
        values: One for each step.
        last: Over how many of them they must be at rest.
        accuracy: In their unit.
    """
    quiet = not gradient.any() or abs(fall(values, last)[0]) < accuracy
    return quiet and gap(gradient, pairs) < accuracy / 10.0
