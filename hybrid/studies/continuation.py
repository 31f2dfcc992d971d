"""What a folder holds of a study already, and whether it belongs to that study."""

from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import read_spec as read_algorithm
from hybrid.runs.files import read_json
from hybrid.runs.spec import RunSpec
from hybrid.studies.study import Point, Study


def unfinished(study: Study, folder: Path) -> list[int]:
    """The points of a study that have no final result yet; a run that was stopped has none.

    Args:
        study: The study.
        folder: Of its record, which need not exist.

    Returns:
        Numbers of the points, ascending.

    Raises:
        Refused: if the folder holds the run of another study.
    """
    missing = []
    for number, point in enumerate(study.points()):
        result = folder / point.name / folders.RESULT
        ended = begun(point, folder / point.name) and result.is_file()
        if not ended or read_json(result).get("status") == "stopped":
            missing.append(number)
    return missing


def begun(point: Point, place: Path) -> bool:
    """Whether the run of a point was begun in a folder.

    Args:
        point: Of a study.
        place: The point's folder, which need not exist.

    Raises:
        Refused: if it holds the run of another study, or of other inputs.
    """
    if folders.is_algorithm(place):
        spec = read_algorithm(place)
    elif folders.is_run(place):
        spec = folders.read_spec(place)
    else:
        return False
    kept, record = spec.notes.get("study"), point.record()
    if not isinstance(kept, dict):
        raise Refused(f"{place} holds a run that no study file asked for; choose another folder")
    if spec.format == 1 and isinstance(spec, RunSpec):
        record = _as_in_format_1(record, kept)
    if differ := sorted(key for key in {*record, *kept} if kept.get(key) != record.get(key)):
        files = [name for key in differ for name in _changed_files(record.get(key), kept.get(key))]
        what = f"the content of {', '.join(files)}" if files else ", ".join(f"[{section}]" for section in differ)
        raise Refused(
            f"{place} holds the run of another study: {what} differs. "
            "Give study file and inputs as they were, or another folder"
        )
    return True


def _changed_files(record: Any, kept: Any) -> list[str]:
    """Names of input files that have the same name and another content, in one section of a study."""
    if not isinstance(record, dict) or not isinstance(kept, dict):
        return []
    pairs = [(value, kept.get(key)) for key, value in record.items() if isinstance(value, dict) and "sha256" in value]
    return [
        new["file"] for new, old in pairs if isinstance(old, dict) and old != new and old.get("file") == new["file"]
    ]


def _as_in_format_1(record: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """The record as version 0.1 would have made it: it kept the paths of input files, and no word on their content."""

    def earlier(new: Any, old: Any) -> Any:
        if isinstance(new, dict) and "sha256" in new:
            return old if isinstance(old, str) and Path(old).name == new["file"] else new
        return new

    return {
        name: {key: earlier(value, kept.get(name, {}).get(key)) for key, value in section.items()}
        for name, section in record.items()
    }
