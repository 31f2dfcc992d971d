"""Counts what a contestant asks for, and ends its run when it is there or has asked for too much."""

import numpy as np

from descent.landscapes import Evaluate, Landscape


class Ended(BaseException):
    """The run is over; no optimizer catches it."""


class Meter:
    """Evaluates, counts, and compares with the target; the truth is never told where the landscape is noisy.

    Args:
        landscape: What is minimized.
        f: Made by it.
        minimum: Its lowest value.
        seed: Of the noise.
        budget: Most rows; a tenth of it where gradients are asked for.
    """

    def __init__(self, landscape: Landscape, f: Evaluate, minimum: float, seed: int, budget: int):
        self.landscape, self._f, self._bound = landscape, f, minimum + landscape.target
        self._noise = np.random.default_rng((seed, 78))
        self.budget, self.asked, self.reached = budget, 0, None
        self.gradients = False

    def __call__(self, rows: np.ndarray, *, gradient: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values, standard errors and gradients of rows; ends the run at the first one that is within the target."""
        self.gradients |= gradient
        left = (self.budget // 10 if self.gradients else self.budget) - self.asked
        values, slopes = self._f(np.atleast_2d(rows))
        there = np.flatnonzero(values[: max(left, 0)] <= self._bound)
        if there.size:
            self.reached = self.asked + int(there[0]) + 1
        self.asked += len(values)
        if self.reached or len(values) >= left:
            raise Ended
        sigma = self.landscape.sigma
        if sigma:
            values = values + sigma * self._noise.normal(size=values.shape)
            slopes = slopes + sigma / np.sqrt(2.0) * self._noise.normal(size=slopes.shape)
        return values, np.full(values.shape, sigma), slopes

    def answers(self, theta: np.ndarray) -> None:
        """Ends the run if what an optimizer would answer with is within the target, evaluated or not."""
        if self._f(theta[None])[0][0] <= self._bound:
            self.reached = max(self.asked, 1)
            raise Ended

    def value(self, theta: np.ndarray) -> float:
        """One value, for rivals."""
        return float(self(theta, gradient=False)[0][0])

    def value_and_grad(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """One value with its gradient, for rivals."""
        values, _, slopes = self(theta, gradient=True)
        return float(values[0]), slopes[0]
