"""Pieces of work over several ranks: handed out by the leader to teams, one at a time.

The leader works on pieces itself; between two steps it looks for messages from the leaders of the other teams. A signal
to any rank stops all of them.
"""

import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Generic, TypeVar

from hybrid.ranks.mpi import Ranks

TO_LEADER, WORK, STOP = 2, 3, 4
"""Tags of messages: requests and results to the leader, work in return, signals to stop."""

SHORT_S = 1.0
"""Seconds of work below which the next is asked for ahead: the leader answers between steps of its own only."""

Work = tuple[int, ...]
"""Numbers of tasks that one team runs in this order, such as the points of a chain."""

R = TypeVar("R")
"""The result of a task."""


class Request(Enum):
    """What the leader of a team sends to the leader of all, besides results."""

    MORE = "more"
    DONE = "done"


class SharedStop:
    """Whether a signal to stop came to any rank; each rank has one of these and calls it often.

    Args:
        stop: Whether a signal came to this rank.
        ranks: All of them.
        leaders: Those that lead a team.
    """

    def __init__(self, stop: Callable[[], bool], ranks: Ranks, leaders: Sequence[int]):
        self._stop, self._ranks = stop, ranks
        self._others = [rank for rank in (leaders if ranks.leads else (0,)) if rank != ranks.rank]
        self._stopped = self._announced = False

    def __call__(self) -> bool:
        """Whether to stop; sends it to the others the first time."""
        self._stopped = self._stopped or self._stop() or self._ranks.receive(STOP) is not None
        if self._stopped and not self._announced:
            self._announced = True
            for rank in self._others:
                self._ranks.send(None, rank, STOP)
        return self._stopped


class WorkQueue(Generic[R]):
    """On the leader: hands out work and collects results.

    Args:
        work: To be done.
        reserved: Work that only the leader may do, since a provider is asked.
        ranks: All of them.
        leaders: Those that lead a team.
        on_result: Called with each result as it comes.
        should_stop: Whether nothing more is handed out.

    Attributes:
        results: Those that have come, in the order in which they came.
    """

    def __init__(
        self,
        work: Sequence[Work],
        reserved: Sequence[Work],
        *,
        ranks: Ranks,
        leaders: Sequence[int],
        on_result: Callable[[R], None],
        should_stop: Callable[[], bool],
    ):
        self._work, self._reserved = list(work), list(reserved)
        self._ranks, self._waiting = ranks, set(leaders) - {0}
        self._on_result, self._should_stop = on_result, should_stop
        self.results: list[R] = []

    def next(self) -> Work | None:
        """Work for the leader's own team; None if nothing is left, or nothing more is handed out."""
        return self._pick([*self._reserved, *self._work], 0)

    def add(self, result: R) -> None:
        """Take a result of the leader's own team."""
        self.results.append(result)
        self._on_result(result)

    def answer(self) -> None:
        """Answer the messages of other teams' leaders that have come since the last call; called between steps."""
        while self._waiting and (message := self._ranks.receive(TO_LEADER)) is not None:
            content, rank = message
            if content is Request.DONE:
                self._waiting.discard(rank)
            elif content is Request.MORE:
                self._ranks.send(self._pick(self._work, rank), rank, WORK)
            else:
                self.add(content)

    def close(self) -> None:
        """Wait until every team is done, answering the others meanwhile."""
        start = time.perf_counter()
        while self._waiting:
            self.answer()
            self._should_stop()
            self._ranks.pause(start)

    def _pick(self, work: list[Work], rank: int) -> Work | None:
        """One of those that the rank has built already, if there is one."""
        if not work or self._should_stop():
            return None
        chosen = next((tasks for tasks in work if tasks[0] % self._ranks.size == rank), work[0])
        (self._reserved if chosen in self._reserved else self._work).remove(chosen)
        return chosen


class WorkQueueClient(Generic[R]):
    """On the leader of another team: asks the `WorkQueue` for work and sends it results.

    Args:
        ranks: All of them.
        should_stop: Called while waiting, so that a signal is passed on.
    """

    def __init__(self, ranks: Ranks, should_stop: Callable[[], bool]):
        self._ranks, self._should_stop = ranks, should_stop
        self._asked = False
        self._begun: float | None = None

    def next(self) -> Work | None:
        """The next work; None if nothing is left. After work of under a second the one after it is asked for ahead."""
        now = time.perf_counter()
        short = self._begun is not None and now - self._begun < SHORT_S
        if not self._asked:
            self._ask()
        while (message := self._ranks.receive(WORK)) is None:
            self._should_stop()
            self._ranks.pause(now)
        self._asked, self._begun = False, time.perf_counter()
        work = message.value
        if work is None:
            self._ranks.send(Request.DONE, 0, TO_LEADER)
        elif short:
            self._ask()
        return work

    def report(self, result: R) -> None:
        """Send a result to the leader of all."""
        self._ranks.send(result, 0, TO_LEADER)

    def _ask(self) -> None:
        self._ranks.send(Request.MORE, 0, TO_LEADER)
        self._asked = True
