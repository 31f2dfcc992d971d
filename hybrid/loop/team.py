"""Evaluations shared by a team: its leader asks, all compute their tiles, the leader puts them together."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import backends
from backends import memory
from backends.base import Backend, Cost, Origin
from backends.cores import job_cores, own_cores
from circuits.errors import Refused, ToolkitError
from hybrid.distributed import Ranks
from hybrid.evaluator import Evaluator
from hybrid.optimizers.optimizer import Points, Told
from hybrid.workload import Workload

ERRORS = 1
"""Tag of messages in which a rank says what went wrong."""

FINE, FAILED = 0.0, 1.0
"""How a rank's numbers begin."""


@dataclass(frozen=True)
class Prepare:
    """The leader's word that evaluations of another workload follow."""

    work: Workload
    origin: Origin


@dataclass(frozen=True)
class Evaluate:
    """The leader's question."""

    points: Points
    number: int


@dataclass(frozen=True)
class Disband:
    """The leader's word that the team is done."""


class SharedEvaluator:
    """An `Evaluator` whose tiles are computed by all ranks of a team; made on its leader, while the others `serve`.

    Args:
        work: What is minimized.
        backend: Made by name, so that each rank can have its own.
        team: The ranks.

    Raises:
        ToolkitError: if the workload cannot be made ready on a rank; its message says on which.
    """

    def __init__(self, work: Workload, backend: Backend, team: Ranks):
        assert backend.origin is not None
        self._team = team
        team.share(Prepare(replace(work, problem=replace(work.problem, solve=None, structure=None)), backend.origin))
        self._own = _made(lambda: Evaluator(work, backend), team)

    def __call__(self, points: Points, number: int) -> Told:
        """Evaluate points.

        Raises:
            ToolkitError: what any rank raised; its message says which.
        """
        if len(self._own.tiles(points)) == 1:
            return self._own(points, number)
        self._team.share(Evaluate(points, number))
        told = self._own.told(points, _gathered(self._own, points, number, self._team))
        return self._own.with_geometry(told, points, number)


def evaluator(work: Workload, backend: Backend, team: Ranks) -> Callable[[Points, int], Told]:
    """The function that answers questions about a workload with the help of the team.

    A provider, and a backend that is an object without a name, are asked by the leader alone.
    """
    check_threads(backend)
    alone = team.size == 1 or backend.origin is None or backend.capabilities().place == "provider"
    return Evaluator(work, backend) if alone else SharedEvaluator(work, backend, team)


def check_node(backend: Backend, cost: Cost, team: Ranks) -> None:
    """Refuse what the ranks of a node cannot do at the same time, or not with the same bits as one alone.

    Raises:
        Refused: if their memory together does not suffice, or as `check_threads`.
    """
    check_threads(backend)
    if team.here > 1 and team.here * cost.memory_bytes > memory.free_bytes():
        raise Refused(
            f"each of the {team.here} ranks of this node needs {memory.readable(cost.memory_bytes)}, and "
            f"{memory.readable(memory.free_bytes())} are free: start fewer ranks on a node"
        )


def check_threads(backend: Backend) -> None:
    """Refuse a backend whose last bits depend on its number of threads, where the ranks would decide that number.

    Raises:
        Refused: unless OMP_NUM_THREADS says how many threads there shall be.
    """
    can = backend.capabilities()
    if not can.steady and "OMP_NUM_THREADS" not in os.environ and own_cores() != job_cores():
        raise Refused(
            f"the last bits of {can.name} depend on its number of threads, which the number of ranks would decide "
            "here: set it, for every run that shall give the same bits, as in OMP_NUM_THREADS=1 mpiexec ..."
        )


def serve(team: Ranks, meanwhile: Callable[[], object]) -> None:
    """Compute what the team's leader asks for until it disbands the team.

    Args:
        team: In which this rank does not lead.
        meanwhile: Called again and again while nothing is asked.
    """
    own: Evaluator | None = None
    while not isinstance(word := team.share(meanwhile=meanwhile), Disband):
        if isinstance(word, Prepare):
            own = _made(partial(_evaluator_of, word), team)
        elif isinstance(word, Evaluate) and own is not None:
            _gathered(own, word.points, word.number, team)


def _evaluator_of(word: Prepare) -> Evaluator:
    return Evaluator(word.work, backends.get(word.origin.name, **word.origin.options))


def _made(make: Callable[[], Evaluator], team: Ranks) -> Any:
    """The evaluator of this rank; None where it cannot be made, which the leader hears."""
    made, error = None, None
    try:
        made = make()
    except ToolkitError as err:
        error = err
    _raise_first(team.gather(error))
    return made


def _gathered(own: Evaluator, points: Points, number: int, team: Ranks) -> np.ndarray:
    """What all tiles are worth, on the leader; every rank computes its part, tiles that are neighbours."""
    tiles, width = own.tiles(points), own.width(points)
    cuts = [rank * len(tiles) // team.size for rank in range(team.size + 1)]
    parts = [tiles[start:end] for start, end in pairwise(cuts)]
    sizes = [1 + width * sum(tile.rows.stop - tile.rows.start for tile in part) for part in parts]
    found = np.full(sizes[team.rank], FAILED)
    error = None
    try:
        found[1:] = own.numbers(points, number, parts[team.rank]).ravel()
        found[0] = FINE
    except ToolkitError as err:
        error = err
    if error is not None and not team.leads:
        team.send(error, 0, ERRORS)
    gathered = team.gather_numbers(found, sizes)
    errors: dict[int, ToolkitError] = {0: error} if error is not None and team.leads else {}
    start, n_failed = time.perf_counter(), sum(part[0] == FAILED for part in gathered)
    while len(errors) < n_failed:
        if (message := team.receive(ERRORS)) is not None:
            errors[message[1]] = message[0]
        team.pause(start)
    _raise_first([errors.get(rank) for rank in range(team.size)])
    return np.concatenate([np.zeros(0), *(part[1:] for part in gathered)]).reshape(-1, width)


def _raise_first(errors: list[ToolkitError | None]) -> None:
    for rank, error in enumerate(errors):
        if error is not None:
            raise type(error)(f"rank {rank}: {error}") from error
