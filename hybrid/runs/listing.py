"""Lists of runs on disk, with their results."""

from pathlib import Path
from typing import cast

from circuits.errors import RecordFailed, Refused
from hybrid.runs import calibrations, failovers, journal
from hybrid.runs import folder as folders
from hybrid.runs.entries import RunEntry
from hybrid.runs.failovers import Failover
from hybrid.runs.files import checked, read_json
from hybrid.runs.places import home
from hybrid.runs.result import StoredResult

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


def listing(folder: Path | None = None) -> list[RunEntry]:
    """Every run in a folder and one level of sweeps below it, oldest first.

    Args:
        folder: Where to look; by default where runs without a folder of their own go.

    Returns:
        For each run what `entry_of` says; a damaged one has the status "damaged" and None for what is not known.

    Raises:
        Refused: if a folder was named that does not exist.
    """
    if folder is not None and not folder.is_dir():
        raise Refused(f"{folder}: no such folder")
    root = folder or home()
    paths = [path.parent for pattern in ("spec.json", "*/spec.json", "*/*/spec.json") for path in root.glob(pattern)]
    return [_entry_or_damage(path) for path in sorted(paths, key=_age)]


def entry_of(path: Path) -> RunEntry:
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
    entry = {
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
    return cast("RunEntry", entry)


def _failovers(path: Path) -> tuple[Failover, ...]:
    try:
        return journal.read_failovers(path)
    except (Refused, RecordFailed):
        return ()  # resuming, or verifying, says what is wrong with the journal


def sweep_of(path: Path) -> list[RunEntry] | None:
    """What `listing` says of the runs in a sweep's folder, oldest first; None if it holds a run itself, or none."""
    if folders.is_run(path):
        return None
    points = [_entry_or_damage(spec.parent) for spec in sorted(path.glob("*/spec.json"), key=lambda p: _age(p.parent))]
    return points or None


def _entry_or_damage(path: Path) -> RunEntry:
    try:
        return entry_of(path)
    except Refused as err:
        damaged = {"folder": str(path), "problem": "?", "backend": "?", "status": "damaged", "message": str(err)}
        return cast("RunEntry", dict.fromkeys(("unit", *SHOWN)) | damaged)


def _age(path: Path) -> float:
    """When the run was begun; a file that has gone meanwhile sorts first."""
    try:
        return (path / folders.SPEC).stat().st_mtime
    except OSError:
        return 0.0
