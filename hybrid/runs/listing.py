"""Runs on disk, each in a few words."""

from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.runs import folder as folders

RESULT = ("energy", "exact_energy", "standard_error", "status", "message", "steps", "evaluations", "seconds")


def listing(folder: Path | None = None) -> list[dict[str, Any]]:
    """Every run in a folder and one level of sweeps below it, oldest first.

    Raises:
        Refused: if a folder was named that does not exist.
    """
    if folder is not None and not folder.is_dir():
        raise Refused(f"{folder}: no such folder")
    root = folder or folders.home()
    paths = [path.parent for pattern in ("spec.json", "*/spec.json", "*/*/spec.json") for path in root.glob(pattern)]
    return [entry_of(path) for path in sorted(paths, key=lambda path: (path / "spec.json").stat().st_mtime)]


def entry_of(path: Path) -> dict[str, Any]:
    """What was asked of a run and what came out; status "unfinished" if it has not ended.

    Raises:
        Refused: if the folder holds no run.
    """
    if not folders.is_run(path):
        raise Refused(f"{path} holds no run: it has no spec.json")
    spec = folders.read_json(path / "spec.json")
    ended = (path / "result.json").exists()
    result = folders.read_json(path / "result.json") if ended else {"status": "unfinished"}
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


def sweep_of(path: Path) -> list[dict[str, Any]] | None:
    """The runs below a sweep's folder; None if the folder holds a run itself."""
    if folders.is_run(path):
        return None
    points = [entry_of(spec.parent) for spec in sorted(path.glob("*/spec.json"), key=lambda p: p.stat().st_mtime)]
    return points or None
