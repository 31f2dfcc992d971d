"""Answers to the optimizer's questions: from the journal while it lasts, then from a backend, written down at once."""

import time
from collections.abc import Callable

import numpy as np

from hybrid.loop.clock import Clock
from hybrid.loop.replay import Replay
from hybrid.optimizers.optimizer import Points, Told
from hybrid.ranks.mpi import ALONE, Ranks
from hybrid.runs.evaluation import Evaluation
from hybrid.runs.journal import Journal, check_answered

Evaluate = Callable[[Points, int], Told]
"""Points and the number of their evaluation, which picks its seeds, to what the points are worth."""


class Ledger:
    """Answers from the journal while it lasts, then evaluates, writing each answer down.

    Args:
        journal: Of the run.
        make: Makes the function that evaluates; not called while the journal has the answers.
        clock: Gets the time by phase.
        team: Ranks that help; this one leads.
        provider: Who is paid for evaluations, if anybody is: each is then written down before it is sent, too.

    Attributes:
        evaluations: All that were answered, in order.
    """

    def __init__(
        self,
        journal: Journal,
        make: Callable[[], Evaluate],
        clock: Clock,
        *,
        team: Ranks = ALONE,
        provider: str | None = None,
    ):
        self._journal, self._make, self._clock, self._team = journal, make, clock, team
        self._provider = provider
        self._replay = Replay(journal.kept.evaluations)
        self._evaluate: Evaluate | None = None
        self._seconds: list[float] = []
        self.evaluations: list[Evaluation] = []

    def answer(self, points: Points, step: int) -> Told:
        """What the points are worth.

        Raises:
            Refused: if the journal holds an answer to another question here.
            LostJob: if the question was sent to a provider before and never answered.
        """
        evaluation = self._replay.next(points, step) or self._evaluated(points, step)
        self.evaluations.append(evaluation)
        return evaluation.told

    @property
    def evaluated(self) -> bool:
        """Whether anything was computed that the journal did not hold when the run was opened."""
        return bool(self._seconds)

    def best(self, start: np.ndarray) -> tuple[np.ndarray, Told]:
        """The row of the lowest value so far and what it is worth; the start and NaN before the first."""
        nothing = np.full(1, np.nan)
        row, told = start, Told(nothing, nothing, None)
        for evaluation in self.evaluations:
            lowest = int(np.argmin(evaluation.told.values))
            if not evaluation.told.values[lowest] >= told.values[0]:
                row, told = evaluation.theta[lowest], evaluation.told.row(lowest)
        return row, told

    def report(self) -> dict[str, float]:
        """Seconds by phase, with the first evaluation's excess over the others counted as compilation."""
        if len(self._seconds) > 1:
            excess = max(self._seconds[0] - float(np.median(self._seconds[1:])), 0.0)
            self._clock.add("compile", excess)
            self._clock.add("evaluate", -excess)
        return self._clock.report()

    def _evaluated(self, points: Points, step: int) -> Evaluation:
        if self._provider is not None:
            check_answered(self._journal.kept, self._journal.path, self._provider)
        if self._evaluate is None:
            with self._clock.phase("compile"):
                self._evaluate = self._make()
        number = len(self.evaluations)
        if self._provider is not None:
            self._journal.intend(number)
        start, waited = time.perf_counter(), self._team.waited_s
        told = self._evaluate(points, number)
        seconds, waited = time.perf_counter() - start, self._team.waited_s - waited
        self._seconds.append(seconds - waited)
        self._clock.add("evaluate", seconds - waited)
        if self._team.size > 1:
            self._clock.add("other ranks", waited)
        evaluation = Evaluation(number, step, points.rows, told, seconds, points.pairs)
        with self._clock.phase("record"):
            self._journal.append(evaluation)
            if self._provider is not None:
                self._journal.commit()
        return evaluation
