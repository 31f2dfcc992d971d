"""What SPSA and QN-SPSA have in common: all parameters are moved at once, along random signs."""

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from hybrid.optimizers.optimizer import FEW, Optimizer, Told, require, rows_bytes
from hybrid.optimizers.trend import SHORTEST, settled

STARTS = 4
"""Values of the start in the first tell: its error is that of the curvature."""

CAUTION = 0.7
"""Share of the gain that would bring most on a parabola; measured: 1 climbed more often, 0.5 was slower."""

LEAST_SHARE = 0.2
"""Share of a difference's mean square that counts as slope at least, so that a start in the noise can be left."""

SEEN = 20
"""Steps over which the mean square slope is averaged."""

RISE = 4.0
"""Standard errors or accuracies by which the shifted points may lie above the centre, on average."""


@dataclass(frozen=True, eq=False)
class State:
    """Between two steps.

    Attributes:
        theta: Where the next pair is centred, shape (params,).
        perturbation: The shift c, radians.
        recent: Last iterates, a tenth of the run.
        k: Number of the step; 0 is the calibration.
        longest: Gain with which the first step has the length `first_step`.
        parabola: Gain with which differences without noise bring most, as far as the curvature is known.
        slope: Mean square of the last slopes along signs, noise taken off.
        values: Mean of the pair of each step.
        done: Whether the values stopped falling.
    """

    accuracy: float
    seed: int
    theta: np.ndarray
    perturbation: float
    recent: tuple[np.ndarray, ...]
    k: int = 0
    longest: float = 0.0
    parabola: float = 0.0
    slope: float = 0.0
    values: tuple[float, ...] = ()
    done: bool = False


S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Simultaneous(Optimizer[S]):
    """Descent along random signs D, with the gains, the calibration and the stopping rule that `SPSA` describes."""

    first_step: float = 0.5
    perturbation: float = 0.2
    calibration: int = 10
    stability: float = 50.0

    def __post_init__(self):
        require(self, "first_step", 1e-12)
        require(self, "perturbation", 1e-12)
        require(self, "calibration", 1, 10_000, whole=True)
        require(self, "stability", 0.0)

    def best(self, state: S) -> np.ndarray:
        """The mean of the last iterates, shape (params,)."""
        return np.mean(state.recent, axis=0)

    def converged(self, state: S) -> bool:
        """Whether the values stopped falling, as far as their standard errors tell."""
        return state.done

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """The start, the calibration, and two rows for each further step."""
        del n_params
        return STARTS + 2 * self.calibration + 2 * (max_steps - 1)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """The start, the calibration's signs and rows, and the last iterates, a tenth of the run."""
        return rows_bytes(FEW + 2 * STARTS + 6 * self.calibration + 2 * max(10, max_steps // 10), n_params)

    @property
    def uses_gradient(self) -> bool:
        """No."""
        return False

    def _rows(self, state: S, signs: np.ndarray) -> np.ndarray:
        """Rows theta + c D and theta - c D for each row D of signs; before the first step, theta itself first."""
        shift, first = state.perturbation * signs, 0 if state.k else STARTS
        rows = np.empty((first + 2 * len(signs), state.theta.size))
        rows[:first] = state.theta
        rows[first::2], rows[first + 1 :: 2] = state.theta + shift, state.theta - shift
        return rows

    def _calibrated(self, state: S, told: Told, signs: np.ndarray, directions: np.ndarray) -> S:
        """Gains and shift for the steps to come, from `_rows` of signs; the starting point stays.

        A step from theta to theta - a s P D, where s = [f(theta + c D) - f(theta - c D)] / 2c is the slope g.D and
        noise, changes a parabola by  -a s g.PD + a^2 s^2 D.PHPD / 2.  Where H is in proportion to P^-1, as the metric
        is meant to make it, and <g g> too, this is in proportion to  -a n <(g.D)^2> + a^2 <s^2> tr(H) tr(P) / 2  on
        average, and lowest at a = n share / (tr(H) tr(P)), with share = <(g.D)^2> / <s^2>. Twice the mean rise from
        theta to the shifted points is c^2 tr(H); what is not known of it is added.

        Args:
            state: Before the first step.
            told: Values of `_rows`.
            signs: D, shape (calibration, params).
            directions: P D, of the same shape.
        """
        if state.theta.size == 0:
            return replace(state, k=1, done=True)
        c, start = state.perturbation, float(np.mean(told.values[:STARTS]))
        pairs, variances = told.values[STARTS:].reshape(-1, 2), told.standard_errors**2
        noise = max(state.accuracy, float(np.sqrt(np.mean(variances))))
        square = float(np.mean((pairs[:, 0] - pairs[:, 1]) ** 2))
        rise = float(np.mean(pairs)) - start
        doubt = math.sqrt(float(np.mean(variances)) * (1.0 / STARTS + 0.5 / len(pairs)))
        curvature = 2.0 * max(rise + doubt, 0.0) / c**2
        lengths = float(np.mean((directions**2).sum(axis=1)))
        along = float(np.mean((directions * signs).sum(axis=1)))
        grown = (1.0 + self.stability) ** 0.602
        return replace(
            state,
            k=1,
            longest=grown * self.first_step * 2.0 * c / math.sqrt(max(square, noise**2) * lengths),
            parabola=grown * CAUTION * state.theta.size / max(curvature * along, 1e-300),
            slope=(square - 2.0 * float(np.mean(variances[STARTS:]))) / (4.0 * c**2),
            # The curvature of f along D beyond the parabola's shifts the minimum, and costs about c^4.
            perturbation=min(c, (0.1 * noise) ** 0.25, c * math.sqrt(RISE * noise / max(rise, 1e-300))),
        )

    def _stepped(self, state: S, told: Told, direction: np.ndarray, accuracy: float) -> S:
        """The state after a step along P D, judged by the values so far to this accuracy."""
        c, (up, down) = state.perturbation, told.values
        variance = float(np.mean(told.standard_errors**2))
        seen, noise = (float(up - down) / (2.0 * c)) ** 2, variance / (2.0 * c**2)
        slope = state.slope + (seen - noise - state.slope) / SEEN
        share = max(slope / (slope + noise), LEAST_SHARE) if slope > 0.0 else LEAST_SHARE
        gain = min(state.longest, share * state.parabola) / (state.k + self.stability) ** 0.602
        step = gain * float(up - down) / (2.0 * c) * direction
        shrink = min(1.0, 2.0 * self.first_step / max(float(np.linalg.norm(step)), 1e-300))
        theta = state.theta - shrink * step
        values = (*state.values, float(np.mean(told.values)))
        return replace(
            state,
            theta=theta,
            k=state.k + 1,
            longest=shrink * state.longest,
            parabola=shrink * state.parabola,
            slope=slope,
            values=values,
            recent=(*state.recent, theta)[-max(10, state.k // 10) :],
            done=settled(values, math.sqrt(2.0 * variance), accuracy, SHORTEST),
        )
