"""Rotosolve: one parameter after the other to the exact minimum of its sinusoid."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hybrid.optimizers.optimizer import Optimizer, Points, Told, checked, rows_bytes, starting_point

WAVES = ((1.0, 1), (1.0, 2), (1.0, 4), (0.5, 8))
"""(lowest frequency, number of its multiples) of the models tried for each parameter, in this order."""

RADIUS = 0.4
"""Radians: how far the first of the parabolas looks that follow when no sum of waves fits; each later one, half."""

LAST = len(WAVES) + 12
"""Index of the shortest parabola."""


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    theta: np.ndarray
    origin: np.ndarray
    value: float = np.inf
    error: float = 0.0
    predicted: float | None = None
    coordinate: int = 0
    previous: int = 0
    models: tuple[int, ...] = ()
    sweep: int = 0
    surprised: bool = False
    sweeps: tuple[float, ...] = ()
    calm: int = 0


@dataclass(frozen=True)
class Rotosolve(Optimizer[_State]):
    """Exact minimization along one parameter at a time.

    While a parameter turns one Pauli rotation, exp(-i theta P / 2), the energy along it is
    a + b cos(theta) + c sin(theta), known for good from three values. Each step asks for three rows: the current point,
    whose value also tests what the step before promised, and one to each side; then moves one parameter to the minimum.

    A parameter that is shared or scaled has other frequencies. Then a promise fails, by more than a hundredth of the
    accuracy and four standard errors, and that parameter is fitted with more waves (frequencies up to 2: five rows, up
    to 4: nine, multiples of 1/2 up to 4: seventeen), and at last with parabolas over an ever shorter range. A step that
    turns out to lead uphill is taken back. The spacing of the rows changes from sweep to sweep, so that a wrong model
    cannot find its own minimum again and again.

    It has converged when in two successive sweeps every promise held and what a geometric series of such gains would
    still bring is below half the accuracy. With standard errors, gains below twice them count as none;
    where that is more than the accuracy, the run then ends stalled. The verdict holds for sums of waves, as circuits
    make them: on another function noise hides slow gains of many small sweeps.

    References:
        Ostaszewski, Grant, Benedetti, Quantum 5, 391 (2021); Nakanishi, Fujii, Todo, Phys. Rev. Res. 2, 043158 (2020).
    """

    kind: ClassVar[str] = "rotosolve"

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first step; see `Optimizer.init`. The seed is not needed."""
        del seed
        theta = starting_point(theta, accuracy)
        return _State(accuracy, theta, theta, models=(0,) * theta.size)

    def ask(self, state: _State) -> Points:
        """The current point, and rows on both sides of it along one parameter."""
        shifts = _shifts(state)
        rows = np.repeat(state.theta[None, :], shifts.size, axis=0)
        if state.theta.size:
            rows[:, state.coordinate] += shifts
        return Points(rows, gradient=False)

    def tell(self, state: _State, told: Told) -> _State:
        """The state with one parameter moved, or the last move taken back; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        value, error = float(told.values[0]), float(told.standard_errors[0])
        if state.theta.size == 0:
            return replace(state, value=value, calm=2)
        if state.predicted is not None:
            doubt = max(0.01 * state.accuracy, 4.0 * math.hypot(error, state.error))
            # Waves are exact or wrong; a parabola that brings most of what it promised will do.
            short = 0.25 * (state.value - state.predicted) if state.models[state.previous] >= len(WAVES) else 0.0
            if abs(value - state.predicted) > doubt + short:
                state = _distrust(state)
            if value > state.value + doubt:
                return replace(state, theta=state.origin, predicted=None)
        state = replace(state, origin=state.theta, value=value, error=error)
        if _shifts(state).size != told.values.size:  # the rows were for the model just given up
            return replace(state, predicted=None)
        if state.coordinate == 0:
            state = _sweep(state)
        shift, predicted = _lowest(_shifts(state), told.values, state)
        theta = state.theta.copy()
        theta[state.coordinate] += shift
        following = (state.coordinate + 1) % theta.size
        return replace(
            state,
            theta=theta,
            predicted=predicted,
            previous=state.coordinate,
            coordinate=following,
            sweep=state.sweep + (following == 0),
        )

    def best(self, state: _State) -> np.ndarray:
        """The last point whose value was seen, shape (params,)."""
        return state.origin

    def converged(self, state: _State) -> bool:
        """Whether two sweeps held no surprise, and nearly no gain."""
        return state.calm >= 2 and 2.0 * state.error <= state.accuracy

    def stalled(self, state: _State) -> str:
        """That noise hides what is left."""
        if state.calm < 2 or self.converged(state):
            return ""
        return f"values are known to {state.error:.2g}, less well than half the accuracy {state.accuracy:.2g}"

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """Three rows a step, for twenty sweeps."""
        return 3 * max(min(max_steps, 20 * n_params), 1)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """The rows of the longest wave, and a model for each parameter."""
        del max_steps
        return rows_bytes(4 + 2 * (1 + 2 * WAVES[-1][1]), n_params)

    @property
    def uses_gradient(self) -> bool:
        """No."""
        return False


def _shifts(state: _State) -> np.ndarray:
    """Shifts of the parameter in turn, 0 first, shape (rows,)."""
    if state.theta.size == 0:
        return np.zeros(1)
    model, tight = state.models[state.coordinate], 1.0 - 0.25 * (state.sweep % 2)
    if model >= len(WAVES):
        return np.array([0.0, 1.0, -1.0]) * RADIUS * tight * 0.5 ** (model - len(WAVES))
    frequency, waves = WAVES[model]
    steps = np.concatenate([[0], np.arange(1, waves + 1), -np.arange(1, waves + 1)])
    return steps * tight * 2.0 * np.pi / (frequency * (2 * waves + 1))


def _lowest(shifts: np.ndarray, values: np.ndarray, state: _State) -> tuple[float, float]:
    """Shift to the minimum of the model through the values, and the value that it promises there."""
    model = state.models[state.coordinate]
    if model >= len(WAVES):
        shift, promised = _parabola(shifts, values)
    else:
        shift, promised = _waves(shifts, values, *WAVES[model])
    if values[0] - promised < 1e-6 * state.accuracy:
        return 0.0, float(values[0])
    return shift, promised


def _waves(shifts: np.ndarray, values: np.ndarray, frequency: float, waves: int) -> tuple[float, float]:
    k = frequency * np.arange(1, waves + 1)

    def basis(x):
        angles = np.multiply.outer(x, k)
        return np.concatenate([np.ones((*np.shape(x), 1)), np.cos(angles), np.sin(angles)], axis=-1)

    a = np.linalg.solve(basis(shifts), values)
    if waves == 1:
        shift = math.atan2(-a[2], -a[1]) / frequency
        return shift, float(basis(np.float64(shift)) @ a)
    # Newton's method from the lowest point of a grid that no wave slips through.
    grid = np.linspace(-np.pi, np.pi, 32 * waves, endpoint=False) / frequency
    x = float(grid[np.argmin(basis(grid) @ a)])
    c, s = a[1 : waves + 1], a[waves + 1 :]
    for _ in range(8):
        slope = float(k * s @ np.cos(k * x) - k * c @ np.sin(k * x))
        curvature = float(-(k**2) * c @ np.cos(k * x) - (k**2) * s @ np.sin(k * x))
        if curvature <= 0.0:
            break
        x -= slope / curvature
    return x, float(basis(np.float64(x)) @ a)


def _parabola(shifts: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    h = shifts[1]
    slope, curvature = (values[1] - values[2]) / (2.0 * h), (values[1] + values[2] - 2.0 * values[0]) / h**2
    shift = -slope / curvature if curvature > 0.0 else -math.copysign(np.inf, slope)
    shift = float(np.clip(shift, -h, h))
    return shift, float(values[0] + slope * shift + curvature * shift**2 / 2.0)


def _distrust(state: _State) -> _State:
    """A better model for the parameter whose promise failed."""
    models = list(state.models)
    models[state.previous] = min(models[state.previous] + 1, LAST)
    return replace(state, models=tuple(models), surprised=True)


def _sweep(state: _State) -> _State:
    """The end of a sweep over all parameters: what it gained, and whether that was all."""
    sweeps = (*state.sweeps, state.value)[-3:]
    calm = 0
    if len(sweeps) == 3 and not state.surprised:
        before, gain = sweeps[0] - sweeps[1], sweeps[1] - sweeps[2]
        noise, tolerance = 2.0 * state.error, max(state.accuracy, state.error)
        share = min(gain / before, 0.999) if gain > noise and before > noise else 0.0
        left = max(gain, gain * share / (1.0 - share))
        calm = state.calm + 1 if left < max(tolerance / 2.0, noise) else 0
    return replace(state, sweeps=sweeps, calm=calm, surprised=False)
