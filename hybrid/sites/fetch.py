"""Bringing back the results of points that ran where this machine's file system does not reach."""

from collections.abc import Iterator
from pathlib import Path

from hybrid.runs.lock import Lock
from hybrid.sites.record import Submitted, submitted
from hybrid.sites.site import FOLDER


def fetch(folder: Path) -> list[int]:
    """Fetch the results of all points of a submitted study that have ended at another site.

    Args:
        folder: Of the study.

    Returns:
        The points of the tasks that came, ascending; those of which there was nothing but a log, too.

    Raises:
        Refused: if nothing was submitted to the folder, or what came was changed on the way, or does not go on from
            what is here; that of other tasks is kept.
        FailedJob: if the site cannot hand it over.
        ProviderUnreachable: if it does not answer.
        RecordFailed: if the folder cannot be written.
    """
    submitted(folder)
    with Lock(folder / FOLDER):
        return sorted(set(_came(submitted(folder))))


def _came(record: Submitted) -> Iterator[int]:
    for submission in record.relevant(range(len(record.names))):
        if record.is_copy_of(submission):
            continue
        batch = record.batch(submission)
        for task in submission.site_kind.fetch(batch, record.jobs(submission)):
            yield from batch.tasks[task]
