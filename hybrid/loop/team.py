"""Evaluations shared by a team: its leader asks, all compute their tiles, the leader puts them together."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import backends
from backends import memory
from backends.base import Backend, Origin
from backends.cost import Cost
from circuits.errors import Refused, ToolkitError
from hybrid.loop.evaluator import Evaluator
from hybrid.loop.threads import check_ranks
from hybrid.optimizers.optimizer import Points, Told
from hybrid.ranks.mpi import Ranks
from hybrid.workload.workload import Workload

ERRORS = 1
"""Tag of messages in which a rank says what went wrong."""

FINE, FAILED = 0.0, 1.0
"""How a rank's numbers begin."""


@dataclass(frozen=True)
class Prepare:
    """The leader's message that evaluations of another workload follow."""

    work: Workload
    origin: Origin


@dataclass(frozen=True)
class Evaluate:
    """The leader's question."""

    points: Points
    number: int


@dataclass(frozen=True)
class Disband:
    """The leader's message that the team is done."""


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
    check_ranks(backend)
    alone = team.size == 1 or backend.origin is None or backend.capabilities().place == "provider"
    return Evaluator(work, backend) if alone else SharedEvaluator(work, backend, team)


def check_node(backend: Backend, cost: Cost, team: Ranks) -> None:
    """Refuse what the ranks of a node cannot do at the same time, or not with the same bits as one alone.

    Raises:
        Refused: if their memory together does not suffice, or as `check_ranks`.
    """
    check_ranks(backend)
    if team.here > 1 and team.here * cost.memory_bytes > memory.free_bytes():
        raise Refused(
            f"each of the {team.here} ranks of this node needs {memory.readable(cost.memory_bytes)}, and "
            f"{memory.readable(memory.free_bytes())} are free: start fewer ranks on a node"
        )


def serve(team: Ranks, meanwhile: Callable[[], object]) -> None:
    """Compute what the team's leader asks for until it disbands the team.

    Args:
        team: In which this rank does not lead.
        meanwhile: Called again and again while nothing is asked.
    """
    own: Evaluator | None = None
    while not isinstance(message := team.share(meanwhile=meanwhile), Disband):
        if isinstance(message, Prepare):
            own = _made(partial(_evaluator_of, message), team)
        elif isinstance(message, Evaluate) and own is not None:
            _gathered(own, message.points, message.number, team)


@contextmanager
def leading(team: Ranks) -> Iterator[None]:
    """Disband the team at the end, also when the work ends in an error of this toolkit."""
    try:
        yield
    except ToolkitError:
        team.share(Disband())
        raise
    team.share(Disband())


def _evaluator_of(message: Prepare) -> Evaluator:
    return Evaluator(message.work, backends.get(message.origin.name, **message.origin.options))


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
