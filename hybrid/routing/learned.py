"""What finished runs teach: how many rows each kind of optimizer really took on this machine's workloads.

The last `RECENT` runs of a kind and size class are remembered, and their median corrects what plans say; never what
they choose, nor what a run computes. The file lies in the folder of measured speeds.
"""

import math
from statistics import median

from backends.kept import read, write
from circuits.errors import RecordFailed
from hybrid.terminal.progress import say

RECENT = 9
"""Runs that are remembered of each kind and class."""

FEWEST = 3
"""Runs from which on they count: one alone may be an odd one."""

BOUND = 4.0
"""Largest factor by which a prediction is corrected."""

FILE = "evaluations.json"

LARGEST = 50.0
"""Logarithm beyond which a ratio is none."""


def size_class(kind: str, n_params: int, *, sampled: bool) -> str:
    """Under which name runs of an optimizer are remembered.

    Args:
        kind: Of the optimizer.
        n_params: Number of parameters; classes are a factor of four wide.
        sampled: Whether values have statistical errors.

    >>> size_class("lbfgs", 24, sampled=False)
    'lbfgs, exact, 16 to 63 parameters'
    """
    low = 4 ** int(math.log(max(n_params, 1), 4) + 1e-9)
    return f"{kind}, {'shots' if sampled else 'exact'}, {low} to {4 * low - 1} parameters"


def factor(name: str) -> float:
    """How many times the expected rows runs of a class took, between 1/`BOUND` and `BOUND`; 1 where too few are known.

    Args:
        name: From `size_class`.
    """
    ratios = _remembered(name)
    return min(max(math.exp(median(ratios)), 1 / BOUND), BOUND) if len(ratios) >= FEWEST else 1.0


def learn(name: str, *, expected: float, happened: float) -> None:
    """Remember a finished run; where the folder cannot be written, say so and go on.

    Args:
        name: From `size_class`.
        expected: Rows, as without any correction.
        happened: Rows that it took.
    """
    ratios = [*_remembered(name), math.log(happened / expected)][-RECENT:]
    try:
        write(FILE, {name: ratios})
    except RecordFailed as err:
        say(f"hybrid: {err}; the run's own record is complete")


def _remembered(name: str) -> list[float]:
    """Logarithms of rows over expected rows, oldest first; what was damaged from outside is left out."""
    found = read(FILE).get(name)
    ratios = found if isinstance(found, list) else []
    return [float(ratio) for ratio in ratios if isinstance(ratio, int | float) and abs(ratio) < LARGEST]
