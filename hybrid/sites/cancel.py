"""Ending points of a submitted study."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from circuits.errors import Refused
from hybrid.runs.lock import Lock
from hybrid.sites.record import submitted
from hybrid.sites.site import FOLDER, Batch
from hybrid.studies.sweep import positions


def cancel(folder: Path, words: Sequence[str] = ()) -> list[int]:
    """End points of a submitted study that wait or run: those named, or all. Running ones save their work first.

    Args:
        folder: Of the study.
        words: Numbers, ranges or names of points; none means all.

    Returns:
        The points that were ended; those that had ended before are not among them.

    Raises:
        Refused: if nothing was submitted to the folder, a point is unknown, or shares its task with others that were
            not named and wait or run.
        FailedJob: if the scheduler refuses.
        ProviderUnreachable: if it does not answer, or tasks run on another machine and nobody there can be told.
        RecordFailed: if it cannot be written down.
    """
    record = submitted(folder)
    wanted = positions(words, record.names) if words else range(len(record.names))
    ended = []
    with Lock(record.folder / FOLDER):
        record = submitted(folder)  # again, now that nobody else can be writing it
        for submission in record.relevant(wanted):
            batch, jobs = record.batch(submission), record.jobs(submission)
            active = [point for point, task in record.active(submission).items() if task.state != "ended"]
            if mine := [point for point in wanted if point in active]:
                submission.site_kind.cancel(batch, jobs, whole_tasks(batch, mine, active))
                ended += mine
                known = sorted({*submission.cancelled, *mine})
                record = record.updated(replace(submission, cancelled=known, jobs=[dict(job) for job in jobs]))
    return sorted(ended)


def whole_tasks(batch: Batch, points: Sequence[int], active: Collection[int]) -> list[int]:
    """The tasks of these points.

    Args:
        batch: What was submitted.
        points: Of it, that are to be ended.
        active: All of its points that wait or run.

    Raises:
        Refused: if a task has other points that wait or run, too: they would end with it.
    """
    found = []
    for task in dict.fromkeys(map(batch.task_of, points)):
        if others := [point for point in batch.tasks[task] if point in active and point not in points]:
            raise Refused(
                f"{batch.run}: points {', '.join(map(str, others))} share a task with those that are to be cancelled, "
                "and would end with it; name all of them, or none to cancel everything"
            )
        found.append(task)
    return found
