"""How much memory this process may really use: the least that the machine and every limit on the process leave.

Limits are those of the control groups that it is in (containers, batch systems), its own (``ulimit -v``), and what
Slurm granted the job on this node. A process that asks for more is refused or ended by the system, often without a
word.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

UNLIMITED = 2**60
"""Bytes from which on a limit is none: version 1 of control groups writes the largest multiple of a page."""


@dataclass(frozen=True)
class Limit:
    """What one authority grants.

    Attributes:
        name: Who sets the limit, for messages.
        total_bytes: Its size; it does not change while the process runs.
        free_bytes: What of it is not used yet, also by others under the same limit.
    """

    name: str
    total_bytes: int
    free_bytes: int


def total_bytes() -> int:
    """Bytes that this process could have if it were alone; the same at any moment."""
    return min(limit.total_bytes for limit in limits())


def free_bytes() -> int:
    """Bytes that this process may still allocate without swapping or meeting a limit."""
    return tightest().free_bytes


def tightest() -> Limit:
    """The limit that leaves least."""
    return min(limits(), key=lambda limit: limit.free_bytes)


def limits() -> list[Limit]:
    """Every limit on this process; the machine's own memory comes first."""
    memory = psutil.virtual_memory()
    machine = Limit("the machine", memory.total, memory.available)
    return [machine, *control_groups(), *_own(), *_slurm()]


def control_groups(process: Path = Path("/proc/self")) -> Iterator[Limit]:
    """Limits of the control groups that a process is in, and of those around them; of version 1 and 2.

    Args:
        process: Its folder in ``/proc``.

    References:
        Linux kernel, Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
    """
    try:
        lines = (process / "cgroup").read_text().splitlines()
        mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
    except OSError:
        return  # a system without them
    for line in lines:
        _, controllers, path = line.split(":", 2)
        version = 2 if not controllers else 1
        if version == 1 and "memory" not in controllers.split(","):
            continue
        for root, mount in _mounted(mounts, version):
            inner = Path(path.removeprefix(root.rstrip("/")).lstrip("/"))
            if ".." in inner.parts:  # outside what the container may see
                inner = Path()
            for folder in (mount / inner, *(mount / outer for outer in inner.parents)):
                yield from _of_group(folder, version)


def _mounted(mounts: list[list[str]], version: int) -> Iterator[tuple[str, Path]]:
    """Where control groups with a memory controller are mounted: root of the mount, and its place."""
    for fields in mounts:  # ID, parent, device, root, place, options, optional ..., "-", type, source, its options
        kind, *_, options = fields[fields.index("-") + 1 :]
        wanted = kind == "cgroup2" if version == 2 else kind == "cgroup" and "memory" in options.split(",")
        if wanted:
            yield fields[3], Path(fields[4].replace("\\040", " "))


def _of_group(folder: Path, version: int) -> Iterator[Limit]:
    names = ("memory.max", "memory.high") if version == 2 else ("memory.limit_in_bytes",)
    used = "memory.current" if version == 2 else "memory.usage_in_bytes"
    cache = "inactive_file" if version == 2 else "total_inactive_file"
    for name in names:
        try:
            text = (folder / name).read_text().strip()
            if text == "max" or int(text) >= UNLIMITED:
                continue
            taken = int((folder / used).read_text())
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):
            continue  # no such controller here
        taken -= int(stat.get(cache, 0))  # pages of files, given back when memory is needed
        yield Limit(f"the control group {folder}", int(text), max(0, int(text) - taken))


def _own() -> Iterator[Limit]:
    """Limits that the process inherited, as `ulimit` sets them."""
    try:
        import resource
    except ImportError:  # not on Windows, which has no such limits
        return
    used = psutil.Process().memory_info()
    for kind, taken, name in (
        (resource.RLIMIT_AS, used.vms, "ulimit -v"),
        (resource.RLIMIT_DATA, getattr(used, "data", 0), "ulimit -d"),
    ):
        most, _ = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            yield Limit(name, most, max(0, most - taken))


def _slurm() -> Iterator[Limit]:
    """What a job of Slurm was granted on this node, in MiB: by node, or by core.

    References:
        Slurm, sbatch(1): output environment variables.
    """
    by_node, by_core = (_number(f"SLURM_MEM_PER_{unit}") for unit in ("NODE", "CPU"))
    granted = by_node or by_core * _number("SLURM_CPUS_ON_NODE")
    if granted:  # 0 means all of the node
        total = granted * 2**20
        yield Limit("Slurm's grant to the job", total, max(0, total - psutil.Process().memory_info().rss))


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else 0
