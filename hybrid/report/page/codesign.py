"""The sections on one application and the devices that were compared for it, from what its record says."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.report.codesign import DRAW
from hybrid.report.page.drawing import drawing
from hybrid.report.page.html import Html, facts, join, section, table, tag
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import AlgorithmSpec, read_spec
from hybrid.runs.files import read_json

KIND = "codesign"

WORDS = ("device", "topology", "idle", "limit", "for the target", "mitigated")
"""Columns of words."""

SAYS = {
    "map": "The error over the two numbers that were varied",
    "pareto": "The error of each device against what it costs",
    "tornado": "How far each number of the first device moves the error",
}


def is_codesign(folder: Path) -> bool:
    """Whether a folder holds the record of `hybrid codesign`."""
    return folders.is_algorithm(folder) and read_spec(folder).kind == KIND


def codesigns_in(folder: Path) -> list[Path]:
    """The records of `hybrid codesign` in the folders below one: the applications of a sweep."""
    return sorted(place.parent for place in folder.glob(f"*/{folders.ALGORITHM}") if is_codesign(place.parent))


def codesign_sections(folder: Path) -> Html:
    """The sentence, the tables, the pictures, and where the numbers come from.

    Args:
        folder: Of the record.

    Raises:
        Refused: if it has not ended, or is damaged.
    """
    path = folder / folders.RESULT
    if not path.exists():
        raise Refused(f"{folder}: not finished: call hybrid codesign again with --folder {folder}, which continues it")
    content, spec = read_json(path), read_spec(folder)
    try:
        return join(_sections(content, spec))
    except (KeyError, TypeError) as err:
        raise Refused(f"{path} is damaged ({type(err).__name__}: {err})") from err


def _sections(content: Mapping[str, Any], spec: AlgorithmSpec) -> list[Html]:
    tables = content["tables"]
    answer = [tag("p", content["sentence"], class_="status"), facts(tuple(row) for row in tables["answer"][1:])]
    each = tables["devices"]
    parts = [section("Answer", *answer)]
    if len(each["rows"]) > 1:
        parts.append(section("Devices", _table(each, "Each device"), _pictures(content, ("map", "pareto"))))
    notes = [tag("p", note, class_="note") for note in content["notes"]]
    sensitive = _table(tables["sensitivities"], "What a better number of the first device buys")
    parts.append(section("Sensitivities", sensitive, _pictures(content, ("tornado",)), notes))
    return [*parts, section("Origin", facts(_origin(spec)))]


def _table(content: Mapping[str, Any], caption: str) -> Html:
    first, *others = content["columns"]
    numbers = [name for name in others if name not in WORDS]
    return table([first, *others], content["rows"], caption=caption, numbers=numbers, folds=True)


def _pictures(content: Mapping[str, Any], kinds: tuple[str, ...]) -> list[Html]:
    there = content["pictures"]
    return [drawing(partial(DRAW[kind], there[kind]), name=kind, says=SAYS[kind]) for kind in kinds if kind in there]


def _origin(spec: AlgorithmSpec) -> list[tuple[str, Any]]:
    told, asked = spec.provenance, spec.asked
    versions = told.get("packages") or {}
    return [
        ("Begun", told.get("created_utc")),
        ("Machine", told.get("machine")),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ("Seed", str(asked.get("seed"))),
        ("Method", asked.get("method")),
        ("Transpiled at level", str(asked.get("optimization_level"))),
    ]
