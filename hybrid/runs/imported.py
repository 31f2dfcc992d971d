"""From where a run came that was taken in as a crate, as imported.json beside its journal says it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid.runs.files import read_json

FILE = "imported.json"

SHOWN = ("crate", "sha256", "imported_utc", "author", "license")
"""What a list of runs says of it."""


@dataclass(frozen=True)
class Imported:
    """From where runs came.

    Attributes:
        crate: Name of the crate.
        place: Where it lay when it was taken in.
        sha256: Of the zip file, in hexadecimal; of an unpacked crate, of its ro-crate-metadata.json.
        imported_utc: When it was taken in, ISO 8601, UTC.
        heads: Of each run's chain, as they were checked.
        signatures: Files of the signatures of each run that has some, as they were checked.
        author: Who ran it, as the crate says; empty where it does not.
        license: Under which it may be used, as the crate says.
    """

    crate: str
    place: str
    sha256: str
    imported_utc: str
    heads: dict[str, str] = field(default_factory=dict)
    signatures: dict[str, list[str]] = field(default_factory=dict)
    author: str = ""
    license: str = ""


def told(folder: Path) -> dict[str, Any]:
    """What a list of runs says of where a run came from: "imported", or nothing for a run of our own.

    Args:
        folder: Of the run.

    Raises:
        Refused: if the file is damaged.
    """
    file = folder / FILE
    if not file.is_file():
        return {}
    found = read_json(file)
    return {"imported": {key: str(found[key]) for key in SHOWN if found.get(key)}}
