"""Small files of numbers in the user's cache folder: tables that a later process reads, and may do without."""

import json
import os
import threading
import warnings
from functools import cache
from typing import Any

from backends.machine import cache_folder
from circuits.errors import RecordFailed


def read(name: str) -> dict[str, Any]:
    """The table in a file; empty where there is none, or none that can be read, which is said once.

    Args:
        name: Of the file.
    """
    path = cache_folder() / name
    try:
        if path.stat().st_uid != os.getuid():
            _warn_once(f"{path} belongs to another user and is not read")
            return {}
        entries = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict):
        _warn_once(f"{path} is damaged: what it held is measured again")
        return {}
    return entries


def write(name: str, entries: dict[str, Any]) -> None:
    """Add entries to the table in a file; another process or thread never sees half of it.

    Args:
        name: Of the file.
        entries: JSON-able; they replace those of the same names.

    Raises:
        RecordFailed: if the folder cannot be written.
    """
    path = cache_folder() / name
    scratch = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(read(name) | entries, indent=1, sort_keys=True))
        scratch.replace(path)
    except OSError as err:
        raise RecordFailed(
            f"what was measured cannot be kept in {path} ({err.strerror}); "
            "set HYBRID_CACHE to a folder that can be written"
        ) from err


@cache
def _warn_once(message: str) -> None:
    warnings.warn(message, stacklevel=3)
