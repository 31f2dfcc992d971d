"""A number that was measured several times."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from circuits.errors import Refused


@dataclass(frozen=True)
class Repeated:
    """What several measurements of one number came to.

    Attributes:
        median: Of all.
        low: The smallest.
        high: The largest.
        repeats: How many there were.
    """

    median: float
    low: float
    high: float
    repeats: int

    @property
    def spread(self) -> float:
        """Width of the range of all measurements, as a share of the median."""
        return (self.high - self.low) / self.median

    def to_dict(self) -> dict[str, float]:
        """JSON-able form."""
        return {"median": self.median, "low": self.low, "high": self.high, "repeats": self.repeats}


def repeated(numbers: Iterable[float]) -> Repeated:
    """Measurements as one number with its range.

    Args:
        numbers: At least one.

    >>> repeated([2.0, 1.0, 4.0])
    Repeated(median=2.0, low=1.0, high=4.0, repeats=3)
    """
    found = sorted(numbers)
    return Repeated(statistics.median(found), found[0], found[-1], len(found))


def check_repeats(repeats: int) -> None:
    """Before anything is measured.

    Raises:
        Refused: unless it is a whole number from 1.
    """
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise Refused(f"repeats must be a whole number from 1, not {repeats!r}")
