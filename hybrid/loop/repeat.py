"""A loop repeated from its journal alone: nothing is evaluated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hybrid.loop.clock import Clock
from hybrid.loop.optimize import Ending, optimize
from hybrid.loop.replay import Replay
from hybrid.optimizers.optimizer import Points, Told
from hybrid.runs.evaluation import Evaluation
from hybrid.workload.workload import Workload

OTHER_PROCESSOR = 1e-9
"""Radians by which parameters may differ that are asked for again on another processor, which rounds otherwise."""


class JournalEnded(Exception):
    """The loop asks for more than the journal holds."""


@dataclass(frozen=True)
class Repeated:
    """Where a repeated loop has ended.

    Attributes:
        ending: Of the loop.
        replay: What of the journal was handed out, and what is left.
        answer: Answers further points from the journal, such as those of a conclusion.
    """

    ending: Ending
    replay: Replay
    answer: Callable[[Points, int], Told]


def repeated(work: Workload, theta: np.ndarray, recorded: Sequence[Evaluation], *, title: str) -> Repeated:
    """Start the loop of a workload again, and answer it from a journal.

    Args:
        work: Optimizer, accuracy, seed and steps.
        theta: Where it starts, shape (params,), radians.
        recorded: Evaluations of the journal, in order.
        title: Of the line of progress.

    Raises:
        Refused: if the loop asks for other evaluations than the journal holds.
        JournalEnded: if it asks for more.
    """
    replay = Replay(recorded, tolerance=OTHER_PROCESSOR)

    def answer(points: Points, step: int) -> Told:
        evaluation = replay.next(points, step)
        if evaluation is None:
            raise JournalEnded(f"the journal ends after {replay.number} evaluations, in step {step}")
        return evaluation.told

    ending = optimize(
        work.optimizer,
        theta,
        answer,
        accuracy=work.accuracy,
        seed=work.seed,
        max_steps=work.max_steps,
        should_stop=lambda: False,
        clock=Clock(),
        title=title,
        unit=work.problem.unit,
    )
    return Repeated(ending, replay, answer)
