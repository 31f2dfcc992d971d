"""Where runs and sweeps were begun, whatever folder they lie in: one line for each in a file of the user's.

The file only helps to find what is on disk: a folder that was moved or removed is passed over, and where the file
cannot be read or written, runs are found in their home alone.
"""

import os
from pathlib import Path

import platformdirs

from circuits.errors import Refused
from circuits.secrets import holds_secret
from hybrid.runs.places import home

VARIABLE = "HYBRID_DATA"

FILE = "runs.txt"

LONGEST = 3
"""Folders of one name that a message lists."""


def data_folder() -> Path:
    """Where the index lies: $HYBRID_DATA, or the user's data folder (``~/.local/share/hybrid``)."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_data_path("hybrid"))


def add(folder: Path) -> None:
    """Note that a run or a sweep was begun in a folder, unless it or the folder above it is noted already.

    Args:
        folder: Its path; one that a line of text cannot hold, or that holds a secret, is not noted.
    """
    place = folder.absolute()
    line = os.fsencode(place)
    if b"\n" in line or holds_secret(str(place)) or {line, os.fsencode(place.parent)} & set(_lines()):
        return
    file = data_folder() / FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line + b"\n")  # at once: others append to the same file
        finally:
            os.close(descriptor)
    except OSError:
        return  # a run is not refused because it could not be noted, as on a node without the user's home


def known() -> list[Path]:
    """The folders that were noted and are still there, oldest first."""
    return [path for path in (Path(os.fsdecode(line)) for line in dict.fromkeys(_lines()) if line) if _is_there(path)]


def find(name: str | Path) -> Path:
    """The folder of a run or a sweep that is named as people name it.

    Args:
        name: A path; or the folder's own name, or the beginning of it where no other run's name begins so, for a run
            that lies anywhere. A point of a sweep is named as ``sweep/point``.

    Returns:
        The path; the name itself where nothing of that name is known.

    Raises:
        Refused: if several folders have the name.
    """
    path = Path(name)
    if path.is_absolute() or not path.parts or path.parts[0] in (".", "..") or _is_there(path):
        return path
    first, *below = path.parts
    there = {place.resolve(): place for place in [*_in_home(), *known()]}.values()
    for found in ([p for p in there if p.name == first], [p for p in there if p.name.startswith(first)]):
        places = [place.joinpath(*below) for place in found if _is_there(place.joinpath(*below))]
        if len(places) > 1:
            shown = ", ".join(map(str, places[-LONGEST:]))
            more = f" and {len(places) - LONGEST} more" * (len(places) > LONGEST)
            raise Refused(f"{name} may mean {len(places)} folders: {shown}{more}; give one of them")
        if places:
            return places[0]
    return path


def _in_home() -> list[Path]:
    try:
        return [path for path in sorted(home().iterdir()) if path.is_dir()]
    except OSError:
        return []


def _is_there(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # no right to look


def _lines() -> list[bytes]:
    try:
        return (data_folder() / FILE).read_bytes().splitlines()
    except OSError:
        return []
