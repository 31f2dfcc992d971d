"""Evaluations for the optimizer: from the journal while it lasts, then from a backend, each appended to the journal."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hybrid.loop.clock import Clock
from hybrid.loop.replay import Replay
from hybrid.optimizers.optimizer import Points, Told
from hybrid.ranks.mpi import ALONE, Ranks
from hybrid.runs.evaluation import Evaluation
from hybrid.runs.journal import Journal, check_answered

Evaluate = Callable[[Points, int], Told]
"""From points and the number of their evaluation, from which its seeds follow, to their values."""


@dataclass(frozen=True)
class Place:
    """Where evaluations are computed.

    Attributes:
        make: Makes the function that evaluates; not called while the journal has the answers.
        provider: Name of the backend, if evaluations go to a provider: each is put on disk at once. None otherwise.
        before: Called with the number of each evaluation that is about to be computed: then the journal can say that it
            will be sent, so that nothing is sent, and paid for, twice.
    """

    make: Callable[[], Evaluate]
    provider: str | None = None
    before: Callable[[int], None] = lambda number: None


class Ledger:
    """Gives the optimizer its evaluations: from the journal while it lasts, then computed and appended to the journal.

    Args:
        journal: Of the run.
        place: Where the others are computed.
        clock: Gets the time by phase.
        team: Ranks that help; this one leads.
        after: Gives the place where to go on when one has raised an error in the evaluation of a number, or raises it.

    Attributes:
        evaluations: All so far, in order, those from the journal included.
        steps: How many steps the optimizer had ended when it asked for the last one.
    """

    def __init__(
        self,
        journal: Journal,
        place: Place,
        clock: Clock,
        *,
        team: Ranks = ALONE,
        after: Callable[[Exception, int], Place] | None = None,
    ):
        self._journal, self._place, self._clock, self._team, self._after = journal, place, clock, team, after
        self._replay = Replay(journal.content.evaluations)
        self._evaluate: Evaluate | None = None
        self._seconds: list[float] = []
        self.evaluations: list[Evaluation] = []
        self.steps = 0

    def answer(self, points: Points, step: int) -> Told:
        """The values of points, and what else they ask for.

        Args:
            points: What the optimizer asks for.
            step: Number of its step, from 0.

        Raises:
            Refused: if the journal's next evaluation was made at other points or in another step.
            LostJob: if the evaluation was sent to a provider before and never answered.
            FailedJob: if the backend fails.
            RecordFailed: if the journal cannot be written.
            Waiting: if it was to stop while jobs at a provider were waited for.
        """
        self.steps = step
        evaluation = self._replay.next(points, step) or self._evaluated(points, step)
        self.evaluations.append(evaluation)
        return evaluation.told

    @property
    def evaluated(self) -> bool:
        """Whether anything was computed that the journal did not hold when it was opened."""
        return bool(self._seconds)

    @property
    def replayed_s(self) -> float:
        """What the evaluations from the journal took when they were computed, seconds."""
        return sum(evaluation.seconds for evaluation in self.evaluations[: len(self.evaluations) - len(self._seconds)])

    def best(self, start: np.ndarray) -> tuple[np.ndarray, Told]:
        """The parameters with the lowest value so far.

        Args:
            start: Starting point, shape (params,), radians.

        Returns:
            The parameters, shape (params,), and their value, standard error and bias, each of shape (1,); the starting
            point and NaN before the first evaluation.
        """
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
        number = len(self.evaluations)
        while True:
            try:
                told, seconds = self._computed(points, number)
                break
            except Exception as err:
                if self._after is None:
                    raise
                self._place, self._evaluate = self._after(err, number), None
        evaluation = Evaluation(number, step, points.rows, told, seconds, points.pairs)
        with self._clock.phase("record"):
            self._journal.append(evaluation)
            if self._place.provider is not None:
                self._journal.commit()
        return evaluation

    def _computed(self, points: Points, number: int) -> tuple[Told, float]:
        """What the place gives for the points, and the seconds that it took."""
        place = self._place
        if place.provider is not None:
            check_answered(self._journal.content, self._journal.path, place.provider)
        if self._evaluate is None:
            with self._clock.phase("compile"):
                self._evaluate = place.make()
        place.before(number)
        start, waited = time.perf_counter(), self._team.waited_s
        told = self._evaluate(points, number)
        seconds, waited = time.perf_counter() - start, self._team.waited_s - waited
        self._seconds.append(seconds - waited)
        self._clock.add("evaluate", seconds - waited)
        if self._team.size > 1:
            self._clock.add("other ranks", waited)
        return told, seconds
