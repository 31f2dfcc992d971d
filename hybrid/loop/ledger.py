"""Answers to the optimizer's questions: from the journal while it lasts, then from the backend."""

import time
from collections.abc import Callable

import numpy as np

from backends.base import Backend
from circuits.errors import Refused
from hybrid.clock import Clock
from hybrid.distributed import ALONE, Ranks
from hybrid.optimizers.optimizer import Points, Told
from hybrid.runs.journal import Evaluation, Journal
from hybrid.sharing import evaluator
from hybrid.workload import Workload


class Ledger:
    """Answers from the journal while it lasts, then from the backend, writing each answer down.

    Args:
        journal: Of the run.
        work: The workload.
        backend: Where new answers come from; it is not touched while the journal has the answer.
        clock: Gets the time by phase.
        team: Ranks that help; this one leads.
    """

    def __init__(self, journal: Journal, work: Workload, backend: Backend, clock: Clock, team: Ranks = ALONE):
        self._journal, self._work, self._backend, self._clock, self._team = journal, work, backend, clock, team
        self._recorded = list(journal.read())
        self._evaluator: Callable[[Points, int], Told] | None = None
        self.evaluations: list[Evaluation] = []
        self._own_s: list[float] = []

    def answer(self, points: Points, step: int) -> Told:
        """What the points are worth.

        Raises:
            Refused: if the journal holds an answer to another question here.
        """
        number = len(self.evaluations)
        if number < len(self._recorded):
            evaluation = self._recorded[number]
            if not _same_question(evaluation, points) or evaluation.step != step:
                raise Refused(
                    f"the journal's evaluation {number} was made at other parameters than the loop asks for now: "
                    "it was written by another version of the software or for other inputs. It was left as it is; "
                    "start the run anew in another folder"
                )
        else:
            evaluation = self._evaluate(points, step, number)
        self.evaluations.append(evaluation)
        return evaluation.told

    @property
    def asked_backend(self) -> bool:
        """Whether anything was computed that the journal did not hold when the run was opened."""
        return len(self.evaluations) > len(self._recorded)

    def best(self) -> tuple[np.ndarray, float, float]:
        """Parameters, energy and standard error of the lowest energy so far; the start and NaN before the first."""
        best = (self._work.theta, np.nan, np.nan)
        for evaluation in self.evaluations:
            row = int(np.argmin(evaluation.told.values))
            if not evaluation.told.values[row] >= best[1]:
                told = evaluation.told
                best = (evaluation.theta[row], float(told.values[row]), float(told.standard_errors[row]))
        return best

    def report(self) -> dict[str, float]:
        """Seconds by phase, with the first evaluation's excess over the others counted as compilation."""
        if len(self._own_s) > 1:
            excess = max(self._own_s[0] - float(np.median(self._own_s[1:])), 0.0)
            self._clock.add("compile", excess)
            self._clock.add("evaluate", -excess)
        return self._clock.report()

    def _evaluate(self, points: Points, step: int, number: int) -> Evaluation:
        if self._evaluator is None:
            with self._clock.phase("compile"):
                self._evaluator = evaluator(self._work, self._backend, self._team)
        start, waited = time.perf_counter(), self._team.waited_s
        told = self._evaluator(points, number)
        seconds, waited = time.perf_counter() - start, self._team.waited_s - waited
        self._own_s.append(seconds - waited)
        self._clock.add("evaluate", seconds - waited)
        if self._team.size > 1:
            self._clock.add("other ranks", waited)
        evaluation = Evaluation(number, step, points.rows, told, seconds, points.pairs)
        with self._clock.phase("record"):
            self._journal.append(evaluation)
        return evaluation


def _same_question(evaluation: Evaluation, points: Points) -> bool:
    """Whether the journal's answer belongs to these points, bit for bit, and says all that they want to know."""
    told, pairs = evaluation.told, evaluation.pairs
    return (
        evaluation.theta.tobytes() == points.rows.tobytes()
        and (told.gradients is not None) == points.gradient
        and (told.metrics is not None) == bool(points.metric)
        and (None if pairs is None else pairs.tobytes()) == (None if points.pairs is None else points.pairs.tobytes())
    )
