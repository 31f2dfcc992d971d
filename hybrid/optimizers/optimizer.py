"""The face of every optimizer: ask for points, be told what they are worth."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np

from circuits.errors import FailedJob, Refused

Metric = Literal["", "full", "block-diagonal"]
"""Which part of the Fubini-Study metric is wanted: none, all of it, or that between parameters of one layer."""


FEW = 16
"""Rows of parameters that any optimizer holds at a time: its point, trial points, gradients, and what makes them."""


@dataclass(frozen=True, eq=False)
class Points:
    """Parameters that an optimizer wants evaluated, and what it wants to know besides the values.

    Attributes:
        rows: Shape (rows, params), float64, radians.
        gradient: Whether each row's gradient is wanted, too.
        metric: Whether each row's metric is wanted, too, and which part of it.
        pairs: Pairs of parameters whose states' fidelities are wanted, too, shape (pairs, 2, params); None for none.
    """

    rows: np.ndarray
    gradient: bool
    metric: Metric = ""
    pairs: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Told:
    """What the points were worth.

    Attributes:
        values: Shape (rows,).
        standard_errors: Shape (rows,); zeros where values are exact.
        gradients: Shape (rows, params), or None if none were asked for.
        metrics: The Fubini-Study metric Re <d_j psi|d_k psi> - <d_j psi|psi><psi|d_k psi>, shape (rows, params,
            params), zero between layers if only the blocks were asked for; None if none were.
        fidelities: |<psi(a)|psi(b)>|^2 of each pair, shape (pairs,), or None if none were asked for.
        biases: Estimated size of the values' systematic errors, shape (rows,); None where there are none.
    """

    values: np.ndarray
    standard_errors: np.ndarray
    gradients: np.ndarray | None
    metrics: np.ndarray | None = None
    fidelities: np.ndarray | None = None
    biases: np.ndarray | None = None

    def row(self, k: int) -> "Told":
        """Value, standard error and bias of one point alone.

        Args:
            k: Which point, from 0.

        Returns:
            What was told of it, all of shape (1,); no gradients, metrics or fidelities.
        """
        part = slice(k, k + 1)
        return Told(
            self.values[part],
            self.standard_errors[part],
            None,
            biases=None if self.biases is None else self.biases[part],
        )


S = TypeVar("S")
"""The type of an optimizer's state."""


class Optimizer(ABC, Generic[S]):
    """Ask/tell over an immutable state: the same calls in the same order give the same bits.

    An optimizer is a frozen dataclass of its settings. `init`, `ask` and `tell` have no side effects, so a loop can be
    replayed from the values alone. One `tell` ends one step: it may be a trial point of a line search, one vertex of a
    simplex or one coordinate, and ``max_steps`` of a loop counts tells.
    """

    kind: ClassVar[str]
    """The name that `hybrid.optimizers.get` knows it by."""

    @abstractmethod
    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> S:
        """The state before the first step.

        Args:
            theta: Starting point, shape (params,), radians; no parameters at all are allowed.
            accuracy: Wanted accuracy of the minimum, in the objective's unit; stopping rules are scaled by it.
            seed: Root of the optimizer's random numbers.

        Raises:
            Refused: if theta is not a row of finite numbers, or the accuracy not positive.
        """

    @abstractmethod
    def ask(self, state: S) -> Points:
        """The points that the next `tell` needs.

        Args:
            state: What `init` or the last `tell` returned.

        Returns:
            The rows, at least one, and what is wanted of them besides values.
        """

    @abstractmethod
    def tell(self, state: S, told: Told) -> S:
        """The state after the points asked for were evaluated.

        Args:
            state: What `ask` was called with.
            told: What those points are worth, in their order.

        Returns:
            The next state; the one that was given is not changed.

        Raises:
            Refused: if the shapes are not those that were asked for.
            FailedJob: if a value, standard error or gradient is not finite; the message names the point.
        """

    @abstractmethod
    def best(self, state: S) -> np.ndarray:
        """The parameters to answer with if the loop stopped now.

        Args:
            state: What `init` or the last `tell` returned.

        Returns:
            Shape (params,), radians.
        """

    @abstractmethod
    def converged(self, state: S) -> bool:
        """Whether a (local) minimum is reached within the accuracy, as far as the method can tell.

        Args:
            state: What `init` or the last `tell` returned.
        """

    def stalled(self, state: S) -> str:
        """Why no further step can help although the accuracy is not reached; empty while there is hope.

        Args:
            state: What `init` or the last `tell` returned.
        """
        del state
        return ""

    @abstractmethod
    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess, before anything runs, of how many rows will be evaluated; for the plan.

        Args:
            n_params: Number of parameters.
            max_steps: Most steps, of which it may need fewer.
        """

    @property
    @abstractmethod
    def uses_gradient(self) -> bool:
        """Whether it asks for gradients."""

    @property
    def geometry(self) -> Literal["", "metric", "fidelities"]:
        """What it asks about the geometry of the states; nothing, unless a method says so."""
        return ""

    def comparisons(self, n_params: int, max_steps: int) -> int:
        """A guess, for the plan, of the states that metrics and fidelities take beside the rows; by default none.

        Args:
            n_params: Number of parameters.
            max_steps: Most steps, of which it may need fewer.
        """
        del n_params, max_steps
        return 0

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """A guess, for the plan, of the most memory it takes for itself: its state, what it asks and is told.

        By default `FEW` rows of parameters; a method that keeps matrices, populations or its history says so here.

        Args:
            n_params: Number of parameters.
            max_steps: Most steps, for what grows with them.
        """
        del max_steps
        return rows_bytes(FEW, n_params)

    @property
    def missing(self) -> str:
        """What was not in the record that it was read from, so that it cannot run; empty where it can."""
        return ""

    def describe(self) -> dict[str, Any]:
        """Kind and settings as JSON-able values; ``get(**description)`` makes the optimizer again."""
        from pydantic_core import to_jsonable_python

        names = [field.name for field in fields(self) if field.init]  # pyright: ignore[reportArgumentType] - a dataclass
        settings = {name: getattr(self, name) for name in names}
        return {"kind": self.kind} | {
            name: value.describe() if isinstance(value, Optimizer) else to_jsonable_python(value)
            for name, value in settings.items()
        }


def rows_bytes(n_rows: int, n_params: int) -> int:
    """The memory of rows of parameters in float64, in bytes.

    Args:
        n_rows: Number of rows.
        n_params: Parameters in each.

    Returns:
        Eight bytes for each number.

    >>> rows_bytes(3, 1000)
    24000
    """
    return 8 * n_rows * n_params


def starting_point(theta: Any, accuracy: float) -> np.ndarray:
    """A private copy of the starting point.

    Args:
        theta: Shape (params,), radians.
        accuracy: Wanted, in the objective's unit.

    Returns:
        Shape (params,), float64.

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

    Args:
        points: What was asked.
        told: What came.

    Returns:
        Values, standard errors and what else was asked for; None for what was not.

    Raises:
        Refused: for other shapes, or missing gradients, metrics or fidelities.
        FailedJob: if a number is not finite; the message names the point.
    """
    rows, n_params = points.rows.shape
    values = np.asarray(told.values, dtype=np.float64)
    errors = np.asarray(told.standard_errors, dtype=np.float64)
    if values.shape != (rows,) or errors.shape != (rows,):
        raise Refused(f"values and standard_errors must have shape ({rows},), not {values.shape} and {errors.shape}")
    pairs = np.empty((0, 2, n_params)) if points.pairs is None else points.pairs
    parts = [("value", values, points.rows), ("standard error", errors, points.rows)]
    more: dict[str, np.ndarray | None] = {"gradients": None, "metrics": None, "fidelities": None}
    for what, wanted, shape, at in (
        ("gradients", points.gradient, (rows, n_params), points.rows),
        ("metrics", points.metric, (rows, n_params, n_params), points.rows),
        ("fidelities", points.pairs is not None, pairs.shape[:1], pairs),
    ):
        if wanted:
            given = getattr(told, what)
            numbers = np.asarray(given if given is not None else (), dtype=np.float64)
            if numbers.shape != shape:
                raise Refused(f"{what} must have shape {shape}, not {numbers.shape}")
            more[what] = numbers
            parts.append((what, numbers, at))
    for what, numbers, at in parts:
        if not np.isfinite(numbers).all():
            row = int(np.argwhere(~np.isfinite(numbers))[0][0])
            theta = np.ravel(at[row])
            point = ", ".join(repr(float(x)) for x in theta[:8]) + (", ..." if theta.size > 8 else "")
            number = numbers[row][~np.isfinite(numbers[row])].flat[0]
            raise FailedJob(f"the {what} at theta = [{point}] is {number}: nothing can be minimized with it")
    return Told(values, errors, **more)


def require(optimizer: Optimizer, setting: str, low: float, high: float = np.inf, *, whole: bool = False) -> None:
    """Refuse a setting that is not a number in [low, high].

    Args:
        optimizer: Whose setting it is.
        setting: The name of its field.
        low: Least value allowed.
        high: Largest value allowed.
        whole: Whether it must be a whole number.

    Raises:
        Refused: naming the setting, what it must be, and what it was.
    """
    value = getattr(optimizer, setting)
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not (number and low <= value <= high):
        bound = f"of at least {low:g}" if high == np.inf else f"between {low:g} and {high:g}"
        article = "a whole number" if whole else "a number"
        raise Refused(f"optimizer {optimizer.kind}: {setting} must be {article} {bound}, not {value!r}")
