"""Runs on disk, each in a few words."""

from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.runs import folder as folders

RESULT = ("energy", "exact_energy", "standard_error", "status", "message", "steps", "evaluations", "seconds")


def listing(folder: Path | None = None) -> list[dict[str, Any]]:
    """Every run in a folder and one level of sweeps below it, oldest first; a damaged one has the status "damaged".

    Raises:
        Refused: if a folder was named that does not exist.
    """
    if folder is not None and not folder.is_dir():
        raise Refused(f"{folder}: no such folder")
    root = folder or folders.home()
    paths = [path.parent for pattern in ("spec.json", "*/spec.json", "*/*/spec.json") for path in root.glob(pattern)]
    return [_entry_or_damage(path) for path in sorted(paths, key=lambda path: (path / "spec.json").stat().st_mtime)]


def entry_of(path: Path) -> dict[str, Any]:
    """What was asked of a run and what came out; status "unfinished" if it has not ended.

    Raises:
        Refused: if the folder holds no run, or a damaged one.
    """
    folders.check_run(path)
    spec = folders.read_json(path / "spec.json")
    ended = (path / "result.json").exists()
    result = folders.read_json(path / "result.json") if ended else {"status": "unfinished"}
    try:
        kept, backend = spec["workload"], spec["backend"]
        return {
            "folder": str(path),
            "problem": spec["problem"]["name"],
            "unit": spec["problem"]["unit"],
            "backend": backend.get("name") or backend["object"],
            **{key: result.get(key) for key in RESULT},
            "optimizer": kept["optimizer"],
            "accuracy": kept["accuracy"],
            "seed": kept["seed"],
            "created_utc": spec["provenance"]["created_utc"],
            "machine": spec["provenance"]["machine"],
        }
    except (KeyError, TypeError, AttributeError) as err:
        raise Refused(f"{path / 'spec.json'} is damaged: {type(err).__name__}: {err}") from err


def _entry_or_damage(path: Path) -> dict[str, Any]:
    try:
        return entry_of(path)
    except Refused as err:
        nothing = dict.fromkeys(("unit", *RESULT))
        return nothing | {"folder": str(path), "problem": "?", "backend": "?", "status": "damaged", "message": str(err)}


def sweep_of(path: Path) -> list[dict[str, Any]] | None:
    """The runs below a sweep's folder; None if the folder holds a run itself."""
    if folders.is_run(path):
        return None
    points = [
        _entry_or_damage(spec.parent) for spec in sorted(path.glob("*/spec.json"), key=lambda p: p.stat().st_mtime)
    ]
    return points or None
