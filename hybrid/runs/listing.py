"""Lists of runs on disk, with their results."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast, get_args

from circuits.errors import RecordFailed, Refused, unknown
from hybrid.runs import algorithm, calibrations, failovers, imported, index, journal
from hybrid.runs import folder as folders
from hybrid.runs.benchmark.folder import read_spec as read_benchmark
from hybrid.runs.benchmark.folder import units
from hybrid.runs.entries import RunEntry
from hybrid.runs.failovers import Failover
from hybrid.runs.files import checked, read_json
from hybrid.runs.places import home
from hybrid.runs.result import Status, StoredResult
from hybrid.terminal.words import counted

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

LISTED = (*HEADS, folders.BENCHMARK)
"""Of all that a list shows, the same."""

FORM = "%Y-%m-%dT%H:%M:%S"

STATUSES = tuple(dict.fromkeys([*get_args(Status), *get_args(algorithm.Status), "failed", "damaged"]))
"""What a list says of how a run has ended, or that it has not."""

AGO = re.compile(r"(\d{1,6})\s*([hdw])")
HOURS = {"h": 1, "d": 24, "w": 168}


def listing(folder: Path | None = None) -> list[RunEntry]:
    """Every run, algorithm and benchmark in a folder and one level of sweeps below it, oldest first.

    The runs of an algorithm are its stages, and not listed; `stages_of` does.

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
        found = _below(folder, folder.name, deep=True)
    else:
        found = {}
        for root in [home(), *index.known()]:
            below = _below(root, root.name, deep=root == home())
            found |= {place: path for place, path in below.items() if place not in found}
    return [_named(path, name) for name, path in sorted(found.values(), key=lambda p: _age(p[1]))]


def _named(path: Path, name: str) -> RunEntry:
    entry = _entry_or_damage(path)
    entry["name"] = name
    return entry


def _below(root: Path, name: str, *, deep: bool) -> dict[Path, tuple[str, Path]]:
    """The runs in a folder, by where they really lie, each with its name and its path."""
    levels = ("", "*/", "*/*/") if deep else ("", "*/")
    found = [head.parent for below in levels for name in LISTED for head in root.glob(below + name)]
    paths = dict.fromkeys(path for path in found if path == root or not folders.is_algorithm(path.parent))
    inner = {path: path.relative_to(root) for path in paths}
    return {
        path.resolve(): (str(way) if root == home() and way.parts else str(Path(name, way)), path)
        for path, way in inner.items()
    }


def selected(
    entries: Iterable[RunEntry],
    *,
    status: str | None = None,
    problem: str | None = None,
    backend: str | None = None,
    since: str | None = None,
) -> list[RunEntry]:
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


def entry_of(path: Path) -> RunEntry:
    """What was asked of a run, an algorithm or a benchmark and what came out, as JSON-able values.

    Returns:
        "folder", "problem", "unit", "backend" (where it is now), "failovers" (how it came there), "optimizer",
        "accuracy", "seed", "created_utc", "machine" and "start" (the run at whose end it started, or None), what
        `hybrid.runs.calibrations.told` says of its device, and from the result the keys in `SHOWN`; of a run that has
        not ended the status is "unfinished", the others are None. Of an algorithm also "algorithm" (its kind) and what
        its result holds of its own. Of a benchmark also "benchmark" (its suite); its scores are in its record.

    Raises:
        Refused: if the folder holds neither, or a damaged one.
    """
    if folders.is_algorithm(path):
        return _algorithm(path)
    if folders.is_benchmark(path):
        return _benchmark(path)
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
        **imported.told(path),
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


def _benchmark(path: Path) -> RunEntry:
    """What `entry_of` says of a benchmark, which has scores in place of an energy: they are in its record."""
    spec = read_benchmark(path)
    ended = (path / folders.RESULT).exists()
    failed = [unit for unit in units(path) if unit.status == "failed"] if ended else []
    them = "it" if len(failed) == 1 else "them"
    entry = {
        "folder": str(path),
        "benchmark": spec.suite,
        "problem": f"benchmark {spec.suite}",
        "unit": "",
        "backend": ", ".join(one.label for one in spec.backends),
        "failovers": [],
        **dict.fromkeys(SHOWN),
        "status": "failed" if failed else "finished" if ended else "unfinished",
        "message": f"{counted(len(failed), 'units')} failed; the same command tries {them} again" if failed else "",
        "optimizer": None,
        "accuracy": None,
        "seed": spec.seed,
        "start": None,
        "created_utc": str(spec.provenance.get("created_utc", "")),
        "machine": str(spec.provenance.get("machine", "")),
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
    for name in LISTED:
        with suppress(OSError):
            return (path / name).stat().st_mtime
    return 0.0
