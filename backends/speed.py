"""Speeds that were measured on this machine, kept in a file between sessions."""

import json
import os
import threading
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.cost import Speed
from backends.machine import cache_folder, machine
from circuits.errors import RecordFailed

if TYPE_CHECKING:
    from backends.base import Capabilities

COUNTS = 6
"""Raised when a backend counts its passes in another way, so that speeds from before are measured anew."""


def speed_name(can: "Capabilities", *, derivative: bool) -> str:
    """Under which name a backend's measured speed is kept: shifted values are values."""
    kind = "gradient" if derivative and can.gradient != "parameter-shift" else "value"
    return f"{can.name} | {can.summary} | {can.precision} | {kind}"


def stored(name: str) -> Speed | None:
    """The speed kept under a name from an earlier measurement on this machine, or None."""
    entry = _read().get(_key(name))
    try:
        numbers = {field.name: float(entry[field.name]) for field in fields(Speed)} if entry else None
    except (KeyError, TypeError, ValueError):
        numbers = None  # damaged from outside; it can be measured again
    return None if numbers is None else Speed(**numbers)


def keep(name: str, speed: Speed) -> None:
    """Write a speed to the user's cache folder; another process or thread never sees half a file.

    Raises:
        RecordFailed: if the folder cannot be written.
    """
    path = _path()
    scratch = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        entries = _read() | {_key(name): asdict(speed)}
        scratch.write_text(json.dumps(entries, indent=1, sort_keys=True))
        scratch.replace(path)
    except OSError as err:
        raise RecordFailed(
            f"the measured speeds cannot be kept in {path} ({err.strerror}); "
            "set HYBRID_CACHE to a folder that can be written"
        ) from err


def _key(name: str) -> str:
    return f"{machine()} | {COUNTS} | {name}"


def _path() -> Path:
    return cache_folder() / "speeds.json"


def _read() -> dict[str, Any]:
    try:
        entries = json.loads(_path().read_text())
    except (OSError, ValueError, RecursionError):
        entries = None  # nothing was kept, or it was damaged from outside: it can be measured again
    return entries if isinstance(entries, dict) else {}
