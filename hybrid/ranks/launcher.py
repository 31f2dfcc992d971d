"""What the launcher of several ranks promised, and a rank's share of its node: cores, threads, one device.

Shares are taken before JAX or any OpenMP library is loaded; MPI is asked elsewhere.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from backends.machine import JOB_CORES
from circuits.errors import Refused

LAUNCHERS = {
    "OMPI_COMM_WORLD_SIZE": ("OMPI_COMM_WORLD_RANK", "Open MPI's mpiexec"),
    "PMI_SIZE": ("PMI_RANK", "mpiexec (PMI, as of MPICH)"),
    "SLURM_STEP_NUM_TASKS": ("SLURM_PROCID", "srun"),
}
"""Variable with the number of ranks to the one with this rank's number, and who sets them; the innermost first."""

COORDINATION = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
"""Settings of jax.distributed; some without the others start nothing."""

DEVICES = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Promise:
    """How many ranks a launcher started, as it says itself.

    Attributes:
        size: Number of ranks, 1 without a launcher.
        rank: This one.
        variable: Where the number stands; empty without a launcher.
    """

    size: int = 1
    rank: int = 0
    variable: str = ""

    def check(self, found: int, library: str) -> None:
        """Refuse to be one of several ranks that do not know of each other: each would run everything by itself.

        Args:
            found: Ranks that MPI sees.
            library: Of MPI, in words.
        """
        if found == self.size or not self.variable:
            return
        (_, launcher), library = LAUNCHERS[self.variable], " ".join(library.split())
        raise Refused(
            f"{self.size} ranks were started by {launcher} ({self.variable}), but MPI ({library}) sees {found}: "
            "launcher and library do not know each other, and each rank would run everything by itself. "
            + _cure(self.variable)
        )


def promised(environment: Mapping[str, str] = os.environ) -> Promise:
    """What the innermost launcher says; one rank if there is none.

    >>> promised({"PMI_SIZE": "4", "PMI_RANK": "1", "SLURM_STEP_NUM_TASKS": "1"})
    Promise(size=4, rank=1, variable='PMI_SIZE')
    """
    for variable, (rank, _) in LAUNCHERS.items():
        size = environment.get(variable, "")
        if size.isdecimal():
            return Promise(int(size), int(environment.get(rank, 0)), variable)
    return Promise()


def check_coordination(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse settings of jax.distributed that are half there, or that would be ignored.

    Raises:
        Refused: always if there are any: ranks share rows and terms, and none holds a part of a state.
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


def shares(cores: Sequence[frozenset[int]]) -> list[list[int]]:
    """The cores of each rank of a node, from those that each may use.

    Ranks that the launcher bound to different cores keep them; otherwise all are divided evenly, in order. More ranks
    than cores take turns.

    >>> shares([frozenset({0, 1, 2, 3, 4})] * 2)
    [[0, 1, 2], [3, 4]]
    >>> shares([frozenset({0}), frozenset({1})])
    [[0], [1]]
    >>> shares([frozenset({0, 1})] * 3)
    [[0], [1], [0]]
    """
    together = sorted(frozenset().union(*cores))
    if sum(map(len, cores)) == len(together):
        return [sorted(own) for own in cores]
    n = len(cores)
    if n > len(together):
        return [[together[k % len(together)]] for k in range(n)]
    size, spare = divmod(len(together), n)
    starts = [k * size + min(k, spare) for k in range(n + 1)]
    return [together[start:end] for start, end in pairwise(starts)]


def settle(local_rank: int, cores: Sequence[frozenset[int]]) -> None:
    """Take this rank's share of its node: its cores, by which XLA, OpenMP and BLAS count their threads, and a GPU.

    An OMP_NUM_THREADS that the user has set stays.

    Args:
        local_rank: Among the ranks of this node.
        cores: That each of these may use.
    """
    own = shares(cores)[local_rank]
    os.environ[JOB_CORES] = ",".join(map(str, sorted(frozenset().union(*cores))))
    os.sched_setaffinity(0, own)
    os.environ.update(device_settings(local_rank, len(cores), os.environ, _devices_here()))


def device_settings(
    local_rank: int, local_size: int, environment: Mapping[str, str], devices: Sequence[str]
) -> dict[str, str]:
    """Variables that give a rank one GPU of its node.

    A rank that sees one device already, as under ``srun --gpus-per-task=1``, keeps it. Ranks that must share one divide
    its memory, of which JAX would otherwise give three quarters to the first.

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
