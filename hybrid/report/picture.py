"""The look that all pictures share: it reads on a light and on a dark ground, of which it brings none of its own."""

import io
from collections.abc import Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#797979"
"""Of texts, axes and what is exact: a contrast of over 4 to white and to JupyterLab's dark ground, #111111."""

ACCENT, QUIET = "#0c8599", "#868e96"

COLORS = (ACCENT, "#e8590c", "#845ef7", "#2f9e44", "#d6336c", "#1c7ed6", QUIET)
NAMED_LINES = len(COLORS)
"""Lines that a legend can name; more are coloured by their order, the first and last named."""

STYLES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Several things are told apart by colour, line and marker at once: prints and eyes differ."""

POINTS_DPI = 100
"""Pixels to the inch at which a picture is shown; it holds twice as many, for screens and prints that show them."""


class Picture(Figure):
    """A figure that shows itself in a notebook without pyplot, and so without pyplot's global list of figures."""

    def __init__(self, **options: Any):
        super().__init__(**{"facecolor": "none", "dpi": 2 * POINTS_DPI, **options})

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The picture, and the size at which it is shown, in pixels of the page."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=2 * POINTS_DPI)
        width, height = (round(inches * POINTS_DPI) for inches in self.get_size_inches())
        return buffer.getvalue(), {"width": width, "height": height}


def axes() -> Axes:
    """Axes on a new picture."""
    return Picture(figsize=(6.4, 4.0), layout="constrained").subplots()


def finish(axes: Axes) -> None:
    """Ground, grid, frame, colours of the texts, and legend."""
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color(INK)
    axes.tick_params(which="both", colors=INK)
    for text in (axes.xaxis.label, axes.yaxis.label, axes.xaxis.offsetText, axes.yaxis.offsetText):
        text.set_color(INK)
    axes.grid(alpha=0.25, color=INK)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, labelcolor=INK)


def line_colors(count: int) -> Sequence[Any]:
    """Colours of so many lines: different ones as far as a legend names them all, else by their order."""
    if count <= NAMED_LINES:
        return COLORS
    return [colormaps["viridis"](0.9 * k / (count - 1)) for k in range(count)]


def look(k: int) -> dict[str, Any]:
    """Colour, line and marker of the k-th of several things in one picture."""
    return {
        "color": COLORS[k % len(COLORS)],
        "ls": STYLES[k % len(STYLES)],
        "marker": MARKERS[k % len(MARKERS)],
        "ms": 4.5,
    }
