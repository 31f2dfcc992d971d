"""Warm starts from the registry, and runs that add themselves to it at their end."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from circuits.errors import RecordFailed, Refused, ToolkitError
from hybrid.registry.registry import Match, registry
from hybrid.registry.words import NOTE
from hybrid.runs import folder as folders
from hybrid.runs.files import read_json, to_json, write
from hybrid.workload.workload import Workload

FILE = "registry.json"
"""In a run's folder: what became of it in the registry."""


def warm(work: Workload) -> tuple[Workload, dict[str, Any]]:
    """The workload with the registry's angles as its start, where there are any.

    Args:
        work: The workload, with the start that it has without the registry.

    Returns:
        The workload, and the notes of the record: "registry", one sentence, and for a warm start "start", as
        `hybrid.runs.start.Start.origin` with "registry", "match", "distance" and "problem".

    Raises:
        Refused: if the registry cannot be read.
        PolicyViolation: if data with the workload's label may not go to the registry's server.
    """
    opened = registry()
    match = opened.match(work)
    if match is None:
        note = (
            f"cold start: the registry {opened.address.text} has no {work.label} run of this problem and circuit, or "
            "of a neighbour"
        )
        return work, {NOTE: note}
    entry = match.entry
    origin = {
        "run": entry.folder,
        "backend": entry.backend,
        "energy": entry.energy,
        "status": entry.status,
        "result_sha256": entry.result_sha256,
        "registry": opened.address.text,
        "match": match.kind,
        "distance": match.distance,
        "problem": entry.problem,
    }
    return replace(work, theta=entry.theta.copy()), {NOTE: _sentence(match), "start": origin}


def _sentence(match: Match) -> str:
    entry = match.entry
    what = "the same problem and circuit" if match.kind == "exact" else f"the nearest problem, {entry.problem}"
    where = ", ".join(f"{name} {value:.4g}" for name, value in entry.features.items())
    at = f" ({where})" if match.kind == "nearest" and len(entry.features) <= 4 else ""
    return f"warm start: {what}{at}, {entry.measured()}, entry {entry.name} of the registry, run {entry.folder}"


def add_at_end(record: folders.Record) -> None:
    """Add a run that has just ended to the registry, if it began with that; a failure is a warning, and recorded.

    Args:
        record: Of the run, with a result.
    """
    if NOTE not in record.spec.notes or _is_added(record.path):
        return
    said = ""
    try:
        opened = registry()
        outcome = {"entry": opened.add(record.path).result_sha256, "registry": opened.address.text}
    except ToolkitError as err:
        said = f"the run is complete, but not in the registry: {err}; `hybrid registry add {record.path}` adds it later"
        outcome = {"failed": str(err)}
    try:
        write(record.path / FILE, to_json(outcome))
    except RecordFailed as err:
        said = "; ".join(filter(None, [said, str(err)]))
    if said:
        warnings.warn(said, stacklevel=2)


def _is_added(path: Path) -> bool:
    try:
        return "entry" in read_json(path / FILE)
    except Refused:  # it is not there, or it says nothing
        return False
