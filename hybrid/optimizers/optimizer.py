"""The face of every optimizer: ask for points, be told what they are worth."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from circuits.errors import FailedJob, Refused


@dataclass(frozen=True, eq=False)
class Points:
    """Parameters that an optimizer wants evaluated.

    Attributes:
        rows: Shape (rows, params), float64, radians.
        gradient: Whether each row's gradient is wanted, too.
    """

    rows: np.ndarray
    gradient: bool


@dataclass(frozen=True, eq=False)
class Told:
    """What the points were worth.

    Attributes:
        values: Shape (rows,).
        standard_errors: Shape (rows,); zeros where values are exact.
        gradients: Shape (rows, params), or None if none were asked for.
    """

    values: np.ndarray
    standard_errors: np.ndarray
    gradients: np.ndarray | None


class Optimizer(ABC):
    """Ask/tell over an immutable state: the same calls in the same order give the same bits.

    An optimizer is a frozen dataclass of its settings. `init`, `ask` and `tell` have no side effects, so a loop can be
    replayed from the values alone. One `tell` ends one step: it may be a trial point of a line search, one vertex of a
    simplex or one coordinate, and ``max_steps`` of a loop counts tells.
    """

    kind: ClassVar[str]
    """The name that `hybrid.optimizers.get` knows it by."""

    @abstractmethod
    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> Any:
        """The state before the first step.

        Args:
            theta: Starting point, shape (params,), radians; no parameters at all are allowed.
            accuracy: Wanted accuracy of the minimum, in the objective's unit; stopping rules are scaled by it.
            seed: Root of the optimizer's random numbers.

        Raises:
            Refused: if theta is not a row of finite numbers, or the accuracy not positive.
        """

    @abstractmethod
    def ask(self, state: Any) -> Points:
        """The points that the next `tell` needs."""

    @abstractmethod
    def tell(self, state: Any, told: Told) -> Any:
        """The state after the points asked for were evaluated.

        Raises:
            Refused: if the shapes are not those that were asked for.
            FailedJob: if a value, standard error or gradient is not finite; the message names the point.
        """

    @abstractmethod
    def best(self, state: Any) -> np.ndarray:
        """The parameters to answer with if the loop stopped now, shape (params,)."""

    @abstractmethod
    def converged(self, state: Any) -> bool:
        """Whether a (local) minimum is reached within the accuracy, as far as the method can tell."""

    def stalled(self, state: Any) -> str:
        """Why no further step can help although the accuracy is not reached; empty while there is hope."""
        del state
        return ""

    @abstractmethod
    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess, before anything runs, of how many rows will be evaluated; for the plan."""

    @property
    @abstractmethod
    def uses_gradient(self) -> bool:
        """Whether it asks for gradients."""

    def describe(self) -> dict[str, Any]:
        """Kind and settings as JSON-able values; ``get(**description)`` makes the optimizer again."""
        names = [field.name for field in fields(self)]  # pyright: ignore[reportArgumentType] - each one is a dataclass
        settings = {name: getattr(self, name) for name in names}
        return {"kind": self.kind} | {k: v.describe() if isinstance(v, Optimizer) else v for k, v in settings.items()}


def starting_point(theta: Any, accuracy: float) -> np.ndarray:
    """A private copy of the starting point, float64, shape (params,).

    Raises:
        Refused: if theta is not one row of finite numbers, or the accuracy is not a positive number.
    """
    row = np.array(theta, dtype=np.float64)
    if row.ndim != 1:
        raise Refused(f"theta must be one row of parameters, shape (params,), not {row.shape}")
    if not np.all(np.isfinite(row)):
        raise Refused(f"theta must be finite, but theta[{int(np.argmin(np.isfinite(row)))}] is not")
    if not 0 < accuracy < np.inf:
        raise Refused(f"accuracy must be a positive number, in the objective's unit, not {accuracy}")
    return row


def checked(points: Points, told: Told) -> Told:
    """What was told, as float64 arrays of the shapes that were asked for.

    Raises:
        Refused: for other shapes, or missing gradients.
        FailedJob: if a number is not finite; the message names the point.
    """
    rows, n_params = points.rows.shape
    values = np.asarray(told.values, dtype=np.float64)
    errors = np.asarray(told.standard_errors, dtype=np.float64)
    if values.shape != (rows,) or errors.shape != (rows,):
        raise Refused(f"values and standard_errors must have shape ({rows},), not {values.shape} and {errors.shape}")
    parts = [("value", values), ("standard error", errors)]
    gradients = None
    if points.gradient:
        gradients = np.asarray(told.gradients if told.gradients is not None else (), dtype=np.float64)
        if gradients.shape != points.rows.shape:
            raise Refused(f"gradients must have shape ({rows}, {n_params}), not {gradients.shape}")
        parts.append(("gradient", gradients))
    for what, numbers in parts:
        if not np.isfinite(numbers).all():
            row = int(np.argwhere(~np.isfinite(numbers))[0][0])
            point = ", ".join(repr(float(x)) for x in points.rows[row][:8]) + (", ..." if n_params > 8 else "")
            raise FailedJob(f"the {what} at theta = [{point}] is {numbers[row]}: nothing can be minimized with it")
    return Told(values, errors, gradients)


def require(optimizer: Optimizer, setting: str, low: float, high: float = np.inf, *, whole: bool = False) -> None:
    """Refuse a setting that is not a number in [low, high].

    Raises:
        Refused: naming the setting, what it must be, and what it was.
    """
    value = getattr(optimizer, setting)
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not (number and low <= value <= high):
        bound = f"of at least {low:g}" if high == np.inf else f"between {low:g} and {high:g}"
        article = "a whole number" if whole else "a number"
        raise Refused(f"optimizer {optimizer.kind}: {setting} must be {article} {bound}, not {value!r}")
