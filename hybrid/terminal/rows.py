"""Rows of named cells as a table, or as paragraphs where a table would break words."""

import textwrap
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hybrid.terminal.console import table

GAP = 3
"""Columns between two columns of a table."""

WHOLE = ("energy", "begun", "elapsed", "left")
"""Cells that stay on one line: a number without its error or unit says something else."""


def listed(rows: Sequence[Mapping[str, str]], width: int) -> Table | Text:
    """Rows as a table where every word has room, and otherwise each as a paragraph with a line for each cell.

    Args:
        rows: Cells by the names of their columns, the same in all; a column that is empty everywhere is left out.
        width: Columns of the terminal.

    Returns:
        What a console prints. No word is broken: one that is longer than the terminal is left to the terminal.
    """
    names = [name for name in rows[0] if any(row[name] not in ("", "-") for row in rows)] if rows else []
    least = {name: max(len(name), *(_least(name, row[name]) for row in rows)) for name in names}
    spare = width - sum(least.values()) - GAP * (len(names) - 1)
    if spare < 0:
        return _paragraphs(rows, names, width)
    wanted = {name: max(len(name), *(len(row[name]) for row in rows)) - least[name] for name in names}
    made = table(*names)
    for name, more in sorted(wanted.items(), key=lambda item: item[1]):
        column = made.columns[names.index(name)]
        column.width, column.no_wrap = least[name] + min(more, spare), False
        spare -= min(more, spare)
    for row in rows:
        made.add_row(*(row[name] for name in names))
    return made


def put(out: Console, rows: Sequence[Mapping[str, str]], *, nothing: str = "") -> None:
    """Print rows as `listed` has them.

    Args:
        out: The console.
        rows: As for `listed`.
        nothing: What is printed if there are none.
    """
    made = listed(rows, out.width) if rows else Text(nothing)
    out.print(made, soft_wrap=isinstance(made, Text))


def _least(name: str, cell: str) -> int:
    """Columns that a cell needs."""
    return len(cell) if name in WHOLE else max(map(len, cell.split()), default=0)


def _paragraphs(rows: Sequence[Mapping[str, str]], names: Sequence[str], width: int) -> Text:
    """Each row with its first cell as a heading and the others below it."""
    lines = []
    for row in rows:
        lines += _wrapped(
            f"point {row[names[0]]}" if names[0] == "point" and row[names[0]].isdecimal() else row[names[0]], width, ""
        )
        for name in names[1:]:
            if row[name] not in ("", "-"):
                lines += _wrapped(f"{name}: {row[name]}", width, "  ")
    return Text("\n".join(lines), no_wrap=True, overflow="ignore")


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  " * bool(indent),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
