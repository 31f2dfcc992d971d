"""What the launcher of several ranks says of them, and a rank's part of its node: cores, threads, one device.

A rank is bound to its part before JAX or any OpenMP library is loaded; MPI itself is asked in `hybrid.ranks.mpi`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from backends.machine import JOB_CORES
from circuits.errors import Refused


class Launcher(NamedTuple):
    """A program that starts ranks.

    Attributes:
        rank_variable: Environment variable that holds a rank's number.
        title: Its name in messages.
    """

    rank_variable: str
    title: str


LAUNCHERS = {
    "OMPI_COMM_WORLD_SIZE": Launcher("OMPI_COMM_WORLD_RANK", "Open MPI's mpiexec"),
    "PMI_SIZE": Launcher("PMI_RANK", "mpiexec (PMI, as of MPICH)"),
    "SLURM_STEP_NUM_TASKS": Launcher("SLURM_PROCID", "srun"),
}
"""Environment variable that holds the number of ranks to the launcher that sets it; the innermost first."""

COORDINATION = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
"""Settings of jax.distributed; some without the others start nothing."""

DEVICES = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Launch:
    """How many ranks a launcher started, as its environment variables say.

    Attributes:
        size: Number of ranks; 1 without a launcher.
        rank: Number of this rank, from 0.
        variable: Environment variable that holds the size; empty without a launcher.
    """

    size: int = 1
    rank: int = 0
    variable: str = ""

    def check(self, world_size: int, library: str) -> None:
        """Refuse to be one of several ranks that do not know of each other: each would run everything by itself.

        Args:
            world_size: Number of ranks that MPI sees.
            library: Name and version of the MPI library, for the message.

        Raises:
            Refused: if MPI sees another number of ranks than the launcher says.
        """
        if world_size == self.size or not self.variable:
            return
        launcher, library = LAUNCHERS[self.variable].title, " ".join(library.split())
        raise Refused(
            f"{self.size} ranks were started by {launcher} ({self.variable}), but MPI ({library}) sees {world_size}: "
            "launcher and library do not know each other, and each rank would run everything by itself. "
            + _cure(self.variable)
        )


def detect_launch(environment: Mapping[str, str] = os.environ) -> Launch:
    """What the innermost launcher says of the ranks that it started; one rank if there is none.

    Args:
        environment: Environment variables.

    >>> detect_launch({"PMI_SIZE": "4", "PMI_RANK": "1", "SLURM_STEP_NUM_TASKS": "1"})
    Launch(size=4, rank=1, variable='PMI_SIZE')
    """
    for variable, launcher in LAUNCHERS.items():
        size = environment.get(variable, "")
        if size.isdecimal():
            return Launch(int(size), int(environment.get(launcher.rank_variable, 0)), variable)
    return Launch()


def check_coordination(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse settings of jax.distributed, complete or not: `hybrid run` would ignore them.

    Args:
        environment: Environment variables.

    Raises:
        Refused: if there are any: ranks share rows and terms, and none holds a part of a state.
    """
    there = [name for name in COORDINATION if environment.get(name)]
    missing = [name for name in COORDINATION if name not in there]
    if not there:
        return
    half = f" (without {', '.join(missing)})" if missing else ""
    raise Refused(
        f"{', '.join(there)}{half}: jax.distributed is asked for, but `hybrid run` does not start it; its ranks share "
        "the rows and terms of an evaluation, each with whole states. Unset that; a state over the devices of several "
        "processes is a program of its own, see docs/sharding.md"
    )


def divide_cores(cores: Sequence[frozenset[int]]) -> list[list[int]]:
    """The cores of each rank of a node.

    Ranks that the launcher bound to different cores keep them; otherwise all are divided evenly, in order. If there are
    more ranks than cores, each gets one, which it shares with others.

    Args:
        cores: Numbers of the cores that each rank of the node may use now.

    Returns:
        For each rank the numbers of its cores, ascending.

    >>> divide_cores([frozenset({0, 1, 2, 3, 4})] * 2)
    [[0, 1, 2], [3, 4]]
    >>> divide_cores([frozenset({0}), frozenset({1})])
    [[0], [1]]
    >>> divide_cores([frozenset({0, 1})] * 3)
    [[0], [1], [0]]
    """
    together = sorted(frozenset().union(*cores))
    if sum(map(len, cores)) == len(together):
        return [sorted(bound) for bound in cores]
    n = len(cores)
    if n > len(together):
        return [[together[k % len(together)]] for k in range(n)]
    size, spare = divmod(len(together), n)
    starts = [k * size + min(k, spare) for k in range(n + 1)]
    return [together[start:end] for start, end in pairwise(starts)]


def bind(local_rank: int, cores: Sequence[frozenset[int]]) -> None:
    """Bind this process to its part of its node: cores, by which XLA, OpenMP and BLAS count their threads, and a GPU.

    Sets the process's CPU affinity and environment variables. An OMP_NUM_THREADS that the user has set stays.

    Args:
        local_rank: Number of this rank among those of its node, from 0.
        cores: Numbers of the cores that each rank of the node may use now.
    """
    own_cores = divide_cores(cores)[local_rank]
    os.environ[JOB_CORES] = ",".join(map(str, sorted(frozenset().union(*cores))))
    os.sched_setaffinity(0, own_cores)
    os.environ.update(device_settings(local_rank, len(cores), os.environ, _devices_here()))


def device_settings(
    local_rank: int, local_size: int, environment: Mapping[str, str], devices: Sequence[str]
) -> dict[str, str]:
    """Environment variables that give a rank one GPU of its node.

    A rank that sees one device already, as under ``srun --gpus-per-task=1``, keeps it. Ranks that must share one divide
    its memory, of which JAX would otherwise give three quarters to the first.

    Args:
        local_rank: Number of the rank among those of its node, from 0.
        local_size: Number of ranks of the node.
        environment: Environment variables as they are.
        devices: Numbers of the GPUs of the node.

    Returns:
        Variables to set; empty where nothing is to be changed.

    >>> device_settings(1, 2, {"CUDA_VISIBLE_DEVICES": "2,3"}, ["0", "1", "2", "3"])
    {'CUDA_VISIBLE_DEVICES': '3'}
    >>> device_settings(1, 2, {}, ["0"])
    {'CUDA_VISIBLE_DEVICES': '0', 'XLA_PYTHON_CLIENT_MEM_FRACTION': '0.38'}
    """
    listed = environment.get(DEVICES)
    seen = list(devices) if listed is None else [name for name in listed.split(",") if name]
    if local_size == 1 or not seen or (listed is not None and len(seen) == 1):
        return {}
    settings = {DEVICES: seen[local_rank % len(seen)]}
    each = -(-local_size // len(seen))
    if each > 1 and "XLA_PYTHON_CLIENT_MEM_FRACTION" not in environment:
        settings["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.75 / each:.2f}"
    return settings


def _devices_here() -> list[str]:
    """Numbers of NVIDIA's devices on this node."""
    return sorted((p.name.removeprefix("nvidia") for p in Path("/dev").glob("nvidia[0-9]*")), key=int)


def _cure(variable: str) -> str:
    if variable == "SLURM_STEP_NUM_TASKS":
        return "Use srun --mpi=pmi2 with MPICH, srun --mpi=pmix with Open MPI (srun --mpi=list shows what there is)"
    return (
        "Use the mpiexec that belongs to this library: the one beside this environment's python, if MPI is from there"
    )
