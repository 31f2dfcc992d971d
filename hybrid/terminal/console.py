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
    """A console on standard output: as wide as the terminal, or as a page where output goes to a file or a pipe.

    Args:
        quiet: Whether it prints nothing.
    """
    watched = sys.stdout.isatty() or "COLUMNS" in os.environ
    # [x] in a name is no colour; nor are numbers coloured: in cyan they are hard to read on white
    console = PipeSafeConsole(quiet=quiet, width=None if watched else PAGE_WIDTH, markup=False, highlight=False)
    if console.width < LEAST_WIDTH:
        console.width = LEAST_WIDTH
    return console


class PipeSafeConsole(Console):
    """A console whose reader may leave, as in `hybrid run study.toml | head`: the work goes on, in silence."""

    def on_broken_pipe(self) -> None:
        """Print nothing more, and let standard output go nowhere; rich calls this when the reader has gone."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def table(*columns: str) -> Table:
    """An empty table with these columns, of which the first is never broken into lines."""
    empty = Table(show_edge=False, pad_edge=False, caption_justify="left")
    for column in columns:
        empty.add_column(column, overflow="fold", no_wrap=column == columns[0])
    return empty
