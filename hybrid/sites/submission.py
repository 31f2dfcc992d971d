"""What was submitted of a study, what became of it, and ending it.

A run's folder holds, beside the points' own folders, the folder ``batch``:

study.toml          the study as it was submitted: editing the original changes nothing
submissions.json    points, and every submission with the scheduler's job ids
job-1.sh            the script of the first submission
0.json, 0.log       what the task of point 0 reported, and what else it printed

An intent is written before the scheduler is asked, the ids after it has answered. So a submission whose answer was lost
is looked for by its name before anything is sent again.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from circuits.errors import LostJob, RecordFailed, Refused, ToolkitError
from hybrid.runs import folder as folders
from hybrid.runs.files import read_json, write_json
from hybrid.runs.listing import entry_of
from hybrid.runs.lock import Lock
from hybrid.sites.file import KINDS
from hybrid.sites.script import script
from hybrid.sites.site import FOLDER, Activity, Batch, Site
from hybrid.studies.continuation import unfinished
from hybrid.studies.preparation import workload_of
from hybrid.studies.study import Study, read
from hybrid.studies.sweep import Value, positions

RECORD = "submissions.json"


@dataclass(frozen=True)
class Submission:
    """One handing over of points to a site.

    Attributes:
        number: From 1.
        site: Name in the site file.
        kind: Of the site.
        name: Of the jobs.
        points: Positions in the grid.
        jobs: What the site said.
        answered: Whether the site has said all that it will; otherwise its answer may have been lost.
        cancelled: Points that were cancelled.
    """

    number: int
    site: str
    kind: str
    name: str
    points: list[int]
    jobs: list[dict[str, Any]] = field(default_factory=list)
    answered: bool = False
    cancelled: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Submitted:
    """A folder that a study was submitted to.

    Attributes:
        folder: Absolute.
        study: The study file, absolute.
        points: The sweep's values at each point.
        names: Of the points.
        submissions: In order.
    """

    folder: Path
    study: Path
    points: list[dict[str, Value]]
    names: list[str]
    submissions: list[Submission]

    def batch(self, submission: Submission) -> Batch:
        """What the site was or is handed."""
        return Batch(self.folder, self.study.parent, submission.name, submission.number, submission.points)

    def jobs(self, submission: Submission) -> Sequence[Mapping[str, Any]]:
        """The jobs, looked for where the site's answer was lost."""
        if submission.answered:
            return submission.jobs
        return KINDS[submission.kind].find(self.batch(submission))

    def active(self) -> dict[int, Activity]:
        """The points that wait or run."""
        found = {}
        for submission in self.submissions:
            found |= KINDS[submission.kind].active(self.batch(submission), self.jobs(submission))
        return found

    def write(self) -> None:
        """Write the record.

        Raises:
            RecordFailed: if it cannot be written.
        """
        content = {
            "study": self.study,
            "points": self.points,
            "names": self.names,
            "submissions": [asdict(submission) for submission in self.submissions],
        }
        write_json(self.folder / FOLDER / RECORD, content)

    def updated(self, submission: Submission) -> "Submitted":
        """With this submission in the place of the one of its number, or at the end; written."""
        others = [other for other in self.submissions if other.number != submission.number]
        changed = replace(self, submissions=sorted([*others, submission], key=lambda s: s.number))
        changed.write()
        return changed


def is_submitted(folder: Path) -> bool:
    """Whether a study was submitted to this folder."""
    return (folder / FOLDER / RECORD).is_file()


def submitted(folder: Path) -> Submitted:
    """The record of a folder.

    Raises:
        Refused: if nothing was submitted to it, or the record is damaged.
    """
    path = folder.absolute() / FOLDER / RECORD
    if not path.is_file():
        raise Refused(f"{folder}: nothing was submitted to this folder; `hybrid status` lists the folders")
    content = read_json(path)
    try:
        return Submitted(
            folder.absolute(),
            Path(content["study"]),
            content["points"],
            content["names"],
            [Submission(**entry) for entry in content["submissions"]],
        )
    except (KeyError, TypeError) as err:
        raise Refused(f"{path} is damaged: {type(err).__name__}: {err}") from err


def submit(file: Path, site: Site, *, site_name: str, folder: Path) -> Submission | None:
    """Submit the points of a study that have no result yet.

    Args:
        file: The study file.
        site: Where to.
        site_name: What the site is called in the site file.
        folder: Where the record goes: a new one, or one that holds this study already.

    Returns:
        The submission; None if every point has its result.

    Raises:
        Refused: if the study is wrong, the folder holds another one, or points of it wait or run already.
        FailedJob: if the scheduler does not take it.
        LostJob: if the scheduler took it, perhaps; submit again to find out.
        ProviderUnreachable: if there is no scheduler, or it does not answer.
    """
    study = read(file)
    study.check_apart()
    folder = folder.absolute()
    points = unfinished(study, folder)
    workload_of(study.points()[0])  # what can be refused is refused here, not in the queue
    place = folder / FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        with Lock(place):
            record = _record(study, file, folder)
            if not points:
                return None
            if active := set(record.active()) & set(points):
                raise Refused(
                    f"{folder}: {len(active)} of its points wait or run already. See `hybrid status {folder}`; "
                    f"`hybrid cancel {folder}` ends them"
                )
            (place / "study.toml").write_bytes(file.read_bytes())
            return _hand_over(record, site, site_name, study, points)
    except OSError as err:
        raise RecordFailed(f"{place} cannot be written: {err.strerror}") from err


def _hand_over(record: Submitted, site: Site, site_name: str, study: Study, points: list[int]) -> Submission:
    name = f"{study.points()[0].spec.run.name or study.path.stem}-{secrets.token_hex(4)}"
    submission = Submission(len(record.submissions) + 1, site_name, site.kind, name, points)
    batch = record.batch(submission)
    batch.script.write_text(script(site, batch))
    record = record.updated(submission)
    try:
        for job in site.submit(batch):
            submission = replace(submission, jobs=[*submission.jobs, job])
            record = record.updated(submission)
    except LostJob:
        raise
    except ToolkitError:  # which is an answer, too
        record.updated(replace(submission, answered=True, points=points if submission.jobs else []))
        raise
    submission = replace(submission, answered=True)
    record.updated(submission)
    return submission


def _record(study: Study, file: Path, folder: Path) -> Submitted:
    points = [dict(point.values) for point in study.points()]
    if not is_submitted(folder):
        return Submitted(folder, file.absolute(), points, [point.name for point in study.points()], [])
    record = submitted(folder)
    before = read(folder / FOLDER / "study.toml", base=record.study.parent) if record.submissions else study
    if [point.record() for point in before.points()] != [point.record() for point in study.points()]:
        raise Refused(
            f"{folder} holds another study, {record.study}, as it was in {folder / FOLDER / 'study.toml'}. "
            "Submit that one, or choose another folder"
        )
    return record


@dataclass(frozen=True)
class PointStatus:
    """Where one point stands.

    Attributes:
        number: Position in the grid.
        name: Of the point; empty without a sweep.
        values: Of the sweep.
        state: "pending" or "running"; a result's status; "cancelled", "interrupted" (killed, or stopped with its work
            saved), "failed", or "missing" (never submitted).
        energy: So far, or None.
        unit: Of the energy, or None.
        message: What there is to say.
        output: The run's folder, or the log where there is none.
    """

    number: int
    name: str
    values: dict[str, Value]
    state: str
    energy: float | None
    unit: str | None
    message: str
    output: Path

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self) | {"output": str(self.output)}


def status(folder: Path) -> list[PointStatus]:
    """Where every point of a submitted study stands.

    Raises:
        Refused: if nothing was submitted to the folder.
        ProviderUnreachable: if the scheduler does not answer.
    """
    record = submitted(folder)
    active = record.active()
    sent = {point: submission for submission in record.submissions for point in submission.points}
    return [_point_status(record, number, active.get(number), sent.get(number)) for number in range(len(record.names))]


def _point_status(
    record: Submitted, number: int, activity: Activity | None, submission: Submission | None
) -> PointStatus:
    name, place = record.names[number], record.folder / record.names[number]
    log = record.folder / FOLDER / f"{number}.log"
    run: dict[str, Any] = {"energy": None, "unit": None, "message": ""}
    state = "missing"
    if folders.is_run(place):
        run = entry_of(place)
        state = run["status"]
    if state in ("missing", "unfinished", "stopped"):
        failure = "" if activity else _failure(log)
        if activity:
            state = activity
        elif submission is not None and number in submission.cancelled:
            state = "cancelled"
        elif failure:
            state = "failed"
        elif state != "missing" or submission is not None:
            state = "interrupted"
        run["message"] = failure
    output = place if folders.is_run(place) else log if log.is_file() else record.folder / FOLDER
    return PointStatus(
        number, name, record.points[number], state, run["energy"], run["unit"], run["message"] or "", output
    )


def _failure(log: Path) -> str:
    """What a task that ended without a result has said last: in its report, or as an error of the command line."""
    report = log.with_suffix(".json")
    try:
        points = json.loads(report.read_text()).get("points", [])
    except (OSError, ValueError):
        points = []
    if points and points[0]["status"] == "failed":
        return points[0]["message"]
    lines = log.read_text(errors="replace").split("\n") if log.is_file() else []
    said = [line.strip() for line in lines if line.strip()]
    return said[-1].removeprefix("hybrid: ") if said and said[-1].startswith("hybrid: ") else ""


def cancel(folder: Path, words: Sequence[str] = ()) -> list[int]:
    """End points of a submitted study that wait or run: those named, or all. Running ones save their work first.

    Args:
        folder: Of the study.
        words: Numbers, ranges or names of points; none means all.

    Returns:
        The points that were ended; those that had ended before are not among them.

    Raises:
        Refused: if nothing was submitted to the folder, or a point is unknown.
        FailedJob: if the scheduler refuses.
        ProviderUnreachable: if it does not answer.
    """
    record = submitted(folder)
    wanted = positions(words, record.names) if words else range(len(record.names))
    ended = []
    with Lock(record.folder / FOLDER):
        for submission in record.submissions:
            kind, batch, jobs = KINDS[submission.kind], record.batch(submission), record.jobs(submission)
            active = kind.active(batch, jobs)
            if mine := [point for point in wanted if point in active]:
                kind.cancel(batch, jobs, mine)
                ended += mine
                record = record.updated(
                    replace(submission, cancelled=sorted({*submission.cancelled, *mine}), jobs=list(jobs))
                )
    return sorted(ended)
