"""What each optimizer was measured to take, in the terms of `hybrid.workload.expected`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fit:
    """Of one optimizer.

    Attributes:
        level: Logarithm of the rows for one parameter and a demand of one.
        size: Power of the number of parameters.
        demand: Power of the demand.
        low: Nine of ten runs take more than so many times the predicted rows.
        high: Nine of ten runs take fewer than so many times them.
        own_s: The optimizer's own time for each row and one parameter, seconds.
        own_size: Power of the number of parameters in that time.
    """

    level: float
    size: float
    demand: float
    low: float
    high: float
    own_s: float
    own_size: float


EXACT: dict[str, Fit] = {}
"""For exact values."""

NOISY: dict[str, Fit] = {}
"""For values with statistical errors."""

OTHERS = Fit(0.0, 0.0, 0.0, 0.2, 5.0, 1e-4, 0.5)
"""Of optimizers that were not measured: the interval alone, around what they guess themselves."""
