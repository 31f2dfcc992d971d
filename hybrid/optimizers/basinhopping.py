"""Basin hopping: from minimum to minimum by random jumps and descents."""

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from hybrid.optimizers.inner import Comparison, Inner, Nested, answers, finished, made
from hybrid.optimizers.optimizer import Points, Told, checked, require, rows_bytes, starting_point
from hybrid.optimizers.streams import child_seed, stream

JUMP, DESCENT = 0, 1
"""What random numbers are drawn for, after the number of the hop."""


@dataclass(frozen=True, eq=False)
class _Basin:
    """A minimum, its value and standard error, and why the descent into it stalled if it did."""

    theta: np.ndarray
    value: float
    error: float
    stalled: str


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    seed: int
    run: Any
    hop: int = 0
    comparison: Comparison | None = None
    here: _Basin | None = None
    lowest: _Basin | None = None
    waited: int = 0


@dataclass(frozen=True)
class BasinHopping(Nested[_State]):
    """A walk over the minima: jump away from one, descend with the inner optimizer, stay there or go back.

    A jump is drawn evenly from [-radius, radius] in each parameter. A new minimum is accepted if it is lower, or else
    with the probability exp(-rise / temperature). Steps are the inner optimizer's own, and one after each descent that
    asks for the value of its answer; with standard errors, as many as it takes to know it to half the accuracy.

    It has converged when `patience` successive jumps found no minimum lower by more than the accuracy and twice the
    standard error, and the descent into the lowest had converged.

    Args:
        inner: The optimizer that descends: a name, a table of its kind and options, or an `Optimizer`.
        radius: Half width of a jump, radians, in each parameter.
        temperature: In the objective's unit; at 0 no higher minimum is accepted.
        patience: Jumps in vain before the search ends.

    References:
        Wales, Doye, J. Phys. Chem. A 101, 5111 (1997); Leary, J. Glob. Optim. 18, 367 (2000) for temperature 0.
    """

    inner: Inner = "lbfgs"
    radius: float = 1.0
    temperature: float = 0.0
    patience: int = 5

    kind: ClassVar[str] = "basin-hopping"

    def __post_init__(self):
        object.__setattr__(self, "inner", made(self.inner))
        require(self, "radius", 1e-12)
        require(self, "temperature", 0.0)
        require(self, "patience", 1, 1_000_000, whole=True)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first descent; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        return _State(accuracy, seed, self._inner.init(theta, accuracy=accuracy, seed=child_seed(seed, 0, DESCENT)))

    def ask(self, state: _State) -> Points:
        """What the descent asks for, or its answer."""
        return self._inner.ask(state.run) if state.comparison is None else state.comparison.ask()

    def tell(self, state: _State, told: Told) -> _State:
        """The state after one more step of a descent, or one more value of its answer; see `Optimizer.tell`."""
        points = self.ask(state)
        told = checked(points, told)
        if state.comparison is not None:
            comparison = state.comparison.tell(told)
            state = replace(state, comparison=comparison)
            return state if comparison.open.size else self._hop(state, comparison)
        run = self._inner.tell(state.run, next(answers([points], told)))
        if not finished(self._inner, run):
            return replace(state, run=run)
        theta = self._inner.best(run)
        if not theta.size:  # there is nowhere to jump to
            basin = _Basin(theta, float(told.values[0]), float(told.standard_errors[0]), self._inner.stalled(run))
            return replace(state, run=run, lowest=basin, waited=self.patience)
        tolerance = np.inf if self._inner.stalled(run) else state.accuracy
        return replace(state, run=run, comparison=Comparison.of(theta[None], tolerance))

    def best(self, state: _State) -> np.ndarray:
        """The lowest minimum; during the first descent, its answer; shape (params,)."""
        return self._inner.best(state.run) if state.lowest is None else state.lowest.theta

    def converged(self, state: _State) -> bool:
        """Whether the last jumps were in vain, and the descent into the lowest minimum had converged."""
        return state.waited >= self.patience and state.lowest is not None and not state.lowest.stalled

    def stalled(self, state: _State) -> str:
        """Why the descent into the lowest minimum could not converge."""
        if state.waited < self.patience or state.lowest is None or self.converged(state):
            return ""
        return f"the descent into the lowest minimum stalled: {state.lowest.stalled}"

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """As if the first minimum were the lowest: one descent and a value more than `patience`."""
        if n_params == 0:
            return self._inner.evaluations(n_params, max_steps)
        descents = min(self.patience + 1, max(max_steps // 2, 1))
        return descents * (self._inner.evaluations(n_params, max(max_steps // descents - 1, 1)) + 1)

    def comparisons(self, n_params: int, max_steps: int) -> int:
        """As many a row as the inner optimizer."""
        rows = max(self._inner.evaluations(n_params, max_steps), 1)
        return self._inner.comparisons(n_params, max_steps) * self.evaluations(n_params, max_steps) // rows

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """That of one descent, and the minima that it walks between."""
        return self._inner.memory_bytes(n_params, max_steps) + rows_bytes(6, n_params)

    def _hop(self, state: _State, comparison: Comparison) -> _State:
        """Stay at the new minimum or go back, and jump."""
        value, error = float(comparison.means[0]), float(comparison.errors[0])
        basin = _Basin(comparison.rows[0], value, error, self._inner.stalled(state.run))
        generator = stream(state.seed, state.hop, JUMP)
        here, lowest, waited = state.here, state.lowest, state.waited + 1
        rise = -math.inf if here is None else value - here.value
        if rise <= 0.0 or (self.temperature > 0.0 and generator.random() < math.exp(-rise / self.temperature)):
            here = basin
        if lowest is None or value < lowest.value - state.accuracy - 2.0 * math.hypot(error, lowest.error):
            lowest, waited = basin, 0
        elif value < lowest.value and not basin.stalled:
            lowest = basin
        assert here is not None
        start = here.theta + generator.uniform(-self.radius, self.radius, here.theta.size)
        hop = state.hop + 1
        run = self._inner.init(start, accuracy=state.accuracy, seed=child_seed(state.seed, hop, DESCENT))
        return replace(state, run=run, hop=hop, comparison=None, here=here, lowest=lowest, waited=waited)
