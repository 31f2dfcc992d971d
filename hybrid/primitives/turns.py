"""In which order the circuits of a job are computed: here one after the other, at providers all at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from threading import Event, Lock
from typing import TypeVar

from backends.base import Backend

T = TypeVar("T")

MACHINE = Lock()
"""Whoever computes on this machine holds it: a plan counts on all cores and all free memory."""

WAKE_S = 0.2
"""Between two looks, in seconds, at whether the job was cancelled."""

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

    pool = ThreadPoolExecutor(MOST_SENT)
    try:
        sent = [pool.submit(done, *task) if _elsewhere(task[0]) else None for task in tasks]
        pairs = zip(tasks, sent, strict=True)
        return [done(*task) if future is None else _waited(future, given_up) for task, future in pairs]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _waited(future: Future[T], given_up: Event) -> T:
    while not future.done():
        check(given_up)
        wait([future], timeout=WAKE_S)
    return future.result()


def turn(backend: Backend) -> AbstractContextManager:
    """Until it is this backend's turn."""
    return nullcontext() if _elsewhere(backend) else MACHINE


def _elsewhere(backend: Backend) -> bool:
    return backend.capabilities().place == "provider"
