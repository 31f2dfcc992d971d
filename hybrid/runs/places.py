"""Where runs go that were given no folder of their own, and how these are named."""

import os
import re
import secrets
import time
from pathlib import Path

from circuits.errors import Refused, shown

WORD_BYTES = 200
"""Longest part of a new folder's name that comes from the run's, in bytes; file systems take 255 for the whole."""


def home() -> Path:
    """Where runs without a folder of their own go: $HYBRID_RUNS, or ./runs."""
    return Path(os.environ.get("HYBRID_RUNS", "runs"))


def folder_of(given: str | Path) -> Path:
    """The path of a folder that somebody named.

    Args:
        given: The name.

    Raises:
        Refused: if it is no path, or an empty one.
    """
    if not isinstance(given, str | os.PathLike) or not str(given) or "\0" in str(given):
        raise Refused(f"folder must be the path of a folder, not {shown(given)}")
    return Path(given)


def fresh(name: str) -> Path:
    """A path in `home` that nothing has yet, from the name, the time, and chance: others may start this second, too."""
    while True:
        path = home() / f"{_word(name)}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        if not path.exists():
            return path


def latest(name: str) -> Path | None:
    """The newest run in `home` that was named so, or None."""
    form = re.compile(re.escape(_word(name)) + r"-\d{8}-\d{6}(-\w+)?")
    found = [path for path in home().glob("*") if form.fullmatch(path.name) and path.is_dir()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _word(name: str) -> str:
    """The name as a part of a file name."""
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in str(name)).strip("-.")
    return safe.encode()[:WORD_BYTES].decode(errors="ignore") or "run"
