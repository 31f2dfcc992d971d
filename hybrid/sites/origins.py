"""Where the points of a study were submitted to, as a crate of them says it."""

from pathlib import Path
from typing import Any

from hybrid.runs import folder as folders
from hybrid.sites.file import all_sites
from hybrid.sites.record import Submission, Submitted, is_submitted, submitted


def origins(folder: Path) -> dict[str, dict[str, Any]]:
    """For each point that was submitted, by its name, the last submission: "site", "kind", "job" and "submission".

    Args:
        folder: Of the run or the sweep.

    Returns:
        Nothing for a folder that nothing was submitted to. A study without a sweep has the empty name.

    Raises:
        Refused: if the record of submissions is damaged.
    """
    if not is_submitted(folder):
        return {}
    record, alone = submitted(folder), folders.is_run(folder)
    return {
        "" if alone else record.names[point]: {
            "site": entry.site,
            "kind": entry.kind,
            "job": _job(record, entry, point),
            "submission": entry.number,
        }
        for point, entry in record.latest.items()
    }


def known_words() -> dict[str, str]:
    """Names in the user's site file that say where runs were made, each with its kind: of sites, and of accounts.

    Raises:
        Refused: if the site file says anything that is not understood.
    """
    words = {}
    for name, site in all_sites().items():
        if name != "local":
            words[name] = "site"
        if account := getattr(site, "account", None):
            words[str(account)] = "account"
    return words


def _job(record: Submitted, entry: Submission, point: int) -> str:
    """The scheduler's number of the task that took a point; empty where there is none."""
    task = next((task for task, points in record.batch(entry).tasks.items() if point in points), point)
    jobs = [job for job in entry.jobs if "id" in job and int(job.get("offset", 0)) <= task]
    if not jobs:
        return ""
    last = max(jobs, key=lambda job: int(job.get("offset", 0)))
    return f"{last['id']}_{task - int(last.get('offset', 0))}"
