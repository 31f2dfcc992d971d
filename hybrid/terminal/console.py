"""A console as wide as the terminal, or as a page."""

import os
import sys

from rich.console import Console
from rich.table import Table

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
