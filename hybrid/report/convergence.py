"""The convergence plot of a run."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hybrid.report.picture import ACCENT, INK, QUIET, finish
from hybrid.report.picture import axes as new_axes
from hybrid.terminal.words import axis


def convergence(
    energies: np.ndarray,
    standard_errors: np.ndarray,
    *,
    exact_energy: float | None,
    unit: str,
    title: str,
    ax: Axes | None = None,
) -> Figure:
    """Draw energies against the number of their evaluation.

    Args:
        energies: Shape (evaluations,).
        standard_errors: Shape (evaluations,).
        exact_energy: The right answer; the distance from it is drawn where it is known and energies have no errors.
        unit: Of the energies.
        title: Above the picture.
        ax: Axes to draw on; a figure of its own by default.
    """
    axes = ax if ax is not None else new_axes()
    count = np.arange(1, len(energies) + 1)
    if exact_energy is not None and not np.any(standard_errors > 0):
        _errors(axes, count, energies - exact_energy, exact_energy)
        axes.set_ylabel(axis("energy above exact", unit))
    else:
        _energies(axes, count, energies, standard_errors, exact_energy)
        axes.set_ylabel(axis("energy", unit))
    axes.set_xlabel("evaluations")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    finish(axes)
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure


def _errors(axes: Axes, count: np.ndarray, errors: np.ndarray, exact_energy: float) -> None:
    floor = max(np.finfo(float).eps * max(abs(exact_energy), 1.0), 1e-15)
    above = np.maximum(np.abs(errors), floor)
    axes.semilogy(count, above, "o", ms=3, color=QUIET, label="evaluated")
    axes.semilogy(count, np.minimum.accumulate(above), "-", lw=1.8, color=ACCENT, label="best so far")


def _energies(
    axes: Axes, count: np.ndarray, energies: np.ndarray, standard_errors: np.ndarray, exact_energy: float | None
) -> None:
    if np.any(standard_errors > 0):
        axes.errorbar(count, energies, yerr=standard_errors, fmt="o", ms=3, lw=0.8, color=ACCENT, label="evaluated")
    else:
        axes.plot(count, energies, "o-", ms=3, color=ACCENT, label="evaluated")
    if exact_energy is not None:
        axes.axhline(exact_energy, ls="--", lw=1.2, color=INK, label="exact")
