"""Locks: the right to work somewhere, which others can see without taking it.

They are Linux's locks of open file descriptions, on ranges of a file's bytes. Such a lock belongs to the process that
took it and to those that inherited the open file, and is let go when the last of them ends, however that happens. A
shared file system carries it to other machines as far as it carries POSIX locks at all.
"""

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import IO

from circuits.errors import RecordFailed, Refused

RANGE = struct.Struct("hhqqi4x")
"""Linux's struct flock on 64 bits: kind, where the start counts from, start, length (0: to the end), process."""

GONE = (errno.ENOENT, errno.ENOSPC, errno.EDQUOT, errno.ESTALE)
"""A folder that has vanished, or a disk that is full; all else is a folder that may not be written to."""


def take(file: IO, *, start: int = 0, length: int = 0, shared: bool = False) -> None:
    """Lock bytes of an open file; a length of 0 means all from the start on.

    Args:
        file: Open for writing, or for reading if the lock is shared.
        start: First byte; the file need not be as long.
        length: Number of bytes.
        shared: With others that share it; otherwise alone.

    Raises:
        BlockingIOError: if somebody else has locked any of them.
        OSError: if the file system has no locks.
    """
    kind = fcntl.F_RDLCK if shared else fcntl.F_WRLCK
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, RANGE.pack(kind, os.SEEK_SET, start, length, 0))
    except OSError as err:
        if err.errno in (errno.EACCES, errno.EAGAIN):
            raise BlockingIOError(err.errno, err.strerror) from err
        if err.errno != errno.EINVAL or start or length:
            raise
        # Kernels in user space, such as gVisor's, know only locks of whole files, and none that can be looked at.
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def held(path: Path, *, start: int = 0, length: int = 0, shared: bool = False) -> list[tuple[int, int]]:
    """The locks of others on a file, each as its first byte and its length; looking takes nothing and writes nothing.

    Args:
        path: Of a file that need not exist.
        start: First byte to look at.
        length: Number of bytes; 0 for all from the start on.
        shared: Only those that keep others from sharing, too.

    Raises:
        OSError: if the file cannot be read, or the file system has no locks.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return []
    found = []
    with file:
        spans = [(start, length)]
        while spans:  # each question is answered with any one lock: the bytes before and behind it are asked again
            first, count = spans.pop()
            asked = RANGE.pack(fcntl.F_RDLCK if shared else fcntl.F_WRLCK, os.SEEK_SET, first, count, 0)
            kind, _, at, size, _ = RANGE.unpack(fcntl.fcntl(file, fcntl.F_OFD_GETLK, asked))
            if kind == fcntl.F_UNLCK:
                continue
            found.append((at, size))
            if at > first:
                spans.append((first, at - first))
            if size and (not count or at + size < first + count):
                spans.append((at + size, count and first + count - at - size))
    return sorted(found)


class Lock:
    """The right to work in a folder, by its file ``lock``: of one process alone, or of many that share it.

    Args:
        path: The folder.
        shared: With others that share it, too.
    """

    def __init__(self, path: Path, *, shared: bool = False):
        self._path, self._shared = path / "lock", shared

    def check(self) -> None:
        """Refuse already what entering would refuse now; nothing is taken, and nothing written."""
        try:
            others = held(self._path, shared=self._shared)
        except OSError as err:
            raise Refused(f"{self._path} cannot be locked: {err.strerror}") from err
        if others:
            raise self._busy()

    def _busy(self) -> Refused:
        return Refused(f"another process is working on the run in {self._path.parent}")

    def __enter__(self) -> "Lock":
        while True:
            try:
                self._file = self._path.open("a+b")
            except OSError as err:
                kind = RecordFailed if err.errno in GONE else Refused
                raise kind(f"the run folder {self._path.parent} cannot be written: {err.strerror}") from err
            try:
                take(self._file, shared=self._shared)
            except BlockingIOError as err:
                self._file.close()
                raise self._busy() from err
            except OSError as err:
                self._file.close()
                raise Refused(f"{self._path} cannot be locked: {err.strerror}") from err
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
