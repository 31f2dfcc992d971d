"""The roofline of the statevector engine on this machine."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.base import Precision
from backends.machine import machine as this_machine
from backends.machine import threads
from backends.memory import free_bytes, readable
from backends.statevector import native
from circuits import tables
from circuits.errors import Refused
from hybrid.codesign.machine.kernels import Kernel, measure_kernels, state_bytes
from hybrid.codesign.machine.rates import PRECISIONS, Rate, core_cache_bytes, measure_rates
from hybrid.codesign.machine.repeated import check_repeats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGE = 22
"""Qubits of the state beyond the cache, unless that is larger than a core's cache of the second level."""

FEWEST, MOST = 8, 30
"""Qubits of a state that may be asked for."""

RATE_COLUMNS = ("limit", "cores", "precision", "median", "lowest to highest")
KERNEL_COLUMNS = ("kernel", "qubits", "precision", "flop/byte", "GFLOP/s", "GB/s", "share of limit", "spread")


@dataclass(frozen=True)
class Machine:
    """What this machine reaches, and what the statevector engine reaches on it; made by `machine`.

    Attributes:
        processor: Its name, and the cores that the job has.
        cores: That computed, at most.
        rates: Upper ends of operations and of bytes in a second.
        kernels: What kinds of work of the engine reached; empty where its kernels cannot be used.
        seconds: That the measurement took.
        notes: What to keep in mind about the numbers.
    """

    processor: str
    cores: int
    rates: tuple[Rate, ...]
    kernels: tuple[Kernel, ...]
    seconds: float
    notes: tuple[str, ...] = ()

    def peak(self, precision: Precision) -> float:
        """Additions and multiplications in a second on all cores, at best.

        Args:
            precision: Of the numbers.
        """
        return max(rate.per_second.high for rate in self.rates if rate.precision == precision)

    def bandwidth(self, working_set_bytes: float) -> float:
        """Bytes read and written in a second by a copy on all cores, at best.

        Args:
            working_set_bytes: That are read and written again and again; the measured copy of the nearest size counts.
        """
        sizes = [rate.working_set_bytes for rate in self.rates if rate.working_set_bytes is not None]
        nearest = min(sizes, key=lambda size: abs(math.log(size / working_set_bytes)))
        return max(rate.per_second.high for rate in self.rates if rate.working_set_bytes == nearest)

    def limit(self, kernel: Kernel) -> float:
        """What the roofline lets a kernel reach: the peak, or what its bytes leave of it, in operations a second.

        Args:
            kernel: One of the kernels.

        References:
            Williams, Waterman, Patterson, "Roofline: an insightful visual performance model for multicore
            architectures", Communications of the ACM 52 (2009) 65.
        """
        return min(self.peak(kernel.precision), kernel.intensity * self.bandwidth(kernel.state_bytes))

    def rate_rows(self) -> list[tuple[str, ...]]:
        """The limits as text for tables."""
        return [
            (
                rate.name + (" (a lower bound)" if rate.lower_bound else ""),
                str(rate.cores),
                rate.precision or "-",
                f"{rate.per_second.median / 1e9:.4g} {rate.unit}",
                f"{rate.per_second.low / 1e9:.3g} to {rate.per_second.high / 1e9:.3g}",
            )
            for rate in self.rates
        ]

    def kernel_rows(self) -> list[tuple[str, ...]]:
        """What the engine reached, of the fastest repetition, as text for tables."""
        return [
            (
                kernel.kind,
                str(kernel.n_qubits),
                kernel.precision,
                f"{kernel.intensity:.2f}",
                f"{kernel.flops_per_s / 1e9:.3g}",
                f"{kernel.bytes_per_s / 1e9:.3g}",
                f"{kernel.flops_per_s / self.limit(kernel):.0%}",
                f"+{kernel.seconds.median / kernel.seconds.low - 1:.0%}",
            )
            for kernel in self.kernels
        ]

    def to_dict(self) -> dict[str, object]:
        """JSON-able form."""
        kernels = [kernel.to_dict() | {"limit_flops_per_s": self.limit(kernel)} for kernel in self.kernels]
        return {
            "processor": self.processor,
            "cores": self.cores,
            "rates": [rate.to_dict() for rate in self.rates],
            "kernels": kernels,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }

    def plot(self) -> "Figure":
        """The roofline in both precisions: operations a second against operations a byte, both logarithmic.

        Raises:
            Refused: if no kernel was timed.
        """
        from hybrid.codesign.machine.pictures import roofline

        return roofline(self)

    def tables(self) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
        """Titles, columns and rows of what it prints."""
        found: list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]
        found = [(self.processor, RATE_COLUMNS, self.rate_rows())]
        if self.kernels:
            found.append(("The statevector engine", KERNEL_COLUMNS, self.kernel_rows()))
        return found

    def __str__(self) -> str:
        parts = [tables.text(rows, title=title, columns=columns) for title, columns, rows in self.tables()]
        return "\n".join([*parts, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [tables.html(rows, title=title, columns=columns) for title, columns, rows in self.tables()]
        return "".join([*parts, tables.html([], notes=self.notes)])


def machine(*, qubits: Sequence[int] | None = None, precision: Precision | None = None, repeats: int = 3) -> Machine:
    """Measure what this machine reaches, and what the statevector engine reaches on it, in some seconds.

    Args:
        qubits: Sizes of the states that are timed; by default one that fits a core's cache, and one beyond.
        precision: "double" or "single"; both by default.
        repeats: Measurements of each number.

    Returns:
        A `Machine`, which prints as tables, shows itself in a notebook, and draws the roofline with ``plot()``.

    Raises:
        Refused: for sizes that do not fit the memory, an unknown precision, or no repeats.
    """
    check_repeats(repeats)
    if precision is not None and precision not in PRECISIONS:
        raise Refused(f"precision must be one of {', '.join(PRECISIONS)}, or left out for both; it is {precision!r}")
    sizes = tuple(qubits) if qubits is not None else _default_sizes()
    _check_sizes(sizes)
    wanted = PRECISIONS if precision is None else (precision,)
    start, cores = time.perf_counter(), threads()
    rates = measure_rates(cores, repeats, [state_bytes(n, p) for n in sizes for p in wanted])
    kernels: list[Kernel] = []
    if native.available():
        for n_qubits in sizes:
            for one in wanted:
                kernels += measure_kernels(n_qubits, one, cores, repeats)
    return Machine(
        this_machine(), cores, rates, tuple(kernels), time.perf_counter() - start, tuple(_notes(rates, kernels))
    )


def _notes(rates: Sequence[Rate], kernels: Sequence[Kernel]) -> list[str]:
    notes = [
        "Operations and bytes of kernels are those that the engine counts for its plan. The limit is the smaller of "
        "the peak, and operations a byte times the bandwidth of a copy in as many bytes as the state has. Rates are of "
        "the fastest repetition; the spread says how much longer the median took. A kernel that changes a state in "
        "place may exceed the copy, which also has to fetch what it overwrites, by up to a half."
        if kernels
        else f"No kernel of the statevector engine was timed: {native.why_not()}."
    ]
    if any(rate.lower_bound for rate in rates):
        notes.append("Without the kernels, limits are measured with NumPy: the machine reaches at least as much.")
    if unsteady := [rate for rate in rates if rate.per_second.spread > 0.2]:
        notes.append(
            f"{len(unsteady)} of {len(rates)} limits differed by more than a fifth between repetitions: other programs "
            "ran beside, or the clock changed. Measure again on a machine at rest."
        )
    return notes


def _default_sizes() -> tuple[int, int]:
    cache = core_cache_bytes()
    small = max((cache // 32).bit_length() - 1, FEWEST)  # half of the cache, in double precision
    return small, max(LARGE, small + 4)


def _check_sizes(sizes: Sequence[int]) -> None:
    if not sizes or not all(isinstance(n, int) and FEWEST <= n <= MOST for n in sizes):
        raise Refused(f"qubits must be whole numbers from {FEWEST} to {MOST}, at least one; they are {list(sizes)}")
    needed, free = 2 * 16 * 2 ** max(sizes), free_bytes()
    if needed > free:
        raise Refused(
            f"two states of {max(sizes)} qubits take {readable(needed)}, and {readable(free)} are free: ask for fewer"
        )
