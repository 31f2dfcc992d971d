"""In which order the circuits of a job are computed: here one after the other, at providers all at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from threading import Event, Lock
from typing import TypeVar

from backends.base import Backend

T = TypeVar("T")

MACHINE = Lock()
"""Whoever computes on this machine holds it: a plan counts on all cores and all free memory."""

MOST_SENT = 32
"""Circuits of one job that wait at providers at the same time."""


def check(given_up: Event) -> None:
    """Stop here if nobody wants the result any more.

    Raises:
        CancelledError: then.
    """
    if given_up.is_set():
        raise CancelledError("the job was cancelled")


def answers(tasks: Sequence[tuple[Backend, Callable[[], T]]], given_up: Event) -> list[T]:
    """The results of tasks, in order; what goes to providers is sent before anything is waited for.

    Args:
        tasks: Each with the backend that does it.
        given_up: Once it is set, no other task is started.

    Raises:
        CancelledError: if it was set.
    """

    def done(backend: Backend, task: Callable[[], T]) -> T:
        with turn(backend):
            check(given_up)
            return task()

    with ThreadPoolExecutor(MOST_SENT) as pool:
        sent = [pool.submit(done, *task) if _elsewhere(task[0]) else None for task in tasks]
        try:
            return [done(*task) if wait is None else wait.result() for task, wait in zip(tasks, sent, strict=True)]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def turn(backend: Backend) -> AbstractContextManager:
    """Until it is this backend's turn."""
    return nullcontext() if _elsewhere(backend) else MACHINE


def _elsewhere(backend: Backend) -> bool:
    return backend.capabilities().place == "provider"
