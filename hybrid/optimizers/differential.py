"""Differential evolution: a population that steps along the differences of its own members."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hybrid.optimizers.hypercube import hypercube
from hybrid.optimizers.optimizer import FEW, require, rows_bytes
from hybrid.optimizers.replayed import TOLD, Objective, Replayed, shows, too_noisy
from hybrid.optimizers.streams import stream

HIDDEN = 5
"""Successive generations whose scatter must lie inside the standard errors before the search ends."""


@dataclass(frozen=True)
class DifferentialEvolution(Replayed):
    """Differential evolution, trial = x + F (best - x) + F (a - b), as SciPy has it, for many minima.

    The first step asks for the population: the starting point, and others spread evenly around it. Each further step
    asks for one trial for each member x: moved towards the best member and along the difference of two others, with F
    drawn between 0.5 and 1, and mixed with x parameter by parameter at a crossover rate of 0.7. The better of trial and
    member stays. No point lies farther than `radius` from the start in any parameter.

    It has converged when the population's values lie within a quarter of the accuracy, or 5 / params of it where that
    is less: what was left beyond that spread grew with the number of parameters, to four times the spread at 50 and
    ten times at 100. Whether a lower minimum was overlooked, it cannot tell. Standard errors make it keep lucky values
    rather than low ones, so with them the search ends as soon as the values scatter no more than their errors in 5
    successive generations: converged if the errors are below a tenth of the accuracy and below its params-th part,
    else stalled.

    Args:
        radius: Half width of the search around the starting point, radians, in each parameter.
        population: Number of members; by default 20 + 2 params, at most 100.

    References:
        Storn, Price, J. Glob. Optim. 11, 341 (1997); Price, Storn, Lampinen, Differential Evolution (2005) for the
        strategy, current-to-best/1/bin.
    """

    radius: float = np.pi
    population: int | None = None

    kind: ClassVar[str] = "differential-evolution"

    def __post_init__(self):
        require(self, "radius", 1e-12)
        if self.population is not None:
            require(self, "population", 5, 1_000_000, whole=True)

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows; measured to 1e-6: 70 generations for five parameters, 150 for ten, 900 for fifty."""
        if n_params == 0:
            return 1
        return self._size(n_params) * min(max_steps, 30 + 15 * n_params)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """The population, trials, and what SciPy makes them of; the values of all generations."""
        size = self._size(n_params)
        return rows_bytes(FEW + 20 * size, n_params) + (TOLD + 16 * size) * max_steps

    def _size(self, n_params: int) -> int:
        return self.population or min(20 + 2 * n_params, 100)

    def _solve(self, objective: Objective, theta: np.ndarray, *, accuracy: float, seed: int) -> str:
        from scipy.optimize import differential_evolution

        rng = stream(seed, 0)
        n_params, spread = theta.size, accuracy / max(4.0, theta.size / 5.0)
        first = self.radius * hypercube(rng, self._size(n_params), n_params)
        first[0] = 0.0
        noise, hidden = 0.0, 0

        def values(x: np.ndarray) -> np.ndarray:
            nonlocal noise
            told, errors = objective(theta + x.T)
            noise = max(noise, float(errors.max()))
            return told

        def ended(intermediate_result) -> bool:
            nonlocal hidden
            members = intermediate_result.population_energies
            hidden = hidden + 1 if float(np.std(members)) < noise else 0
            return hidden >= HIDDEN if noise > 0.0 else float(np.ptp(members)) < spread

        differential_evolution(
            values,
            [(-self.radius, self.radius)] * n_params,
            strategy="currenttobest1bin",
            init=first,  # pyright: ignore[reportArgumentType] - an array is as good as a name
            rng=rng,
            callback=ended,
            maxiter=10**9,
            tol=0.0,
            polish=False,
            vectorized=True,
            updating="deferred",
        )
        return "" if shows(noise, accuracy, n_params) else too_noisy(noise, self.kind, accuracy)
