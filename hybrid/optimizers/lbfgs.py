"""L-BFGS with a weak-Wolfe line search, turned inside out to ask and tell."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hybrid.optimizers.gap import Pair, gap
from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import FEW, Optimizer, Points, Told, checked, require, rows_bytes, starting_point
from hybrid.optimizers.streams import stream

ARMIJO, WOLFE = 1e-4, 0.9
"""Share of the promised decrease that a step must bring; share of the slope that may be left after it."""

SHORT = 0.01
"""Shorter steps than this share of the direction must show their decrease in the value, whatever the slope."""

MAX_TRIALS = 20
"""Trial points of one line search before the direction is given up."""

LONGEST = np.pi / 2
"""No parameter's first trial step is longer, in radians: beyond, a rotation comes back."""

KICK = 0.1
"""Length of the random step away from a stationary start, radians."""


@dataclass(frozen=True, eq=False)
class _Trial:
    """A point on the search line: its step, value with standard error, gradient, and slope along the direction."""

    step: float
    value: float
    error: float
    gradient: np.ndarray
    slope: float


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    seed: int
    theta: np.ndarray
    foot: _Trial
    direction: np.ndarray
    low: _Trial
    high: _Trial | None = None
    step: float = 0.0
    pairs: tuple[Pair, ...] = ()
    trials: int = 0
    calm: int = 0
    kicked: bool = False
    stuck: bool = False


@dataclass(frozen=True)
class LBFGS(Optimizer[_State]):
    """Limited-memory quasi-Newton descent, theta <- theta - t H g, with H from the last `memory` steps.

    H g comes from the two-loop recursion; t from bracketing the weak Wolfe conditions f(t) <= f + 1e-4 t f' and
    f'(t) >= 0.9 f', by cubic interpolation. Every ask is one row with its gradient, and may be a mere trial point.
    Where values differ by no more than rounding, standard errors or a thousandth of the accuracy, the slope decides.

    It has converged when, after two successive steps, both estimates of what is left, the quasi-Newton decrement
    g.Hg / 2 and |g|^2 over twice the smallest curvature seen, are below a tenth of the accuracy, and the steps brought
    less than the accuracy. A standard error larger than the accuracy takes its place; the run then ends stalled. A
    start where the gradient vanishes (often a saddle, in ansatz circuits at theta = 0) is left by a small random step.
    Limits of the verdict: a saddle met on the way looks like a minimum, and a direction slower than any seen cannot be
    judged; trust it up to condition numbers of about 1e4.

    Args:
        memory: Number of past steps that H is made of.

    References:
        Liu, Nocedal, Math. Program. 45, 503 (1989); Lewis, Overton, Math. Program. 141, 135 (2013) for the line search;
        Hager, Zhang, SIAM J. Optim. 16, 170 (2005) for accepting steps by their slope.
    """

    memory: int = 10

    kind: ClassVar[str] = "lbfgs"

    def __post_init__(self):
        require(self, "memory", 1, 1000, whole=True)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first step; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        foot = _Trial(0.0, np.inf, 0.0, np.zeros_like(theta), 0.0)
        return _State(accuracy, seed, theta, foot, foot.gradient, foot)

    def ask(self, state: _State) -> Points:
        """One row, with its gradient."""
        return Points((state.theta + state.step * state.direction)[None, :], gradient=True)

    @one_thread()
    def tell(self, state: _State, told: Told) -> _State:
        """The state after one more point of the line search; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        assert told.gradients is not None
        gradient = told.gradients[0].copy()
        slope = float(gradient @ state.direction)
        trial = _Trial(state.step, float(told.values[0]), float(told.standard_errors[0]), gradient, slope)
        if state.step == 0.0:
            return self._start(state, trial)
        if not _decreases(state, trial):
            return self._search(replace(state, high=trial))
        if trial.slope < WOLFE * state.foot.slope:
            return self._search(replace(state, low=trial))
        return self._accept(state, trial)

    def best(self, state: _State) -> np.ndarray:
        """The lowest point of the line search so far, shape (params,)."""
        return state.theta + state.low.step * state.direction

    def converged(self, state: _State) -> bool:
        """Whether two successive steps found less than the accuracy to be left."""
        return state.calm >= 2 and state.foot.error <= state.accuracy

    def stalled(self, state: _State) -> str:
        """That noise hides what is left, or that not even steepest descent lowers the value."""
        if self.converged(state):
            return ""
        if state.calm >= 2:
            return f"values are known to {state.foot.error:.2g}, less well than the accuracy {state.accuracy:.2g}"
        return "no step against the gradient lowers the value: one of them is not precise enough" if state.stuck else ""

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows; measured: 6 to 20 for UCCSD with 3 to 92 parameters, 50 to 400 for layers with 32."""
        return min(max_steps, 20 + round(5 * n_params**0.5))

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """The last steps and gradient changes."""
        return rows_bytes(FEW + 2 * min(self.memory + 1, max_steps), n_params)

    @property
    def uses_gradient(self) -> bool:
        """Yes."""
        return True

    def _start(self, state: _State, trial: _Trial) -> _State:
        """The first line search, from a point whose value has just become known."""
        if np.linalg.norm(trial.gradient) > 1e-3 * np.sqrt(state.accuracy):
            return _line(state, trial)
        if state.kicked or state.theta.size == 0:
            return replace(state, foot=trial, low=trial, calm=2)
        kick = stream(state.seed, 0).standard_normal(state.theta.size)
        return replace(state, kicked=True, theta=state.theta + KICK * kick / np.linalg.norm(kick))

    def _accept(self, state: _State, trial: _Trial) -> _State:
        """The next line search, from a point of the last."""
        s, y = trial.step * state.direction, trial.gradient - state.foot.gradient
        pairs = state.pairs
        if float(s @ y) > 1e-14 * float(y @ y):
            pairs = (*pairs, (s, y))[-self.memory :]
        following = _line(replace(state, theta=state.theta + s, pairs=pairs, stuck=False), trial)
        left = max(gap(trial.gradient, pairs), -following.foot.slope / 2.0)
        tolerance = max(state.accuracy, trial.error)
        small = left < tolerance / 10.0 and state.foot.value - trial.value < tolerance
        return replace(following, calm=state.calm + 1 if small else 0)

    def _search(self, state: _State) -> _State:
        """The next trial step within the bracket, or beyond it while it is open."""
        low, high = state.low, state.high
        if state.trials + 1 >= MAX_TRIALS or (high is not None and high.step - low.step < 1e-12 * max(1.0, high.step)):
            return self._give_up(state)
        if high is not None:
            step = _interpolate(low, high)
        else:
            # The secant of the slopes points at the minimum; where it finds none, go far.
            left = low.slope / state.foot.slope
            step = low.step * float(np.clip(1.0 / max(1.0 - left, 1e-3), 2.0, 10.0))
        return replace(state, step=step, trials=state.trials + 1)

    def _give_up(self, state: _State) -> _State:
        """Go on from the lowest point found; if there is none, along the gradient itself; if that was it, be stuck."""
        if state.low.step > 0.0:
            return self._accept(state, state.low)
        left = gap(state.foot.gradient, state.pairs)
        calm = 2 if left < max(state.accuracy, state.foot.error) / 10.0 else 0
        fresh = _line(replace(state, pairs=()), state.foot)
        return replace(fresh, calm=calm, stuck=not state.pairs)


def _line(state: _State, foot: _Trial) -> _State:
    """A line search from the foot along -H g, or along -g at most of unit length while no curvature is known."""
    g = foot.gradient
    direction = -two_loop(g, state.pairs) if state.pairs else -g / max(1.0, float(np.linalg.norm(g)))
    direction *= min(1.0, LONGEST / max(float(np.max(np.abs(direction), initial=0.0)), 1e-300))
    foot = replace(foot, step=0.0, slope=float(g @ direction))
    return replace(state, foot=foot, low=foot, high=None, direction=direction, step=1.0, trials=0)


def two_loop(gradient: np.ndarray, pairs: tuple[Pair, ...]) -> np.ndarray:
    """The product H g of the L-BFGS inverse Hessian and the gradient, shape (params,).

    Args:
        gradient: Shape (params,).
        pairs: Steps s and gradient changes y, oldest first, with s.y > 0; at least one.

    Returns:
        H g, shape (params,), radians.

    References:
        Nocedal, Wright, Numerical Optimization, 2nd ed. (2006), algorithm 7.4.
    """
    q = gradient
    weights = []
    for s, y in reversed(pairs):
        rho = 1.0 / float(y @ s)
        weight = rho * float(s @ q)
        weights.append((weight, rho))
        q = q - weight * y
    s, y = pairs[-1]
    q = q * (float(s @ y) / float(y @ y))
    for (s, y), (weight, rho) in zip(pairs, reversed(weights), strict=True):
        q = q + (weight - rho * float(y @ q)) * s
    return q


def _decreases(state: _State, trial: _Trial) -> bool:
    """Whether the trial lowers the value enough or, where values tell nothing, has the slope of a step that does."""
    foot = state.foot
    if trial.value <= foot.value + ARMIJO * trial.step * foot.slope:
        return True
    if trial.step < SHORT:
        return False
    slack = max(2.0 * (trial.error + foot.error), 1e-3 * state.accuracy, 1e-14 * abs(foot.value))
    return trial.value <= foot.value + slack and trial.slope <= (2.0 * ARMIJO - 1.0) * foot.slope


def _interpolate(low: _Trial, high: _Trial) -> float:
    """Step at the minimum of the cubic through both ends, kept off them by a tenth of the bracket."""
    width = high.step - low.step
    a = low.slope + high.slope - 3.0 * (high.value - low.value) / width
    square = a * a - low.slope * high.slope
    share = 0.5
    if square >= 0.0:
        root = float(np.sqrt(square))
        below = high.slope - low.slope + 2.0 * root
        if below > 0.0:
            share = 1.0 - (high.slope + root - a) / below
    return low.step + width * float(np.clip(share, 0.1, 0.9))
