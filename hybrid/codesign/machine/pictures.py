"""Pictures of the machine: its roofline, and what faster parts would make of a run's time."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from backends.memory import readable
from circuits.errors import Refused
from hybrid.codesign.machine.rates import BEYOND, PRECISIONS
from hybrid.report.picture import COLORS, INK, MARKERS, STYLES, Picture, finish

if TYPE_CHECKING:
    from backends.base import Precision
    from hybrid.codesign.machine.model import MachineModel
    from hybrid.codesign.machine.roofline import Machine

MARGIN = 6.0
"""Times by which the axis of a roofline goes beyond the kernels."""

FASTEST = 100.0
"""Times as fast as a part is drawn."""


def roofline(machine: "Machine") -> Figure:
    """Operations a second against operations a byte: limits as lines, kernels as points.

    Args:
        machine: As measured; bars go from the median of the repetitions to the fastest.

    Raises:
        Refused: if no kernel was timed.
    """
    if not machine.kernels:
        raise Refused(f"there is no roofline to draw. {machine.notes[0]}")
    precisions: list[Precision] = [
        one for one in PRECISIONS if any(kernel.precision == one for kernel in machine.kernels)
    ]
    figure = Picture(figsize=(4.6 * len(precisions) + 0.4, 5.4), layout="constrained")
    row = figure.subplots(1, len(precisions), sharex=True, sharey=True, squeeze=False)[0]
    ridges = [machine.peak(precision) / machine.bandwidth(BEYOND) for precision in precisions]
    intensities = [kernel.intensity for kernel in machine.kernels] + ridges
    x = np.geomspace(min(intensities) / MARGIN, max(intensities) * MARGIN, 200)
    for axes, precision in zip(row, precisions, strict=True):
        _limits(axes, machine, precision, x)
        _kernels(axes, machine, precision)
        axes.set_title(f"{precision} precision", loc="left", color=INK, fontsize=11)
        axes.set_xlabel("operations a byte (flop/byte)")
        finish(axes)
        if axes.get_legend() is not None:
            axes.get_legend().remove()
    row[0].set_ylabel("operations a second (GFLOP/s)")
    figure.suptitle(machine.processor, color=INK, fontsize=10, x=0.01, ha="left")
    handles, labels = row[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, labelcolor=INK, fontsize=8)
    return figure


def _limits(axes: Axes, machine: "Machine", precision: "Precision", x: np.ndarray) -> None:
    peak = machine.peak(precision) / 1e9
    sizes = sorted({kernel.state_bytes for kernel in machine.kernels if kernel.precision == precision})
    for k, size in enumerate([*sizes, BEYOND]):
        bandwidth, style = machine.bandwidth(size) / 1e9, STYLES[-1 - k % len(STYLES)] if size != BEYOND else "-"
        axes.loglog(x, np.minimum(peak, bandwidth * x), style, color=INK, lw=1.2)
        text = f"{bandwidth:.0f} GB/s in {readable(size)}"
        start = (x[0], bandwidth * x[0])
        axes.annotate(
            text, start, (6, -2), textcoords="offset points", color=INK, fontsize=7, va="center"
        )  # right of the line, which rises
    axes.annotate(f"{peak:.0f} GFLOP/s", (x[-1], peak), color=INK, fontsize=8, va="bottom", ha="right")


def _kernels(axes: Axes, machine: "Machine", precision: "Precision") -> None:
    kinds = list(dict.fromkeys(kernel.kind for kernel in machine.kernels))
    sizes = sorted({kernel.n_qubits for kernel in machine.kernels})
    for kernel in machine.kernels:
        if kernel.precision != precision:
            continue
        k, size = kinds.index(kernel.kind), sizes.index(kernel.n_qubits)
        reached = kernel.flops_per_s / 1e9
        usual = kernel.flops / kernel.seconds.median / 1e9
        axes.errorbar(
            [kernel.intensity],
            [reached],
            yerr=[[reached - usual], [0.0]],
            fmt=MARKERS[k % len(MARKERS)],
            color=COLORS[k % len(COLORS)],
            mfc="none" if size == 0 else COLORS[k % len(COLORS)],
            ms=6,
            lw=0.8,
            label=f"{kernel.kind}, {kernel.n_qubits} qubits",
        )


def speedups(model: "MachineModel") -> Figure:
    """Time of a whole run against how many times faster one of its parts becomes; a line for each part, and its limit.

    Args:
        model: Of the run.
    """
    total = model.total_s
    shown = [
        part for part, seconds in sorted(model.seconds.items(), key=lambda item: -item[1]) if seconds > 0.005 * total
    ]
    axes = Picture(figsize=(7.6, 4.2), layout="constrained").subplots()
    factor = np.geomspace(1.0, FASTEST, 100)
    for k, part in enumerate(shown):
        seconds, color = model.seconds[part], COLORS[k % len(COLORS)]
        name, style = f"{part}, {seconds / total:.0%}", STYLES[k % len(STYLES)]
        axes.semilogx(factor, total - seconds + seconds / factor, style, color=color, lw=1.8, label=name)
        axes.axhline(model.limit_s(part), color=color, lw=0.8, ls=(0, (1, 3)))
    axes.set_ylim(bottom=0.0)
    axes.set_xlim(1.0, FASTEST)
    axes.set_xticks([1, 10, 100], ["1", "10", "100"])
    axes.set_xlabel("times as fast, this part alone (dotted: however fast)")
    axes.set_ylabel("time of the whole (s)")
    axes.set_title(model.title, loc="left", color=INK, fontsize=9, wrap=True)
    finish(axes)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure
