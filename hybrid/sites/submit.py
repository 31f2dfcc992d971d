"""Handing a study's points over to a site.

An intent is written before the scheduler is asked, the ids after it has answered. So a submission whose answer was lost
is looked for by its name before anything is sent again.
"""

import math
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import BaseModel

from circuits.errors import LostJob, ProviderUnreachable, RecordFailed, Refused, ToolkitError
from hybrid.routing.plan import candidates, check_possible
from hybrid.routing.policy import check_may_go, decide, refusal
from hybrid.runs import folder as folders
from hybrid.runs import index
from hybrid.runs.lock import Lock
from hybrid.sites.local import Local
from hybrid.sites.record import Submission, Submitted, inode, is_submitted, submitted
from hybrid.sites.script import script
from hybrid.sites.site import FOLDER, Batch, Site
from hybrid.sites.status import activity, busy
from hybrid.sites.words import check_folder, job_word
from hybrid.studies.continuation import unfinished
from hybrid.studies.fields import InputPath
from hybrid.studies.preparation import plan_of, within_memory, workload_of
from hybrid.studies.study import Point, Study, read
from hybrid.studies.sweep import positions
from hybrid.terminal.progress import Progress

LEAST_TASK_S = 60.0
"""Predicted seconds that a task lasts at least where the number of its points is chosen: what starts one takes some."""

ASKED_POINTS = 3
"""Points of a study whose plans say how long a point takes."""


@dataclass(frozen=True)
class Preview:
    """What a submission would be.

    Attributes:
        batch: Its points and tasks, in the folder that would be written; the job's name is one that it might have.
        script: What each task runs.
        commands: That would hand it over; none where there is no scheduler.
    """

    batch: Batch
    script: str
    commands: list[list[str]]


def submit(
    file: Path, site: Site, *, site_name: str, folder: Path, per_task: int = 1, only: Sequence[str] = ()
) -> Submission | None:
    """Submit the points of a study that have no result yet.

    What can be known to be wrong with any of them is found before anything is written or sent.

    Args:
        file: The study file.
        site: Where to.
        site_name: What the site is called in the site file.
        folder: Where the record goes: a new one, or one that holds this study already.
        per_task: How many points a task takes, one after the other.
        only: Some points: numbers from 0, ranges such as "3-7", or names; none for all. Others may go to other sites.

    Returns:
        The submission; None if every point has its result.

    Raises:
        PolicyViolation: if its data may not go to the site, or to the provider that it asks for.
        Refused: if the study is wrong, the folder holds another one, or points of it wait or run already.
        FailedJob: if the scheduler does not take it.
        LostJob: if the scheduler took it, perhaps; submit again to find out.
        ProviderUnreachable: if there is no scheduler, or it does not answer.
        RecordFailed: if the folder cannot be written.
    """
    file, folder = file.absolute(), folder.absolute()
    study, content = _readable(file, site, folder), file.read_bytes()
    points = study.points()
    missing = _chosen(study, folder, only)
    if missing:
        site.check_settings()
    if not isinstance(site, Local):
        for label in sorted({points[number].spec.run.label for number in missing}):
            check_may_go(label, site_name, kind="site", purpose="submit", folder=folder)
    begun = [number for number in missing if _is_begun(folder / points[number].name)]
    check_points([points[number] for number in missing if number not in begun])
    place = folder / FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        with Lock(place), Lock(folder, shared=True) if study.sweep else nullcontext():
            record = _record(study, file, folder)
            if not missing:
                return None
            active, unknown = activity(record, missing)
            if waiting := set(active).intersection(missing):
                raise Refused(busy(folder, len(waiting)))
            if why := next((unknown[point] for point in missing if point in unknown), None):
                raise ProviderUnreachable(why)
            (place / "study.toml").write_bytes(content)
            index.add(folder)
            return _hand_over(record, site, site_name, study, missing, per_task)
    except OSError as err:
        raise RecordFailed(f"{place} cannot be written: {err.strerror}") from err


def _is_begun(place: Path) -> bool:
    return folders.is_run(place) or folders.is_algorithm(place)


def preview(
    file: Path, site: Site, *, site_name: str, folder: Path, per_task: int = 1, only: Sequence[str] = ()
) -> Preview | None:
    """What `submit` would hand over; nothing is written, sent or logged, and no scheduler is needed.

    Args:
        file: As for `submit`, like the others.
        site: Where to.
        site_name: What the site is called in the site file.
        folder: Where the record would go.
        per_task: How many points a task takes.
        only: Some points.

    Raises:
        PolicyViolation: if its data may not go to the site.
        Refused: if the study is wrong, or the folder holds another one.
    """
    file, folder = file.absolute(), folder.absolute()
    study = _readable(file, site, folder)
    missing, points = _chosen(study, folder, only), study.points()
    for label in [] if isinstance(site, Local) else sorted({points[number].spec.run.label for number in missing}):
        decision = decide(label, site_name, kind="site")
        if not decision.allowed:
            raise refusal(label, site_name, "site", decision)
    check_points([points[number] for number in missing if not _is_begun(folder / points[number].name)])
    if not missing:
        return None
    number = len(submitted(folder).submissions) + 1 if is_submitted(folder) else 1
    names = [point.name for point in points]
    batch = Batch(folder, _job_name(study), number, missing, per_task, names, file.parent)
    return Preview(batch, _script(site, batch), site.commands(batch))


def _chosen(study: Study, folder: Path, only: Sequence[str]) -> list[int]:
    """The points that have no result yet, of those that are named."""
    missing = unfinished(study, folder)
    if not only:
        return missing
    chosen = positions(only, [point.name for point in study.points()])
    return [number for number in missing if number in chosen]


def _script(site: Site, batch: Batch) -> str:
    there = site.there(batch)
    return script(site, there, base=there.base)


def _inputs(points: Sequence[Point]) -> list[Path]:
    """The files that points read, whole folders of runs that they start from."""
    found: dict[Path, None] = {}
    for point in points:
        for path in _paths(point.spec):
            found[Path(path)] = None
        start = point.spec.run.theta
        if isinstance(start, InputPath):
            found |= dict.fromkeys(file for file in sorted(Path(start).parent.iterdir()) if file.is_file())
    return [file for file in found if file.name != "lock"]


def _paths(value: Any) -> Iterator[InputPath]:
    if isinstance(value, InputPath):
        yield value
    elif isinstance(value, BaseModel):
        yield from _paths([getattr(value, name) for name in type(value).model_fields])
    elif isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _paths(one)


def points_per_task(file: Path) -> tuple[int, float]:
    """How many points of a study make a task that lasts a minute, by the plans of some of them.

    Args:
        file: The study file.

    Returns:
        The number, from 1, and the predicted seconds of a point; 1 and NaN where no plan knows the speed.

    Raises:
        Refused: if the study is wrong, or no backend can do a point of it.
    """
    points = read(file).points()
    asked = {round(k * (len(points) - 1) / (ASKED_POINTS - 1)) for k in range(ASKED_POINTS)}
    seconds = []
    for number in sorted(asked):
        outlook = plan_of(points[number]).chosen.outlook
        if outlook is None or outlook.prediction.seconds is None:
            return 1, math.nan
        seconds.append(outlook.prediction.seconds.expected)
    each = max(fmean(seconds), 1e-3)
    return max(1, min(math.ceil(LEAST_TASK_S / each), len(points))), each


def _readable(file: Path, site: Site, folder: Path) -> Study:
    """The study, if it and the folder can be named to the site and its points run apart."""
    for place in (folder, file.parent):
        site.check(place)
    study = read(file)
    study.check_apart()
    for point in study.points():
        check_folder(folder / point.name)
    return study


def _job_name(study: Study) -> str:
    return f"{job_word(study.points()[0].spec.run.name or study.path.stem)}-{secrets.token_hex(4)}"


def check_points(points: Sequence[Point]) -> None:
    """Refuse a study with a point that cannot be built, or that no backend can do.

    Points that share a problem, or a problem and a circuit, share the work of building it.

    Args:
        points: Of one study.

    Raises:
        Refused: for the first such point that is found.
    """
    alike = sorted(points, key=lambda point: (repr(point.spec.problem), repr(point.spec.ansatz)))
    before, made = None, {}
    with Progress("checking points", len(points)) as progress:
        for done, point in enumerate(alike):
            progress.update(done, point.name)
            if before is None or before.spec.problem != point.spec.problem:
                made = {}
            elif before.spec.ansatz != point.spec.ansatz or point.spec.ansatz is None:
                made.pop("circuit", None)
            try:
                work, backend = workload_of(point, **made)
            except MemoryError as err:
                raise within_memory(err, point) from err
            try:
                check_possible(work, candidates(backend), elsewhere=True)
            except Refused as err:
                raise type(err)(f"{point.where}: {err}") from err
            before, made = point, {"problem": work.problem, "circuit": work.circuit}


def _record(study: Study, file: Path, folder: Path) -> Submitted:
    """The folder's record, with the study file where it lies now."""
    way = os.path.relpath(file, folder)
    points = study.points()
    if not is_submitted(folder):
        values, names = [dict(point.values) for point in points], [point.name for point in points]
        return Submitted(way, values, names, [], folder)
    record = submitted(folder)
    before = read(folder / FOLDER / "study.toml", base=file.parent) if record.submissions else study
    if [point.record() for point in before.points()] != [point.record() for point in points]:
        raise Refused(
            f"{folder} holds another study, {record.study} from there, as it was in {folder / FOLDER / 'study.toml'}. "
            "Submit that one, or choose another folder"
        )
    return replace(record, study=way)


def _hand_over(
    record: Submitted, site: Site, site_name: str, study: Study, points: list[int], per_task: int
) -> Submission:
    name = _job_name(study)
    submission = Submission(
        len(record.submissions) + 1,
        site_name,
        site.kind,
        name,
        points,
        folder=str(record.folder),
        inode=inode(record.folder),
        per_task=per_task,
    )
    inputs = _inputs([study.points()[number] for number in points])
    batch = replace(record.batch(submission), base=study.path.absolute().parent, inputs=inputs)
    batch.script.write_text(_script(site, batch), encoding="utf-8")
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
