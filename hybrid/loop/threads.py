"""The number of threads, where a backend's last bits depend on it."""

import os

from backends.base import Backend
from backends.machine import THREADS, job_cores, own_cores, threads
from circuits.errors import Refused


def threads_of(backend: Backend) -> int | None:
    """How many threads a backend uses; None where its bits do not depend on them, or it runs at a provider."""
    can = backend.capabilities()
    if can.steady or can.place == "provider":
        return None
    return threads()


def check_threads(backend: Backend, recorded: int | None) -> None:
    """Refuse to go on with another number of threads than a run was begun with, where the last bits depend on it.

    Args:
        backend: That continues the run.
        recorded: Number of threads in the run's spec; None where it holds none.

    Raises:
        Refused: if the numbers differ.
    """
    now = threads_of(backend)
    if recorded is not None and now is not None and now != recorded:
        name = backend.capabilities().name
        raise Refused(
            f"the last bits of {name} depend on its number of threads: the run was begun with {recorded}, and here "
            f"there are {now}; continue it with {THREADS}={recorded}"
        )


def check_ranks(backend: Backend) -> None:
    """Refuse a backend whose last bits depend on its number of threads, where the ranks would decide that number.

    Raises:
        Refused: unless OMP_NUM_THREADS says how many threads there shall be.
    """
    can = backend.capabilities()
    if not can.steady and THREADS not in os.environ and own_cores() != job_cores():
        raise Refused(
            f"the last bits of {can.name} depend on its number of threads, which the number of ranks would decide "
            f"here: set it, for every run that shall give the same bits, as in {THREADS}=1 mpiexec ..."
        )
