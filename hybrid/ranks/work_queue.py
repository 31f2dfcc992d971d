"""A study's points over several ranks: handed out by the leader to teams, one chain of points at a time.

The leader works on points itself; between two steps it looks for messages from the leaders of the other teams. A signal
to any rank stops all of them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum

from circuits.errors import ToolkitError
from hybrid.distributed import Ranks
from hybrid.sharing import Disband
from hybrid.studies.outcome import Outcome

DESK, CHAIN, BELL = 2, 3, 4
"""Tags: of outcomes and words to the desk, of chains in return, of signals."""

SHORT_S = 1.0
"""Seconds of a chain below which the next one is asked for ahead: the leader answers between steps of its own only."""

Chain = tuple[int, ...]
"""Numbers of points that one team runs in this order."""


class Word(Enum):
    """What a team says to the desk, besides outcomes: it wishes for a chain, or has none and is done."""

    MORE = "more"
    DONE = "done"


class Bell:
    """Whether a signal came to any rank; each has one and calls it often.

    Args:
        stop: Whether a signal came to this rank.
        ranks: All of them.
        leaders: Those that lead a team.
    """

    def __init__(self, stop: Callable[[], bool], ranks: Ranks, leaders: Sequence[int]):
        self._stop, self._ranks = stop, ranks
        self._others = [rank for rank in (leaders if ranks.leads else (0,)) if rank != ranks.rank]
        self._heard = self._told = False

    def __call__(self) -> bool:
        """Whether to stop; tells the others the first time."""
        self._heard = self._heard or self._stop() or self._ranks.receive(BELL) is not None
        if self._heard and not self._told:
            self._told = True
            for rank in self._others:
                self._ranks.send(None, rank, BELL)
        return self._heard


class Desk:
    """Where the leader hands out chains and collects outcomes.

    Args:
        chains: To be run.
        reserved: Chains that only the leader may run, since a provider is asked.
        ranks: All of them.
        leaders: Those that lead a team.
        on_outcome: Told each outcome as it comes.
        should_stop: Whether nothing more is handed out.
    """

    def __init__(
        self,
        chains: Sequence[Chain],
        reserved: Sequence[Chain],
        ranks: Ranks,
        leaders: Sequence[int],
        on_outcome: Callable[[Outcome], None],
        should_stop: Callable[[], bool],
    ):
        self._chains, self._reserved = list(chains), list(reserved)
        self._ranks, self._waiting = ranks, set(leaders) - {0}
        self._on_outcome, self._should_stop = on_outcome, should_stop
        self.outcomes: list[Outcome] = []

    def next(self) -> Chain | None:
        """A chain for the leader itself."""
        return self._pick([*self._reserved, *self._chains], 0)

    def take(self, outcome: Outcome) -> None:
        """Note an outcome."""
        self.outcomes.append(outcome)
        self._on_outcome(outcome)

    def attend(self) -> None:
        """Answer whoever has written since the last time."""
        while self._waiting and (message := self._ranks.receive(DESK)) is not None:
            said, rank = message
            if said is Word.DONE:
                self._waiting.discard(rank)
            elif said is Word.MORE:
                self._ranks.send(self._pick(self._chains, rank), rank, CHAIN)
            else:
                self.take(said)

    def close(self) -> None:
        """Wait until every team is done."""
        start = time.perf_counter()
        while self._waiting:
            self.attend()
            self._should_stop()
            self._ranks.pause(start)

    def _pick(self, chains: list[Chain], rank: int) -> Chain | None:
        """One of those that the rank has built already, if there is one."""
        if not chains or self._should_stop():
            return None
        chain = next((chain for chain in chains if chain[0] % self._ranks.size == rank), chains[0])
        (self._reserved if chain in self._reserved else self._chains).remove(chain)
        return chain


class Counter:
    """The other side of the desk, for another team's leader."""

    def __init__(self, ranks: Ranks, bell: Bell):
        self._ranks, self._bell = ranks, bell
        self._wished = False
        self._begun: float | None = None

    def next(self) -> Chain | None:
        """A chain, after the one before is done; None if nothing is left."""
        now = time.perf_counter()
        short = self._begun is not None and now - self._begun < SHORT_S
        if not self._wished:
            self._wish()
        while (message := self._ranks.receive(CHAIN)) is None:
            self._bell()
            self._ranks.pause(now)
        self._wished, self._begun = False, time.perf_counter()
        chain = message[0]
        if chain is None:
            self._ranks.send(Word.DONE, 0, DESK)
        elif short:
            self._wish()
        return chain

    def _wish(self) -> None:
        self._ranks.send(Word.MORE, 0, DESK)
        self._wished = True


@contextmanager
def leading(team: Ranks) -> Iterator[None]:
    """Disband the team at the end, also when the work ends in an error of this toolkit."""
    try:
        yield
    except ToolkitError:
        team.share(Disband())
        raise
    team.share(Disband())
