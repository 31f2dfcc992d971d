"""Pictures of what a device's numbers do to an application: sensitivities, two numbers against each other, prices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from hybrid.report.picture import ACCENT, COLORS, INK, MARKERS, Picture, finish

TARGET = "#d6336c"
"""Colour of the wanted error."""

MOST_NAMES = 12
"""Devices that are named in a picture; of more, those on the front."""


@dataclass(frozen=True)
class Bar:
    """One parameter.

    Attributes:
        name: Its words.
        low: Change of the error where it is better.
        high: Where it is worse.
    """

    name: str
    low: float
    high: float


def tornado(bars: Sequence[Bar], *, unit: str, title: str, step: str) -> Figure:
    """How much each parameter moves the error, the one that moves it most at the top.

    Args:
        bars: At least one.
        unit: Of the error.
        title: Above the picture.
        step: By how much the parameters change, such as "10 %".
    """
    order = sorted(bars, key=lambda bar: max(abs(bar.low), abs(bar.high)))
    figure = Picture(figsize=(6.8, 1.5 + 0.34 * len(order)), layout="constrained")
    axes = figure.subplots()
    y = np.arange(len(order))
    low, high = np.array([bar.low for bar in order]), np.array([bar.high for bar in order])
    axes.barh(y, low, height=0.6, color=ACCENT, label=f"{step} better")
    axes.barh(y, high, height=0.6, color=COLORS[1], label=f"{step} worse")
    axes.axvline(0, color=INK, lw=1)
    axes.set_yticks(y, [bar.name for bar in order])
    axes.set_xlabel(f"change of the error ({unit})")
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    finish(axes)
    axes.grid(visible=False, axis="y")
    axes.legend(frameon=False, labelcolor=INK, loc="lower right")
    return figure


def heat_map(
    x: Sequence[float],
    y: Sequence[float],
    values: np.ndarray,
    *,
    x_label: str,
    y_label: str,
    unit: str,
    title: str,
    target: float,
) -> Figure:
    """The error over two parameters, with the line on which it is the target.

    Args:
        x: Values of the one, ascending.
        y: Values of the other, ascending.
        values: The error, shape (y, x).
        x_label: Name of the one.
        y_label: Name of the other.
        unit: Of the error.
        title: Above the picture.
        target: Wanted error.
    """
    figure = Picture(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    logarithmic = bool(np.all(values > 0) and values.max() > 30 * values.min())
    shown = axes.pcolormesh(
        np.arange(len(x)), np.arange(len(y)), values, cmap="viridis_r", norm=LogNorm() if logarithmic else None
    )
    bar = figure.colorbar(shown, ax=axes)
    if bar.solids is not None:
        bar.solids.set_rasterized(False)  # pages show no images
        bar.solids.set_edgecolor("face")
    bar.set_label(f"error ({unit})", color=INK)
    bar.ax.tick_params(which="both", colors=INK)
    bright = shown.norm(values)
    for row, column in np.ndindex(values.shape) if values.size <= 80 else ():
        ink = "white" if float(np.asarray(bright)[row, column]) > 0.55 else "#111111"
        text = f"{values[row, column]:.3g}"
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
    if min(values.shape) > 1 and values.min() < target < values.max():
        axes.contour(np.arange(len(x)), np.arange(len(y)), values, [target], colors=[TARGET], linewidths=2)
        title = f"{title}; on the red line {target:.3g} {unit}"
    axes.set_xticks(range(len(x)), [f"{one:.3g}" for one in x])
    axes.set_yticks(range(len(y)), [f"{one:.3g}" for one in y])
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    finish(axes)
    axes.grid(visible=False)
    return figure


@dataclass(frozen=True)
class Choice:
    """One device.

    Attributes:
        name: Of it.
        cost: What it takes.
        error: What it leaves.
        interval: Half width of the error's interval.
        best: Whether no other device has both a smaller error and a smaller cost.
    """

    name: str
    cost: float
    error: float
    interval: float
    best: bool


def pareto(choices: Sequence[Choice], *, cost: str, unit: str, title: str, target: float) -> Figure:
    """Errors against costs, and the front on which one falls only where the other rises.

    Args:
        choices: At least one.
        cost: What is along x, with its unit.
        unit: Of the error.
        title: Above the picture.
        target: Wanted error.
    """
    figure = Picture(figsize=(6.8, 4.4), layout="constrained")
    axes = figure.subplots()
    for best, color, label in ((False, COLORS[-1], "others"), (True, ACCENT, "front")):
        kept = [choice for choice in choices if choice.best is best]
        if kept:
            x, y = [choice.cost for choice in kept], [choice.error for choice in kept]
            errors = [choice.interval for choice in kept]
            look = {"color": color, "marker": MARKERS[0 if best else 1], "ms": 5, "capsize": 2, "ls": ""}
            axes.errorbar(x, y, yerr=errors, label=label, **look)
    front = sorted((choice for choice in choices if choice.best), key=lambda choice: choice.cost)
    axes.step([c.cost for c in front], [c.error for c in front], where="post", color=ACCENT, lw=1)
    for choice in choices if len(choices) <= MOST_NAMES else front[:MOST_NAMES]:
        axes.annotate(
            choice.name, (choice.cost, choice.error), (6, 4), textcoords="offset points", fontsize=8, color=INK
        )
    if all(choice.error > 0 for choice in choices):
        axes.set_yscale("log")
        axes.axhline(target, color=TARGET, lw=1, ls="--", label=f"target, {target:.3g} {unit}")
    costs = [choice.cost for choice in choices]
    if min(costs) > 0 and max(costs) > 10 * min(costs):
        axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_xlabel(cost)
    axes.set_ylabel(f"error ({unit})")
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    finish(axes)
    return figure


def _of_bars(content: Mapping[str, Any]) -> Figure:
    return tornado([Bar(*bar) for bar in content["bars"]], **_others(content, "bars"))


def _of_map(content: Mapping[str, Any]) -> Figure:
    return heat_map(values=np.array(content["values"]), **_others(content, "values"))


def _of_choices(content: Mapping[str, Any]) -> Figure:
    return pareto([Choice(*choice) for choice in content["choices"]], **_others(content, "choices"))


def _others(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != key}


DRAW: Mapping[str, Callable[[Mapping[str, Any]], Figure]] = {
    "map": _of_map,
    "pareto": _of_choices,
    "tornado": _of_bars,
}
"""From JSON-able values, as a record holds them, to pictures."""
