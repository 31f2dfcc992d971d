"""Going on at another backend when one fails in the middle of a run."""

from collections.abc import Callable, Sequence

from backends.base import Backend
from circuits.errors import FailedJob, LostJob, OutOfMemory, RecordFailed, Refused, ToolkitError
from circuits.secrets import redacted
from hybrid.loop.ledger import Place
from hybrid.loop.team import check_node
from hybrid.loop.threads import threads_of
from hybrid.ranks.mpi import Ranks
from hybrid.routing.prediction import fitting
from hybrid.routing.spares import why_not
from hybrid.runs import calibrations
from hybrid.runs.failovers import Failover
from hybrid.runs.journal import Journal
from hybrid.terminal.progress import say
from hybrid.workload.spec import BackendSpec, backend_of, backend_spec
from hybrid.workload.workload import Workload


def is_failure(err: Exception) -> bool:
    """Whether an error says that a backend failed, so that another may do better.

    A request that is wrong, a budget that is used up, a job of which nobody knows what became, and a record that cannot
    be kept are none: another backend would not mend them.
    """
    return isinstance(err, OutOfMemory) or not isinstance(err, Refused | LostJob | RecordFailed)


class Places:
    """The backends of a run, one after the other: each is left for good when it fails.

    Args:
        work: The workload.
        journal: Of the run, open.
        begun: Where the run was begun.
        backend: Where it is, after the failovers that the journal holds.
        spares: Where it may go on, in order; those where it has been already are not asked again.
        opened: Makes the place of evaluations from a backend and from how the run came to it, None for the first.
        team: Ranks that help; this one leads, and all of them go on together.
        made: Those of the spares that no record can make again.

    Raises:
        Refused: if the journal says that the run is elsewhere by now.

    Attributes:
        backend: Where the run is.
        failovers: How it came there.
    """

    def __init__(
        self,
        work: Workload,
        journal: Journal,
        begun: BackendSpec,
        backend: Backend,
        spares: Sequence[BackendSpec],
        opened: Callable[[Backend, Failover | None], Place],
        team: Ranks,
        *,
        made: Sequence[Backend] = (),
    ):
        self._work, self._journal, self._opened, self._team, self._made = work, journal, opened, team, made
        self.backend, self.failovers = backend, journal.content.failovers
        been = [begun, *(change.backend for change in self.failovers)]
        if been[-1].question != backend_spec(backend).question:
            raise Refused(f"{journal.path.parent}: another process has gone on with this run meanwhile; start again")
        asked = [spec.question for spec in been]
        at = max((k + 1 for k, spare in enumerate(spares) if spare.question in asked), default=0)
        self._allowed, self._left = bool(spares), list(spares[at:])

    def now(self) -> Place:
        """Where the next evaluation is computed."""
        return self._opened(self.backend, self.failovers[-1] if self.failovers else None)

    def after(self, err: Exception, number: int) -> Place:
        """Where the run goes on after an error; the journal says so before anything is asked there.

        Args:
            err: What the backend has raised.
            number: Of the evaluation that it did not answer, from 0.

        Raises:
            Exception: the error itself, if it does not mean that the backend failed, or the run may go on nowhere.
            FailedJob: if it may, and no place is left that can do it; the message says why of each.
        """
        if not is_failure(err) or not self._allowed:
            raise err
        name = self.backend.capabilities().name
        reasons = [words(err)]
        while self._left:
            spec = self._left.pop(0)
            try:
                backend = self._able(spec)
                row = self._row(number, "; ".join(reasons), backend)
                place = self._opened(backend, row)
            except (ToolkitError, ImportError) as refusal:
                if isinstance(refusal, RecordFailed):
                    raise
                reasons.append(f"{spec.title} was passed over: {redacted(str(refusal))}")
                continue
            self._journal.fail_over(row)
            say(f"hybrid: {name} failed, going on at {row.name}: {row.reason}")
            self.backend, self.failovers = backend, (*self.failovers, row)
            return place
        raise FailedJob(f"{name} failed, and there is nowhere left to go on: {'; '.join(reasons)}") from err

    def _able(self, spec: BackendSpec) -> Backend:
        """A spare, if it can do the work now, with values of the same kind."""
        given = next((one for one in self._made if backend_spec(one).question == spec.question), None)
        backend = backend_of(spec, given)
        if reason := why_not(self.backend, backend, self._work.shots):
            raise Refused(reason)
        cost = fitting(self._work, backend)
        check_node(backend, cost, self._team, leader_bytes=self._work.held_bytes)
        return backend

    def _row(self, number: int, reason: str, backend: Backend) -> Failover:
        return Failover(
            evaluation=number,
            failed=self.backend.capabilities().name,
            reason=reason,
            name=backend.capabilities().name,
            backend=backend_spec(backend),
            threads=threads_of(backend),
            provenance=calibrations.first(backend, self._work.circuit),
        )


def words(err: Exception) -> str:
    """An error on one line, without secrets; one of another library with its type."""
    text = " ".join(str(err).split())
    return redacted(text if isinstance(err, ToolkitError) and text else f"{type(err).__name__}: {text}")
