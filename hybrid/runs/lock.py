"""The right to work on a folder."""

import fcntl
import os
from pathlib import Path

from circuits.errors import Refused


class Lock:
    """The right to work on a run, held by one process at a time and let go of when that process ends."""

    def __init__(self, path: Path):
        self._path = path / "lock"

    def __enter__(self) -> "Lock":
        while True:
            try:
                self._file = self._path.open("a+")
            except OSError as err:
                raise Refused(f"the run folder {self._path.parent} cannot be written: {err.strerror}") from err
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as err:
                self._file.close()
                raise Refused(f"another process is working on the run in {self._path.parent}") from err
            if self._is_there():
                return self
            self._file.close()  # it was removed since; a lock that nobody else can see locks nothing

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), os.stat(self._path))
        except FileNotFoundError:
            return False

    def __exit__(self, *_: object) -> None:
        self._file.close()
