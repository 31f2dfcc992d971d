"""Evaluations shared by the workers of an executor: any ``concurrent.futures.Executor``, here or elsewhere.

A worker is sent a small message: a function by its name, and bytes from which it makes what evaluates, once. It
computes some of the tiles of an evaluation and returns their rows. Which worker computes which tile, and in which order
they are done, changes no bit. Nothing is written anywhere but by the process that has the executor.
"""

import hashlib
import multiprocessing
import pickle
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from backends.base import Backend
from backends.machine import THREADS
from circuits.errors import FailedJob, Refused, ToolkitError, shown
from circuits.secrets import holds_secret, is_hidden
from hybrid.loop.threads import threads_of
from hybrid.optimizers.optimizer import Points, Told
from hybrid.ranks.mpi import ALONE, Ranks
from hybrid.routing.policy import check_may_go
from hybrid.runs.provenance import versions

if TYPE_CHECKING:
    from hybrid.loop.evaluator import Tile
    from hybrid.loop.team import Tiled

MOST_MESSAGES = 64
"""Into which an evaluation is cut: enough for many workers, and few beside the work in them."""

KEPT = 4
"""Evaluators that a thread of a worker keeps ready."""

R = TypeVar("R")
"""What a worker returns."""


@dataclass(frozen=True)
class Making:
    """What evaluates, as it is sent to a worker.

    Attributes:
        digest: SHA-256 of the bytes, by which a worker knows it again.
        content: A pickled function without arguments that makes it, and the backend; None where it was sent before.
        threads: Of the backend here, if its last bits depend on them.
        versions: Of the packages here that compute.
    """

    digest: str
    content: bytes | None
    threads: int | None
    versions: dict[str, str]


def check_executor(executor: Executor | None) -> Ranks:
    """The team of this process alone, with the help of an executor if there is one.

    Args:
        executor: Any ``concurrent.futures.Executor``, or None.

    Raises:
        Refused: if it is something else, or would make its workers by forking this process, which may hang them.
    """
    if executor is None:
        return ALONE
    if not isinstance(executor, Executor):
        raise Refused(
            f"executor must be a concurrent.futures.Executor, or one of another library that is derived from it, not "
            f"{shown(executor)}; docs/executors.md shows some"
        )
    if isinstance(executor, ProcessPoolExecutor):
        context: Any = getattr(executor, "_mp_context", None) or multiprocessing
        if context.get_start_method() == "fork":
            raise Refused(
                "executor: its workers would be copies of this process, whose threads they lack, and may wait for them "
                "for ever; ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')) starts fresh ones"
            )
    return Ranks(executor=executor)


def check_workers_may(executor: Executor, label: str, folder: Path | None = None) -> None:
    """Refuse to send what the policy does not allow to an executor whose workers may be elsewhere; log the decision.

    Those of ``concurrent.futures`` itself are here. Another is a site for the policy, by its package's name.

    Args:
        executor: Which.
        label: Of the data.
        folder: Of the run, where the decision is logged, too; None before there is one.

    Raises:
        PolicyViolation: if it is not allowed.
        RecordFailed: if the decision cannot be logged.
    """
    if not isinstance(executor, ProcessPoolExecutor | ThreadPoolExecutor):
        check_may_go(label, type(executor).__module__.partition(".")[0], kind="site", folder=folder)


class PooledEvaluator:
    """What evaluates, with its tiles computed by the workers of an executor.

    An evaluation of a single tile, and metrics and fidelities, are computed here.

    Args:
        own: What evaluates here.
        make: Makes the same in a worker, with the backend that it uses; None if the backend is an object that no other
            process can make.
        executor: Whose workers.
        backend: Here.

    Raises:
        Refused: if it cannot be sent to a worker, or holds a secret.
    """

    def __init__(
        self, own: "Tiled", make: "Callable[[], tuple[Tiled, Backend]] | None", executor: Executor, backend: Backend
    ):
        name = backend.capabilities().name
        if make is None:
            raise Refused(
                f"executor: {name} is an object that no other process can make again; name the backend instead, as in "
                "backend='statevector', or leave out executor"
            )
        content = _bytes(make, backend, name)
        self._own, self._executor = own, executor
        self._making = Making(hashlib.sha256(content).hexdigest(), content, threads_of(backend), dict(versions()))
        self._known = False

    def __call__(self, points: Points, number: int) -> Told:
        """Evaluate points, here if they are a single tile.

        Args:
            points: What the optimizer asks for.
            number: Of the evaluation in the run, from 0; its random seeds follow from it.

        Returns:
            The same as without an executor, to the last bit.

        Raises:
            ToolkitError: what a worker raised; the message says for which rows.
            FailedJob: if a worker fails otherwise, or dies.
        """
        tiles = self._own.tiles(points)
        if len(tiles) == 1:
            return self._own(points, number)
        n_parts = min(len(tiles), MOST_MESSAGES)
        cuts = [k * len(tiles) // n_parts for k in range(n_parts + 1)]
        parts = [tiles[start:end] for start, end in pairwise(cuts)]
        numbers = np.concatenate(self._computed(replace(points, metric="", pairs=None), number, parts))
        return self._own.with_geometry(self._own.combine(points, numbers), points, number)

    def _computed(self, points: Points, number: int, parts: "Sequence[list[Tile]]") -> list[np.ndarray]:
        """The rows of each part; what makes them is sent again only to workers that do not know it yet."""
        names = [f"evaluation {number}, rows {part[0].rows.start} to {part[-1].rows.stop - 1}" for part in parts]
        brief = replace(self._making, content=None) if self._known else self._making
        found = self._sent(brief, points, number, dict(zip(names, parts, strict=True)))
        if unknown := {name: part for name, part in zip(names, parts, strict=True) if found[name] is None}:
            found |= self._sent(self._making, points, number, unknown)
        self._known = True
        return [rows for name in names if (rows := found[name]) is not None]

    def _sent(
        self, making: Making, points: Points, number: int, parts: "dict[str, list[Tile]]"
    ) -> dict[str, np.ndarray | None]:
        futures: dict[str, Future[np.ndarray | None]] = {}
        try:
            for name, part in parts.items():
                futures[name] = submitted(self._executor, compute, making, points, number, part, what=name)
            wait(futures.values(), return_when=FIRST_EXCEPTION)
            first = next((name for name, future in futures.items() if future.done() and future.exception()), None)
            if first is not None:
                result_of(futures[first], first)
            return {name: result_of(future, name) for name, future in futures.items()}
        finally:
            cancel(futures.values())


def submitted(executor: Executor, function: Callable[..., R], *args: Any, what: str) -> "Future[R]":
    """A function and its arguments, given to an executor.

    Args:
        executor: Which.
        function: Of a module; only its name is sent.
        args: Small.
        what: The work, for messages.

    Raises:
        FailedJob: if the executor takes nothing any more.
    """
    try:
        return executor.submit(function, *args)
    except Exception as err:
        raise FailedJob(f"{what}: the executor does not take it: {_words(err)}") from err


def result_of(future: "Future[R]", what: str) -> R:
    """What a worker returned, waited for.

    Args:
        future: Of the work.
        what: The work, for messages.

    Raises:
        ToolkitError: what the worker raised, with the work named.
        FailedJob: if the worker failed otherwise, or died.
    """
    try:
        return future.result()
    except ToolkitError as err:
        raise type(err)(f"{what}: {err}") from err
    except Exception as err:
        raise FailedJob(f"{what}: the executor's worker failed: {_words(err)}") from err


def cancel(futures: "Iterable[Future[Any]]") -> None:
    """Cancel what has not begun."""
    for future in futures:
        cancelled(future)


def cancelled(future: "Future[Any]") -> bool:
    """Cancel work unless it has begun; whether that was possible. Parsl's futures never can."""
    try:
        return future.cancel()
    except NotImplementedError:
        return False


def compute(making: Making, points: Points, number: int, tiles: "list[Tile]") -> np.ndarray | None:
    """In a worker: the rows of some tiles, or None if it does not know what evaluates and was not sent it.

    Args:
        making: What evaluates.
        points: What the optimizer asks for.
        number: Of the evaluation.
        tiles: Some of its tiles.

    Raises:
        Refused: if this worker would not give the same bits.
    """
    ready = _ready()
    if making.digest not in ready:
        if making.content is None:
            return None
        check_alike(making.versions)
        evaluator, backend = pickle.loads(making.content)()
        now = threads_of(backend)
        if making.threads is not None and now is not None and now != making.threads:
            raise Refused(
                f"the last bits of {backend.capabilities().name} depend on its number of threads: there are {now} in "
                f"the worker and {making.threads} in the run; start the workers with {THREADS}={making.threads}"
            )
        while len(ready) >= KEPT:
            del ready[next(iter(ready))]
        ready[making.digest] = evaluator
    return ready[making.digest].compute(points, number, tiles)


def check_alike(theirs: dict[str, str]) -> None:
    """In a worker: refuse work of a process with other versions of the packages that compute.

    Raises:
        Refused: if a version differs; the message says which.
    """
    ours = versions()
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            raise Refused(
                f"the worker has {name} {ours.get(name, '(not installed)')}, and the run "
                f"{theirs.get(name, 'does not have it')}: install the same versions, or the bits may differ"
            )


_threads = threading.local()


def _ready() -> "dict[str, Tiled]":
    """What this thread of a worker has made; threads share none, since a backend may work in buffers of its own."""
    if not hasattr(_threads, "ready"):
        _threads.ready = {}
    return _threads.ready


def _bytes(make: "Callable[[], tuple[Tiled, Backend]]", backend: Backend, name: str) -> bytes:
    """What is sent, if it may be."""
    options = {} if backend.origin is None else backend.origin.options
    if secret := next((option for option, value in options.items() if is_hidden(value)), None):
        raise Refused(
            f"executor: the option {secret} of {name} is a secret, which is sent to no worker; put it into a variable "
            "of the environment that the workers have, too"
        )
    try:
        content = pickle.dumps(make)
    except Exception as err:
        raise Refused(
            f"executor: the work cannot be sent to another process: {_words(err)}; leave out executor"
        ) from err
    if holds_secret(content.decode("latin-1")):
        raise Refused("executor: the work holds a secret of this environment, which is sent to no worker")
    return content


def _words(err: BaseException) -> str:
    said = " ".join(str(err).split())[:500]
    return f"{type(err).__name__}: {said}" if said else type(err).__name__
