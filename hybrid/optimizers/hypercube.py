"""Points that fill a cube evenly."""

import numpy as np


def hypercube(rng: np.random.Generator, n_points: int, n_params: int) -> np.ndarray:
    """A Latin hypercube: one point in each of n equal slices of [-1, 1] along every parameter.

    Args:
        rng: Draws the order of the slices, and the places in them.
        n_points: Number of points, and of slices.
        n_params: Number of parameters.

    Returns:
        Shape (n_points, n_params).

    References:
        McKay, Beckman, Conover, Technometrics 21, 239 (1979).
    """
    slices = np.array([rng.permutation(n_points) for _ in range(n_params)], dtype=float).reshape(n_params, n_points).T
    return (slices + rng.uniform(size=(n_points, n_params))) / (max(n_points, 1) / 2.0) - 1.0
