"""Where the points of a submitted study stand; looking changes nothing, and needs no right to write."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from circuits.errors import ProviderUnreachable, Refused
from hybrid.runs import folder as folders
from hybrid.runs.listing import entry_of
from hybrid.runs.lock import held
from hybrid.sites.last_words import last_words
from hybrid.sites.progress import Progress, progress_of
from hybrid.sites.record import Submitted, is_submitted, submitted
from hybrid.sites.script import STOPPED
from hybrid.sites.site import FOLDER, Active
from hybrid.studies.sweep import Value

FAILED = {*range(128)} - {STOPPED}
"""Exit codes of a task that failed; from 128 on a signal has ended it."""

UNDECIDED = ("missing", "unfinished", "stopped")
"""What the folder of a point says where only its task knows more."""


@dataclass(frozen=True)
class PointStatus:
    """Where one point stands.

    Attributes:
        number: Position in the grid.
        name: Of the point; empty without a sweep.
        values: Of the sweep.
        state: "pending" or "running"; "ended" if its results are still at the site; a result's status; "cancelled",
            "interrupted" (killed, or stopped with its work saved), "failed", "missing" (never submitted), "damaged"
            (its record cannot be read), or "unknown" (the scheduler cannot be asked).
        energy: So far, or None.
        standard_error: Of the energy, or None.
        unit: Of the energy, or None.
        message: What there is to say.
        exit_code: Of a task that ended without a result, where it is known.
        output: The run's folder, or the log where there is none.
        job: The scheduler's number of the task, while it waits or runs; empty where there is none.
        node: Where it runs; empty where it does not.
        elapsed_s: How long its task has run by now, in seconds; None where that is not known.
        reason: Why it waits; empty where nothing is said.
        evaluations: Rows of parameters that its journal holds, while it runs; None otherwise.
        left_s: Seconds until its end, by what it has done and what its plan expects; None where nothing is known.
    """

    number: int
    name: str
    values: dict[str, Value]
    state: str
    energy: float | None
    standard_error: float | None
    unit: str | None
    message: str
    exit_code: int | None
    output: Path
    job: str = ""
    node: str = ""
    elapsed_s: float | None = None
    reason: str = ""
    evaluations: int | None = None
    left_s: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self) | {"output": str(self.output)}


def status(folder: Path) -> list[PointStatus]:
    """Where every point of a submitted study stands.

    Raises:
        Refused: if nothing was submitted to the folder, or its record is damaged.
    """
    record = submitted(folder)
    entries = [_entry(record.folder / name) for name in record.names]
    waiting = [number for number, entry in enumerate(entries) if entry["status"] in UNDECIDED]
    active, unknown = activity(record, waiting)
    found = []
    for number, entry in enumerate(entries):
        place, log = record.folder / record.names[number], _log(record, number)
        if entry["status"] in UNDECIDED and number not in active:
            entry = _entry(place)  # it may have ended since, with a result
        state, message, code = entry["status"], entry["message"] or "", None
        if state in UNDECIDED:
            state, message, code = _undecided(record, number, entry, active, unknown)
        at_work = active.get(number, Active("pending"))
        progress = progress_of(place) if state == "running" else Progress()
        found.append(
            PointStatus(
                number,
                record.names[number],
                record.points[number],
                state,
                progress.energy if entry["energy"] is None else entry["energy"],
                progress.standard_error if entry["energy"] is None else entry["standard_error"],
                entry["unit"],
                message,
                code,
                place if entry["status"] != "missing" else log if log.is_file() else log.parent,
                at_work.job,
                at_work.node if state == "running" else "",
                at_work.elapsed_s if state == "running" else None,
                at_work.reason if state == "pending" else "",
                progress.evaluations,
                progress.left_s,
            )
        )
    return found


def activity(record: Submitted, points: Sequence[int]) -> tuple[dict[int, Active], dict[int, str]]:
    """Which of these points wait or run, submitted or by hand; and of which that cannot be told, and why not."""
    active: dict[int, Active] = {}
    unknown: dict[int, str] = {}
    for submission in record.relevant(points):
        try:
            active |= record.active(submission)
        except ProviderUnreachable as err:
            unknown |= dict.fromkeys(submission.points, str(err))
    for point in points:
        lock = record.folder / record.names[point] / "lock"
        try:
            at_work = active.get(point)
            if (at_work is None or at_work.state != "running") and held(lock):
                active[point] = replace(at_work or Active("running"), state="running", reason="")
        except OSError as err:
            unknown[point] = f"{lock} cannot be looked at: {err.strerror}"
    return active, unknown


def check_idle(folder: Path) -> None:
    """Refuse to work on a study in a folder while points of it wait or run that were submitted.

    What cannot be known, as in a folder whose scheduler is elsewhere, is no reason to refuse: each point is locked
    while it runs.

    Args:
        folder: One that may hold a study that was submitted.

    Raises:
        Refused: if points wait or run, or the record of submissions is damaged.
    """
    if not is_submitted(folder):
        return
    record = submitted(folder)
    waiting = [k for k, name in enumerate(record.names) if _entry(record.folder / name)["status"] in UNDECIDED]
    if active := set(activity(record, waiting)[0]).intersection(waiting):
        raise Refused(busy(folder, len(active)))


def busy(folder: Path, count: int) -> str:
    """The words for a folder that others are at work in."""
    return (
        f"{folder}: {count} of its points wait or run already, or have ended elsewhere. See `hybrid status {folder}`; "
        f"`hybrid fetch {folder}` brings what has ended, `hybrid cancel {folder}` ends the others"
    )


def _log(record: Submitted, number: int) -> Path:
    """What the task of a point has printed, the last time it was submitted."""
    submission = record.latest.get(number)
    task = number if submission is None else record.batch(submission).task_of(number)
    return record.folder / FOLDER / f"{task}.log"


def _entry(place: Path) -> dict[str, Any]:
    """The record of a point's run."""
    nothing = {"energy": None, "standard_error": None, "unit": None, "message": ""}
    try:
        if not (folders.is_run(place) or folders.is_algorithm(place)):
            return nothing | {"status": "missing"}
        return dict(entry_of(place))
    except (Refused, OSError) as err:
        return nothing | {"status": "damaged", "message": str(err)}


def _undecided(
    record: Submitted, number: int, entry: Mapping[str, Any], active: Mapping[int, Active], unknown: Mapping[int, str]
) -> tuple[str, str, int | None]:
    """State, message and exit code of a point that has no final result."""
    begun, own = entry["status"] != "missing", entry["message"] or ""
    if number in active:
        state = active[number].state
        message = f"its results are at the site: hybrid fetch {record.folder}" if state == "ended" else ""
        return state, message, None
    if number in unknown:
        return "unknown", unknown[number], None
    submission = record.latest.get(number)
    if submission is None:
        return ("interrupted", own, None) if begun else ("missing", "", None)
    if number in record.cancelled:
        return "cancelled", "", None
    kind, batch, jobs = submission.site_kind, record.batch(submission), submission.jobs
    task = batch.task_of(number)
    values = record.points[number] if batch.per_task > 1 else None
    words = last_words(_log(record, number), submission.number, kind.output(batch, jobs, task), values)
    if words.exit_code in FAILED:
        return "failed", words.message, words.exit_code
    if not (begun or submission.answered or words.message):
        return "missing", "", None
    return "interrupted", words.message or kind.remark(batch, jobs, task) or own, words.exit_code
