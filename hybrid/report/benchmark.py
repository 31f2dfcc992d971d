"""The picture of a benchmark: scores with error bars over the number of qubits, squares over width and depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hybrid.report.picture import INK, Picture, finish, look

COLUMNS = 3
"""Panels beside each other."""

COLORMAP = "viridis"


@dataclass(frozen=True)
class Scored:
    """One score.

    Attributes:
        n_qubits: Width of the circuits.
        depth: Layers; None where the application has none.
        value: In the panel's unit.
        standard_error: Of the value.
        reference: Of a perfect computer; None where there is none.
    """

    n_qubits: int
    depth: int | None
    value: float
    standard_error: float
    reference: float | None


@dataclass(frozen=True)
class Part:
    """One application.

    Attributes:
        title: Above its panel.
        unit: Of its scores; empty for a number between 0 and 1.
        scores: By the label of the backend.
    """

    title: str
    unit: str
    scores: dict[str, list[Scored]]

    @property
    def volumetric(self) -> bool:
        """Whether some width has several depths."""
        sizes = {(one.n_qubits, one.depth) for found in self.scores.values() for one in found}
        return len(sizes) > len({n for n, _ in sizes})


def benchmark(parts: Sequence[Part], *, title: str) -> Figure:
    """Draw each application: lines for backends, or, of one with widths and depths, a panel of squares for each.

    Args:
        parts: At least one, each with at least one score.
        title: Above the picture.
    """
    cells = [(part, None) for part in parts if not part.volumetric]
    cells += [(part, label) for part in parts if part.volumetric for label in part.scores]
    n_columns = min(COLUMNS, len(cells))
    n_rows = -(-len(cells) // n_columns)
    figure = Picture(figsize=(max(4.0 * n_columns, 6.4), 0.7 + 3.1 * n_rows), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=11)
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    labels = list(dict.fromkeys(label for part in parts for label in part.scores))
    squares: list[Axes] = []
    for axes, (part, label) in zip(panels, cells, strict=False):
        if label is None:
            _lines(axes, part, labels)
        else:
            _squares(axes, part, label)
            squares.append(axes)
    for axes in panels[len(cells) :]:
        axes.set_visible(False)
    named = {text: line for axes in panels for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    if named:
        figure.legend(
            list(named.values()),
            list(named),
            loc="outside lower left",
            ncols=n_columns,
            frameon=False,
            labelcolor=INK,
        )
    if squares:
        bar = figure.colorbar(ScalarMappable(Normalize(0, 1), COLORMAP), ax=squares, shrink=0.8, pad=0.02)
        bar.ax.tick_params(colors=INK)
        bar.outline.set_edgecolor(INK)  # pyright: ignore[reportCallIssue]
    return figure


def _lines(axes: Axes, part: Part, labels: Sequence[str]) -> None:
    everything = [one for found in part.scores.values() for one in found]
    depth_of = {one.n_qubits: one.depth for one in everything}
    widths = sorted(depth_of)
    for label, scores in part.scores.items():
        ordered = sorted(scores, key=lambda one: one.n_qubits)
        beside = 0.1 * (labels.index(label) - (len(labels) - 1) / 2)  # so that error bars do not hide each other
        axes.errorbar(
            [widths.index(one.n_qubits) + beside for one in ordered],
            [one.value for one in ordered],
            yerr=[one.standard_error for one in ordered],
            lw=1.2,
            capsize=2,
            label=label,
            **look(labels.index(label)),
        )
    exact = {widths.index(one.n_qubits): one.reference for one in everything if one.reference is not None}
    if exact:
        left, right = [x - 0.35 for x in exact], [x + 0.35 for x in exact]
        axes.hlines(list(exact.values()), left, right, lw=1.2, color=INK, label="perfect")
    elif all(one.value > 0 for one in everything):
        axes.set_yscale("log")
    if axes.get_yscale() == "linear":
        axes.ticklabel_format(axis="y", useOffset=False)  # a score of 1 is 1, not 0 with "+1" above the axis
    axes.set_xlim(-0.5, len(widths) - 0.5)
    layered = any(depth_of.values())
    axes.set_xticks(range(len(widths)), [f"{n}x{depth_of[n]}" if depth_of[n] else f"{n}" for n in widths])
    axes.set_xlabel("qubits x layers" if layered else "qubits")
    axes.set_ylabel(part.unit or "score")
    axes.set_title(part.title, loc="left", color=INK, fontsize=10)
    _finished(axes)


def _squares(axes: Axes, part: Part, label: str) -> None:
    scores = part.scores[label]
    depths = sorted({one.depth or one.n_qubits for found in part.scores.values() for one in found})
    widths = sorted({one.n_qubits for found in part.scores.values() for one in found})
    colors = colormaps[COLORMAP]
    for one in scores:
        x, y = depths.index(one.depth or one.n_qubits), widths.index(one.n_qubits)
        shade = colors(float(np.clip(one.value, 0, 1)))
        axes.add_patch(_square(x, y, shade))
        light = float(np.dot(shade[:3], (0.299, 0.587, 0.114))) > 0.5
        text = f"{one.value:.2f}" + (f"\n±{one.standard_error:.2f}" if one.standard_error >= 0.005 else "")
        axes.text(x, y, text, ha="center", va="center", fontsize=6.5, color="black" if light else "white")
    axes.set_xlim(-0.6, len(depths) - 0.4)
    axes.set_ylim(-0.6, len(widths) - 0.4)
    axes.set_xticks(range(len(depths)), list(map(str, depths)))
    axes.set_yticks(range(len(widths)), list(map(str, widths)))
    axes.set_xlabel("layers")
    axes.set_ylabel("qubits")
    axes.set_title(f"{part.title}\n{label}", loc="left", color=INK, fontsize=10)
    _finished(axes)
    axes.grid(visible=False)


def _square(x: float, y: float, color: tuple[float, ...]) -> Rectangle:
    return Rectangle((x - 0.44, y - 0.44), 0.88, 0.88, facecolor=color, edgecolor="none")


def _finished(axes: Axes) -> None:
    """As all pictures, but with one legend for all panels."""
    finish(axes)
    if (legend := axes.get_legend()) is not None:
        legend.remove()
