"""What a run was predicted to take, and what it took."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import FiniteFloat, ValidationError

from hybrid.terminal.words import duration, rounded
from hybrid.workload.spec import RecordModel


class Interval(RecordModel):
    """A number that is predicted, and what it came to.

    Attributes:
        expected: As often too small as too large.
        low: Smaller than nine of ten.
        high: Larger than nine of ten.
        happened: What it came to; None before the end.
    """

    expected: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    happened: FiniteFloat | None = None


class Prediction(RecordModel):
    """What a run takes.

    Attributes:
        evaluations: Rows of parameters, those of the conclusion included.
        seconds: Wall time of all its phases, without a vendor's queue; None where the backend's speed is not known.
    """

    evaluations: Interval
    seconds: Interval | None = None

    def after(self, *, evaluations: int, seconds: float) -> "Prediction":
        """With what the run took.

        Args:
            evaluations: Rows of parameters.
            seconds: Wall time of all processes that worked on it, one after the other.
        """
        time = self.seconds and self.seconds.model_copy(update={"happened": seconds})
        return Prediction(
            evaluations=self.evaluations.model_copy(update={"happened": float(evaluations)}), seconds=time
        )

    def text(self) -> str:
        """On one line."""
        rows = counted(self.evaluations, "evaluations")
        if self.evaluations.happened is not None:
            rows += f", took {self.evaluations.happened:,.0f}"
        if self.seconds is None:
            return rows
        time = timed(self.seconds)
        if self.seconds.happened is not None:
            time += f", took {duration(self.seconds.happened)}"
        return f"{rows}; {time}"


@dataclass(frozen=True)
class Phase:
    """A part of a run.

    Attributes:
        name: What it does.
        seconds: Predicted wall time; NaN where it is not known.
        low: Nine of ten take more.
        high: Nine of ten take fewer.
    """

    name: str
    seconds: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        numbers = {name: getattr(self, name) for name in ("seconds", "low", "high")}
        return {"phase": self.name} | {name: x if math.isfinite(x) else None for name, x in numbers.items()}


def total(phases: tuple[Phase, ...]) -> Interval | None:
    """The seconds of all phases together, whose errors are independent; None if none is known."""
    known = [phase for phase in phases if math.isfinite(phase.seconds)]
    if not known:
        return None
    seconds = sum(phase.seconds for phase in known)
    below = math.hypot(*(phase.seconds - phase.low for phase in known))
    above = math.hypot(*(phase.high - phase.seconds for phase in known))
    return Interval(expected=seconds, low=max(seconds - below, 0.0), high=seconds + above)


def predicted(plan: Mapping[str, Any]) -> Prediction | None:
    """What a plan in a record predicts of the way that it chose; None in records of versions that did not.

    Args:
        plan: As `Plan.to_dict` says it.
    """
    ways = plan.get("ways") or [{}]
    try:
        return Prediction.model_validate(ways[0]["prediction"])
    except (KeyError, TypeError, ValidationError):
        return None


def counted(interval: Interval, what: str) -> str:
    """A number of things with its interval, whose ends have two digits, as text.

    The number itself is the one that costs are counted with, so that a price can be checked by hand.

    >>> counted(Interval(expected=1234, low=512, high=3100), "rows")
    'about 1,234 rows (510 to 3,100)'
    """
    low, high = (rounded(round(x)) for x in (interval.low, interval.high))
    middle = f"{interval.expected:,.0f}"
    return f"{middle} {what}" if low == high else f"about {middle} {what} ({low} to {high})"


def timed(interval: Interval) -> str:
    """A time in seconds with its interval as text.

    >>> timed(Interval(expected=75.3, low=30.2, high=180))
    '1.3 min (30 s to 3 min)'
    """
    middle, low, high = (duration(x, digits=2) for x in (interval.expected, interval.low, interval.high))
    if low == high:
        return middle
    unit = middle.rpartition(" ")[2]
    if low.endswith(f" {unit}") and high.endswith(f" {unit}"):
        low, high = low.rpartition(" ")[0], high.rpartition(" ")[0]
    return f"{middle} ({low} to {high})"
