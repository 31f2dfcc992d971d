"""Sending the jobs of a run so that each is sent once and none that was paid for is lost, however often the run dies.

Before a job is sent, the journal holds that it will be (`hybrid.runs.jobs`), and the budget has room for it. Then come
the vendor's id, the states that the vendor reports, and what was measured. Started again, the loop asks for the same
jobs: one with an outcome is answered from the journal, one with an id is waited for at the vendor, and one of which
only the intention is known is looked for by its tag, until the vendor must have listed it, before it may be sent. A
vendor that makes one job of two requests with the same tag is sent it again at once where none is found.
"""

import math
import os
import shlex
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from backends.base import Backend, Jobs
from backends.measurement.outcomes import Outcomes
from backends.providers.dispatch import Dispatch, Patience, answered, fetched, tag_of
from backends.providers.hardware import Charge, Elsewhere, JobRequest, JobState
from circuits.errors import BudgetExceeded, FailedJob, LostJob, ProviderBusy, ProviderUnreachable, Refused
from hybrid.loop.stop import Stopped, Waiting, pausing
from hybrid.runs.budget import Budget, Spending
from hybrid.runs.failovers import Failover
from hybrid.runs.jobs import OPEN, JobRow, Place, packed, unpacked
from hybrid.runs.journal import Journal

PATIENCE = Patience()
"""With vendors, of runs."""

SETTLING = "HYBRID_SETTLING_S"
"""Variable of the environment with another `Patience.listed_s`."""

TOLD_S = 5.0
"""A wait of so many seconds is told of, with what a person can do to shorten it."""


def patience() -> Patience:
    """With vendors, as the environment may have changed it.

    Raises:
        Refused: if it holds no number of seconds.
    """
    text = os.environ.get(SETTLING, "").strip()
    try:
        listed_s = float(text) if text else PATIENCE.listed_s
    except ValueError:
        listed_s = math.nan
    if not 0 <= listed_s < math.inf:
        raise Refused(
            f"{SETTLING} must be seconds, from 0, after which a vendor's list shows every job that was taken; it is "
            f"{text!r}"
        )
    return replace(PATIENCE, listed_s=listed_s)


def elsewhere(backend: Backend) -> Elsewhere | None:
    """Where a backend's jobs go, if it sends any and lets a dispatch send them; else None."""
    hardware = backend.hardware if isinstance(backend, Jobs) else None
    return hardware if isinstance(hardware, Elsewhere) else None


@contextmanager
def held(backend: Backend) -> Iterator[None]:
    """Work on a backend, in a ``with`` block: in the end what was opened at its vendor is closed, whatever happened."""
    hardware = elsewhere(backend)
    with nullcontext() if hardware is None else hardware.held():
        yield


def journaled(
    backend: Backend,
    journal: Journal,
    spending: Spending,
    *,
    should_stop: Callable[[], bool],
    came: Failover | None = None,
) -> tuple[Backend, Callable[[int, str], None] | None]:
    """The backend with a journal and a budget around its jobs.

    Args:
        backend: Where values come from.
        journal: Of the run, or of the stages of an algorithm, open.
        spending: What may be spent.
        should_stop: Asked while waiting for jobs.
        came: As for `Journaled`.

    Returns:
        The backend, and what is called with the number of each evaluation, and its stage, before it is computed; None
        in its place where no jobs of the backend can be journaled.

    Raises:
        Refused: if there is a budget, and the backend sends jobs of its own.
    """
    if elsewhere(backend) is None:
        can = backend.capabilities()
        if can.place == "provider" and spending.granted != Budget():
            raise Refused(f"'{can.name}' sends its jobs itself, so that no budget can be held: run it without one")
        return backend, None
    assert isinstance(backend, Jobs)
    dispatch = Journaled(journal, spending, should_stop=should_stop, came=came)
    return backend.through(dispatch), dispatch.begin


class Journaled(Dispatch):
    """Sends the jobs of a run, with a journal and a budget around each.

    Args:
        journal: Of the run, open.
        spending: What the run may spend; all that the journal holds is charged to it.
        should_stop: Asked while waiting; when it returns True, the waiting ends.
        patient: With the vendor; `patience` if None.
        came: How the run came here from a backend that failed: the jobs that were sent there stay that one's.
    """

    def __init__(
        self,
        journal: Journal,
        spending: Spending,
        *,
        should_stop: Callable[[], bool],
        patient: Patience | None = None,
        came: Failover | None = None,
    ):
        self._journal, self._spending, self._should_stop = journal, spending, should_stop
        self._patience, self._came = patient or patience(), came
        rows = journal.jobs()
        self._rows = {row.place: row for row in rows}  # of several attempts the last
        self._stage, self._evaluation, self._part = "", 0, 0
        if charges := {row.tag: row.charge for row in rows if row.counts}:
            spending.record(charges)

    def begin(self, evaluation: int, stage: str = "") -> None:
        """Say which evaluation the next jobs belong to.

        Args:
            evaluation: Its number in the run, or in the stage, from 0.
            stage: Of an algorithm.
        """
        self._stage, self._evaluation, self._part = stage, evaluation, 0

    def __call__(self, hardware: Elsewhere, requests: Sequence[JobRequest]) -> list[list[Outcomes]]:
        """See `Dispatch`.

        Raises:
            Refused: also if the journal holds another job in the place of one of these.
            Waiting: if it was to stop before all jobs were done; they go on.
        """
        first, self._part = self._part, self._part + len(requests)
        try:
            rows = [self._row(hardware, request, number) for number, request in enumerate(requests, first)]
            return self._answered(hardware, requests, rows)
        except ProviderUnreachable as err:
            words = f"{err}; resuming the run asks again, and sends no job twice"
            if isinstance(err, ProviderBusy):
                raise ProviderBusy(words, retry_after_s=err.retry_after_s) from err
            raise ProviderUnreachable(words) from err

    def _answered(
        self, hardware: Elsewhere, requests: Sequence[JobRequest], rows: Sequence[JobRow]
    ) -> list[list[Outcomes]]:
        """What the jobs measured, sent before where they have not been."""
        rows = [self._found(hardware, row) if row.status == "intended" else row for row in rows]
        if unsent := [row for row in rows if row.status == "unsent"]:
            what = f"{_count(len(unsent))} of evaluation {unsent[0].place} on {hardware.name}"
            self._check_priced(unsent, what)
            self._spending.reserve({row.tag: row.charge for row in unsent}, what)
        try:
            for k, request in enumerate(requests):
                if rows[k].status == "unsent":
                    rows[k] = self._sent(hardware, rows[k], request)
        except (ProviderUnreachable, Refused, Waiting):
            taken = {row.tag for row in self._rows.values() if row.counts}
            self._spending.release(row.tag for row in unsent if row.tag not in taken)
            raise
        return [self._measured(hardware, row, request) for row, request in zip(rows, requests, strict=True)]

    def _check_priced(self, unsent: Sequence[JobRow], what: str) -> None:
        """Refuse what costs nobody knows how much, where money is limited."""
        if self._spending.granted.usd is not None and not all(row.charge.priced for row in unsent):
            raise BudgetExceeded(
                f"{what}: what it costs is not known, so that a budget of money cannot be held; nothing was sent. "
                "Write the price into prices.toml of the configuration folder (docs/forecast_and_policy.md), or limit "
                "shots instead"
            )

    def _row(self, hardware: Elsewhere, request: JobRequest, part: int) -> JobRow:
        """What the journal holds of a job; a new row, not written yet, where it holds nothing."""
        place = Place(self._stage, self._evaluation, part)
        row = self._rows.get(place)
        if row is not None and self._is_of_the_failed(row, hardware):
            row = replace(row, status="given up")
        if row is not None and row.status == "unsent" and row.request != request.digest:
            row = None  # nothing was sent, so it may be another
        if row is not None and row.status != "given up" and row.request != request.digest:
            raise Refused(
                f"{self._journal.path}: job {place} was recorded for the request {row.request[:16]}..., and the loop "
                f"now asks for {request.digest[:16]}...: the circuits or shots are others, since the software, the "
                "device's description or the inputs have changed. Nothing was sent; start the run anew in another "
                "folder"
            )
        if row is not None and row.status in ("failed", "cancelled"):
            why = f": {row.reason}" if row.reason else ""
            raise FailedJob(f"{self._named(row)} {_ended(row)}{why}; {self._resend('sends it anew')}")
        if row is not None and row.status != "given up":
            return row
        attempt = 0 if row is None else row.attempt + 1
        content = self._journal.content
        tag = tag_of(f"{content.run_digest} {content.nonce} {place} {attempt}", request)
        what = (hardware.name, len(request.circuits), request.shots, Charge())
        row = JobRow(place, attempt, request.digest, tag, *what, status="unsent", intended_at=time.time())
        charge = answered(lambda: hardware.charge(request), self._patience, pause=self._pauser(row))
        return replace(row, charge=charge)

    def _is_of_the_failed(self, row: JobRow, hardware: Elsewhere) -> bool:
        """Whether a job was sent, or was to be, to the backend that the run has left."""
        came = self._came
        if came is None or row.hardware == hardware.name:
            return False
        return row.place.evaluation == came.evaluation and row.intended_at <= came.happened_at

    def _found(self, hardware: Elsewhere, row: JobRow) -> JobRow:
        """A job that may have been sent, as the vendor knows it: with its id, or surely unsent."""
        pause = self._pauser(row)
        found = answered(lambda: hardware.find(row.tag), self._patience, pause=pause)
        if not found and hardware.idempotent:
            return self._write(row, status="unsent")  # sent again it is the job that is there, if one is
        found = self._settled(hardware, row) if found == () else found
        if found is None:
            raise LostJob(
                f"{self._maybe_sent(row)}; {hardware.name} cannot be searched for it, so {self._to_be_said(hardware)}"
            )
        if len(found) > 1:
            raise LostJob(
                f"{self._named(row)} is known to {hardware.name} {len(found)} times, as {', '.join(found)}: say which "
                f"of them counts, `{self._command('--adopt ID')}`, and cancel the others there"
            )
        if found:
            return self._write(row, id=found[0], status="queued", sent_at=row.intended_at)
        return self._write(row, status="unsent")

    def _settled(self, hardware: Elsewhere, row: JobRow) -> tuple[str, ...] | None:
        """Look again for a job that is not in the vendor's list, until that must show it; the ids that were found.

        All of the time is waited: by a clock that was set anew nobody knows how old a job is.
        """
        listed_s, waited_s, pause_s = self._patience.listed_s, 0.0, self._patience.first_s
        wait, found = self._pauser(row, self._unsettled(hardware, row)), ()
        if listed_s >= TOLD_S:
            warnings.warn(
                f"{self._maybe_sent(row)}; {hardware.name} does not list it, and is asked again for {listed_s:.0f} s "
                f"({SETTLING}) before it is sent anew. To wait no longer, stop this, {self._to_be_said(hardware)}",
                stacklevel=2,
            )
        while found == () and waited_s < listed_s:
            pause_s = min(pause_s, self._patience.most_s, listed_s - waited_s)
            wait(pause_s)
            waited_s, pause_s = waited_s + pause_s, 1.5 * pause_s
            found = answered(lambda: hardware.find(row.tag), self._patience, pause=wait)
        return found

    def _unsettled(self, hardware: Elsewhere, row: JobRow) -> str:
        return (
            f"stopped before it was known what became of a job: {self._maybe_sent(row)}; resuming looks for it again, "
            f"or {self._to_be_said(hardware)}"
        )

    def _maybe_sent(self, row: JobRow) -> str:
        return (
            f"{self._named(row)} may have been sent at {moment(row.intended_at)} UTC (tag {row.tag}, "
            f"{row.circuits} circuits of {row.shots} shots), and its id never arrived"
        )

    def _to_be_said(self, hardware: Elsewhere) -> str:
        """What a person does about a job of which nobody here knows whether it was sent."""
        return (
            f"{hardware.where_to_look}, then say `{self._command('--adopt ID')}` if it is there, or "
            f"`{self._command('--resend')}` if it is not"
        )

    def _sent(self, hardware: Elsewhere, row: JobRow, request: JobRequest) -> JobRow:
        """Send a job; again only where it was surely not taken."""
        start, pause_s, pause = time.monotonic(), self._patience.first_s, self._pauser(row)
        while True:
            row = self._write(row, status="intended", intended_at=time.time())
            try:
                job_id = hardware.submit(request, row.tag)
            except Refused:
                self._write(row, status="unsent")
                raise
            except ProviderUnreachable as err:
                row, failure = self._write(row, status="unsent"), err
            except LostJob as err:
                row, failure = self._found_after(hardware, row, err), err
                if row.id is not None:
                    return row
            else:
                return self._write(row, id=job_id, status="queued", sent_at=time.time())
            asked_s = failure.retry_after_s or 0.0 if isinstance(failure, ProviderBusy) else 0.0
            if time.monotonic() - start + asked_s > self._patience.silent_s:
                raise failure
            pause(max(pause_s, asked_s))
            pause_s = min(1.5 * pause_s, self._patience.most_s)

    def _found_after(self, hardware: Elsewhere, row: JobRow, err: LostJob) -> JobRow:
        """As `_found`, where the sending itself has just failed."""
        try:
            return self._found(hardware, row)
        except LostJob as lost:
            raise LostJob(f"{lost} ({err})") from err

    def _measured(self, hardware: Elsewhere, row: JobRow, request: JobRequest) -> list[Outcomes]:
        """What a job measured, from the journal or from the vendor."""
        if row.measured is None:
            row = self._fetched(hardware, row, request)
        assert row.measured is not None
        try:
            return unpacked(row.measured)
        except ValueError as err:
            raise Refused(
                f"{self._journal.path}: what job {row.place} measured is damaged ({err}); it was left as it is. "
                "Restore the journal from a copy, or start the run anew in another folder"
            ) from err

    def _fetched(self, hardware: Elsewhere, row: JobRow, request: JobRequest) -> JobRow:
        assert row.id is not None
        waiting_at: float | None = None

        def told(state: JobState) -> None:
            nonlocal waiting_at
            last, now = self._last(row), time.time()
            seen = last.seen(state, now, waiting_at)
            if state.status == "queued":
                waiting_at = now
            if seen != last:
                self._write(seen)
            if seen.charge != last.charge:
                self._spending.record({row.tag: seen.charge})

        try:
            outcomes = fetched(hardware, row.id, request, self._patience, told=told, pause=self._pauser(row))
        except FailedJob as err:
            status = self._last(row).status
            if status in OPEN:
                raise  # it was only waited for too long
            again = "fetches it again, and " if status == "done" else ""
            cure = f"resuming {again}" * bool(again) + self._resend("sends it anew")
            raise FailedJob(f"{self._named(row)}: {err}; {cure}") from err
        except LostJob as err:
            self._write(self._last(row), status="lost", reason=str(err))
            raise LostJob(
                f"{self._named(row)}: {err}. Then say `{self._command('--adopt ID')}` if it has another id, or "
                f"`{self._command('--resend')}` if it is to be sent anew"
            ) from err
        return self._write(self._last(row), status="done", measured=packed(outcomes))

    def _pauser(self, row: JobRow, stopped: str | None = None) -> Callable[[float], None]:
        """Waits, and stops waiting when the run is to stop, with words of its own or those on all jobs that wait."""

        def pause(seconds: float) -> None:
            try:
                pausing(seconds, self._should_stop)
            except Stopped as err:
                raise Waiting(stopped or self._stopped(row)) from err

        return pause

    def _stopped(self, row: JobRow) -> str:
        waiting = [one for one in self._rows.values() if one.status in OPEN]
        if not waiting:
            return f"stopped before {self._named(row)} was sent; resume to continue"
        ids = ", ".join(f"{one.id} ({one.status})" for one in waiting)
        plural = len(waiting) > 1
        return (
            f"stopped while {'jobs' if plural else 'job'} {ids} on {row.hardware} {'were' if plural else 'was'} waited "
            f"for; {'they go' if plural else 'it goes'} on there, and resuming waits again"
        )

    def _write(self, row: JobRow, **changes: Any) -> JobRow:
        """Put what is known of a job on disk."""
        row = replace(row, **changes)
        self._journal.write_job(row)
        self._rows[row.place] = row
        return row

    def _last(self, row: JobRow) -> JobRow:
        return self._rows.get(row.place, row)

    def _named(self, row: JobRow) -> str:
        return f"job {row.place}" + (f" ({row.id})" if row.id else "") + f" of {self._journal.path.parent}"

    def _command(self, option: str) -> str:
        return f"hybrid jobs {shlex.quote(str(self._journal.path.parent))} {option}"

    def _resend(self, what: str) -> str:
        return f"`{self._command('--resend')}` {what}"


def _count(number: int) -> str:
    return f"{number} job" + "s" * (number > 1)


def _ended(row: JobRow) -> str:
    return "failed" if row.status == "failed" else "was cancelled"


def moment(seconds: float) -> str:
    """A time in seconds since 1970 as text, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
