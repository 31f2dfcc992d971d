"""The convergence of several runs in one picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hybrid.report.picture import INK, NAMED_LINES, Picture, finish, line_colors, look
from hybrid.terminal.words import axis

WIDTHS = (3.0, 2.2, 1.8, 1.4)
"""So that lines that lie on each other are seen: backends that agree take the same way."""

FLOOR = 1e-14
"""Smallest error that the logarithmic axis shows, in the problem's unit."""


@dataclass(frozen=True, eq=False)
class Line:
    """One run.

    Attributes:
        label: In the legend.
        energy: Shape (evaluations,).
        standard_error: Same shape, in the same unit.
        seconds: Of each evaluation, same shape.
    """

    label: str
    energy: np.ndarray
    standard_error: np.ndarray
    seconds: np.ndarray


def side_by_side(lines: Sequence[Line], *, exact_energy: float | None, unit: str, title: str) -> Figure:
    """Draw the best energy so far of several runs, against evaluations and against the time spent on them.

    Args:
        lines: At least one.
        exact_energy: The right answer; the distance from it is drawn where it is known and no energy has an error.
        unit: Of the energies.
        title: Above the picture.
    """
    figure = Picture(figsize=(9.6, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    exact = exact_energy is not None and not any(np.any(line.standard_error > 0) for line in lines)
    colors = line_colors(len(lines))
    for k, line in enumerate(lines):
        best = np.minimum.accumulate(line.energy)
        drawn = np.maximum(np.abs(best - exact_energy), FLOOR) if exact and exact_energy is not None else best
        named = len(lines) <= NAMED_LINES or k in (0, len(lines) - 1)
        drawn_as = look(k) | {"color": colors[k], "lw": WIDTHS[k % len(WIDTHS)], "markevery": _marked(len(drawn), k)}
        left.plot(np.arange(1, len(drawn) + 1), drawn, label=line.label if named else None, **drawn_as)
        right.plot(np.cumsum(line.seconds), drawn, **drawn_as)  # the legend on the left is for both
    for axes, name, label in ((left, "evaluations", "exact"), (right, "time of evaluations (s)", None)):
        _finish(axes, name, None if exact else exact_energy, label=label, log=exact)
    left.set_ylabel(axis("best energy above exact", unit) if exact else axis("best energy", unit))
    left.set_title(title, loc="left", color=INK, fontsize=11)
    return figure


def _marked(n_points: int, k: int) -> list[int]:
    """About eight points that get a marker, evenly apart on a logarithmic axis, other ones for each line."""
    if not n_points:
        return []
    places = np.geomspace(1, n_points, 8) * 1.1 ** (k % 3) if n_points > 8 else np.arange(1, n_points + 1)
    return sorted({min(round(place), n_points) - 1 for place in places})


def _finish(axes: Axes, name: str, exact_energy: float | None, *, label: str | None, log: bool) -> None:
    axes.set_xscale("log")
    if log:
        axes.set_yscale("log")
    if exact_energy is not None:
        axes.axhline(exact_energy, lw=1.2, ls="--", color=INK, label=label)
    axes.set_xlabel(name)
    finish(axes)
