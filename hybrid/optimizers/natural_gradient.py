"""Quantum natural gradient: descent where distances are those between states, not those between parameters."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

import numpy as np

from circuits.errors import Refused, unknown
from hybrid.optimizers.gap import Pair, gap
from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import FEW, Optimizer, Points, Told, checked, require, rows_bytes, starting_point
from hybrid.optimizers.streams import stream

Part = Literal["full", "block-diagonal"]

ARMIJO = 1e-4
"""Share of the promised decrease that a step must bring."""

MAX_TRIALS = 20
"""Trial points along one direction before it is given up."""

LONGEST = np.pi / 2
"""No step moves a parameter further, in radians: beyond, a rotation comes back."""

KICK = 0.1
"""Length of the random step away from a stationary start, radians."""

PAIRS = 10
"""Last steps from which the curvature is estimated."""


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    seed: int
    rate: float
    foot: np.ndarray
    gradient: np.ndarray
    direction: np.ndarray
    lowest: np.ndarray
    floor: float = np.inf
    step: float = 0.0
    value: float = np.inf
    error: float = 0.0
    last: Pair | None = None
    pairs: tuple[Pair, ...] = ()
    trials: int = 0
    calm: int = 0
    kicked: bool = False
    stuck: bool = False


@dataclass(frozen=True)
class NaturalGradient(Optimizer[_State]):
    """Steepest descent in the Fubini-Study metric, theta <- theta - t (g + regularization)^-1 grad f.

    A foot is asked for with its gradient and metric g, one row; with the line search, trial points on the way down
    from it are then asked for their value alone, until one lowers it by the Armijo rule. The parabola through value and
    slope at the foot and the value at the trial gives the next t. Without the line search t is always `learning_rate`,
    and every row is a foot. No step moves a parameter by more than pi / 2.

    The metric is exact on backends that hand out states; elsewhere it is made of fidelities by shots. Such an estimate
    may have negative eigenvalues, of which the absolute values are taken. "block-diagonal" takes what lies between
    parameters of one layer (see `circuits.layers.layers`), all that the paper's measurement scheme sees. On a simulator
    both cost the same.

    It has converged when, at two successive feet, |grad f|^2 over twice the smallest curvature seen is below a tenth of
    the accuracy, and the steps brought less than the accuracy. A standard error larger than the accuracy takes its
    place; the run then ends stalled. A start where the gradient vanishes is left by a small random step.

    Args:
        metric: "full" or "block-diagonal".
        regularization: Added to the metric's eigenvalues, which lie between 0 and a quarter of the number of gates
            that a parameter turns, squared. Directions that hardly change the state are followed no faster than this
            allows.
        learning_rate: The step t, or the first one tried.
        line_search: Whether t is searched for.

    References:
        Stokes, Izaac, Killoran, Carleo, Quantum 4, 269 (2020).
    """

    metric: Part = "full"
    regularization: float = 1e-3
    learning_rate: float = 0.1
    line_search: bool = True

    kind: ClassVar[str] = "natural-gradient"

    def __post_init__(self):
        if self.metric not in get_args(Part):
            raise unknown("metric of optimizer natural-gradient:", str(self.metric), get_args(Part))
        require(self, "regularization", 0.0)
        require(self, "learning_rate", 1e-12)
        if not isinstance(self.line_search, bool):
            raise Refused(f"optimizer natural-gradient: line_search must be true or false, not {self.line_search!r}")

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first step; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        return _State(accuracy, seed, float(self.learning_rate), theta, theta, theta, theta)

    def ask(self, state: _State) -> Points:
        """A foot with its gradient and metric, or a trial point."""
        if state.trials == 0:
            return Points(state.foot[None, :], gradient=True, metric=self.metric)
        return Points((state.foot + state.step * state.direction)[None, :], gradient=False)

    @one_thread()
    def tell(self, state: _State, told: Told) -> _State:
        """The state with a new direction, or one more trial point known; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        value, error = float(told.values[0]), float(told.standard_errors[0])
        if told.gradients is None or told.metrics is None:
            return self._tried(state, value, error)
        started = state.last is not None
        state = _arrived(state, value, error, told.gradients[0].copy())
        if not state.foot.size or (not started and np.linalg.norm(state.gradient) <= 1e-3 * np.sqrt(state.accuracy)):
            return _stationary(state)
        if not state.gradient.any():
            return replace(state, calm=2)
        direction = -natural(told.metrics[0], state.gradient[None], self.regularization)[0]
        longest = LONGEST / float(np.max(np.abs(direction)))
        step = min(state.rate if self.line_search else self.learning_rate, longest)
        if self.line_search:
            return replace(state, direction=direction, step=step, trials=1)
        return replace(state, foot=state.foot + step * direction)

    def best(self, state: _State) -> np.ndarray:
        """The foot of the lowest value, or the last one if values are noisy; shape (params,)."""
        return state.lowest

    def converged(self, state: _State) -> bool:
        """Whether at two successive feet less than the accuracy was left."""
        return state.calm >= 2 and state.error <= state.accuracy

    def stalled(self, state: _State) -> str:
        """That noise hides what is left, or that no step along the direction lowers the value."""
        if self.converged(state):
            return ""
        if state.calm >= 2:
            return f"values are known to {state.error:.2g}, less well than the accuracy {state.accuracy:.2g}"
        if state.stuck:
            return "no step along the natural gradient lowers the value: one of them is not precise enough"
        return ""

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows; measured: 30 to 200 for layers with 8 to 48 parameters."""
        return min(max_steps, 20 + round(10 * n_params**0.5))

    def comparisons(self, n_params: int, max_steps: int) -> int:
        """The derivatives of the state that each metric takes, at every other row with the line search."""
        return n_params * self.evaluations(n_params, max_steps) // (2 if self.line_search else 1)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """Six matrices: the metric as it was told, its symmetric part, eigenvectors, and what LAPACK works in."""
        del max_steps
        return rows_bytes(FEW + 2 * PAIRS + 6 * n_params, n_params)

    @property
    def uses_gradient(self) -> bool:
        """Yes."""
        return True

    @property
    def geometry(self) -> Literal["", "metric", "fidelities"]:
        """The metric."""
        return "metric"

    def _tried(self, state: _State, value: float, error: float) -> _State:
        """The trial point taken as the next foot, or a shorter step."""
        t, slope = state.step, float(state.gradient @ state.direction)
        slack = max(2.0 * (error + state.error), 1e-3 * state.accuracy, 1e-14 * abs(state.value))
        bend = value - state.value - t * slope
        least = -slope * t * t / (2.0 * bend) if bend > 0.0 else np.inf
        if value <= state.value + ARMIJO * t * slope + slack:
            rate = float(np.clip(least, 0.5 * t, 2.0 * t)) if bend > slack else t
            return replace(state, foot=state.foot + t * state.direction, rate=rate, trials=0)
        if state.trials == MAX_TRIALS:
            return replace(state, stuck=True)
        return replace(state, step=float(np.clip(least, 0.1 * t, 0.5 * t)), trials=state.trials + 1)


def natural(metric: np.ndarray, gradients: np.ndarray, regularization: float) -> np.ndarray:
    """The natural gradients (|g| + regularization)^-1 grad f.

    Args:
        metric: Symmetric, shape (params, params); |g| has the absolute values of its eigenvalues.
        gradients: Shape (rows, params).
        regularization: Added to each eigenvalue. Where their sum is zero, up to rounding, nothing moves.

    Returns:
        Shape (rows, params).
    """
    eigenvalues, vectors = np.linalg.eigh((metric + metric.T) / 2.0)
    sizes = np.abs(eigenvalues) + regularization
    felt = sizes > 1e-12 * max(float(sizes.max(initial=0.0)), 1e-300)
    along = np.where(felt, gradients @ vectors / np.where(felt, sizes, 1.0), 0.0)
    return along @ vectors.T


def _arrived(state: _State, value: float, error: float, gradient: np.ndarray) -> _State:
    """The state with one more foot known, and judged."""
    pairs, gain = state.pairs, np.inf
    if state.last is not None:
        pairs = (*pairs, (state.foot - state.last[0], gradient - state.last[1]))[-PAIRS:]
        gain = abs(state.value - value)
    tolerance = max(state.accuracy, error)
    calm = state.calm + 1 if gain < tolerance and gap(gradient, pairs) < tolerance / 10.0 else 0
    return replace(
        state,
        value=value,
        error=error,
        gradient=gradient,
        last=(state.foot, gradient),
        pairs=pairs,
        calm=calm,
        lowest=state.foot if error > 0.0 or value < state.floor else state.lowest,
        floor=min(value, state.floor),
    )


def _stationary(state: _State) -> _State:
    """A start without slope is left once; the second time, or where there is nothing to turn, it is the end."""
    if state.kicked or not state.foot.size:
        return replace(state, calm=2)
    kick = stream(state.seed, 0).standard_normal(state.foot.size)
    return replace(state, foot=state.foot + KICK * kick / float(np.linalg.norm(kick)), kicked=True, last=None)
