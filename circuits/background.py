"""Work that stays in compiled code for long, done where it holds up no interrupt."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def in_background(work: Callable[[threading.Event], T]) -> T:
    """The result of work that is done in another thread while this one waits, and answers Ctrl-C at once.

    Python delivers a signal only between its own instructions, so that a call into a library that takes a minute would
    be a minute without an answer. The other thread ends after the call that it is in.

    Args:
        work: Is given an event; where it comes past it between its long calls, it may stop once the event is set.

    Returns:
        What the work returns.

    Raises:
        BaseException: what the work raises, or what interrupted the waiting.

    >>> in_background(lambda given_up: 6 * 7)
    42
    """
    given_up = threading.Event()
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(given_up))
        except BaseException as err:  # noqa: BLE001 - raised again, in the thread that waits
            failure.append(err)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.2)  # a signal that another thread has received wakes nobody who waits here
    except BaseException:
        given_up.set()
        raise
    if failure:
        raise failure[0]
    return outcome[0]
