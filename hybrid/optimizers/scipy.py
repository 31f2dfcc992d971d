"""SciPy's COBYLA and Nelder-Mead, with a look around before their end is called a minimum."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hybrid.optimizers.curvature import FULL, promise
from hybrid.optimizers.optimizer import FEW, require, rows_bytes
from hybrid.optimizers.replayed import TOLD, Objective, Replayed, shows, too_noisy

ROUNDS = 20
"""Restarts before a method that keeps finding lower values is given up."""

NEAREST = 1e-4
"""Distance of the nearest neighbours looked at, radians: second differences lose 1e-7 of the value to rounding."""

SHARES = np.array([1.0, 0.3, 0.1, 0.03])
"""Of a Newton step, tried together: where the function is no parabola, a short one may still help."""


class _Simplex(Replayed):
    """What both methods share: rounds of SciPy's minimizer, until neither a restart nor a look around gains."""

    radius: float

    @abstractmethod
    def _round(
        self,
        function: Callable[[np.ndarray], float],
        theta: np.ndarray,
        *,
        tolerance: float,
        radius: float,
        exact: bool,
    ) -> tuple[np.ndarray, float]:
        """One minimization from theta within about the tolerance: the lowest point and value."""

    def _solve(self, objective: Objective, theta: np.ndarray, *, accuracy: float, seed: int) -> str:
        """Round after round: a method without gradients may stop before the minimum."""
        del seed
        noise = 0.0

        def values(rows: np.ndarray) -> np.ndarray:
            nonlocal noise
            told, errors = objective(rows)
            noise = max(noise, float(errors.max()))
            return told

        def value(x: np.ndarray) -> float:
            return float(values(x[None])[0])

        best, lowest, radius = theta, value(theta), self.radius
        exact, tolerance = noise == 0.0, max(accuracy, noise)
        again = 10.0 * tolerance**0.5
        reach = max(self.radius, again)
        for k in range(ROUNDS):
            point, reached = self._round(value, best, tolerance=tolerance, radius=radius, exact=exact)
            gained = lowest - reached
            if gained > 0.0:
                best, lowest = point, reached
            radius = min(self.radius, again)
            if k == 0 or gained >= tolerance / 2.0:
                continue
            if not shows(noise, accuracy, theta.size):
                return too_noisy(noise, self.kind, accuracy)
            if not exact:
                return ""  # noise hides second differences
            h = float(np.clip(tolerance**0.5, NEAREST, 0.1))
            while h >= NEAREST:
                left, step = promise(values, best, lowest, h=h, reach=reach)
                if left < accuracy / 2.0:
                    return ""
                rows = best + SHARES[:, None] * step
                told = values(rows)
                gained = lowest - float(told.min())
                if gained > 0.0:
                    best, lowest = rows[np.argmin(told)], float(told.min())
                if gained >= tolerance / 2.0:
                    break
                h /= 8.0  # no parabola at this distance
        return f"{ROUNDS} restarts each still found lower values: this method does not get further here"


def _rows(n_params: int, steps: int, max_steps: int) -> int:
    """Those of so many steps, and of the look around after them."""
    look = 2 * n_params + (n_params * (n_params - 1) // 2 if n_params <= FULL else 0)
    return steps + look if steps < max_steps else max_steps


@dataclass(frozen=True)
class COBYLA(_Simplex):
    """Powell's linear approximations on a simplex inside a shrinking trust region, as SciPy has it.

    One row per step, no gradient. The final radius of the trust region is a tenth of the square root of the accuracy
    (near a minimum of unit curvature, values change by the square of the distance). SciPy's stop is believed when a
    restart, from where it stopped and with a radius of 10 sqrt(accuracy), gains less than half the accuracy, and then a
    parabola through the neighbours promises less than that: one step of 2 params + params (params - 1) / 2 rows. (In
    long, curved valleys a restart alone was believed 50 accuracies above the minimum.) Otherwise Newton's step is
    taken. Beyond 30 parameters only 2 params neighbours are looked at, and a valley across all parameters can be
    missed; so it can in noise, where nothing is looked at. Standard errors larger than the accuracy take its place;
    unless they are below a tenth of it, and below its params-th part, the run ends stalled, not converged.

    Args:
        radius: First radius of the trust region, radians.

    References:
        Powell, in Advances in Optimization and Numerical Analysis, 51 (1994); Zhang, PRIMA, doi:10.5281/zenodo.8052654.
    """

    radius: float = 0.5

    kind: ClassVar[str] = "cobyla"

    def __post_init__(self):
        require(self, "radius", 1e-12)

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows, from trigonometric functions of up to 20 parameters."""
        return _rows(n_params, 20 + 20 * n_params, max_steps)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """PRIMA's matrices of the simplex, the neighbours at the end, and the values so far."""
        return rows_bytes(FEW + 20 * n_params, n_params) + TOLD * max_steps

    def _round(
        self,
        function: Callable[[np.ndarray], float],
        theta: np.ndarray,
        *,
        tolerance: float,
        radius: float,
        exact: bool,
    ) -> tuple[np.ndarray, float]:
        from scipy.optimize import minimize

        options = {"rhobeg": radius, "tol": min(0.1 * tolerance**0.5, radius), "maxiter": 10**9}
        result = minimize(function, theta, method="COBYLA", options=options)
        return result.x, float(result.fun)


@dataclass(frozen=True)
class NelderMead(_Simplex):
    """The simplex that reflects, expands, contracts and shrinks, as SciPy has it, for a few parameters.

    One row per step, no gradient, coefficients adapted to the number of parameters. A round ends when the simplex's
    values agree to a tenth of the accuracy and its points to the square root of the accuracy. When SciPy's stop is
    believed, and what standard errors do, is as for `COBYLA`; a restart here has edges of 10 sqrt(accuracy).

    Args:
        radius: Edge of the first simplex, radians.

    References:
        Nelder, Mead, Comput. J. 7, 308 (1965); Gao, Han, Comput. Optim. Appl. 51, 259 (2012) for the coefficients.
    """

    radius: float = 0.5

    kind: ClassVar[str] = "nelder-mead"

    def __post_init__(self):
        require(self, "radius", 1e-12)

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows, from trigonometric functions of up to 10 parameters."""
        return _rows(n_params, 100 * n_params + 10, max_steps)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """The simplex and SciPy's copies of it, the neighbours at the end, and the values so far."""
        return rows_bytes(FEW + 11 * n_params, n_params) + TOLD * max_steps

    def _round(
        self,
        function: Callable[[np.ndarray], float],
        theta: np.ndarray,
        *,
        tolerance: float,
        radius: float,
        exact: bool,
    ) -> tuple[np.ndarray, float]:
        from scipy.optimize import minimize

        simplex = np.vstack([theta, theta + radius * np.eye(theta.size)])
        limits = {
            "maxiter": 10**9,
            "maxfev": 10**9,
            "fatol": tolerance / 10.0 if exact else np.inf,
            "xatol": tolerance**0.5,
        }
        options = {"initial_simplex": simplex, "adaptive": True, **limits}
        result = minimize(function, theta, method="Nelder-Mead", options=options)
        return result.x, float(result.fun)
