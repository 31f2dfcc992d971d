"""Multistart: the same optimizer from many starting points, all of them at once."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from hybrid.optimizers.inner import Comparison, Inner, Nested, answers, finished, joined, made
from hybrid.optimizers.optimizer import Points, Told, checked, require, starting_point
from hybrid.optimizers.streams import child_seed, stream

START, RUN = 0, 1
"""What random numbers are drawn for, after the number of the run."""


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    runs: tuple[Any, ...]
    lows: tuple[float, ...]
    comparison: Comparison | None = None
    done: bool = False


@dataclass(frozen=True)
class Multistart(Nested[_State]):
    """Many runs of one optimizer, the lowest of their minima.

    The first run starts at the given point, the others at points drawn evenly around it. Every step asks for the rows
    of all unfinished runs in one batch; it is as many steps as the longest run takes, and one or more at the end that
    compare what the runs answered with. With standard errors, candidates are valued again until the means are known to
    half the accuracy or lie four standard errors above the lowest.

    It has converged when all runs have ended and the lowest has converged: to the minimum of its own basin, and the
    lowest of those seen. Runs that stalled do not matter unless one of them is the lowest by more than the accuracy.

    Args:
        inner: The optimizer: a name, a table of its kind and options, or an `Optimizer`.
        starts: Number of runs.
        radius: Half width of the starting points around the given one, radians, in each parameter.

    References:
        Rinnooy Kan, Timmer, Math. Program. 39, 27 (1987).
    """

    inner: Inner = "lbfgs"
    starts: int = 8
    radius: float = np.pi

    kind: ClassVar[str] = "multistart"

    def __post_init__(self):
        object.__setattr__(self, "inner", made(self.inner))
        require(self, "starts", 1, 1_000_000, whole=True)
        require(self, "radius", 1e-12)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first step; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        starts = self.starts if theta.size else 1
        runs = []
        for k in range(starts):
            shift = stream(seed, k, START).uniform(-self.radius, self.radius, theta.size) if k else 0.0
            runs.append(self._inner.init(theta + shift, accuracy=accuracy, seed=child_seed(seed, k, RUN)))
        return _State(accuracy, tuple(runs), (np.inf,) * starts)

    def ask(self, state: _State) -> Points:
        """The rows of all unfinished runs, one run after the other; at the end, the candidates."""
        if state.comparison is not None:
            return state.comparison.ask()
        return joined([self._inner.ask(state.runs[k]) for k in self._unfinished(state)])

    def tell(self, state: _State, told: Told) -> _State:
        """The state after a step of every unfinished run, or a round of comparison; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        if state.comparison is not None:
            comparison = state.comparison.tell(told)
            return replace(state, comparison=comparison, done=not comparison.open.size)
        runs, lows, unfinished = list(state.runs), list(state.lows), self._unfinished(state)
        asked = [self._inner.ask(runs[k]) for k in unfinished]
        for k, part in zip(unfinished, answers(asked, told), strict=True):
            runs[k] = self._inner.tell(runs[k], part)
            lows[k] = min(lows[k], float(part.values.min()))
        state = replace(state, runs=tuple(runs), lows=tuple(lows))
        return state if self._unfinished(state) else self._compare(state)

    def best(self, state: _State) -> np.ndarray:
        """The lowest candidate; before the end, the answer of the run that saw the lowest value; shape (params,)."""
        return self._inner.best(state.runs[self._chosen(state)])

    def converged(self, state: _State) -> bool:
        """Whether all runs have ended, and the lowest of them has converged."""
        return state.done and self._inner.converged(state.runs[self._chosen(state)])

    def stalled(self, state: _State) -> str:
        """Why the lowest run could not converge."""
        if not state.done or self.converged(state):
            return ""
        return f"the lowest of {len(state.runs)} runs stalled: {self._inner.stalled(state.runs[self._chosen(state)])}"

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """What all runs are guessed to take, and a value for each at the end."""
        starts = self.starts if n_params else 1
        return starts * self._inner.evaluations(n_params, max_steps) + (starts if starts > 1 else 0)

    def comparisons(self, n_params: int, max_steps: int) -> int:
        """What all runs are guessed to take."""
        return (self.starts if n_params else 1) * self._inner.comparisons(n_params, max_steps)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """That of all runs."""
        return (self.starts if n_params else 1) * self._inner.memory_bytes(n_params, max_steps)

    def _unfinished(self, state: _State) -> list[int]:
        return [k for k, run in enumerate(state.runs) if not finished(self._inner, run)]

    def _compare(self, state: _State) -> _State:
        """The candidates, once all runs have ended; there is nothing to compare where there is only one."""
        if len(state.runs) == 1:
            return replace(state, done=True)
        known = any(self._inner.converged(run) for run in state.runs)
        candidates = np.stack([self._inner.best(run) for run in state.runs])
        return replace(state, comparison=Comparison.of(candidates, state.accuracy if known else np.inf))

    def _chosen(self, state: _State) -> int:
        """The run to answer with: the lowest; among those within the accuracy of it, one that has converged."""
        if state.comparison is None or not state.comparison.counts.any():
            return int(np.argmin(state.lows))
        means = state.comparison.means
        near = means <= means.min() + state.accuracy
        good = near & np.array([self._inner.converged(run) for run in state.runs])
        return int(np.argmin(np.where(good, means, np.inf) if good.any() else means))
