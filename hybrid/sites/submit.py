"""Handing a study's points over to a site.

An intent is written before the scheduler is asked, the ids after it has answered. So a submission whose answer was lost
is looked for by its name before anything is sent again.
"""

import os
import secrets
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from circuits.errors import LostJob, ProviderUnreachable, RecordFailed, Refused, ToolkitError
from hybrid.runs.lock import Lock
from hybrid.sites.record import Submission, Submitted, inode, is_submitted, submitted
from hybrid.sites.script import script
from hybrid.sites.site import FOLDER, Site
from hybrid.sites.status import activity, busy
from hybrid.sites.words import NAME_BYTES, check_folder, job_word
from hybrid.studies.run import unfinished, workload_of
from hybrid.studies.study import Study, read


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
        RecordFailed: if the folder cannot be written.
    """
    file, folder = file.absolute(), folder.absolute()
    for place in (folder, file.parent):
        site.check(place)
    study, content = read(file), file.read_bytes()
    study.check_apart()
    _check_names(study, folder)
    missing = unfinished(study, folder)
    points = study.points()
    workload_of(points[0])  # what can be refused is refused here, not in the queue
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
            return _hand_over(record, site, site_name, study, missing)
    except OSError as err:
        raise RecordFailed(f"{place} cannot be written: {err.strerror}") from err


def _check_names(study: Study, folder: Path) -> None:
    for point in study.points():
        if len(os.fsencode(point.name)) > NAME_BYTES:
            raise Refused(
                f"{point.where[:120]}...: the point's values make a name of {len(os.fsencode(point.name))} bytes, and "
                f"a folder's name may have {NAME_BYTES}; sweep over shorter values"
            )
        check_folder(folder / point.name)


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


def _hand_over(record: Submitted, site: Site, site_name: str, study: Study, points: list[int]) -> Submission:
    name = f"{job_word(study.points()[0].spec.run.name or study.path.stem)}-{secrets.token_hex(4)}"
    submission = Submission(
        len(record.submissions) + 1,
        site_name,
        site.kind,
        name,
        points,
        folder=str(record.folder),
        inode=inode(record.folder),
    )
    batch = record.batch(submission)
    text = script(site, batch, base=study.path.absolute().parent)
    batch.script.write_text(text, encoding="utf-8")
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
