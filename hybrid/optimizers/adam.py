"""Adam: descent along the gradient's running mean, each parameter scaled by its running size."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import numpy as np

from hybrid.optimizers.gap import Pair, is_down
from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import FEW, Optimizer, Points, Told, checked, require, rows_bytes, starting_point
from hybrid.optimizers.trend import fall, settled

PAIRS = 20
"""Last steps from which the curvature is estimated."""


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    theta: np.ndarray
    rate: float
    moments: Any
    lowest: np.ndarray
    value: float = np.inf
    last: tuple[np.ndarray, np.ndarray] | None = None
    pairs: tuple[Pair, ...] = ()
    values: tuple[float, ...] = ()
    recent: tuple[np.ndarray, ...] = ()
    uphill: tuple[bool, ...] = ()
    waited: int = 0
    mark: float = np.inf
    noisy: bool = False
    done: bool = False


@dataclass(frozen=True)
class Adam(Optimizer[_State]):
    """Adam, theta <- theta - rate m / (sqrt(v) + 1e-8), with m, v the bias-corrected running means of g and g^2.

    One row with its gradient per step; the update is optax's, in float64. The rate starts at ``learning_rate``.
    Whenever `patience` steps did not lower the value by a tenth of the accuracy, it is halved if a quarter of them went
    uphill (at a fixed rate Adam circles the minimum) and doubled otherwise (old, large gradients in v hold it back).
    With standard errors it is halved when the values of `patience` steps show no fall beyond twice the error.

    With exact values it has converged when |g|^2 over twice the smallest curvature seen on the last 20 steps is below
    a tenth of the accuracy, and the last `patience` steps did not gain the accuracy either. With standard errors, when
    the values' mean over the last quarter of the run differs from that over the second by less than the accuracy, twice
    the standard error of the difference included, and the rate is so small that circling costs less than the accuracy
    at unit curvature, rate^2 params / 2. What a noisy run answers with is then the mean of its last `patience`
    iterates, otherwise the point of the lowest value.

    Args:
        learning_rate: First length of a step in each parameter, radians.
        b1: Memory of the mean gradient.
        b2: Memory of the mean squared gradient.
        patience: Steps without progress before the rate is halved, and shortest window of the stopping rule.

    References:
        Kingma, Ba, arXiv:1412.6980 (2015).
    """

    learning_rate: float = 0.05
    b1: float = 0.9
    b2: float = 0.999
    patience: int = 20

    kind: ClassVar[str] = "adam"

    def __post_init__(self):
        require(self, "learning_rate", 1e-12)
        require(self, "b1", 0.0, 1.0 - 1e-9)
        require(self, "b2", 0.0, 1.0 - 1e-9)
        require(self, "patience", 4, 100_000, whole=True)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first step; see `Optimizer.init`. The seed is not needed."""
        del seed
        theta = starting_point(theta, accuracy)
        return _State(accuracy, theta, float(self.learning_rate), None, theta)

    def ask(self, state: _State) -> Points:
        """One row, with its gradient."""
        return Points(state.theta[None, :], gradient=True)

    @one_thread()
    def tell(self, state: _State, told: Told) -> _State:
        """The state after one update; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        assert told.gradients is not None
        theta, gradient = state.theta, told.gradients[0].copy()
        value, error = float(told.values[0]), float(told.standard_errors[0])
        pairs, uphill = state.pairs, state.uphill
        if state.last is not None:
            step = theta - state.last[0]
            pairs = (*pairs, (step, gradient - state.last[1]))[-PAIRS:]
            uphill = (*uphill, bool(step @ gradient > 0.0))[-self.patience :]
        lower = value < state.value
        state = replace(
            state,
            pairs=pairs,
            uphill=uphill,
            last=(theta, gradient),
            values=(*state.values, value),
            recent=(*state.recent, theta)[-self.patience :],
            lowest=theta if lower else state.lowest,
            value=value if lower else state.value,
            noisy=state.noisy or error > 0.0,
        )
        state = self._judge(state, gradient, error)
        first, step = _programs(self.b1, self.b2)
        direction, moments = step(gradient, first(gradient) if state.moments is None else state.moments)
        return replace(state, theta=theta - state.rate * direction, moments=moments)

    def best(self, state: _State) -> np.ndarray:
        """The point of the lowest value, or the mean of the last iterates if values are noisy; shape (params,)."""
        return np.mean(state.recent, axis=0) if state.noisy else state.lowest

    def converged(self, state: _State) -> bool:
        """Whether the values stopped falling, and the gradient or the standard errors confirm it."""
        return state.done

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """All steps: with circuits, Adam rarely ends before some hundreds."""
        del n_params
        return min(max_steps, 300)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """The last iterates and gradient changes, and what XLA holds."""
        return rows_bytes(3 * FEW + min(2 * PAIRS + self.patience, 3 * max_steps), n_params)

    @property
    def uses_gradient(self) -> bool:
        """Yes."""
        return True

    def _judge(self, state: _State, gradient: np.ndarray, error: float) -> _State:
        """Halve the rate on a plateau; stop at the minimum."""
        accuracy, factor = state.accuracy, 1.0
        lower = state.value < state.mark - accuracy / 10.0
        waited = 0 if lower and not state.noisy else state.waited + 1
        mark = state.value if lower else state.mark
        if state.noisy:
            circling = state.rate**2 * gradient.size / 2.0
            done = circling < accuracy and settled(state.values, error, accuracy, self.patience)
            if waited == self.patience:
                factor, waited = (0.5 if fall(state.values, self.patience)[0] < 2.0 * error else 1.0), 0
        else:
            done = is_down(gradient, state.pairs, state.values, self.patience, accuracy)
            if waited == self.patience:
                factor, waited = (0.5 if 4 * sum(state.uphill) >= self.patience else 2.0), 0
        done = done or not gradient.size
        return replace(state, mark=mark, waited=waited, done=done, rate=factor * state.rate)


@cache
def _programs(b1: float, b2: float):
    """Optax's Adam, compiled: ``first(gradient) -> moments`` and ``step(gradient, moments) -> direction, moments``."""
    import jax
    import optax

    adam = optax.scale_by_adam(b1=b1, b2=b2)
    compiled = jax.jit(adam.update)

    def first(gradient):
        with jax.enable_x64(True):
            return adam.init(gradient)

    def step(gradient, moments):
        with jax.enable_x64(True):
            direction, moments = compiled(gradient, moments)
            return np.asarray(direction), moments

    return first, step
