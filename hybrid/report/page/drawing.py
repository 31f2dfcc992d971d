"""A picture of matplotlib's within the page, its texts as texts."""

import io
import re
from typing import TYPE_CHECKING

from matplotlib import rc_context

from hybrid.report.page.html import Html, scrolling, tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

_UNUSED = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def drawing(draw: "Callable[[], Figure]", *, name: str, says: str) -> Html:
    """A picture as SVG; where the page is narrow it keeps its size, in a box that scrolls, so that it can be read.

    Args:
        draw: Makes it.
        name: Of the picture, from which the names of its parts are made, so that it is the same each time.
        says: What is seen, for those who do not see it.
    """
    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        draw().savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()
    drawn = _UNUSED.sub("", drawn[drawn.index("<svg") :]).replace("<g id=", "<g data-part=")  # ids are for the page
    return scrolling(tag("figure", Html(drawn), role="img", aria_label=says, class_="drawn"), says)
