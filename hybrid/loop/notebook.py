"""Work in a notebook: a cell that is interrupted ends with the best so far, and goes on when it is run again."""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybrid.loop.stop import Stop, Stopped
from hybrid.runs.result import Result
from hybrid.terminal.cell import at_end, number


class _Session:
    """What is known of the cells of this session."""

    def __init__(self) -> None:
        self.cell: int | None = None
        """Number of the cell whose work `begun` lists."""
        self.begun: dict[str, Path] = {}
        """Folders of the work that this cell began, each by what was asked, as JSON."""
        self.interrupted = False
        """Whether this cell was interrupted: it does nothing more."""
        self.to_continue: dict[str, Path] = {}
        """Folders of the work of interrupted cells, each by what was asked, as JSON."""

    def enter(self, cell: int | None) -> None:
        """Note in which cell the work goes on; None after its end."""
        if cell != self.cell:
            self.cell, self.begun, self.interrupted = cell, {}, False

    def interrupt(self) -> None:
        """Note that the cell was interrupted: what it did is not done again when it is run again."""
        self.interrupted = True
        self.to_continue |= self.begun


_session = _Session()


def _leave(result: Any) -> None:
    """Forget the cell at its end; one that an interrupt ended between two pieces of work goes on, too."""
    if isinstance(result.error_in_exec, KeyboardInterrupt):
        _session.interrupt()
    _session.enter(None)


@contextmanager
def interrupts() -> Iterator[Stop]:
    """A context in which, in a session of IPython, the first interrupt asks to stop and the second stops at once.

    Outside of IPython, and off the main thread, interrupts do what they always do.

    Yields:
        The `Stop` to call before each step.

    Raises:
        Stopped: if this cell was interrupted before: the rest of it is not run.
    """
    cell = number()
    if cell is not None:
        at_end(_leave)
        _session.enter(cell)
        if _session.interrupted:
            raise Stopped("this cell was interrupted; what was finished is saved, and running it again goes on")
    with Stop(caught=() if cell is None else (signal.SIGINT,)) as stop:
        try:
            yield stop
        finally:
            if cell is not None and stop.signal is not None:
                _session.interrupt()


def folder_to_continue(asked: Mapping[str, Any]) -> Path | None:
    """The folder of work of this session that asked the same and was interrupted; None if there is none.

    Args:
        asked: What is asked, as JSON-able values.
    """
    path = _session.to_continue.get(_key(asked))
    return path if path is not None and path.is_dir() else None


def remember(asked: Mapping[str, Any], path: Path) -> None:
    """Remember the folder of work that this cell has begun; nothing happens outside of IPython.

    Args:
        asked: What is asked, as JSON-able values.
        path: The folder.
    """
    if number() is not None:
        _session.begun[_key(asked)] = path
        _session.to_continue.pop(_key(asked), None)


def with_resume_hint(result: Result, stop: Stop) -> Result:
    """The result; if an interrupt of a cell stopped the run, its message says how to go on.

    Args:
        result: Of the run.
        stop: That `interrupts` gave.
    """
    if result.status != "stopped" or stop.signal is None:
        return result
    message = f"interrupted; run the cell again, or hybrid.resume('{result.folder}'), to go on"
    return replace(result, message=message)


def _key(asked: Mapping[str, Any]) -> str:
    return json.dumps(asked, sort_keys=True)
