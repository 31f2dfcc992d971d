"""Evaluations shared by a team of ranks: its leader asks, all compute some of the tiles, the leader combines them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from backends import memory
from backends.base import Backend
from backends.cost import Cost
from circuits.errors import FailedJob, Refused, ToolkitError
from hybrid.loop.changing import remade
from hybrid.loop.evaluator import Evaluator, Tile
from hybrid.loop.pool import PooledEvaluator
from hybrid.loop.threads import check_ranks
from hybrid.optimizers.optimizer import Points, Told
from hybrid.ranks.mpi import Ranks
from hybrid.runs.replay import Replay
from hybrid.workload.workload import Workload

ERRORS = 1
"""Tag of messages in which a rank says what went wrong."""

FINE, FAILED = 0.0, 1.0
"""First number of the array that a rank sends: whether it could compute its tiles."""


@dataclass(frozen=True)
class Prepare:
    """The leader's message that evaluations of something else follow.

    Attributes:
        make: Makes what evaluates, on each rank.
        contained: Whether any error of the backend is sent to the leader, which goes on elsewhere; otherwise one that
            is not of this toolkit ends the rank.
    """

    make: Callable[[], "Tiled"]
    contained: bool = False


class Tiled(Protocol):
    """What evaluates points in tiles, which any rank can compute: an `Evaluator`, or the loss of a classifier."""

    def __call__(self, points: Points, number: int) -> Told:
        """As `hybrid.loop.evaluator.Evaluator`, like all the others."""
        ...

    def tiles(self, points: Points) -> list[Tile]:
        """The tiles of an evaluation, in the order in which they are combined."""
        ...

    def width(self, points: Points) -> int:
        """Number of columns that `compute` returns."""
        ...

    def compute(self, points: Points, number: int, tiles: list[Tile]) -> np.ndarray:
        """The rows of some tiles, one tile below the other, shape (rows, width)."""
        ...

    def combine(self, points: Points, numbers: np.ndarray) -> Told:
        """The result of an evaluation from the rows of all tiles."""
        ...

    def with_geometry(self, told: Told, points: Points, number: int) -> Told:
        """The same with metrics and fidelities, where they are asked for."""
        ...


@dataclass(frozen=True)
class Evaluate:
    """The leader's message that points are to be evaluated.

    Attributes:
        points: What the optimizer asks for.
        number: Of the evaluation in the run.
    """

    points: Points
    number: int


@dataclass(frozen=True)
class Disband:
    """The leader's message that the team is done."""


class SharedEvaluator:
    """What evaluates, with its tiles computed by all ranks of a team; made on its leader, while the others `serve`.

    Args:
        own: Makes what evaluates on this rank.
        theirs: Makes the same on another rank, to which it is sent.
        team: The ranks; this one leads.
        contained: As for `Prepare`.

    Raises:
        ToolkitError: if the workload cannot be compiled on a rank; the message says on which.
    """

    def __init__(self, own: Callable[[], Tiled], theirs: Callable[[], Tiled], team: Ranks, *, contained: bool = False):
        self._team, self._contained = team, contained
        team.broadcast(Prepare(theirs, contained))
        self._evaluator = _made(own, team, contained=contained)

    def __call__(self, points: Points, number: int) -> Told:
        """Evaluate points, on the leader alone if they are a single tile.

        Args:
            points: What the optimizer asks for.
            number: Of the evaluation in the run, from 0; its random seeds follow from it.

        Returns:
            The same as an `Evaluator`, to the last bit.

        Raises:
            ToolkitError: what any rank raised; the message says which.
        """
        if len(self._evaluator.tiles(points)) == 1:
            return self._evaluator(points, number)
        self._team.broadcast(Evaluate(points, number))
        numbers = _gathered(self._evaluator, points, number, self._team, contained=self._contained)
        return self._evaluator.with_geometry(self._evaluator.combine(points, numbers), points, number)


def evaluator(
    work: Workload, backend: Backend, team: Ranks, *, contained: bool = False
) -> Callable[[Points, int], Told]:
    """The function that evaluates points of a workload with the help of the team.

    A provider, and a backend that is an object without a name, are asked by the leader alone.

    Args:
        work: What is minimized.
        backend: Where the numbers come from.
        team: The ranks; this one leads.
        contained: As for `Prepare`.

    Raises:
        Refused: as `check_ranks`.
        ToolkitError: if the workload cannot be compiled on a rank.
    """
    if team.executor is None:
        check_ranks(backend)
    if isinstance(backend, Replay):
        return backend.answering(work)
    bare = replace(work, problem=replace(work.problem, solve=None, structure=None))
    return shared(partial(Evaluator, work), partial(Evaluator, bare), backend, team, contained=contained)


def shared(
    own: Callable[[Backend], Tiled],
    theirs: Callable[[Backend], Tiled],
    backend: Backend,
    team: Ranks,
    *,
    contained: bool = False,
) -> Callable[[Points, int], Told]:
    """What evaluates on a backend, with the help of the team, or of an executor, where each can make its own backend.

    Args:
        own: From this rank's backend to what evaluates.
        theirs: The same on another rank, to which it is sent.
        backend: Where the numbers come from.
        team: The ranks; this one leads.
        contained: As for `Prepare`.

    Raises:
        Refused: as `hybrid.loop.pool.PooledEvaluator`, with an executor.
        ToolkitError: if it cannot be made on a rank.
    """
    again = remade(backend)
    if team.executor is not None and backend.capabilities().place != "provider":
        make = None if again is None else partial(_made_with, theirs, again)
        return PooledEvaluator(own(backend), make, team.executor, backend)
    if team.size == 1 or again is None or backend.capabilities().place == "provider":
        return own(backend)
    made = partial(_made_there, theirs, again)
    return SharedEvaluator(partial(own, backend), made, team, contained=contained)


def _made_there(make: Callable[[Backend], Tiled], again: Callable[[], Backend]) -> Tiled:
    return make(again())


def _made_with(make: Callable[[Backend], Tiled], again: Callable[[], Backend]) -> tuple[Tiled, Backend]:
    backend = again()
    return make(backend), backend


def check_node(backend: Backend, cost: Cost, team: Ranks, *, leader_bytes: int = 0) -> None:
    """Refuse work that the ranks of a node cannot do at the same time, or not with the same bits as one alone.

    Args:
        backend: Where the numbers come from.
        cost: Predicted for one rank alone.
        team: The ranks.
        leader_bytes: The part of its memory that only the leader needs: that of the optimizer.

    Raises:
        Refused: if the node's memory is too small for all of them, or as `check_ranks`.
    """
    check_ranks(backend)
    each, free = cost.memory_bytes - leader_bytes, memory.free_bytes()
    if team.local_size > 1 and team.local_size * each + leader_bytes > free:
        optimizer = f" and the optimizer {memory.readable(leader_bytes)}" if leader_bytes else ""
        raise Refused(
            f"each of the {team.local_size} ranks of this node needs {memory.readable(each)}{optimizer}, and "
            f"{memory.readable(free)} are free: start fewer ranks on a node"
        )


def serve(team: Ranks, meanwhile: Callable[[], object]) -> None:
    """Compute what the team's leader asks for until it disbands the team.

    An error of this rank is sent to the leader, which raises it.

    Args:
        team: The ranks; this one does not lead.
        meanwhile: Called again and again while waiting for the leader.
    """
    evaluator, contained = None, False
    while not isinstance(message := team.broadcast(meanwhile=meanwhile), Disband):
        if isinstance(message, Prepare):
            contained = message.contained
            evaluator = _made(message.make, team, contained=contained)
        elif isinstance(message, Evaluate) and evaluator is not None:
            _gathered(evaluator, message.points, message.number, team, contained=contained)


@contextmanager
def leading(team: Ranks) -> Iterator[None]:
    """A context in which this rank leads the team; it is disbanded at the end, also after an error of this toolkit."""
    try:
        yield
    except ToolkitError:
        team.broadcast(Disband())
        raise
    team.broadcast(Disband())


def _made(make: Callable[[], Tiled], team: Ranks, *, contained: bool) -> Any:
    """The evaluator of this rank; None where it cannot be made: the leader gets the error and raises it."""
    made, error = None, None
    try:
        made = make()
    except Exception as err:  # noqa: BLE001 - raised again, here or by the leader
        error = _to_send(err, contained)
    _raise_first(team.gather(error))
    return made


def _gathered(evaluator: Tiled, points: Points, number: int, team: Ranks, *, contained: bool) -> np.ndarray:
    """The numbers of all tiles, on the leader; every rank computes its part, tiles that are neighbours."""
    tiles, width = evaluator.tiles(points), evaluator.width(points)
    cuts = [rank * len(tiles) // team.size for rank in range(team.size + 1)]
    parts = [tiles[start:end] for start, end in pairwise(cuts)]
    sizes = [1 + width * sum(tile.rows.stop - tile.rows.start for tile in part) for part in parts]
    numbers = np.full(sizes[team.rank], FAILED)
    error = None
    try:
        numbers[1:] = evaluator.compute(points, number, parts[team.rank]).ravel()
        numbers[0] = FINE
    except Exception as err:  # noqa: BLE001 - raised again, here or by the leader
        error = _to_send(err, contained)
    if error is not None and not team.leads:
        team.send(error, 0, ERRORS)
    gathered = team.gather_arrays(numbers, sizes)
    errors: dict[int, ToolkitError] = {0: error} if error is not None and team.leads else {}
    start, n_failed = time.perf_counter(), sum(part[0] == FAILED for part in gathered)
    while len(errors) < n_failed:
        if (message := team.receive(ERRORS)) is not None:
            errors[message.source] = message.value
        team.pause(start)
    _raise_first([errors.get(rank) for rank in range(team.size)])
    return np.concatenate([np.zeros(0), *(part[1:] for part in gathered)]).reshape(-1, width)


def _to_send(err: Exception, contained: bool) -> ToolkitError:
    """An error as the leader gets it; one that is not of this toolkit is raised again unless it is contained."""
    if isinstance(err, ToolkitError):
        return err
    if not contained:
        raise err
    return FailedJob(f"{type(err).__name__}: {err}")


def _raise_first(errors: list[ToolkitError | None]) -> None:
    for rank, error in enumerate(errors):
        if error is not None:
            raise type(error)(f"rank {rank}: {error}") from error
