"""What finished runs teach: how many rows each kind of optimizer really took on this machine's workloads.

The last `RECENT` runs of a kind and size class are remembered, and their median corrects what plans say; never what
they choose, nor what a run computes. The file lies in the folder of measured speeds.
"""

import json
import math
import os
import threading
from pathlib import Path
from statistics import median
from typing import Any

from backends.machine import cache_folder
from hybrid.terminal.progress import say

RECENT = 9
"""Runs that are remembered of each kind and class."""

FEWEST = 3
"""Runs from which on they count: one alone may be an odd one."""

BOUND = 4.0
"""Largest factor by which a prediction is corrected."""

MOST_CLASSES = 400
"""Kinds and classes that are remembered; those that were not seen for longest are forgotten."""


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
    ratios = _read().get(name, [])
    return min(max(math.exp(median(ratios)), 1 / BOUND), BOUND) if len(ratios) >= FEWEST else 1.0


def learn(name: str, *, expected: float, happened: float) -> None:
    """Remember a finished run; where the folder cannot be written, say so and go on.

    Args:
        name: From `size_class`.
        expected: Rows, as without any correction.
        happened: Rows that it took.
    """
    classes = _read()
    classes[name] = [*classes.pop(name, []), math.log(happened / expected)][-RECENT:]
    path = _path()
    scratch = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(dict(list(classes.items())[-MOST_CLASSES:]), indent=1))
        scratch.replace(path)
    except OSError as err:
        say(f"hybrid: what this run teaches cannot be kept in {path} ({err.strerror}); its record is complete")


def _path() -> Path:
    return cache_folder() / "evaluations.json"


def _read() -> dict[str, list[float]]:
    path = _path()
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        content = None
    if isinstance(content, dict) and all(map(_ratios, content.values())):
        return content
    say(f"hybrid: {path} is damaged: what earlier runs took is not used, and the next run begins it anew")
    return {}


def _ratios(value: Any) -> bool:
    numbers = isinstance(value, list) and all(isinstance(x, int | float) and abs(x) < 100 for x in value)
    return numbers and len(value) <= RECENT
