"""The machine at hand: its processor, the cores that a job and this process have of it, and the user's cache folder."""

import os
import platform
from functools import cache
from pathlib import Path

import platformdirs

JOB_CORES = "HYBRID_JOB_CORES"
"""Cores of this node that all ranks of a job have together, as numbers with commas; set where ranks divided them."""

THREADS = "OMP_NUM_THREADS"
"""Threads of OpenMP, and so of the simulators; a record holds their number where the last bits depend on it."""


def job_cores() -> list[int]:
    """The cores that the job has on this node: more than this process may use, where ranks divided them."""
    listed = os.environ.get(JOB_CORES)
    return sorted(map(int, listed.split(","))) if listed else own_cores()


def own_cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def threads() -> int:
    """Threads that numerical libraries shall use: OMP_NUM_THREADS, or as many as this process has cores."""
    setting = os.environ.get(THREADS, "").partition(",")[0]
    return int(setting) if setting.isdecimal() and int(setting) else len(own_cores())


def machine() -> str:
    """Processor and number of cores that the job has: what a measured speed is valid for."""
    return f"{_processor()}, {len(job_cores())} cores"


def cache_folder() -> Path:
    """Where measurements and compiled programs are kept: HYBRID_CACHE, or the user's cache folder."""
    return Path(os.environ.get("HYBRID_CACHE", platformdirs.user_cache_path("hybrid")))


@cache
def _processor() -> str:
    info = Path("/proc/cpuinfo")
    models = (
        [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        if (info.exists())
        else []
    )
    return models[0] if models else platform.processor() or platform.machine()
