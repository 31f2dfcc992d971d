"""The look that all pictures share."""

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, ACCENT, QUIET = "#1f2933", "#0b7285", "#9aa5b1"


class Picture(Figure):
    """A figure that shows itself in a notebook without pyplot, and so without pyplot's global list of figures."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def axes() -> Axes:
    """Axes on a new picture."""
    return Picture(figsize=(6.4, 4.0), layout="constrained").subplots()


def finish(axes: Axes) -> None:
    """Grid, frame and legend."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)
