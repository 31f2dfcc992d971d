"""Rows of features with their classes, from a file of comma-separated values."""

import csv
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from circuits.errors import Refused

MAX_BYTES = 256 << 20
"""Largest file that is read; the rows of a classifier are few."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of data.

    Attributes:
        name: Of the data.
        X: Raw features, shape (rows, features).
        y: Name of each row's class, shape (rows,).
    """

    name: str
    X: np.ndarray
    y: np.ndarray


def read_table(path: str | Path, *, classes: str, columns: Sequence[str] | None = None) -> Table:
    """Read the rows of a CSV file, whose first line names the columns.

    Args:
        path: Of the file, in UTF-8.
        classes: Name of the column that holds each row's class, whose values may be any words.
        columns: Names of the columns that are features, whose values are numbers; all the others if None.

    Raises:
        Refused: if the file cannot be read, has no such column, or a value is missing or no number; the message names
            file, line and column.
    """
    path = Path(path)
    head, rows = _rows(path)
    if twice := sorted({name for name in head if head.count(name) > 1}):
        raise Refused(f"{path}: line 1: the column '{twice[0]}' stands there twice; give each a name of its own")
    columns = [name for name in head if name != classes] if columns is None else list(columns)
    for name in (classes, *columns):
        if name not in head:
            near = difflib.get_close_matches(name, head, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(head)}"
            raise Refused(f"{path}: has no column '{name}'; {hint}")
    if classes in columns or len(set(columns)) < len(columns) or not columns:
        raise Refused(f"{path}: the features must be different columns, at least one, and none the classes '{classes}'")
    places = [head.index(name) for name in columns]
    of_class = head.index(classes)
    X, y = np.zeros((len(rows), len(columns))), []
    for k, (line, row) in enumerate(rows):
        if len(row) != len(head):
            raise Refused(f"{path}: line {line}: has {len(row)} values, and the first line names {len(head)} columns")
        for at, place in enumerate(places):
            X[k, at] = _number(path, line, columns[at], row[place])
        y.append(row[of_class].strip())
        if not y[-1]:
            raise Refused(f"{path}: line {line}, column '{classes}': the class is missing")
    return Table(path.stem, X, np.array(y))


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names in the first line, and the other lines that are not empty, each with its number."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Refused(f"{path}: larger than {MAX_BYTES >> 20} MiB; give fewer rows")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise Refused(f"{path}: cannot be read as comma-separated values in UTF-8: {err}") from err
    if len(lines) < 2:
        raise Refused(f"{path}: needs a line with the names of the columns, and rows below it")
    return [name.strip() for name in lines[0][1]], lines[1:]


def _number(path: Path, line: int, column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise Refused(f"{path}: line {line}, column '{column}': must be a finite number, not '{text[:40]}'")
    return number
