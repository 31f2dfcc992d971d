"""The jobs of a run or of any record of several: listed, waited for, cancelled; what a person says became of them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backends.providers.dispatch import answered, finished
from backends.providers.hardware import Charge, Elsewhere, JobState
from circuits.errors import FailedJob, LostJob, Refused
from hybrid.loop.dispatch import PATIENCE, elsewhere, moment
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.benchmark import folder as benchmark
from hybrid.runs.budget import FILE, Budget, Spending, spending_of
from hybrid.runs.files import checked, read_json
from hybrid.runs.jobs import OPEN, JobRow
from hybrid.runs.journal import Journal
from hybrid.runs.kinds import kind_of
from hybrid.runs.lock import Lock
from hybrid.runs.queue_time import queue_of
from hybrid.workload.arguments import BackendLike
from hybrid.workload.spec import BackendSpec, backend_of

JOURNALS = (folders.JOURNAL, folders.JOBS)
"""Names of the journals of a run, and of the stages of an algorithm or the units of a benchmark."""


@dataclass(frozen=True)
class Entry:
    """A job, and where it is written down.

    Attributes:
        journal: Path of the journal.
        row: What that knows of the job.
    """

    journal: Path
    row: JobRow

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        row = self.row
        return {
            "run": str(self.journal.parent),
            "job": str(row.place),
            "evaluation": row.place.evaluation,
            "id": row.id,
            "vendor": row.hardware,
            "status": row.status,
            "reason": row.reason,
            "circuits": row.circuits,
            "shots": row.shots,
            "usd": row.charge.usd,
            "qpu_s": row.charge.qpu_s,
            "charged_shots": row.charge.shots,
            "sent_utc": None if row.sent_at is None else moment(row.sent_at),
            "queue": queue_of(row).to_dict(),
            "tag": row.tag,
            "attempt": row.attempt,
            "measured": row.measured is not None,
        }


def listed(folder: Path) -> list[Entry]:
    """Every job of a run, a benchmark, a sweep's points, or an algorithm and its runs; nothing is asked or written.

    Raises:
        Refused: if the folder holds none of these, or a damaged journal.
    """
    paths = journals(folder)
    if not paths and kind_of(folder) is None:
        raise Refused(f"{folder} holds no run, sweep, algorithm or benchmark")
    return [Entry(path, row) for path in paths for row in journal.read(path).jobs]


def budget(folder: Path) -> tuple[Budget, Charge]:
    """What may be spent by what lies in a folder, and what is spent.

    Args:
        folder: As for `listed`.
    """
    spending = Spending(folder / FILE) if (folder / FILE).is_file() else spending_of(folder)
    if spending.path.is_file():
        return spending.granted, spending.spent
    return Budget(), sum((entry.row.charge for entry in listed(folder) if entry.row.counts), Charge())


def adopt(folder: Path, job_id: str, *, job: str | None = None) -> Entry:
    """Say which job at the vendor is the one whose id never arrived.

    Args:
        folder: As for `listed`.
        job_id: The vendor's.
        job: Which one of the run, such as ``3.0``; needed where it is not the only one.

    Raises:
        Refused: if no job, or more than one, can be meant, or another job has that id.
    """
    entries = listed(folder)
    if taken := [entry for entry in entries if entry.row.id == job_id and entry.row.status != "lost"]:
        raise Refused(f"{job_id} is the id of job {taken[0].row.place} of {taken[0].journal.parent} already")
    (entry,) = _chosen(folder, entries, job, lambda row: row.unknown, "whose id is not known", one=True)
    with _open(entry.journal) as opened:
        row = replace(entry.row, id=job_id, status="queued", sent_at=entry.row.sent_at or entry.row.intended_at)
        opened.write_job(row)
    return replace(entry, row=row)


def resend(folder: Path, *, job: str | None = None) -> list[Entry]:
    """Allow jobs that are lost, failed or cancelled to be sent anew, which resuming the run then does.

    What the jobs given up were to cost stays spent: at the vendor they may have cost it.

    Args:
        folder: As for `listed`.
        job: Which one of the run, such as ``3.0``; by default all for which it is possible.

    Raises:
        Refused: if there is none.
    """

    def possible(row: JobRow) -> bool:
        unusable = row.status == "done" and row.measured is None
        return row.unknown or unusable or row.status in ("failed", "cancelled", *(OPEN if job else ()))

    chosen = _chosen(folder, listed(folder), job, possible, "that is lost, failed or cancelled")
    changed = []
    for entry in chosen:
        with _open(entry.journal) as opened:
            changed.append(replace(entry, row=replace(entry.row, status="given up")))
            opened.write_job(changed[-1].row)
    return changed


def cancel(folder: Path, *, job: str | None = None, backend: BackendLike | None = None) -> list[Entry]:
    """Ask the vendor to stop the jobs that have not ended, and note what becomes of them.

    Args:
        folder: As for `listed`.
        job: Which one of the run, such as ``3.0``; by default all that have not ended.
        backend: Needed where the folder does not hold all of it, as for `hybrid.resume`.

    Raises:
        Refused: if there is none, or the backend is not known.
        ProviderUnreachable: if the vendor does not answer.
    """
    chosen = _chosen(folder, listed(folder), job, lambda row: row.status in OPEN, "that waits or runs")
    changed = []
    for entry in chosen:
        hardware, job_id = _hardware(entry, backend), _id(entry)
        answered(lambda: hardware.cancel(job_id), PATIENCE)  # noqa: B023 - called at once
        state = answered(lambda: hardware.state(job_id), PATIENCE)  # noqa: B023
        changed.append(_noted(entry, state))
    return changed


def wait(
    folder: Path, *, backend: BackendLike | None = None, pause: Callable[[float], None]
) -> list[FailedJob | LostJob]:
    """Wait until no job waits or runs, and note how each ended; resuming the run then fetches what they measured.

    Args:
        folder: As for `listed`.
        backend: As for `cancel`.
        pause: Waits for so many seconds.

    Returns:
        For each job that did not end well, why.

    Raises:
        Refused: if the backend is not known.
        ProviderUnreachable: if the vendor does not answer.
    """
    failures = []
    for entry in [entry for entry in listed(folder) if entry.row.status in OPEN]:
        hardware, last, waiting = _hardware(entry, backend), [entry], [entry.row.waiting_at]

        def told(state: JobState, last: list[Entry] = last, waiting: list[float | None] = waiting) -> None:
            if last[0].row.seen(state, 0.0) != last[0].row:
                last[0] = _noted(last[0], state, waiting[0])
            if state.status == "queued":
                waiting[0] = time.time()

        try:
            finished(hardware, _id(entry), PATIENCE, told=told, pause=pause)
        except (FailedJob, LostJob) as err:
            failures.append(err)
    return failures


def journals(folder: Path) -> list[Path]:
    """The journals of the run, the algorithm or the sweep in a folder, and of all runs below it.

    Args:
        folder: It need not exist.
    """
    below = sorted(path for path in folder.glob("*") if path.is_dir())
    stages = [stage for path in below if folders.is_algorithm(path) for stage in sorted(path.glob("*/"))]
    places = [folder, *below, *stages]
    found = [place / name for place in places for name in JOURNALS if (place / name).is_file()]
    return found if folder.is_dir() else []


def _chosen(
    folder: Path,
    entries: list[Entry],
    job: str | None,
    possible: Callable[[JobRow], bool],
    what: str,
    *,
    one: bool = False,
) -> list[Entry]:
    """The jobs that are meant: of several attempts the last."""
    last = {(entry.journal, entry.row.place): entry for entry in entries}
    found = [entry for entry in last.values() if possible(entry.row) and job in (None, str(entry.row.place))]
    if not found:
        raise Refused(
            f"{folder} holds no job {'' if job is None else job + ' '}{what}; `hybrid jobs {folder}` lists them"
        )
    if one and len(found) > 1:
        names = ", ".join(f"{entry.row.place} of {entry.journal.parent}" for entry in found)
        raise Refused(
            f"{len(found)} jobs can be meant: {names}; name the run's folder and --job, as in {found[0].row.place}"
        )
    return found


def _hardware(entry: Entry, backend: BackendLike | None) -> Elsewhere:
    """Where a job was sent: after failovers not all jobs of a journal went to the same place."""
    path = entry.journal
    for change in journal.read_failovers(path):
        there = elsewhere(backend_of(change.backend))
        if there is not None and there.name == entry.row.hardware:
            return there
    hardware = elsewhere(backend_of(_backend_spec(path.parent, entry.row), backend))
    if hardware is None:
        raise Refused(f"{path.parent}: its backend sends no jobs that can be asked for")
    return hardware


def _backend_spec(folder: Path, row: JobRow) -> BackendSpec:
    if folders.is_benchmark(folder):
        return benchmark.backend_of_stage(benchmark.read_spec(folder), row.place.stage).spec
    if folders.is_run(folder):
        return folders.read_spec(folder).backend
    file = folder / folders.ALGORITHM
    return checked(BackendSpec, read_json(file).get("backend", {}), file)


@contextmanager
def _open(path: Path) -> Iterator[Journal]:
    """A journal, open to write a job into; no run is at work on it meanwhile."""
    with Lock(path.parent), Journal(path, journal.read(path).run_digest) as opened:
        yield opened


def _noted(entry: Entry, state: JobState, waiting_at: float | None = None) -> Entry:
    row = entry.row.seen(state, time.time(), waiting_at)
    with _open(entry.journal) as opened:
        opened.write_job(row)
    spending_of(entry.journal.parent).record({row.tag: row.charge})
    return replace(entry, row=row)


def _id(entry: Entry) -> str:
    assert entry.row.id is not None
    return entry.row.id
