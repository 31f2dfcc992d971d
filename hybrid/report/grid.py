"""The picture of a sweep over several variables, or over words: lines along one of them, panels for the rest."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from circuits.errors import Refused
from hybrid.report.picture import INK, NAMED_LINES, Picture, line_colors
from hybrid.terminal.words import axis

Value = int | float | str

MOST_PANELS = 20
"""Panels that one picture has room for."""

COLUMNS = 4

NO_UNITS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class GridPoint:
    """One point of a sweep.

    Attributes:
        values: Of the sweep variables.
        energy: In the problem's unit.
        standard_error: Of the energy.
        exact_energy: The right answer, or None where it is unknown.
    """

    values: Mapping[str, Value]
    energy: float
    standard_error: float
    exact_energy: float | None


def grid(points: Sequence[GridPoint], *, unit: str, title: str, units: Mapping[str, str] = NO_UNITS) -> Figure:
    """Energies of a sweep over any variables.

    Along x is the number with the most values; each value of the next variable has a line, and each combination of the
    others a panel. Exact energies are drawn thin, where all are known.

    Args:
        points: At least one; all with the same variables.
        unit: Of the energies.
        title: Above the picture.
        units: Of the sweep variables that have one.

    Raises:
        Refused: if that would make more panels than a picture has room for.
    """
    along, lines, others = axes_of(points)
    panels = list(dict.fromkeys(tuple(point.values[name] for name in others) for point in points))
    if len(panels) > MOST_PANELS:
        raise Refused(
            f"{len(panels)} combinations of {', '.join(others)} would need a panel each, more than the {MOST_PANELS} "
            "that a picture has room for"
        )
    n_columns = min(COLUMNS, len(panels))
    n_rows = math.ceil(len(panels) / n_columns)
    figure = Picture(figsize=(max(6.4, 3.4 * n_columns), max(4.0, 2.9 * n_rows)), layout="constrained")
    drawn = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
    for axes in drawn.flat[len(panels) :]:
        axes.set_visible(False)
    ticks = _ticks([point.values[along] for point in points])
    for axes, panel in zip(drawn.flat, panels, strict=False):
        inside = [p for p in points if tuple(p.values[name] for name in others) == panel]
        _panel(axes, inside, along, lines, ticks)
        if others:
            said = ", ".join(f"{name} = {value}" for name, value in zip(others, panel, strict=True))
            axes.set_title(said, loc="left", color=INK, fontsize=9)
    drawn.flat[0].legend(frameon=False, fontsize=8)
    figure.supxlabel(axis(along, units.get(along, "")), fontsize=10)
    figure.supylabel(axis("energy", unit), fontsize=10)
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=11)
    return figure


def axes_of(points: Sequence[GridPoint]) -> tuple[str, str | None, list[str]]:
    """What a picture of a sweep has along x, as lines, and as panels.

    Returns:
        The variable along x, one of numbers with the most values if there is one; that of the lines, the next by the
        number of its values, or None; and the others.
    """
    values = {name: dict.fromkeys(point.values[name] for point in points) for name in points[0].values}
    order = sorted(values, key=lambda name: (any(isinstance(v, str) for v in values[name]), -len(values[name])))
    along, *rest = order
    rest.sort(key=lambda name: -len(values[name]))
    return along, rest[0] if rest else None, rest[1:]


def _panel(
    axes: Axes, points: Sequence[GridPoint], along: str, lines: str | None, ticks: Mapping[Value, float] | None
) -> None:
    """The lines of one panel."""
    keys = list(dict.fromkeys(point.values[lines] for point in points)) if lines else [None]
    colors = line_colors(len(keys))
    exact = all(point.exact_energy is not None for point in points)
    for number, key in enumerate(keys):
        own = [point for point in points if lines is None or point.values[lines] == key]
        x = np.array([_place(point.values[along], ticks) for point in own])
        order = np.argsort(x, kind="stable")
        energy = np.array([point.energy for point in own])[order]
        error = np.array([point.standard_error for point in own])[order]
        named = len(keys) <= NAMED_LINES or number in (0, len(keys) - 1)
        label = f"{lines} = {key}" if lines and named else None
        style = {"color": colors[number], "label": label, "lw": 1, "ms": 4}
        axes.errorbar(x[order], energy, yerr=error if error.any() else None, fmt="o" if ticks else "o-", **style)
        if exact:
            right = [own[k].exact_energy for k in order]
            axes.plot(x[order], right, "_" if ticks else "--", ms=14, color=INK, lw=0.8, alpha=0.6)
    if exact:
        axes.plot([], [], "--", color=INK, lw=0.8, label="exact")
    if ticks:
        axes.set_xticks(list(ticks.values()), [str(value) for value in ticks], fontsize=8, rotation=30, ha="right")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def _ticks(values: Sequence[Value]) -> dict[Value, float] | None:
    """Places for words, in the order in which they come; None for numbers."""
    if not any(isinstance(value, str) for value in values):
        return None
    return {value: float(k) for k, value in enumerate(dict.fromkeys(values))}


def _place(value: Value, ticks: Mapping[Value, float] | None) -> float:
    return float(value) if ticks is None else ticks[value]
