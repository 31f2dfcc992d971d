"""The cell of a notebook that runs: its number, what is called at its end, and its line of progress."""

import sys
import threading
from collections.abc import Callable
from html import escape
from typing import Any
from uuid import uuid4


def shell() -> Any:
    """The session of IPython, in its main thread; None elsewhere."""
    ipython = sys.modules.get("IPython")
    if ipython is None or threading.current_thread() is not threading.main_thread():
        return None
    return ipython.get_ipython()


def number() -> int | None:
    """The number of the cell that runs; None outside of IPython."""
    session = shell()
    return None if session is None else int(session.execution_count)


def at_end(call: Callable[[Any], None]) -> None:
    """Have a function called at the end of every cell with IPython's result of it; asked twice, it is called once.

    Args:
        call: The function.
    """
    shell().events.register("post_run_cell", call)


class Line:
    """The one line of progress of a cell: updated in place, and kept as it was last.

    Args:
        cell: Number of the cell.
        start: When it may first be drawn, in seconds of `time.monotonic`.
    """

    def __init__(self, cell: int, start: float):
        self.cell, self.next = cell, start
        self._id = uuid4().hex
        self._drawn = False
        self._ended: list[str] = []

    def draw(self, words: str, done: int, total: int | None) -> None:
        """Show the work as it stands.

        Args:
            words: Of the line.
            done: Number of steps that are done.
            total: Number of steps until the end; None if it is not known.
        """
        how_far = f' max="{total}" value="{done}"' if total else ""
        bar = f'<progress{how_far} style="vertical-align:middle"></progress>'
        self._show({"text/plain": words, "text/html": f"<div>{bar} {escape(words)}</div>"})

    def end(self, words: str) -> None:
        """Note how some work has ended; what is noted last is shown at the end of the cell.

        Args:
            words: Of the line.
        """
        self._ended.append(words)

    def close(self) -> None:
        """Show how the last work of the cell has ended, if anything was shown, as plain text."""
        if self._drawn and self._ended:
            count = f" (the last of {len(self._ended)} in this cell)" if len(self._ended) > 1 else ""
            self._show({"text/plain": self._ended[-1] + count})

    def _show(self, content: dict[str, str]) -> None:
        from IPython.display import display, update_display

        show = update_display if self._drawn else display
        show(content, raw=True, display_id=self._id)
        self._drawn = True


_line: Line | None = None
"""That of the cell that runs, or of the last that had one."""


def line(start: float) -> Line | None:
    """The line of progress of the cell that runs; None where no notebook shows it, as in a terminal's IPython.

    Args:
        start: When a new one may first be drawn, in seconds of `time.monotonic`.
    """
    global _line
    session, running = shell(), number()
    if running is None or not hasattr(session, "kernel"):
        return None
    if _line is None or _line.cell != running:
        _line = Line(running, start)
        at_end(_close)
    return _line


def _close(_: Any) -> None:
    global _line
    if _line is not None:
        _line.close()
    _line = None
