"""Lists of runs on disk, with their results."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from circuits.errors import RecordFailed, Refused, unknown
from hybrid.runs import calibrations, failovers, index, journal
from hybrid.runs import folder as folders
from hybrid.runs.failovers import Failover
from hybrid.runs.files import checked, read_json
from hybrid.runs.places import home
from hybrid.runs.result import Status, StoredResult

SHOWN = (
    "energy",
    "exact_energy",
    "standard_error",
    "bias",
    "status",
    "message",
    "steps",
    "evaluations",
    "seconds",
    "prediction",
)
"""What a list of runs says of a result."""


FORM = "%Y-%m-%dT%H:%M:%S"

STATUSES = (*get_args(Status), "unfinished", "damaged")
"""What a list says of how a run has ended, or that it has not."""

AGO = re.compile(r"(\d{1,6})\s*([hdw])")
HOURS = {"h": 1, "d": 24, "w": 168}


def listing(folder: Path | None = None) -> list[dict[str, Any]]:
    """Every run in a folder and one level of sweeps below it, oldest first.

    Args:
        folder: Where to look; by default where runs without a folder of their own go, and wherever else the index
            (`hybrid.runs.index`) knows of a run.

    Returns:
        For each run what `entry_of` says, and its "name": what `hybrid.runs.index.find` takes; a damaged one has the
        status "damaged" and None for what is not known.

    Raises:
        Refused: if a folder was named that does not exist.
    """
    if folder is not None:
        if not folder.is_dir():
            raise Refused(f"{folder}: no such folder")
        found = _below(folder, folder.name)
    else:
        found = {}
        for root in [home(), *index.known()]:
            found |= {place: path for place, path in _below(root, root.name).items() if place not in found}
    return [_entry_or_damage(path) | {"name": name} for name, path in sorted(found.values(), key=lambda p: _age(p[1]))]


def _below(root: Path, name: str) -> dict[Path, tuple[str, Path]]:
    """The runs in a folder, by where they really lie, each with its name and its path."""
    depth = "*/*/" if root == home() else "*/"
    specs = [spec for pattern in ("", "*/", depth) for spec in root.glob(f"{pattern}spec.json")]
    paths = dict.fromkeys(spec.parent for spec in specs)
    inner = {path: path.relative_to(root) for path in paths}
    return {
        path.resolve(): (str(way) if root == home() and way.parts else str(Path(name, way)), path)
        for path, way in inner.items()
    }


def selected(
    entries: Iterable[dict[str, Any]],
    *,
    status: str | None = None,
    problem: str | None = None,
    backend: str | None = None,
    since: str | None = None,
) -> list[dict[str, Any]]:
    """The runs of a list that are asked for.

    Args:
        entries: Of `listing`.
        status: How they have ended, one of `STATUSES`.
        problem: A part of the problem's name, in small or capital letters.
        backend: A part of the backend's name.
        since: When they were begun at the earliest: a date such as "2026-03-01" or a time such as
            "2026-03-01T12:00" (UTC), or how long ago: "12h", "7d", "2w".

    Raises:
        Refused: for an unknown status or no such time.
    """
    if status is not None and status not in STATUSES:
        raise unknown("status", status, STATUSES)
    first = None if since is None else _time(since)
    return [
        entry
        for entry in entries
        if status in (None, entry["status"])
        and all(part is None or part.lower() in entry[key].lower() for key, part in _parts(problem, backend))
        and (first is None or entry.get("created_utc", "") >= first)
    ]


def _parts(problem: str | None, backend: str | None) -> tuple[tuple[str, str | None], ...]:
    return (("problem", problem), ("backend", backend))


def _time(text: str) -> str:
    """A point in time as runs have it."""
    if ago := AGO.fullmatch(text.strip()):
        return (datetime.now(UTC) - timedelta(hours=int(ago[1]) * HOURS[ago[2]])).strftime(FORM)
    try:
        when = datetime.fromisoformat(text)
    except ValueError as err:
        raise Refused(
            f"since {text!r}: must be a date such as 2026-03-01, a time such as 2026-03-01T12:00, or 12h, 7d, 2w"
        ) from err
    return (when if when.tzinfo is None else when.astimezone(UTC)).strftime(FORM)


def entry_of(path: Path) -> dict[str, Any]:
    """What was asked of a run and what came out, as JSON-able values.

    Returns:
        "folder", "problem", "unit", "backend" (where it is now), "failovers" (how it came there), "optimizer",
        "accuracy", "seed", "created_utc", "machine" and "start" (the run at whose end it started, or None), what
        `hybrid.runs.calibrations.told` says of its device, and from the result the keys in `SHOWN`; of a run that has
        not ended the status is "unfinished", the others are None.

    Raises:
        Refused: if the folder holds no run, or a damaged one.
    """
    spec = folders.read_spec(path)
    file = path / folders.RESULT
    result = checked(StoredResult, read_json(file), file).model_dump() if file.exists() else {"status": "unfinished"}
    changes = _failovers(path / folders.JOURNAL)
    return {
        "folder": str(path),
        "problem": spec.problem.name,
        "unit": spec.problem.unit,
        "backend": failovers.place(spec.backend, changes).title,
        "failovers": [change.to_dict() for change in changes],
        **{key: result.get(key) for key in SHOWN},
        "optimizer": spec.workload.optimizer,
        "accuracy": spec.workload.accuracy,
        "seed": spec.workload.seed,
        "start": spec.notes.get("start"),
        "created_utc": str(spec.provenance.get("created_utc", "")),
        "machine": str(spec.provenance.get("machine", "")),
        **calibrations.told(path, spec.provenance, changes),
    }


def _failovers(path: Path) -> tuple[Failover, ...]:
    try:
        return journal.read_failovers(path)
    except (Refused, RecordFailed):
        return ()  # resuming, or verifying, says what is wrong with the journal


def sweep_of(path: Path) -> list[dict[str, Any]] | None:
    """What `listing` says of the runs in a sweep's folder, oldest first; None if it holds a run itself, or none."""
    if folders.is_run(path):
        return None
    points = [_entry_or_damage(spec.parent) for spec in sorted(path.glob("*/spec.json"), key=lambda p: _age(p.parent))]
    return points or None


def _entry_or_damage(path: Path) -> dict[str, Any]:
    try:
        return entry_of(path)
    except Refused as err:
        nothing = dict.fromkeys(("unit", *SHOWN))
        return nothing | {"folder": str(path), "problem": "?", "backend": "?", "status": "damaged", "message": str(err)}


def _age(path: Path) -> float:
    """When the run was begun; a file that has gone meanwhile sorts first."""
    try:
        return (path / folders.SPEC).stat().st_mtime
    except OSError:
        return 0.0
