"""SPSA: a gradient from two values, whatever the number of parameters."""

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import FEW, Optimizer, Points, Told, checked, require, rows_bytes, starting_point
from hybrid.optimizers.streams import stream
from hybrid.optimizers.trend import SHORTEST, settled


@dataclass(frozen=True, eq=False)
class State:
    """Between two steps."""

    accuracy: float
    seed: int
    theta: np.ndarray
    k: int = 0
    gain: float = 0.0
    perturbation: float = 0.0
    values: tuple[float, ...] = ()
    recent: tuple[np.ndarray, ...] = ()
    done: bool = False


@dataclass(frozen=True)
class SPSA(Optimizer):
    """Descent along random signs D: theta <- theta - a_k [f(theta + c D) - f(theta - c D)] / (2 c) D.

    Two rows a step, with Spall's gain a_k = a / (k + stability)^0.602. The first tell calibrates a from `calibration`
    such differences, so that the first step is about `first_step` long; a later step of more than twice that shrinks a
    for good. The differences' curvature shifts the minimum and costs about c^4, so c is `perturbation` or, where that
    is less, the fourth root of a tenth of accuracy or standard error, whichever is larger. It stays fixed (Spall lets
    it fall as k^0.101): a falling c would bend the very trend that convergence is judged by.

    It has converged when the values' mean over the last quarter of the run differs from that over the second by less
    than the accuracy, twice the standard error of the difference included: with gains that fall as powers of k, only a
    fixed share of the run shows a trend. It cannot tell a long, flat valley from a minimum. The answer is the mean of
    the last iterates, a tenth of the run.

    Args:
        first_step: Length of the first step, radians.
        perturbation: Largest shift c of each parameter, radians.
        calibration: Gradient estimates, of two rows each, from which the first gain is set.
        stability: Steps over which the gain hardly falls.

    References:
        Spall, IEEE Trans. Aerosp. Electron. Syst. 34, 817 (1998); calibration as in Kandala et al., Nature 549, 242
        (2017), supplement.
    """

    first_step: float = 0.5
    perturbation: float = 0.2
    calibration: int = 10
    stability: float = 50.0

    kind: ClassVar[str] = "spsa"

    def __post_init__(self):
        require(self, "first_step", 1e-12)
        require(self, "perturbation", 1e-12)
        require(self, "calibration", 1, 10_000, whole=True)
        require(self, "stability", 0.0)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> State:
        """The state before the first step; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        return State(accuracy, seed, theta, perturbation=float(self.perturbation), recent=(theta,))

    def ask(self, state: State) -> Points:
        """Rows in pairs, theta + c D and theta - c D: all of the calibration first, then one pair a step."""
        shift = state.perturbation * self._signs(state)
        rows = np.stack((state.theta + shift, state.theta - shift), axis=1)
        return Points(rows.reshape(2 * len(shift), state.theta.size), gradient=False)

    @one_thread()
    def tell(self, state: State, told: Told) -> State:
        """The state after the calibration, or one more step; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        pairs = told.values.reshape(-1, 2)
        error = float(np.mean(told.standard_errors))
        if state.k == 0:
            return self._calibrate(state, pairs, error)
        slope = float(pairs[0, 0] - pairs[0, 1]) / (2.0 * state.perturbation)
        step = state.gain / (state.k + self.stability) ** 0.602 * slope * self._signs(state)[0]
        return self._stepped(state, step, float(pairs.mean()), error, state.accuracy)

    def _stepped(self, state: Any, step: np.ndarray, value: float, error: float, accuracy: float) -> Any:
        """The state after a step: shrunk where it is too long, and judged by the values so far to this accuracy."""
        shrink = min(1.0, 2.0 * self.first_step / max(float(np.linalg.norm(step)), 1e-300))
        theta, gain = state.theta - shrink * step, shrink * state.gain
        values = (*state.values, value)
        recent = (*state.recent, theta)[-max(10, state.k // 10) :]
        done = settled(values, math.sqrt(2.0) * error, accuracy, SHORTEST)
        return replace(state, theta=theta, k=state.k + 1, gain=gain, values=values, recent=recent, done=done)

    def best(self, state: State) -> np.ndarray:
        """The mean of the last iterates, shape (params,)."""
        return np.mean(state.recent, axis=0)

    def converged(self, state: State) -> bool:
        """Whether the values stopped falling, as far as their standard errors tell."""
        return state.done

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """The calibration, and two rows for each further step."""
        del n_params
        return 2 * self.calibration + 2 * (max_steps - 1)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """The calibration's signs and rows, and the last iterates, a tenth of the run."""
        return rows_bytes(FEW + 5 * self.calibration + 2 * max(10, max_steps // 10), n_params)

    @property
    def uses_gradient(self) -> bool:
        """No."""
        return False

    def _signs(self, state: State) -> np.ndarray:
        """The random signs of step k, shape (pairs, params)."""
        pairs = self.calibration if state.k == 0 else 1
        generator = stream(state.seed, state.k)
        return 2.0 * generator.integers(0, 2, size=(pairs, state.theta.size)) - 1.0

    def _calibrate(self, state: State, pairs: np.ndarray, error: float) -> State:
        """Gain and perturbation for the steps to come; the starting point stays."""
        if state.theta.size == 0:
            return replace(state, k=1, done=True)
        # Differences below accuracy or noise say nothing about the slope.
        noise = max(state.accuracy, error)
        slope = max(float(np.mean(np.abs(pairs[:, 0] - pairs[:, 1]))), noise) / (2.0 * state.perturbation)
        gain = self.first_step * (1.0 + self.stability) ** 0.602 / (slope * math.sqrt(state.theta.size))
        return replace(state, k=1, gain=gain, perturbation=min(state.perturbation, (0.1 * noise) ** 0.25))
