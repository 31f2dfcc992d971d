"""How results look in a terminal."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from hybrid.routing.plan import duration

if TYPE_CHECKING:
    from hybrid.result import Result
    from hybrid.studies.outcome import Outcome

PAGE_WIDTH = 110
"""Columns of text that goes into a file or a pipe."""

LEAST_WIDTH = 30
"""Columns below which nothing is readable, and a terminal that claims fewer is not believed."""


def console(*, quiet: bool = False) -> Console:
    """A console on standard output: as wide as the terminal, or as a page where nobody watches."""
    watched = sys.stdout.isatty() or "COLUMNS" in os.environ
    found = Unbroken(quiet=quiet, width=None if watched else PAGE_WIDTH, markup=False)  # [x] in a name is no colour
    if found.width < LEAST_WIDTH:
        found.width = LEAST_WIDTH
    return found


class Unbroken(Console):
    """A console whose reader may leave, as in `hybrid run study.toml | head`: the work goes on, in silence."""

    def on_broken_pipe(self) -> None:
        """What is printed from here on goes nowhere."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def table(*columns: str) -> Table:
    """An empty table; the first column is never broken."""
    empty = Table(show_edge=False, pad_edge=False, caption_justify="left")
    for column in columns:
        empty.add_column(column, overflow="fold", no_wrap=column == columns[0])
    return empty


def result_table(result: "Result") -> Table:
    """The summary of one run."""
    summary = Table(title=result.problem, title_justify="left", title_style="bold", show_header=False, box=None)
    summary.add_column(style="dim", no_wrap=True)
    summary.add_column(overflow="fold")
    for name, text in result.rows():
        summary.add_row(name, text)
    return summary


def words(key: str, value: Any) -> str:
    """A value of a record for people."""
    if key == "seconds" and value:
        return ", ".join(f"{phase} {duration(s)}" for phase, s in value.items())
    if isinstance(value, dict):
        return ", ".join(f"{name} {content}" for name, content in value.items())
    return "-" if value in (None, "") else str(value)


def energy(record: dict[str, Any]) -> str:
    """The energy of a record with its standard error and unit, or a dash."""
    if record["energy"] is None:
        return "-"
    spread = "" if record["standard_error"] is None else f" +- {record['standard_error']:.2g}"
    return f"{record['energy']:.8g}{spread} {record['unit']}"


def line(outcome: "Outcome") -> str:
    """One point of a sweep in one line."""
    if outcome.result is None:
        return f"{outcome.point.name}: failed: {outcome.error}"
    result = outcome.result
    error = "" if result.error is None else f"  error {result.error:+.1e}"
    return f"{outcome.point.name}: {result.energy:.8f} {result.unit}{error}  {result.status} on {result.backend}"


def draw(outcomes: "list[Outcome]", place: Path, *, swept: bool) -> Path | None:
    """Write the picture of a run or a sweep into its folder; None where there is nothing to draw, or no room."""
    from hybrid.report.curve import curve

    result = outcomes[0].result
    figure = curve(outcomes) if swept else None if result is None else result.plot()
    if figure is None:
        return None
    picture = place / ("sweep.png" if swept else "convergence.png")
    scratch = picture.with_name(f".{os.getpid()}.{picture.name}")
    try:
        figure.savefig(scratch, dpi=150)
        scratch.replace(picture)  # whole or not at all, whoever else draws it
    except OSError as err:
        scratch.unlink(missing_ok=True)
        print(f"hybrid: {picture} cannot be written: {err.strerror}; the record itself is complete", file=sys.stderr)
        return None
    return picture
