"""How far long work has come: one source, shown on a terminal or in a notebook's cell, and nowhere else."""

import os
import sys
import threading
import time
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Protocol

from hybrid.terminal import cell
from hybrid.terminal.words import duration

SHOW_AFTER_S = 1.0
"""Work that ends sooner is not shown."""

REFRESH_S = 0.2
"""Least time between two pictures of it."""

SWITCH = "HYBRID_PROGRESS"
"""Variable of the environment that, as 0, shows nothing."""


def say(text: str) -> None:
    """Print a line to standard error, but not on a terminal, where a progress line is seen instead."""
    if not sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


class Face(Protocol):
    """Where progress is seen."""

    next: float
    """When it may next be drawn, in seconds of `time.monotonic`."""

    def draw(self, words: str, done: int, total: int | None) -> None:
        """Show the work as it stands, in place of what was shown before."""
        ...

    def end(self, words: str) -> None:
        """Show how it ended, if it was shown at all."""
        ...


class Progress:
    """A context that shows how far some work has come: in place, after a second, and only where somebody watches.

    What is begun inside another is shown on the same line, behind it.

    Args:
        title: What is going on.
        total: Number of steps until the end, at most; None if it is not known.
        shown: Whether to show this work, and what is begun inside it.
    """

    def __init__(self, title: str, total: int | None = None, *, shown: bool = True):
        self._title, self._total, self._shown = title, total, shown
        self._done, self._note, self._begun = 0, "", time.monotonic()
        self._first: tuple[int, float] | None = None
        self._face: Face | None = None
        self._outer: Progress | None = None
        self._ending = ""

    def __enter__(self) -> "Progress":
        self._outer = _innermost.get()
        if self._shown:
            self._face = _face() if self._outer is None else self._outer._face
        self._token: Token[Progress | None] = _innermost.set(self)
        return self

    def update(self, done: int, note: str = "") -> None:
        """Note how far the work is, and show it when it is time; cheap enough for every step of a fast loop.

        Args:
            done: Number of steps that are done.
            note: Text at the end of the line, such as the energy so far.
        """
        self._done, self._note = done, note
        if self._first is None:
            self._first = done, time.monotonic()
        if self._face is not None and time.monotonic() >= self._face.next:
            self._face.next = time.monotonic() + REFRESH_S
            self._face.draw(self._path() + self._left(), done, self._total)

    def end_with(self, words: str) -> None:
        """Say in which words the work has ended, for its last line.

        Args:
            words: Such as the energy that was found.
        """
        self._ending = words

    def _words(self) -> str:
        """What is done here, without what surrounds it."""
        count = f"{self._done} of {self._total}" if self._total else ""
        said = ", ".join(part for part in (count, self._note) if part)
        return ": ".join(part for part in (self._title, said) if part)

    def _path(self) -> str:
        """What is done here, after what surrounds it; a title that stands there is not said again."""
        around = "" if self._outer is None else self._outer._path()
        words = self._words()
        if self._title in around:
            words = words.removeprefix(self._title).removeprefix(": ")
        return ": ".join(part for part in (around, words) if part)

    def _left(self) -> str:
        """Time that all steps would take that are left, as long as those since the first, which also compiles."""
        if not self._total or self._first is None or not self._first[0] < self._done < self._total:
            return ""
        passed, since_s = self._done - self._first[0], time.monotonic() - self._first[1]
        seconds = since_s / passed * (self._total - self._done)
        return f", at most {duration(seconds, digits=2)} left"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _innermost.reset(self._token)
        if self._face is None or self._outer is not None:
            return
        words = self._ending or ("ended" if error is None else f"ended by {type(error).__name__}")
        self._face.end(f"{self._title}: {words}, {duration(time.monotonic() - self._begun)}")


_innermost: ContextVar[Progress | None] = ContextVar("innermost", default=None)
"""The work that goes on in this thread: what it begins is shown behind it."""


def _face() -> Face | None:
    """Where work of this thread is seen; None where nobody watches."""
    if os.environ.get(SWITCH) == "0" or threading.current_thread() is not threading.main_thread():
        return None
    start = time.monotonic() + SHOW_AFTER_S
    if (line := cell.line(start)) is not None:
        return line
    if sys.stderr.isatty():
        from hybrid.terminal.bar import Bar

        return Bar(start)
    return None
