"""Progress as a line on a terminal, which goes away when the work has ended."""

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Lines
from rich.table import Column


class Bar:
    """A line on standard error, with a bar and the time since the work began.

    Args:
        start: When it may first be drawn, in seconds of `time.monotonic`.
    """

    def __init__(self, start: float):
        self.next = start
        self._lines: Lines | None = None

    def draw(self, words: str, done: int, total: int | None) -> None:
        """Show the work as it stands.

        Args:
            words: Of the line.
            done: Number of steps that are done.
            total: Number of steps until the end; None if it is not known.
        """
        if self._lines is None:
            one_line = Column(no_wrap=True, overflow="ellipsis")
            what = TextColumn("{task.description}", markup=False, table_column=one_line)
            columns = (what, BarColumn(bar_width=20), TimeElapsedColumn())
            self._lines = Lines(*columns, console=Console(stderr=True), transient=True)
            self._lines.start()
            self._task = self._lines.add_task(words, total=total)
        self._lines.update(self._task, description=words, completed=done, total=total)

    def end(self, words: str) -> None:
        """Take the line away; the result is printed by who asked for the work.

        Args:
            words: Not shown.
        """
        if self._lines is not None:
            self._lines.stop()
