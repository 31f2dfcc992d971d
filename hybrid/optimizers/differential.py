"""Differential evolution: a population that steps along the differences of its own members."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hybrid.optimizers.optimizer import Optimizer, Points, Told, checked, require, starting_point

RENEWED = 0.1
"""Chance that a member draws a new scale, and that it draws a new crossover rate, for its next trial."""

HIDDEN = 5
"""Successive generations whose scatter must lie inside the standard errors before the search ends."""


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    seed: int
    theta: np.ndarray
    members: np.ndarray
    scales: np.ndarray
    rates: np.ndarray
    k: int = 0
    values: np.ndarray | None = None
    noise: float = 0.0
    hidden: int = 0


@dataclass(frozen=True, eq=False)
class _Trials:
    """A generation that is asked for: its points, and the scales and rates they were made with."""

    rows: np.ndarray
    scales: np.ndarray
    rates: np.ndarray


@dataclass(frozen=True)
class DifferentialEvolution(Optimizer):
    """Differential evolution, trial = x + F (best - x) + F (a - b), for some ten parameters and many minima.

    The first step asks for the population: the starting point, and others spread evenly around it. Each further step
    asks for one trial for each member x: moved towards the best member and along the difference of two others, and
    mixed with x parameter by parameter at a crossover rate. The better of trial and member stays. F and rate belong to
    each member; they are handed on when they served, and drawn anew one time in ten.

    It has converged when the population's values lie within half the accuracy: whether a lower minimum was overlooked,
    it cannot tell. Standard errors make it keep lucky values rather than low ones, so with them the search ends as soon
    as the values scatter no more than their errors in 5 successive generations: converged if the errors are below a
    tenth of the accuracy and below its params-th part, else stalled.

    Args:
        radius: Half width of the first population around the starting point, radians, in each parameter.
        population: Number of members; by default 20 + 2 params, at most 100.

    References:
        Storn, Price, J. Glob. Optim. 11, 341 (1997); Price, Storn, Lampinen, Differential Evolution (2005) for the
        strategy, current-to-best/1/bin; Brest, Greiner, Boskovic, Mernik, Zumer, IEEE Trans. Evol. Comput. 10, 646
        (2006) for scales and rates.
    """

    radius: float = np.pi
    population: int | None = None

    kind: ClassVar[str] = "differential-evolution"

    def __post_init__(self):
        require(self, "radius", 1e-12)
        if self.population is not None:
            require(self, "population", 4, 1_000_000, whole=True)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first population; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        size = self._size(theta.size)
        generator = np.random.default_rng((seed, 0))
        # One member in each of `size` equal slices of every parameter: a Latin hypercube.
        slices = generator.permuted(np.repeat(np.arange(size)[:, None], theta.size, axis=1), axis=0)
        members = theta + self.radius * (2.0 * (slices + generator.random(slices.shape)) / size - 1.0)
        members[0] = theta
        return _State(accuracy, seed, theta, members, np.full(size, 0.5), np.full(size, 0.9))

    def ask(self, state: _State) -> Points:
        """The population, or one trial for each of its members; shape (population, params)."""
        return Points(_trials(state).rows, gradient=False)

    def tell(self, state: _State, told: Told) -> _State:
        """The state after one generation; see `Optimizer.tell`."""
        trials = _trials(state)
        told = checked(Points(trials.rows, gradient=False), told)
        before = np.full(told.values.size, np.inf) if state.values is None else state.values
        better = told.values <= before
        values = np.where(better, told.values, before)
        noise = max(state.noise, float(told.standard_errors.max()))
        return replace(
            state,
            members=np.where(better[:, None], trials.rows, state.members),
            scales=np.where(better, trials.scales, state.scales),
            rates=np.where(better, trials.rates, state.rates),
            k=state.k + 1,
            values=values,
            noise=noise,
            hidden=state.hidden + 1 if noise > 0.0 and float(np.std(values)) < noise else 0,
        )

    def best(self, state: _State) -> np.ndarray:
        """The member of the lowest value, shape (params,)."""
        return state.theta if state.values is None else state.members[np.argmin(state.values)]

    def converged(self, state: _State) -> bool:
        """Whether all members have the same value, and standard errors are far below the accuracy."""
        if state.noise > 0.0:
            return state.hidden >= HIDDEN and state.noise <= state.accuracy / max(10, state.theta.size)
        return state.values is not None and float(np.ptp(state.values)) < state.accuracy / 2.0

    def stalled(self, state: _State) -> str:
        """That the standard errors hide which member is better."""
        if state.hidden < HIDDEN or self.converged(state):
            return ""
        return (
            f"values known to {state.noise:.2g} cannot tell the members of the population apart; "
            "spsa, adam and cma-es average the noise away"
        )

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows; measured to 1e-6: 30 generations for one parameter, 120 for ten, 500 for fifty."""
        return self._size(n_params) * min(max_steps, 40 + 9 * n_params)

    @property
    def uses_gradient(self) -> bool:
        """No."""
        return False

    def _size(self, n_params: int) -> int:
        if n_params == 0:
            return 1
        return self.population or min(20 + 2 * n_params, 100)


def _trials(state: _State) -> _Trials:
    """The population itself at first, then one trial for each member."""
    if state.values is None or state.theta.size == 0:
        return _Trials(state.members, state.scales, state.rates)
    size, n_params = state.members.shape
    generator = np.random.default_rng((state.seed, state.k))
    renewed = generator.random((2, size)) < RENEWED
    scales = np.where(renewed[0], 0.1 + 0.9 * generator.random(size), state.scales)
    rates = np.where(renewed[1], generator.random(size), state.rates)
    others = np.argsort(generator.random((size, size - 1)), axis=1, kind="stable")[:, :2]
    first, second = (others + (others >= np.arange(size)[:, None])).T  # two other members
    pull = state.members[np.argmin(state.values)] - state.members
    mutants = state.members + scales[:, None] * (pull + state.members[first] - state.members[second])
    mixed = generator.random((size, n_params)) < rates[:, None]
    mixed[np.arange(size), generator.integers(n_params, size=size)] = True
    return _Trials(np.where(mixed, mutants, state.members), scales, rates)
