"""HTML from values: whatever is not markup already is escaped."""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that HTML or UTF-8 do not allow."""

_HEADING = re.compile(r"<(/?)h([2-5])>")

VOID = ("meta", "br", "col")


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: Any) -> Html:
    """A value as text on the page; markup is left as it is.

    >>> text("a < b & c")
    'a &lt; b &amp; c'
    """
    return value if isinstance(value, Html) else Html(html.escape(_UNPRINTABLE.sub("\ufffd", str(value))))


def tag(name: str, /, *children: Any, **attributes: Any) -> Html:
    """An element.

    Args:
        name: Of the element.
        children: Its content; None is left out, lists of content are joined.
        attributes: By name, with "_" for "-" and at the end of Python's own words; None is left out.

    >>> tag("p", "x < ", tag("b", 1), class_="note")
    '<p class="note">x &lt; <b>1</b></p>'
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    head = "".join(f' {key}="{text(str(value))}"' for key, value in given.items())
    return Html(f"<{name}{head}>" if name in VOID else f"<{name}{head}>{join(children)}</{name}>")


def join(children: Iterable[Any]) -> Html:
    """Content, one piece after the other; None is left out."""
    pieces = (
        join(child) if isinstance(child, list | tuple) else text(child) for child in children if child is not None
    )
    return Html("".join(pieces))


def facts(pairs: Iterable[tuple[Any, Any]]) -> Html:
    """Names with what belongs to them; pairs without a value are left out."""
    kept = [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value not in (None, "")]
    return tag("dl", kept, class_="facts")


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str,
    numbers: Sequence[str] = (),
    seen: bool = False,
    folds: bool = False,
) -> Html:
    """A table in a box of its own, which scrolls where it is too wide.

    Args:
        columns: Their names.
        rows: Cells in the order of the columns; the first one names the row.
        caption: What the table says.
        numbers: Columns that stand to the right.
        seen: Whether the caption is seen; otherwise a heading says the same.
        folds: Whether each row becomes a list of named cells where the page is narrow, rather than a box that scrolls.
    """
    kinds = ["n" if column in numbers else None for column in columns]
    head = tag("tr", [tag("th", name, scope="col", class_=kind) for name, kind in zip(columns, kinds, strict=True)])
    body = []
    for first, *others in rows:
        cells = [
            tag("td", cell, class_=kind, data_label=column if folds else None)
            for cell, column, kind in zip(others, columns[1:], kinds[1:], strict=True)
        ]
        body.append(tag("tr", tag("th", first, scope="row", class_=kinds[0]), cells))
    title = tag("caption", caption, class_="unseen")
    whole = tag("table", title, tag("thead", head), tag("tbody", body), class_="folds" if folds else None)
    above = tag("p", caption, class_="note", aria_hidden="true") if seen else None
    return join([above, scrolling(whole, caption)])


def scrolling(content: Html, label: str) -> Html:
    """A box that scrolls by itself, with the keyboard, too."""
    return tag("div", content, class_="wide", tabindex="0", role="group", aria_label=label)


def code(content: str) -> Html:
    """Lines to copy, in a box that scrolls by itself where they are too long."""
    return tag("pre", content, tabindex="0")


def fold(summary: Any, *content: Any, open_: bool = False) -> Html:
    """Content that is shown when it is asked for."""
    return tag("details", tag("summary", summary), content, open="" if open_ else None)


def note(sentence: str) -> Html:
    """A sentence below a table, with a capital and a full stop."""
    return tag("p", f"{sentence[0].upper()}{sentence[1:].rstrip('.')}.", class_="note")


def section(title: str, *content: Any) -> Html:
    """A part of the page under a heading of its own."""
    return tag("section", tag("h2", title), content)


def below(content: Html) -> Html:
    """Sections that belong to a part of the page: each heading one step lower."""
    return Html(_HEADING.sub(lambda found: f"<{found[1]}h{int(found[2]) + 1}>", content))
