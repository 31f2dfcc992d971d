"""The convergence plot of a run."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hybrid.report.picture import ACCENT, INK, QUIET, finish
from hybrid.report.picture import axes as new_axes

if TYPE_CHECKING:
    from hybrid.result import Result


def convergence(result: "Result", ax: Any = None) -> Figure:
    """Draw a run's energies against its evaluations; see `Result.plot`."""
    axes: Axes = ax if ax is not None else new_axes()
    history = result.history
    count = np.arange(1, len(history) + 1)
    noisy = bool(np.any(history.standard_error > 0))
    if result.exact_energy is not None and not noisy:
        _errors(axes, count, history.energy - result.exact_energy, result)
    else:
        _energies(axes, count, result, noisy)
    axes.set_xlabel("evaluations")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(f"{result.problem} on {result.backend}: {result.status}", loc="left", color=INK, fontsize=11)
    finish(axes)
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure


def _errors(axes: Axes, count: np.ndarray, errors: np.ndarray, result: "Result") -> None:
    floor = max(np.finfo(float).eps * max(abs(result.exact_energy or 0.0), 1.0), 1e-15)
    above = np.maximum(np.abs(errors), floor)
    axes.semilogy(count, above, "o", ms=3, color=QUIET, label="evaluated")
    axes.semilogy(count, np.minimum.accumulate(above), "-", lw=1.8, color=ACCENT, label="best so far")
    axes.set_ylabel(f"energy above exact ({result.unit})")


def _energies(axes: Axes, count: np.ndarray, result: "Result", noisy: bool) -> None:
    history = result.history
    if noisy:
        axes.errorbar(
            count, history.energy, yerr=history.standard_error, fmt="o", ms=3, lw=0.8, color=ACCENT, label="evaluated"
        )
    else:
        axes.plot(count, history.energy, "o-", ms=3, color=ACCENT, label="evaluated")
    if result.exact_energy is not None:
        axes.axhline(result.exact_energy, ls="--", lw=1.2, color=INK, label="exact")
    axes.set_ylabel(f"energy ({result.unit})")
