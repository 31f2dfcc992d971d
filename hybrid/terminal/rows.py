"""Rows of named cells as a table, or as paragraphs where a table would break words."""

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hybrid.terminal.console import table

GAP = 3
"""Columns between two columns of a table."""

WHOLE = ("energy", "begun", "elapsed", "left")
"""Cells that stay on one line: a number without its error or unit says something else."""

GLUE = "\N{NO-BREAK SPACE}"
"""Stands between a number and its unit while lines are broken."""

_UNITS = "[nµm]?s|min|h|d|mHa|hartree|[kMGT]?i?B|[kMGT]B/s|GFLOP/s|%|±"

_NUMBER = re.compile(rf"(?<=\d) (?=(?:{_UNITS})(?![\w/]))|(?<=±) | (?== )|(?<= =) ")
"""The spaces in a number with its error and its unit, and in a name that equals a value."""

_NUMERIC = re.compile(r"[\d.e+-]+(\s[nµm]?s)?$")
"""A cell that says nothing without the name of its column."""


def listed(rows: Sequence[Mapping[str, str]], width: int) -> Table | Text:
    """Rows as a table where every word has room, and otherwise each as a paragraph with a line for each cell.

    Args:
        rows: Cells by the names of their columns, the same in all; a column that is empty everywhere is left out.
        width: Columns of the terminal.

    Returns:
        What a console prints. No word is broken: one that is longer than the terminal is left to the terminal.
    """
    names = [name for name in rows[0] if any(row[name] not in ("", "-") for row in rows)] if rows else []
    rows = [{name: _glued(row[name]) for name in names} for row in rows]
    least = {name: max(_least(name, cell) for cell in (name, *(row[name] for row in rows))) for name in names}
    spare = width - sum(least.values()) - GAP * (len(names) - 1)
    if spare < 0:
        return _paragraphs(rows, names, width)
    wanted = {name: max(len(name), *(len(row[name]) for row in rows)) - least[name] for name in names}
    made = table(*names)
    room = {}
    for name, more in sorted(wanted.items(), key=lambda item: item[1]):
        room[name] = least[name] + min(more, spare)
        made.columns[names.index(name)].width, made.columns[names.index(name)].no_wrap = room[name], False
        spare -= min(more, spare)
    for row in rows:
        made.add_row(*("\n".join(_wrapped(row[name], room[name], "")) for name in names))
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


def put_table(out: Console, columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table as `listed` has it, under its title.

    Args:
        out: The console.
        columns: Their names, each different.
        rows: Cells in the order of the columns; at least one row.
        title: Above it; none by default.
    """
    if title:
        put_text(out, title)
    put(out, [dict(zip(columns, row, strict=True)) for row in rows])


def put_facts(out: Console, pairs: Iterable[tuple[str, str]], *, title: str = "") -> None:
    """Print names with what belongs to them: in two columns, or where there is little room each below its name.

    Args:
        out: The console.
        pairs: Name and text.
        title: Above them; none by default.
    """
    pairs = list(pairs)
    if title:
        put_text(out, title)
    beside = max(len(name) for name, _ in pairs) + 4
    for name, text in pairs:
        indent = " " * beside if out.width >= 2 * beside + 20 else "    "
        head = f"  {name}".ljust(beside)
        if len(indent) == beside:
            first, *others = _wrapped(_glued(text), out.width - beside, "")
            lines = [head + first, *(indent + line for line in others)]
        else:
            lines = [head.rstrip(), *_wrapped(_glued(text), out.width, indent)]
        out.print(Text("\n".join(lines)), soft_wrap=True)


def put_text(out: Console, text: str) -> None:
    """Print sentences, whose lines break between words alone.

    Args:
        out: The console.
        text: Paragraphs, each on a line of its own.
    """
    lines = [line for part in text.split("\n") for line in _wrapped(_glued(part), out.width, "")]
    out.print(Text("\n".join(lines)), soft_wrap=True)


def _glued(text: str) -> str:
    """A text in which no line is broken between a number and its unit."""
    return _NUMBER.sub(GLUE, text)


def _least(name: str, cell: str) -> int:
    """Columns that a cell needs."""
    return len(cell) if name in WHOLE else max(map(len, cell.split(" ")), default=0)


def _paragraphs(rows: Sequence[Mapping[str, str]], names: Sequence[str], width: int) -> Text:
    """Each row with its first cell as a heading and the others below it."""
    lines = []
    for row in rows:
        first = row[names[0]]
        lines += _wrapped(f"{names[0]} {first}" if _NUMERIC.match(first) else first, width, "")
        for name in names[1:]:
            if row[name] not in ("", "-"):
                lines += _wrapped(f"{name}: {row[name]}", width, "  ")
    return Text("\n".join(lines), no_wrap=True, overflow="ignore")


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  " * bool(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(GLUE, " ") for line in lines] or [""]
