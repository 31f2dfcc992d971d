"""The backends of an algorithm, one after the other: the next stage goes on where the last one went on."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from backends.base import Backend
from circuits.errors import FailedJob, RecordFailed, Refused, ToolkitError
from circuits.secrets import redacted
from hybrid.loop.dispatch import held, journaled
from hybrid.loop.failover import is_failure, words
from hybrid.loop.ledger import Place
from hybrid.routing.policy import guarded
from hybrid.routing.prediction import fitting
from hybrid.routing.spares import why_not
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.budget import spending_of
from hybrid.runs.failovers import Failover
from hybrid.runs.files import digest_of
from hybrid.runs.journal import Journal
from hybrid.runs.stages import StageFiles
from hybrid.terminal.progress import say
from hybrid.workload.spec import BackendSpec, RecordModel, backend_spec
from hybrid.workload.workload import Workload

FILE = "failovers.jsonl"

T = TypeVar("T")

Around = Callable[[Backend], Backend]
"""From a backend to one that a stage puts around it."""


class StageFailover(RecordModel):
    """That a stage which is no run went on at another backend, as a line of its file holds it.

    Attributes:
        stage: Its name.
        evaluation: Number of the evaluation in the stage, from 0.
        failed: Name of the backend that failed.
        reason: How, and why backends between the two were passed over.
        name: Of the backend at which the stage went on.
        backend: From which that is made again.
        happened_at: When, in seconds since 1970.
    """

    stage: str
    evaluation: int = Field(ge=0)
    failed: str
    reason: str
    name: str
    backend: BackendSpec
    happened_at: float

    def failover(self) -> Failover:
        """As the journal of a run would hold it."""
        return Failover(
            self.evaluation, self.failed, self.reason, self.name, self.backend, happened_at=self.happened_at
        )


class Places:
    """The backends of an algorithm, each with the journal and the budget of the algorithm around its jobs.

    Args:
        files: Of the algorithm's stages.
        work: Its first minimization.
        backends: Where it was begun, then where it may go on, in order.
        should_stop: Asked while jobs are waited for.
        held_open: Closes in the end what the backends open.

    Attributes:
        backend: Where it is.
        failovers: Of the stages that are no runs.
    """

    def __init__(
        self,
        files: StageFiles,
        work: Workload,
        backends: Sequence[Backend],
        should_stop: Callable[[], bool],
        held_open: ExitStack,
    ):
        self._files, self._work, self._backends = files, work, list(backends)
        self._folder = folder = files.folder
        self._should_stop, self._held_open = should_stop, held_open
        self._journal: Journal | None = None
        self.failovers = files.lines(FILE, StageFailover)
        self._at = 0
        asked = [backend_spec(one).question for one in self._backends]
        for change in self.failovers:
            if change.backend.question not in asked:
                raise Refused(
                    f"{folder}: its stages went on at {change.name}, which is not among the places that it may go on "
                    "at now: allow the same ones, or start anew in another folder"
                )
            self._at = asked.index(change.backend.question)
        self._open(self.failovers[-1].failover() if self.failovers else None)

    @property
    def more(self) -> bool:
        """Whether there is a place left to go on at."""
        return self._at + 1 < len(self._backends)

    def begin(self, number: int, stage: str) -> None:
        """Say which evaluation of which stage the jobs that follow belong to."""
        if self._begin is not None:
            self._begin(number, stage)

    def attempt(self, stage: str, compute: Callable[[Backend], T]) -> T:
        """Compute a stage that is no run where the algorithm is; if that fails, where it may go on.

        Args:
            stage: Its name.
            compute: From the backend to the result.

        Raises:
            Exception: what the backend raised, if the algorithm may go on nowhere.
            FailedJob: if it may, and no place is left.
        """
        while True:
            self.begin(0, stage)
            try:
                return compute(self.backend)
            except Exception as err:  # noqa: BLE001 - raised again unless there is somewhere to go on
                self.leave(err, stage, 0)

    def place(self, stage: str, make: Callable[[Backend], Callable]) -> Place:
        """Where the evaluations of a stage with a journal of its own are computed.

        Args:
            stage: Its name.
            make: From the backend to the function that evaluates.
        """
        can = self.backend.capabilities()
        provider = can.name if self._begin is not None else None
        return Place(lambda: make(self.backend), provider, lambda number: self.begin(number, stage))

    def leave(self, err: Exception, stage: str, number: int) -> None:
        """Leave a backend that has failed for the next one; the folder says so before anything is asked there.

        Args:
            err: What it has raised.
            stage: The stage that it did not answer.
            number: Of the evaluation in the stage, from 0.

        Raises:
            Exception: the error itself, if it does not mean that the backend failed, or there is nowhere to go on.
            FailedJob: if no place is left that can do it; the message says why of each.
        """
        if not is_failure(err) or len(self._backends) == 1:
            raise err
        name, reasons = self.backend.capabilities().name, [words(err)]
        for at in range(self._at + 1, len(self._backends)):
            backend = self._backends[at]
            try:
                if reason := why_not(self.backend, backend, self._work.shots):
                    raise Refused(reason)
                fitting(self._work, backend)
                change = Failover(number, name, "; ".join(reasons), backend.capabilities().name, backend_spec(backend))
                before, self._at = self._at, at
                try:
                    self._open(change)
                except ToolkitError:
                    self._at = before
                    raise
            except (ToolkitError, ImportError) as refusal:
                if isinstance(refusal, RecordFailed):
                    raise
                reasons.append(f"{backend.capabilities().name} was passed over: {redacted(str(refusal))}")
                continue
            kept = {key: getattr(change, key) for key in StageFailover.model_fields if key != "stage"}
            self.failovers.append(StageFailover(stage=stage, **kept))
            self._files.append(FILE, self.failovers[-1])
            say(f"hybrid: {name} failed, going on at {change.name}: {change.reason}")
            return
        raise FailedJob(f"{name} failed, and there is nowhere left to go on: {'; '.join(reasons)}") from err

    def of_run(self, path: Path, around: Around) -> tuple[Backend, list[Backend]]:
        """Where a run is, or begins, and where it may go on, with what its stage puts around them.

        Args:
            path: Of the run's folder.
            around: Puts something around a backend, such as penalties.
        """
        made = [around(self.backend if at == self._at else one) for at, one in enumerate(self._backends)]
        here = self._at if not folders.is_run(path) else self._index(path, made)
        return made[here], made[here + 1 :]

    def follow(self, path: Path, around: Around) -> None:
        """Go on where a run that has ended went on."""
        at = self._index(path, [around(one) for one in self._backends])
        if at > self._at:
            self._at = at
            self._open(None)

    def _index(self, path: Path, made: Sequence[Backend]) -> int:
        """The place at which a run is."""
        changes = journal.read_failovers(path / folders.JOURNAL)
        at = changes[-1].backend if changes else folders.read_spec(path).backend
        asked = [backend_spec(one).question for one in made]
        if at.question not in asked:
            raise Refused(
                f"{path} is at {at.title}, which is not among the places of this algorithm: give backend and failover "
                "as they were"
            )
        return asked.index(at.question)

    def _open(self, came: Failover | None) -> None:
        """Put journal, budget and policy around the backend at which the algorithm is now."""
        backend = self._backends[self._at]
        self._held_open.enter_context(held(backend))
        backend = guarded(backend, self._work.label, self._folder)
        spending = spending_of(self._folder)
        self._begin = None
        if backend.capabilities().place == "provider":
            spending.record({})  # the file is there from now on, so that the runs of the stages pay from it, too
            backend, self._begin = journaled(
                backend, self._opened(), spending, should_stop=self._should_stop, came=came
            )
        self.backend = backend

    def _opened(self) -> Journal:
        """The journal of the jobs of all stages that are no runs."""
        if self._journal is None:
            path, digest = self._folder / folders.JOBS, digest_of(self._folder / folders.ALGORITHM)
            if not path.exists():
                journal.create(path, digest)
                self._files.ended(folders.JOBS)
            self._journal = self._held_open.enter_context(Journal(path, digest))
        return self._journal
