"""The record of what was submitted of a study.

A run's folder holds, beside the points' own folders, the folder ``batch``:

study.toml          the study as it was submitted: editing the original changes nothing
submissions.json    points, and every submission with the scheduler's job ids
job-1.sh            the script of the first submission
0.json, 0.log       what the task of point 0 reported, and what else it printed

A study can be moved or copied with its record and its inputs: the record names the study file by the way there from the
run's folder.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.runs.files import write_json
from hybrid.runs.kinds import kind_of
from hybrid.sites import kinds
from hybrid.sites.site import FOLDER, Active, Batch, Site
from hybrid.sites.stored import load
from hybrid.sites.words import check_folder
from hybrid.studies.sweep import Value

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
        folder: Where the tasks write, absolute.
        inode: Of the folder ``batch`` in it; with the path it tells a copy from the folder itself.
        per_task: How many points a task takes.
    """

    number: int
    site: str
    kind: str
    name: str
    points: list[int]
    jobs: list[dict[str, Any]] = field(default_factory=list)
    answered: bool = False
    cancelled: list[int] = field(default_factory=list)
    folder: str = ""
    inode: int = 0
    per_task: int = 1

    @property
    def site_kind(self) -> type[Site]:
        """What submitted it."""
        return kinds.load(self.kind)


@dataclass(frozen=True)
class Submitted:
    """A folder that a study was submitted to.

    Attributes:
        study: The way from the folder to the study file.
        points: The sweep's values at each point.
        names: Of the points.
        submissions: In order.
        folder: Absolute; it is not written down.
    """

    study: str
    points: list[dict[str, Value]]
    names: list[str]
    submissions: list[Submission]
    folder: Path = Path()

    def batch(self, submission: Submission) -> Batch:
        """What the site was or is handed."""
        base = Path(os.path.normpath(self.folder / self.study)).parent
        what = (submission.name, submission.number, submission.points, submission.per_task)
        return Batch(self.folder, *what, names=self.names, base=base)

    def jobs(self, submission: Submission) -> Sequence[Mapping[str, Any]]:
        """The jobs, looked for where the site's answer was lost.

        Raises:
            ProviderUnreachable: if nobody answers.
        """
        if submission.answered:
            return submission.jobs
        return submission.site_kind.find(self.batch(submission))

    def active(self, submission: Submission) -> dict[int, Active]:
        """The points of a submission that wait or run; in a copy of its folder there are none.

        Of a task with several points that runs, each point waits: its own lock says which one runs.

        Raises:
            ProviderUnreachable: if nobody answers.
        """
        if self.is_copy_of(submission):
            return {}
        batch = self.batch(submission)
        tasks = submission.site_kind.active(batch, self.jobs(submission))
        found = {}
        for task, points in batch.tasks.items():
            if (active := tasks.get(task)) is not None:
                if len(points) > 1 and active.state == "running":
                    active = replace(active, state="pending", elapsed_s=None, reason="others of its task run first")
                found |= dict.fromkeys(points, active)
        return found

    def is_copy_of(self, submission: Submission) -> bool:
        """Whether this is a copy of the folder that a submission's tasks write to."""
        return submission.folder not in ("", str(self.folder)) and submission.inode != inode(self.folder)

    @cached_property
    def latest(self) -> dict[int, Submission]:
        """The last submission of each point that has one."""
        return {point: submission for submission in self.submissions for point in submission.points}

    @cached_property
    def cancelled(self) -> set[int]:
        """The points that were cancelled since they were last submitted."""
        return {
            point
            for submission in self.submissions
            for point in submission.cancelled
            if self.latest.get(point) is submission
        }

    def relevant(self, points: Iterable[int]) -> list[Submission]:
        """The submissions whose tasks may be at work on any of these points: the last of each, and lost ones."""
        last = {self.latest[point].number for point in points if point in self.latest}
        return [entry for entry in self.submissions if entry.number in last or not entry.answered]

    def write(self) -> None:
        """Write the record.

        Raises:
            RecordFailed: if it cannot be written.
        """
        content = asdict(self)
        del content["folder"]
        write_json(self.folder / FOLDER / RECORD, content)

    def updated(self, submission: Submission) -> "Submitted":
        """With this submission in the place of the one of its number, or at the end; written."""
        others = [other for other in self.submissions if other.number != submission.number]
        changed = replace(self, submissions=sorted([*others, submission], key=lambda s: s.number))
        changed.write()
        return changed


def inode(folder: Path) -> int:
    """The number of a run's folder ``batch`` on its file system; 0 without one."""
    place = folder / FOLDER
    return place.stat().st_ino if place.is_dir() else 0


def is_submitted(folder: Path) -> bool:
    """Whether a study was submitted to this folder.

    Raises:
        Refused: if that cannot be seen.
    """
    path = folder / FOLDER / RECORD
    try:
        return path.is_file()
    except OSError as err:
        raise Refused(f"{path} cannot be read: {err.strerror}") from err


def submitted(folder: Path) -> Submitted:
    """The record of a folder.

    Raises:
        Refused: if nothing was submitted to it, or the record is damaged.
    """
    place = folder.absolute()
    check_folder(place)
    path = place / FOLDER / RECORD
    if not is_submitted(place):
        shown = f"`hybrid show {folder}` shows it" if kind_of(place) else "`hybrid status` lists the folders"
        raise Refused(f"{folder}: nothing was submitted to this folder; {shown}")
    record = replace(load(Submitted, path), folder=place)
    if damage := _damage(record):
        raise Refused(f"{path} is damaged, or of another version: {damage}")
    return record


def _damage(record: Submitted) -> str:
    """What cannot be, although every type is right."""
    if len(record.names) != len(record.points) or not record.names:
        return f"{len(record.names)} names for {len(record.points)} points"
    if any("/" in name or "\0" in name or name in (".", "..") for name in record.names):
        return "a point whose name is no name of a folder"
    for submission in record.submissions:
        if submission.per_task < 1:
            return f"a submission with {submission.per_task} points in a task"
        if submission.kind not in kinds.names():
            return f"a submission to a site of the kind {submission.kind!r}"
        if not all(0 <= point < len(record.names) for point in (*submission.points, *submission.cancelled)):
            return "a submission of points that are not in the study"
    return ""
