"""Small tables, as plain text for a terminal and as HTML for a notebook; whatever stands in them is escaped there.

The HTML sets no colour, so that a notebook's theme, light or dark, and a printer's ink stay as they are.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape

STYLE = (
    "<style>"
    "table.hybrid{font-variant-numeric:tabular-nums}"
    "table.hybrid.hybrid :is(th,td)"
    "{text-align:left;vertical-align:top;white-space:normal;overflow-wrap:break-word}"
    "table.hybrid.hybrid td:only-of-type{overflow-wrap:anywhere}"
    "table.hybrid.hybrid th{white-space:nowrap}"
    "@media print{table.hybrid tr{break-inside:avoid}}"
    "</style>"
)
"""A notebook aligns cells right, which suits numbers alone; a path may be broken anywhere. The class stands twice
to outweigh JupyterLab's own rule, which names two classes."""

MOST_ROWS = 12
"""A longer table of like rows is shown by its ends."""


def html(
    rows: Iterable[Sequence[str]], *, title: str = "", columns: Sequence[str] = (), notes: Iterable[str] = ()
) -> str:
    """A table as HTML.

    Args:
        rows: Cells as text; without columns, the first cell of each row is its heading.
        title: Above the table.
        columns: Headings; none by default.
        notes: Sentences below the table.
    """
    head = "<tr>" + "".join(f"<th>{escape(name)}</th>" for name in columns) + "</tr>" if columns else ""
    body = "".join(_row(row, headed=not columns) for row in rows)
    above = f"<p><b>{escape(title)}</b></p>" if title else ""
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return f'{above}{STYLE}<table class="hybrid">{head}{body}</table>{below}'


def text(rows: Iterable[Sequence[str]], *, title: str = "", columns: Sequence[str] = ()) -> str:
    """A table as lines of plain text.

    Args:
        rows: Cells as text.
        title: Above the table, which is then indented.
        columns: Headings; none by default.

    >>> print(text([("qubits", "4"), ("unit", "coupling")], title="TFIM"))
    TFIM
      qubits  4
      unit    coupling
    """
    lines = [*([tuple(columns)] if columns else []), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    indent = "  " if title else ""
    table = [
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))).rstrip()
        for line in lines
    ]
    return "\n".join([title, *table] if title else table)


def ends(n_rows: int, row: Callable[[int], Sequence[str]], most: int = MOST_ROWS) -> list[Sequence[str]]:
    """The first and the last rows of a long table, with a row of dots between them.

    Args:
        n_rows: Length of the table.
        row: The cells of a row, by its number.
        most: How many rows are kept.

    >>> ends(5, lambda k: [str(k)], most=2)
    [['0'], ['…'], ['4']]
    """
    if n_rows <= most:
        return [row(k) for k in range(n_rows)]
    first, last = range(most // 2), range(n_rows - (most - most // 2), n_rows)
    above, below = [row(k) for k in first], [row(k) for k in last]
    return [*above, ["…"] * len(above[0]), *below]


def _row(cells: Sequence[str], *, headed: bool) -> str:
    first = f"<th>{escape(cells[0])}</th>" if headed else ""
    return f"<tr>{first}{''.join(f'<td>{escape(cell)}</td>' for cell in cells[headed:])}</tr>"
