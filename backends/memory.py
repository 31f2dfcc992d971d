"""Memory: what a state takes and what this machine can still give."""

from collections.abc import Iterator
from pathlib import Path

import psutil

from circuits.errors import Refused

HEADROOM = 0.9
"""Share of the free memory that one computation may take."""


CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux shows the control groups of processes: what a scheduler or a container allows them."""


def free_bytes() -> int:
    """Bytes that this process may still allocate without swapping.

    It is the least of what the machine, the process's limits (``ulimit -v`` and ``-d``) and its control groups leave.
    """
    left = min([psutil.virtual_memory().available, *_left_by_limits(), *_left_by_groups(Path("/proc/self/cgroup"))])
    return int(max(left, 0) * HEADROOM)


def total_bytes() -> int:
    """Bytes that this machine has; the same at any moment and for any number of processes."""
    return psutil.virtual_memory().total


def check(memory_bytes: int, *, what: str) -> None:
    """Refuse work that does not fit into the free memory, with both numbers.

    >>> check(10**30, what="40 qubits")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    circuits.errors.Refused: ...
    """
    free = free_bytes()
    if memory_bytes > free:
        raise Refused(
            f"{what} needs {memory_bytes} bytes ({readable(memory_bytes)}) of memory, "
            f"but {readable(free)} are free here; use fewer qubits, or a backend that keeps no full state"
        )


def readable(n_bytes: float) -> str:
    """Bytes in binary units.

    >>> readable(17592186044416)
    '16.0 TiB'
    """
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if n_bytes < 1024 or unit == "PiB":
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    raise AssertionError


def _left_by_limits() -> Iterator[int]:
    """Bytes up to each limit of this process."""
    try:
        import resource
    except ImportError:  # not on Windows, which has no such limits
        return
    used = psutil.Process().memory_info()
    for limit, held in ((resource.RLIMIT_AS, used.vms), (resource.RLIMIT_DATA, getattr(used, "data", 0))):
        most, _ = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY:
            yield most - held


def _left_by_groups(membership: Path) -> Iterator[int]:
    """Bytes up to the limit of each control group, of either version, that this process is in, and of those around it.

    Files in the page cache that no one has used lately count as free: the kernel gives them up first.

    Args:
        membership: A file as ``/proc/self/cgroup``; nothing is yielded where there is none.
    """
    if not membership.is_file():
        return
    for line in membership.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            home, most, used, cached = CGROUPS, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            home, most, used = CGROUPS / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            cached = "total_inactive_file"
        else:
            continue
        group = home / path.strip("/")
        for place in [group, *group.parents][: len(group.parts) - len(home.parts) + 1]:
            if (place / most).is_file() and (limit := (place / most).read_text().strip()) != "max":
                counts = dict(count.split() for count in (place / "memory.stat").read_text().splitlines())
                yield int(limit) - int((place / used).read_text()) + int(counts.get(cached, 0))
