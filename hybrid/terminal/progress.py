"""A progress line on standard error for anything that takes over a second; silent where nobody watches."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

SHOW_AFTER_S = 1.0
REFRESH_S = 0.1


def say(text: str) -> None:
    """Print a line to standard error, but not on a terminal, where a progress line is seen instead."""
    if not sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


class Progress:
    """A context that shows a progress line; only on a terminal, and only after a second has passed.

    Args:
        title: What is going on.
        total: Number of steps until the end; None if it is not known.
    """

    def __init__(self, title: str, total: int | None = None):
        self._title, self._total = title, total
        self._watched = sys.stderr.isatty()
        self._next = time.monotonic() + SHOW_AFTER_S
        self._bar: Bar | None = None

    def __enter__(self) -> "Progress":
        return self

    def update(self, done: int, note: str = "") -> None:
        """Show how far the work is; cheap enough for every step of a fast loop.

        Args:
            done: Number of steps that are done.
            note: Text at the end of the line, such as the energy so far.
        """
        if not self._watched or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REFRESH_S
        if self._bar is None:
            self._bar, self._task = self._start()
        self._bar.update(self._task, completed=done, note=note)

    def _start(self) -> "tuple[Bar, TaskID]":
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = [TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), MofNCompleteColumn()]
        columns += [TimeElapsedColumn(), TextColumn("{task.fields[note]}", markup=False)]
        bar = Bar(*columns, console=Console(stderr=True), transient=True)
        bar.start()
        return bar, bar.add_task(self._title, total=self._total, note="")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
