"""What a run's folder says of its answer's uncertainty and verification, for those who show it."""

from pathlib import Path
from typing import Any

from hybrid.runs.detects import detects
from hybrid.runs.files import checked, read_json
from hybrid.runs.folder import RESULT
from hybrid.runs.result import StoredResult
from hybrid.runs.uncertainty import Uncertainty

VERIFICATION = "verification.json"


def uncertainty_in(folder: Path) -> Uncertainty | None:
    """The intervals that a run has stated; None of one without, or without an end.

    Args:
        folder: Of the run.

    Raises:
        Refused: if result.json is damaged.
    """
    file = folder / RESULT
    return checked(StoredResult, read_json(file), file).uncertainty if file.exists() else None


def checks_in(folder: Path) -> list[dict[str, Any]]:
    """The checks of the last verification, with what each detects and misses; empty where there was none.

    Args:
        folder: Of the run.

    Raises:
        Refused: if the file is damaged.
    """
    file = folder / VERIFICATION
    found = read_json(file).get("checks", []) if file.exists() else []
    told = [{key: str(one.get(key, "")) for key in ("name", "outcome", "finding")} for one in found]
    return [one | dict(zip(("detects", "misses"), detects(one["name"]), strict=True)) for one in told]
