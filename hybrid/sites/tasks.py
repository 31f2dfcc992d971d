"""Which tasks of a local submission live, by the bytes of its lock file, and how to end those without a driver.

The driver has locked byte 0, the task of point k byte k + 1. A task's processes inherit its lock, so the byte is locked
as long as any of them lives, whatever became of the driver; and whoever has the file open is one of them, so that no
other process is ever taken for a task.
"""

import os
import re
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import IO

import psutil

from hybrid.runs.lock import held, take

DRIVER = 0

POLL_S = 0.05

KILLED_S = 5.0
"""How long a process that was killed may take to vanish; in a system call it may wait for a disk."""


def take_driver(file: IO) -> None:
    """Lock the driver's byte for whoever inherits the open file."""
    take(file, start=DRIVER, length=1)


def take_task(file: IO, point: int) -> None:
    """Lock the byte of a point's task for whoever inherits the open file."""
    take(file, start=point + 1, length=1)


def living(lock: Path) -> tuple[bool, set[int]]:
    """Whether the driver lives, and the points whose tasks do.

    Raises:
        OSError: if the file cannot be read, or the file system has no locks.
    """
    bytes_ = [start for start, _ in held(lock)]
    return DRIVER in bytes_, {start - 1 for start in bytes_ if start != DRIVER}


def end(lock: Path, points: set[int], *, grace_s: float) -> set[int]:
    """End tasks on this machine: they are asked to save their work, and killed if they have not ended in time.

    Args:
        lock: The lock file.
        points: Whose tasks.
        grace_s: How long they are given.

    Returns:
        The points whose tasks were found here, and have ended.
    """
    found = {point: processes for point, processes in _processes(lock).items() if point in points}
    for processes in found.values():
        first = [process for process in processes if _leads(process)]
        for process in first or processes:  # the script hands the signal on to its run
            _send(process.terminate)
    for point in _lasting(lock, set(found), grace_s):
        for process in _processes(lock).get(point, []):
            _send(process.kill)
    return set(found) - _lasting(lock, set(found), KILLED_S)


def _lasting(lock: Path, points: set[int], seconds: float) -> set[int]:
    """The tasks that still live after some time, which ends when none does."""
    deadline = time.monotonic() + seconds
    while (left := living(lock)[1] & points) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return left


def _processes(lock: Path) -> dict[int, list[psutil.Process]]:
    """The processes of each point's task on this machine: those that have its lock."""
    there, found = os.stat(lock), defaultdict(list)
    for number in psutil.pids():
        place = Path("/proc", str(number))
        try:
            process = psutil.Process(number)
            for descriptor in (place / "fd").iterdir():
                if os.path.samestat(descriptor.stat(), there):
                    said = (place / "fdinfo" / descriptor.name).read_text()
                    for start in re.findall(r"^lock:.* OFDLCK .* (\d+) \d+$", said, re.MULTILINE):
                        found[int(start) - 1].append(process)
        except (OSError, psutil.Error):
            continue  # it has ended meanwhile, the descriptor was closed, or the process is somebody else's
    found.pop(DRIVER - 1, None)
    return dict(found)


def _leads(process: psutil.Process) -> bool:
    try:
        return os.getsid(process.pid) == process.pid
    except OSError:
        return False


def _send(signal: Callable[[], None]) -> None:
    """psutil sends a signal only while the number still belongs to the process that it was looked up for."""
    try:
        signal()
    except psutil.NoSuchProcess:
        return
