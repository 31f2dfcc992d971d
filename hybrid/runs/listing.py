"""Lists of runs on disk, with their results."""

from contextlib import suppress
from pathlib import Path
from typing import cast

from circuits.errors import RecordFailed, Refused
from hybrid.runs import algorithm, calibrations, failovers, journal
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

HEADS = (folders.SPEC, folders.ALGORITHM)
"""Of a run and of an algorithm the file by which its folder is known."""


def listing(folder: Path | None = None) -> list[RunEntry]:
    """Every run and algorithm in a folder and one level of sweeps below it, oldest first.

    The runs of an algorithm are its stages, and not listed; `stages_of` does.

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
    paths = {path.parent for below in ("", "*/", "*/*/") for name in HEADS for path in root.glob(below + name)}
    whole = [path for path in paths if not folders.is_algorithm(path.parent)]
    return [_entry_or_damage(path) for path in sorted(whole, key=_age)]


def entry_of(path: Path) -> RunEntry:
    """What was asked of a run or an algorithm and what came out, as JSON-able values.

    Returns:
        "folder", "problem", "unit", "backend" (where it is now), "failovers" (how it came there), "optimizer",
        "accuracy", "seed", "created_utc", "machine" and "start" (the run at whose end it started, or None), what
        `hybrid.runs.calibrations.told` says of its device, and from the result the keys in `SHOWN`; of a run that has
        not ended the status is "unfinished", the others are None. Of an algorithm also "algorithm" (its kind) and what
        its result holds of its own.

    Raises:
        Refused: if the folder holds neither, or a damaged one.
    """
    if folders.is_algorithm(path):
        return _algorithm(path)
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


def _algorithm(path: Path) -> RunEntry:
    """What `entry_of` says of an algorithm."""
    spec, outcome = algorithm.read_spec(path), algorithm.read_outcome(path)
    asked, provenance = spec.asked, spec.provenance
    result = {"status": "unfinished"} if outcome is None else outcome.model_dump()
    own = {} if outcome is None else {key: value for key, value in (outcome.model_extra or {}).items() if key != "kind"}
    entry = {
        "folder": str(path),
        "algorithm": spec.kind,
        "problem": asked.get("problem", "?"),
        "unit": spec.unit,
        "backend": result.get("backend") or spec.backend.title,
        "failovers": result.get("failovers", []),
        **{key: result.get(key) for key in SHOWN},
        "optimizer": asked.get("optimizer"),
        "accuracy": asked.get("accuracy"),
        "seed": asked.get("seed"),
        "start": None,
        "created_utc": str(provenance.get("created_utc", "")),
        "machine": str(provenance.get("machine", "")),
        **{key: value for key, value in own.items() if key not in ("problem", "unit")},
    }
    return cast("RunEntry", entry)


def stages_of(path: Path) -> list[RunEntry]:
    """What `entry_of` says of the runs of an algorithm, in the order in which they were begun."""
    return [_entry_or_damage(run) for run in algorithm.runs_of(path)]


def _failovers(path: Path) -> tuple[Failover, ...]:
    try:
        return journal.read_failovers(path)
    except (Refused, RecordFailed):
        return ()  # resuming, or verifying, says what is wrong with the journal


def sweep_of(path: Path) -> list[RunEntry] | None:
    """What `listing` says of the points in a sweep's folder, oldest first; None if it is no sweep's."""
    if folders.is_run(path) or folders.is_algorithm(path):
        return None
    places = sorted((file.parent for name in HEADS for file in path.glob(f"*/{name}")), key=_age)
    return [_entry_or_damage(place) for place in places] or None


def _entry_or_damage(path: Path) -> RunEntry:
    try:
        return entry_of(path)
    except Refused as err:
        damaged = {"folder": str(path), "problem": "?", "backend": "?", "status": "damaged", "message": str(err)}
        return cast("RunEntry", dict.fromkeys(("unit", *SHOWN)) | damaged)


def _age(path: Path) -> float:
    """When the run was begun; a file that has gone meanwhile sorts first."""
    for name in HEADS:
        with suppress(OSError):
            return (path / name).stat().st_mtime
    return 0.0
