"""The picture of a survey: a curve or a map with the runs in it, and how well it is known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hybrid.report.picture import ACCENT, COLORS, INK, Picture, finish
from hybrid.terminal.words import axis

TWO_SIDED = 1.96
"""Standard deviations to each side that hold 95 %."""

PROMISE = "#d6336c"
"""Colour of the promised interval."""

LOOK = {
    "design": ("first design", "s", COLORS[2]),
    "uncertain": ("most uncertain", "o", ACCENT),
    "improvement": ("most promising", "o", ACCENT),
    "check": ("check", "D", COLORS[1]),
}
"""Of runs, by why they were made: words, marker, colour."""


def draw(survey: Mapping[str, Any], surrogate: Mapping[str, Any]) -> Figure:
    """The picture of a survey.

    Args:
        survey: The content of survey.json.
        surrogate: That of surrogate.json.
    """
    return _curve(survey, surrogate) if len(surrogate["grid"]["axes"]) == 1 else _maps(survey, surrogate)


def _curve(survey: Mapping[str, Any], surrogate: Mapping[str, Any]) -> Figure:
    ((name, x),) = surrogate["grid"]["axes"].items()
    mean, spread = np.array(surrogate["grid"]["mean"]), TWO_SIDED * np.array(surrogate["grid"]["deviation"])
    x, unit, runs = np.array(x), survey["unit"], survey["runs"]
    figure = Picture(figsize=(6.4, 5.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.fill_between(x, mean - spread, mean + spread, color=ACCENT, alpha=0.25, lw=0, label="95 % interval")
    above.plot(x, mean, color=ACCENT, lw=1.2)
    for why, (label, marker, color) in LOOK.items():
        if own := [run for run in runs if run["why"] == why]:
            at, energies = [run["values"][name] for run in own], [run["energy"] for run in own]
            errors = [TWO_SIDED * run["standard_error"] for run in own]
            look = {"fmt": marker, "ms": 5, "color": color, "label": label, "capsize": 2}
            above.errorbar(at, energies, yerr=errors if any(errors) else None, **look)
    above.set_ylabel(axis("energy", unit))
    above.set_title(_title(survey), loc="left", color=INK, fontsize=11)
    finish(above)
    below.semilogy(x, spread, color=ACCENT, lw=1.2)
    if survey["question"]["find"] == "energies":
        below.axhline(survey["question"]["interval"], color=PROMISE, lw=1, ls="--")
        at = (x[-1], survey["question"]["interval"])
        below.annotate("promised", at, (0, 3), textcoords="offset points", ha="right", color=PROMISE, fontsize=9)
        below.margins(y=0.15)
    if checks := [run for run in runs if run["why"] == "check"]:
        _, marker, color = LOOK["check"]
        away = [abs(run["energy"] - run["predicted"]) for run in checks]
        below.plot([run["values"][name] for run in checks], away, marker, ms=5, color=color)
    below.set_ylabel(axis("half width, checks off by", unit), fontsize=9)
    below.set_xlabel(name)
    finish(below)
    return figure


def _maps(survey: Mapping[str, Any], surrogate: Mapping[str, Any]) -> Figure:
    """The energy and the half width over the first two keys; of a third one where the lowest energy is."""
    axes = {name: np.array(values) for name, values in surrogate["grid"]["axes"].items()}
    shape = tuple(map(len, axes.values()))
    mean = np.array(surrogate["grid"]["mean"]).reshape(shape)
    spread = TWO_SIDED * np.array(surrogate["grid"]["deviation"]).reshape(shape)
    (first, x), (second, y), *others = axes.items()
    said = _title(survey)
    for name, values in others:
        k = int(np.argmin(np.abs(values - survey["verdict"]["lowest"]["at"][name])))
        mean, spread, said = mean[..., k], spread[..., k], f"{said}; {name} = {values[k]:g}"
    figure = Picture(figsize=(9.2, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _map(figure, left, x, y, mean, axis("energy", survey["unit"]))
    _map(figure, right, x, y, spread, axis("half width of the 95 % interval", survey["unit"]))
    for panel in (left, right):
        for why, (label, marker, _) in LOOK.items():
            if own := [run["values"] for run in survey["runs"] if run["why"] == why]:
                at = [run[first] for run in own], [run[second] for run in own]
                panel.plot(*at, marker, ms=5, mfc="white", mec="#111111", mew=0.8, label=label)
        panel.set_xlabel(first)
        finish(panel)
        panel.grid(visible=False)
        if legend := panel.get_legend():
            legend.remove()
    left.set_ylabel(second)
    names, labels = left.get_legend_handles_labels()
    figure.legend(names, labels, loc="outside lower center", ncols=len(labels), frameon=False, labelcolor=INK)
    figure.suptitle(said, x=0.01, ha="left", color=INK, fontsize=11)
    return figure


def _map(figure: Figure, panel: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, label: str) -> None:
    shown = panel.pcolormesh(x, y, values.T, cmap="viridis", shading="nearest")
    bar = figure.colorbar(shown, ax=panel)
    if bar.solids is not None:
        bar.solids.set_rasterized(False)  # pages show no images
        bar.solids.set_edgecolor("face")
    bar.set_label(label, color=INK)
    bar.ax.tick_params(which="both", colors=INK)


def _title(survey: Mapping[str, Any]) -> str:
    return f"{survey['problem']}, {len(survey['runs'])} runs"
