"""The one loop of all variational work: ask the optimizer for points, evaluate them, tell it, until it can end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.errors import Refused, shown
from hybrid.loop.clock import Clock
from hybrid.optimizers.optimizer import Optimizer, Points, Told
from hybrid.runs.result import Status
from hybrid.terminal.progress import Progress
from hybrid.terminal.words import with_unit

Callback = Callable[[int, np.ndarray, float], object]
"""Called after each step with its number, from 1, the parameters of the lowest value that the step asked for, shape
(params,), radians, and that value. True, or raising StopIteration, ends the run with the status "stopped"; whatever
else it returns is ignored. Other errors come out of the run as they are; what was evaluated is kept."""


@dataclass(frozen=True, eq=False)
class Ending:
    """How a loop ended.

    Attributes:
        theta: The optimizer's best parameters, shape (params,), radians.
        steps: Number of steps that it took.
        status: "converged", "stalled", "stopped" or "max_steps".
        message: One sentence on the status where there is more to say.
    """

    theta: np.ndarray
    steps: int
    status: Status
    message: str = ""


def optimize(
    optimizer: Optimizer,
    theta: np.ndarray,
    answer: Callable[[Points, int], Told],
    *,
    accuracy: float,
    seed: int,
    max_steps: int,
    should_stop: Callable[[], bool],
    clock: Clock,
    title: str,
    unit: str,
    exact: float | None = None,
    callback: "Callback | None" = None,
) -> Ending:
    """Minimize a function of parameters.

    Args:
        optimizer: The algorithm.
        theta: Starting point, shape (params,), radians.
        answer: The function: from points and the number of the step, from 0, to the values of the points.
        accuracy: Wanted accuracy of the minimum, in the unit.
        seed: Root of the optimizer's random numbers.
        max_steps: Most steps.
        should_stop: Called before each step; when it returns True, the loop ends.
        clock: Gets the optimizer's own time, as the phase "optimize".
        title: Of the progress line.
        unit: Of the values, for the progress line and messages.
        exact: The value that is looked for, where it is known; for the progress line.
        callback: Called after each step; see `Callback`.

    Returns:
        How the loop ended. That it did not converge is a status, not an error.

    Raises:
        Refused: if theta or accuracy are not what the optimizer takes.
        FailedJob: if a value is not finite.
    """

    def ended(state: Any, steps: int, status: Status, message: str = "") -> Ending:
        return Ending(optimizer.best(state), steps, status, message)

    with clock.phase("optimize"):
        state = optimizer.init(theta, accuracy=accuracy, seed=seed)
    with Progress(title, max_steps) as progress:
        for step in range(max_steps + 1):
            with clock.phase("optimize"):
                converged, stalled = optimizer.converged(state), optimizer.stalled(state)
            if converged:
                return ended(state, step, "converged")
            if stalled:
                return ended(state, step, "stalled", stalled)
            if step == max_steps:
                break
            if should_stop():
                return ended(state, step, "stopped", "all work is saved; resume to continue")
            with clock.phase("optimize"):
                points = optimizer.ask(state)
            told = answer(points, step)
            with clock.phase("optimize"):
                state = optimizer.tell(state, told)
            progress.update(step + 1, _standing(float(told.values[0]), exact, unit))
            if callback is not None and _enough(callback, step + 1, points, told):
                return ended(state, step + 1, "stopped", "the callback stopped it; resume to continue")
    return ended(state, max_steps, "max_steps", "not converged to " + with_unit(f"{accuracy:g}", unit))


def _standing(value: float, exact: float | None, unit: str) -> str:
    return with_unit(f"{value:.8f}", unit) + ("" if exact is None else f", {value - exact:+.1e} from exact")


def check_callback(callback: object) -> None:
    """Before anything is computed.

    Raises:
        Refused: if it cannot be called.
    """
    if callback is not None and not callable(callback):
        raise Refused(f"callback must be a function of step, theta and energy, not {shown(callback)}")


def _enough(callback: Callback, step: int, points: Points, told: Told) -> bool:
    """Whether the callback wants no more."""
    lowest = int(np.argmin(told.values))
    try:
        answer = callback(step, points.rows[lowest].copy(), float(told.values[lowest]))
    except StopIteration:
        return True
    return isinstance(answer, bool | np.bool_) and bool(answer)
