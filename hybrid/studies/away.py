"""The points of a sweep at the workers of an executor: what is sent is a point's record, and what returns is the same.

The record is begun here, and so is decided here where the point runs. A worker goes on with it in a folder of its own
that nobody else sees; what it did is looked at and put into the sweep's folder by this process alone.
"""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path
from types import TracebackType

from circuits.errors import FailedJob, ToolkitError
from hybrid.loop.minimize import continue_run
from hybrid.loop.pool import cancel, cancelled, check_alike, result_of, submitted
from hybrid.loop.run_to_end import is_unfinished
from hybrid.loop.stop import SLICE_S, Stop
from hybrid.ranks.work_queue import Work
from hybrid.registry.words import is_registry
from hybrid.runs import folder as folders
from hybrid.runs.loading import load
from hybrid.runs.lock import Lock
from hybrid.runs.parcel import packed, take_back, unpacked
from hybrid.runs.provenance import versions
from hybrid.runs.result import Result
from hybrid.studies.outcome import Outcome
from hybrid.studies.preparation import Task
from hybrid.studies.study import Point, start_of
from hybrid.terminal.progress import Progress


def may_leave(point: Point) -> bool:
    """Whether a point can be carried out from its record alone, without asking anybody but the worker's own machine.

    Args:
        point: That does not run at a provider.
    """
    run = point.spec.run
    return point.spec.algorithm is None and not run.failover and not is_registry(start_of(point))


def work_on(content: bytes, theirs: dict[str, str], end: float | None) -> tuple[bytes, ToolkitError | None]:
    """In a worker: go on with the run of a record, to its end or as far as it goes.

    Args:
        content: The record, as `hybrid.runs.parcel.packed` gives it.
        theirs: Versions of the packages that compute, of the process that sends it.
        end: When to have ended, in seconds since 1970; None without a limit.

    Returns:
        The record, and the error that kept it from a result; what was finished before is in the record.

    Raises:
        Refused: if the versions are others here.
    """
    check_alike(theirs)
    with tempfile.TemporaryDirectory(prefix="hybrid-") as scratch, Progress("", shown=False):
        place, error = Path(scratch, "point"), None
        unpacked(content, place)
        try:
            continue_run(place, should_stop=Stop(end), listed=False)
        except ToolkitError as err:
            error = err
        return packed(place), error


class Away:
    """A context in which points of a sweep are at the workers of an executor; at its end all have come back.

    After an error, and when it was to stop, what has not begun is cancelled; what runs is waited for only in the second
    case.

    Args:
        task: The sweep.
        chains: The points to send; those of a chain one after the other.
        executor: Which.
        begin: Writes the record of a point that has none, given its number and the result of the one before it.
        report: Called with each outcome.
        should_stop: Whether nothing more is sent.

    Raises:
        FailedJob: if the executor can do no more; what has come back is kept.
    """

    def __init__(
        self,
        task: Task,
        chains: Sequence[Work],
        executor: Executor,
        *,
        begin: Callable[[int, Result | None], None],
        report: Callable[[Outcome], None],
        should_stop: Callable[[], bool],
    ):
        self._task, self._chains, self._executor = task, chains, executor
        self._begin, self._report, self._should_stop = begin, report, should_stop
        self._sent: dict[Future[tuple[bytes, ToolkitError | None]], tuple[Work, Lock]] = {}

    def __enter__(self) -> "Away":
        try:
            for chain in self._chains:
                self._send(chain, None)
        except BaseException:
            self._give_up()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        try:
            while kind is None and self._sent:
                if self._should_stop():
                    self._cancel()
                self.answer(wait_s=SLICE_S)
        finally:
            self._give_up()

    def answer(self, wait_s: float = 0.0) -> None:
        """Take what has come back, and send what follows on it.

        Args:
            wait_s: How long to wait for the first, in seconds.
        """
        done, _ = wait(self._sent, timeout=wait_s, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=lambda one: one.cancelled() or one.exception() is not None):
            self._take(future)  # what has a result first: an error may be the end of all

    def _send(self, chain: Work, before: Result | None) -> None:
        """Send the first point of a chain that has no result yet."""
        while chain and not self._should_stop():
            k, chain = chain[0], chain[1:]
            point, place, lock = self._task.points[k], self._task.place(k), None
            try:
                if k not in self._task.begun:
                    self._begin(k, before)
                if is_unfinished(folders.read(place)):
                    lock = Lock(place).__enter__()
                    what = (packed(place), dict(versions()), self._task.end)
                    future = submitted(self._executor, work_on, *what, what=point.where)
                    self._sent[future] = ((k, *chain), lock)
                    return
                before, error = load(place), None
            except ToolkitError as err:
                if lock is not None:
                    lock.__exit__()
                self._check_working(err)
                before, error = None, err
            self._report(Outcome(point, before, error))

    def _take(self, future: "Future[tuple[bytes, ToolkitError | None]]") -> None:
        (k, *chain), lock = self._sent.pop(future)
        point, place, result = self._task.points[k], self._task.place(k), None
        try:
            content, error = result_of(future, point.where)
            take_back(content, place)
            if error is None:
                result = load(place)
        except ToolkitError as err:
            self._check_working(err)
            error = err
        finally:
            lock.__exit__()
        self._report(Outcome(point, result, error))
        if result is None or result.status != "stopped":
            self._send(tuple(chain), result)

    def _check_working(self, err: ToolkitError) -> None:
        """Raise an error that concerns all points and not only one."""
        if isinstance(err.__cause__, BrokenExecutor):
            others = [self._task.points[chain[0]].name for chain, _ in self._sent.values()]
            also = f" ({', '.join(others[:5])}{', ...' * (len(others) > 5)} were with it, too)" if others else ""
            raise FailedJob(f"{err}{also}; what was finished is kept, and resuming the sweep goes on") from err

    def _cancel(self) -> None:
        for future in [future for future in self._sent if cancelled(future)]:
            self._sent.pop(future)[1].__exit__()

    def _give_up(self) -> None:
        cancel(self._sent)
        for _, lock in self._sent.values():
            lock.__exit__()
        self._sent.clear()
