"""Runs in a notebook: a cell that is interrupted keeps the best so far, and goes on when it is run again."""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybrid.result import Result
from hybrid.signals import Stop

_interrupted: dict[str, Path] = {}
"""Folders of the runs that were interrupted in this session, by what they ask."""


def interactive() -> bool:
    """Whether this is the main thread of a session of IPython, in a notebook or a terminal."""
    ipython = sys.modules.get("IPython")
    session = ipython is not None and ipython.get_ipython() is not None
    return session and threading.current_thread() is threading.main_thread()


@contextmanager
def interrupts() -> Iterator[Stop]:
    """In a session of IPython, the first interrupt asks to stop, the second one interrupts at once."""
    stop = Stop(caught=(signal.SIGINT,) if interactive() else ())
    with stop:
        yield stop


def begun(asked: Any) -> Path | None:
    """The folder of a run of this session that asked the same and was interrupted, if it is still there."""
    path = _interrupted.get(_key(asked))
    return path if path is not None and path.is_dir() else None


def noted(result: Result, asked: Any, stop: Stop) -> Result:
    """The result, with what to do about it if it was interrupted; remembered for `begun`."""
    if result.status != "stopped" or stop.signal is None:
        _interrupted.pop(_key(asked), None)
        return result
    _interrupted[_key(asked)] = result.folder
    message = f"interrupted; run the cell again, or hybrid.resume('{result.folder}'), to go on"
    return replace(result, message=message)


def _key(asked: Any) -> str:
    return json.dumps(asked, sort_keys=True)
