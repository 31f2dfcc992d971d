"""Panels below each other over one axis: what an algorithm found, stage by stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hybrid.report.picture import INK, Picture, finish, look

FLOOR = 1e-14
"""Smallest size that a logarithmic axis shows, in its unit."""

MANY = 60
"""Points from which on markers are small."""


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity.

    Attributes:
        label: In the legend; empty for none.
        x: Shape (points,).
        y: Same shape, in the unit of its panel.
        errors: Standard errors of y, same shape; None where there are none.
        exact: Whether it is the right answer.
        joined: Whether a line joins the points.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    errors: np.ndarray | None = None
    exact: bool = False
    joined: bool = True


@dataclass(frozen=True, eq=False)
class Panel:
    """One axis upwards.

    Attributes:
        y_label: With the unit.
        series: What is drawn.
        log: Whether sizes are drawn on a logarithmic axis.
    """

    y_label: str
    series: Sequence[Series]
    log: bool = False


def panels(parts: Sequence[Panel], *, x_label: str, title: str, whole_numbers: bool = False) -> Figure:
    """Draw panels below each other.

    Args:
        parts: At least one.
        x_label: Of the axis that they share, with its unit.
        title: Above the picture.
        whole_numbers: Whether x counts something.
    """
    figure = Picture(figsize=(6.4, 2.2 + 1.8 * len(parts)), layout="constrained")
    column = figure.subplots(len(parts), 1, sharex=True, squeeze=False)[:, 0]
    for axes, part in zip(column, parts, strict=True):
        for k, series in enumerate(part.series):
            _draw(axes, series, k, log=part.log)
        if part.log:
            axes.set_yscale("log")
        if whole_numbers:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(part.y_label)
        finish(axes)
    column[0].set_title(title, loc="left", color=INK, fontsize=11)
    column[-1].set_xlabel(x_label)
    return figure


def _draw(axes: Axes, series: Series, k: int, *, log: bool) -> None:
    y = np.maximum(np.abs(series.y), FLOOR) if log else series.y
    if series.exact:
        axes.plot(series.x, y, "--" if series.joined else "_", lw=1.2, ms=18, color=INK, label=series.label)
        return
    errors = series.errors if series.errors is not None and np.any(series.errors > 0) else None
    appearance: dict[str, Any] = look(k) | ({} if series.joined else {"ls": ""})
    if len(series.x) > MANY:
        appearance["ms"] = 2.0
    axes.errorbar(series.x, y, yerr=errors, lw=1.2, capsize=2, label=series.label or None, **appearance)
