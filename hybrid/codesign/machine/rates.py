"""What this machine reaches at most: operations in registers, and bytes copied in a cache and in memory."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from backends.base import Precision
from backends.memory import readable
from backends.statevector import native
from hybrid.codesign.machine.repeated import Repeated, repeated

CACHED, BEYOND = 2**20, 2**28
"""Bytes that a copy reads and writes within a core's cache of the second level, and in memory."""

PRECISIONS: tuple[Precision, Precision] = ("double", "single")

PRODUCT = 1024
"""Rows of the matrices whose product stands in where there are no kernels."""


@dataclass(frozen=True)
class Rate:
    """An upper end of what the machine does in a second.

    Attributes:
        name: What was measured.
        cores: At once.
        precision: Of the numbers; None for bytes.
        per_second: Additions and multiplications (a fused one counts as two), or bytes read and written.
        working_set_bytes: All that a copy reads and writes, which decides on the cache that serves it.
        lower_bound: Whether the machine may reach more than what was measured with.
    """

    name: str
    cores: int
    precision: Precision | None
    per_second: Repeated
    working_set_bytes: int | None = None
    lower_bound: bool = False

    @property
    def unit(self) -> str:
        """GFLOP/s or GB/s."""
        return "GB/s" if self.precision is None else "GFLOP/s"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        kept = {key: getattr(self, key) for key in ("name", "cores", "precision", "working_set_bytes", "lower_bound")}
        return kept | {"per_second": self.per_second.to_dict()}


def measure_rates(cores: int, repeats: int, working_sets: Iterable[int]) -> tuple[Rate, ...]:
    """Measure them on one core and on all.

    Args:
        cores: That this process may use.
        repeats: Measurements of each; every one is the best of some that follow each other at once.
        working_sets: Bytes for which a copy is timed, beside one in a core's cache and one in memory.

    References:
        McCalpin, "Memory bandwidth and machine balance in current high performance computers", IEEE TCCA Newsletter
        (1995) 19, for what a copy counts: bytes read and bytes written, not those fetched to be overwritten.
    """
    sizes = sorted({CACHED, BEYOND, *working_sets})
    return tuple(_native(cores, repeats, sizes) if native.available() else _numpy(cores, repeats, sizes))


def core_cache_bytes() -> int:
    """Size of the cache of the second level that one core has; 1 MiB where the system does not say."""
    try:
        text = Path("/sys/devices/system/cpu/cpu0/cache/index2/size").read_text().strip()
        return int(text[:-1]) * {"K": 2**10, "M": 2**20}[text[-1]]
    except (OSError, KeyError, ValueError):
        return 2**20


def _native(cores: int, repeats: int, sizes: list[int]) -> Iterator[Rate]:
    name = f"fused multiply-add, {native.instruction_set()}"
    for workers in sorted({1, cores}):
        for precision in PRECISIONS:
            flops = partial(native.peak_flops, precision == "single", workers)
            yield Rate(name, workers, precision, _repeat(flops, repeats))
        for size in sizes:
            copy = partial(native.copy_bytes_per_s, size // 2, workers)
            yield Rate(_copy(size), workers, None, _repeat(copy, repeats), size)


def _numpy(cores: int, repeats: int, sizes: list[int]) -> Iterator[Rate]:
    """Lower bounds: a product of matrices by NumPy's BLAS, on as many threads as it has, and a copy on one core."""
    for precision in PRECISIONS:
        a = np.ones((PRODUCT, PRODUCT), dtype=np.float64 if precision == "double" else np.float32)
        product = partial(_per_second, 2.0 * PRODUCT**3, partial(np.matmul, a, a))
        name = "product of matrices, NumPy's BLAS"
        yield Rate(name, cores, precision, _repeat(product, repeats), lower_bound=True)
    for size in sizes:
        a, b = np.ones(size // 16), np.zeros(size // 16)
        copy = partial(_per_second, 2.0 * a.nbytes, partial(np.copyto, b, a))
        yield Rate(f"{_copy(size)}, NumPy", 1, None, _repeat(copy, repeats), size, lower_bound=True)


def _copy(size: int) -> str:
    return f"copy within {readable(size)}"


def _repeat(measure: Callable[[], float], repeats: int) -> Repeated:
    return repeated(measure() for _ in range(repeats))


def _per_second(amount: float, job: Callable[[], object], tries: int = 5) -> float:
    seconds = []
    for _ in range(tries):
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return amount / min(seconds)
