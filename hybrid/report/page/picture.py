"""Pictures as SVG within the page: they take its colours, in light and dark and in print."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hybrid.report.page.axes import Axis
from hybrid.report.page.html import Html, join, tag

SHAPES = {"broad": (860, 340), "narrow": (358, 270)}
"""Width and height, in pixels, on a desk and on a telephone: the page shows the one that fits."""

LETTER = 7.2
"""Width of a letter at the size of the labels, in pixels."""

MANY = 800
"""Points that are drawn of a series; of more, the smallest and the largest in each stretch."""

Look = Literal["first", "second", "third", "fourth", "quiet", "exact"]


@dataclass(frozen=True)
class Series:
    """Values that belong together.

    Attributes:
        label: In the legend.
        x: Places.
        y: Values, as many.
        look: Colour, and stroke of its line.
        line: Whether the points are joined.
        dots: Whether each point has a mark.
        errors: Half lengths of the bars at the points; empty for none.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    look: Look = "first"
    line: bool = False
    dots: bool = True
    errors: Sequence[float] = ()


@dataclass(frozen=True)
class Place:
    """Where things stand in a picture of one size.

    Attributes:
        across: The horizontal scale.
        up: The vertical one.
        left: Of the drawing's edges, in pixels, as the following.
        right: As `left`.
        top: As `left`.
        bottom: As `left`.
    """

    across: Axis
    up: Axis
    left: float
    right: float
    top: float
    bottom: float

    def x(self, value: float) -> float:
        """Pixels from the left."""
        return round(self.left + self.across.place(value) * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return round(self.bottom - self.up.place(value) * (self.bottom - self.top), 1)


def picture(series: Sequence[Series], across: Axis, up: Axis, *, says: str) -> Html:
    """Series over two scales, with a legend.

    Args:
        series: At least one.
        across: The horizontal scale.
        up: The vertical scale; values outside it are left out.
        says: What is seen, for those who do not see it.
    """
    drawn = [_svg(name, size, series, across, up, says) for name, size in SHAPES.items()]
    legend = [tag("span", _key(one), one.label, class_="key") for one in series]
    return tag("figure", drawn, tag("figcaption", legend))


def _svg(name: str, size: tuple[int, int], series: Sequence[Series], across: Axis, up: Axis, says: str) -> Html:
    width, height = size
    vertical = up.ticks(5)
    left = max(34.0, 12 + LETTER * max(len(label) for _, label in vertical))
    place = Place(across, up, left, width - 22.0, 32.0, height - 42.0)
    content = [tag("title", says), _grid(place, vertical, across.ticks(8 if name == "broad" else 4))]
    content += [_series(one, place) for one in series]
    box = f"0 0 {width} {height}"
    return tag("svg", content, viewBox=box, width=width, height=height, role="img", aria_label=says, class_=name)


def _grid(place: Place, vertical: list[tuple[float, str]], horizontal: list[tuple[float, str]]) -> Html:
    lines = []
    for value, label in vertical:
        y = place.y(value)
        lines.append(tag("line", x1=place.left, x2=place.right, y1=y, y2=y, class_="grid"))
        lines.append(tag("text", label, x=place.left - 8, y=y + 4, class_="end"))
    for value, label in horizontal:
        x = place.x(value)
        lines.append(tag("line", x1=x, x2=x, y1=place.bottom, y2=place.bottom + 5, class_="axis"))
        lines.append(tag("text", label, x=x, y=place.bottom + 19, class_="middle"))
    lines.append(tag("line", x1=place.left, x2=place.right, y1=place.bottom, y2=place.bottom, class_="axis"))
    lines.append(tag("text", place.up.label, x=2, y=13))
    lines.append(tag("text", place.across.label, x=place.right, y=place.bottom + 37, class_="end"))
    return join(lines)


def _series(one: Series, place: Place) -> Html:
    inside = [k for k, y in enumerate(one.y) if place.up.low <= y <= place.up.high]
    kept = _thinned(inside, one.y)
    points = [(place.x(one.x[k]), place.y(one.y[k])) for k in kept]
    shapes = []
    if one.errors:
        bars = ((k, x) for k, (x, _) in zip(kept, points, strict=True) if one.errors[k] > 0)
        shapes += [_bar(one, place, k, x) for k, x in bars]
    if one.line and len(points) > 1:
        shapes.append(tag("polyline", points=" ".join(f"{x},{y}" for x, y in points)))
    if one.dots:
        path = "".join(f"M{x} {y}h0" for x, y in points)
        shapes.append(tag("path", d=path, class_="dots"))
    return tag("g", shapes, class_=f"series {one.look}")


def _bar(one: Series, place: Place, k: int, x: float) -> Html:
    low = max(one.y[k] - one.errors[k], place.up.low)
    high = min(one.y[k] + one.errors[k], place.up.high)
    return tag("line", x1=x, x2=x, y1=place.y(low), y2=place.y(high), class_="bar")


def _thinned(kept: list[int], y: Sequence[float]) -> list[int]:
    """Few enough of many points to draw, those among them that stand out."""
    if len(kept) <= MANY:
        return kept
    size = math.ceil(len(kept) / (MANY // 2))
    stretches = (kept[k : k + size] for k in range(0, len(kept), size))
    ends = ({min(stretch, key=y.__getitem__), max(stretch, key=y.__getitem__)} for stretch in stretches)
    return [k for pair in ends for k in sorted(pair)]


def _key(one: Series) -> Html:
    """The sign of a series in the legend."""
    line = tag("polyline", points="1,6 23,6") if one.line else None
    dots = tag("path", d="M12 6h0", class_="dots") if one.dots else None
    sign = tag("g", line, dots, class_=f"series {one.look}")
    return tag("svg", sign, viewBox="0 0 24 12", width=24, height=12, aria_hidden="true")
