"""How fast this machine is beside the one that the shipped speeds were measured on, from a probe of half a second.

Three things are timed, on one core and in processor time, so that what else runs here counts little: steps of Python,
numbers in the cache, and numbers beyond it. What is kept of them are powers of two: two probes of one machine agree.
"""

import math
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from backends.kept import read, write
from backends.machine import machine
from circuits.errors import RecordFailed

REPEATS = 7

NEAR = 0.75
"""Powers of two by which a machine may differ from the other one and be taken for as fast."""

CACHED, BEYOND = 2**12, 2**21
"""Complex numbers in the cache, and beyond it."""

MOST = 64.0
"""No machine is taken to be more times faster or slower: such a probe was disturbed."""


@dataclass(frozen=True)
class Rates:
    """What the probe times, in seconds.

    Attributes:
        python_s: A fixed piece of Python.
        cached_s: A complex number multiplied and added in the cache.
        beyond_s: The same where the numbers come from memory.
    """

    python_s: float
    cached_s: float
    beyond_s: float


@dataclass(frozen=True)
class Slowness:
    """How many times longer this machine takes than the other: whole powers of two.

    Attributes:
        overhead: For Python, and whatever does not depend on the size of a state.
        cached: For states in the cache.
        beyond: For states beyond it.
    """

    overhead: float = 1.0
    cached: float = 1.0
    beyond: float = 1.0


def rates() -> Rates:
    """Time the three things now; the best of some repetitions each."""
    small, large = np.full(CACHED, 0.5 + 0.5j), np.full(BEYOND, 0.5 + 0.5j)
    return Rates(
        _best(_python), _best(lambda: _numbers(small, 40)) / 40 / CACHED, _best(lambda: _numbers(large, 1)) / BEYOND
    )


def slowness(reference: Rates) -> Slowness:
    """How much slower than another machine the present one is; the probe is kept in the user's cache folder.

    Args:
        reference: What the probe found on the other machine.
    """
    here = _kept_rates()
    ratios = (
        here.python_s / reference.python_s,
        here.cached_s / reference.cached_s,
        here.beyond_s / reference.beyond_s,
    )
    return Slowness(*map(_rounded, ratios))


def _kept_rates() -> Rates:
    return _rates_of(f"{machine()} | Python {platform.python_version()} | NumPy {np.__version__}")


@cache
def _rates_of(key: str) -> Rates:
    known: Any = read("probe.json").get(key)
    try:
        numbers = [float(known[name]) for name in ("python_s", "cached_s", "beyond_s")]
        if all(0 < number < math.inf for number in numbers):
            return Rates(*numbers)
    except (KeyError, TypeError, ValueError):
        pass  # never kept here, or damaged from outside: it is made again
    found = rates()
    try:
        write("probe.json", {key: asdict(found)})
    except RecordFailed as err:
        warnings.warn(f"the speed of this machine is probed again by every process: {err}", stacklevel=2)
    return found


def _rounded(ratio: float) -> float:
    """The nearest power of two; 1 for what is near it."""
    power = math.log2(min(max(ratio, 1 / MOST), MOST))
    return 1.0 if abs(power) <= NEAR else 2.0 ** round(power)


def _best(work: Callable[[], object]) -> float:
    found = []
    for _ in range(REPEATS):
        start = time.thread_time()
        work()
        found.append(time.thread_time() - start)
    return min(found)


def _python() -> int:
    total, table = 0, {k: str(k) for k in range(100)}
    for k in range(20_000):
        total += len(table[k % 100]) + isinstance(k, str)
    return total


def _numbers(state: np.ndarray, times: int) -> None:
    for _ in range(times):
        np.multiply(state, 1j, out=state)
        np.add(state, 1e-9, out=state)
