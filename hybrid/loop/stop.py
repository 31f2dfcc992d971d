"""Stopping on a signal or before the wall-time limit, with all work saved."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeGuard

CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)

SAVING_S = 10.0
"""Time before the end that is reserved for writing the result, in seconds."""

LONGER = 1.5
"""No step is begun unless this many times the longest one so far fits before the end."""

SLICE_S = 0.1
"""While waiting, so often it is asked whether to stop, seconds."""

MOST_SHARE = 0.25
"""Of the whole time, no more than this is left unused, however long the longest step was."""


class Stopped(KeyboardInterrupt):
    """Work was stopped by a signal; what was finished is saved. An interrupt that no `except Exception` catches."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: where the work was is of no interest, how to go on is."""
        return [f"Stopped: {self}", *getattr(self, "__notes__", [])]


class Waiting(Stopped):
    """A run was stopped while it waited for jobs at a vendor, which go on there; the message names them."""


class Stop:
    """A context in which the first SIGINT, SIGTERM or SIGUSR1 asks the loop to stop after the evaluation at hand.

    A second SIGINT interrupts at once. Call the object before each step to learn whether to stop.

    Args:
        end: When the process will be ended, in seconds since 1970 (`hybrid.loop.walltime.end_time`). It asks to stop
            before that: as soon as a step of 1.5 times the longest so far, and ten seconds to write the result, no
            longer fit; but not in the first three quarters of the time.
        caught: The signals.

    Attributes:
        signal: The signal that came; None before the first.
    """

    def __init__(self, end: float | None = None, *, caught: tuple[signal.Signals, ...] = CAUGHT):
        self.signal: signal.Signals | None = None
        self._caught, self._end = caught, end
        self._start = self._last = time.time()
        self._longest = 0.0
        self._late = False

    def __call__(self) -> bool:
        """Whether a signal came, or the end is near."""
        if self._end is not None:
            now = time.time()
            self._longest = max(self._longest, now - self._last)
            self._last = now
            needed_s = min(LONGER * self._longest + SAVING_S, MOST_SHARE * (self._end - self._start))
            self._late = self._late or now + needed_s > self._end
        return self._late or self.signal is not None

    def __enter__(self) -> "Stop":
        self._before = {number: signal.signal(number, self._note) for number in self._caught}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def pausing(seconds: float, should_stop: Callable[[], bool]) -> None:
    """Wait, but stop waiting when it is to stop.

    Args:
        seconds: How long.
        should_stop: Asked at once, and again while waiting.

    Raises:
        Stopped: if it is to stop.
    """
    end = time.monotonic() + seconds
    while not should_stop():
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, SLICE_S))
    raise Stopped("stopped by a signal")


@contextmanager
def stop_at_once() -> Iterator[None]:
    """A context in which a signal that a surrounding `Stop` waits for interrupts at once: nothing needs to be saved.

    Raises:
        Stopped: in the main thread, when such a signal comes; compiled code is not interrupted before it returns.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted = {number: handler for number in CAUGHT if _is_stop(handler := signal.getsignal(number))}

    def interrupt(number: int, frame: FrameType | None) -> None:
        noted[signal.Signals(number)](number, frame)
        raise Stopped("stopped by a signal")

    for number in noted:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in noted.items():
            signal.signal(number, handler)


def _is_stop(handler: Any) -> TypeGuard[Callable[[int, FrameType | None], None]]:
    return isinstance(getattr(handler, "__self__", None), Stop)
