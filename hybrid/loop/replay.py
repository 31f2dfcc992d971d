"""Answering the evaluations of an optimizer from a journal, as long as it lasts."""

from collections.abc import Sequence

import numpy as np

from circuits.errors import Refused
from hybrid.optimizers.optimizer import Points
from hybrid.runs.evaluation import Evaluation


class Replay:
    """The evaluations of a journal, handed out in order to a loop that asks for the same ones again.

    Args:
        recorded: Evaluations of the journal, in order.
        tolerance: By how much the parameters asked for may differ from those in the journal, radians; 0 asks for the
            same bits.

    Attributes:
        number: How many were handed out.
        same_bits: Whether all parameters asked for so far are those in the journal to the last bit.
    """

    def __init__(self, recorded: Sequence[Evaluation], *, tolerance: float = 0.0):
        self._recorded, self._tolerance = recorded, tolerance
        self.number = 0
        self.same_bits = True

    @property
    def left(self) -> int:
        """Number of evaluations that were not asked for yet."""
        return len(self._recorded) - self.number

    def next(self, points: Points, step: int) -> Evaluation | None:
        """The next evaluation; None where the journal has ended.

        Args:
            points: What the optimizer asks for.
            step: Number of its step, from 0.

        Raises:
            Refused: if the journal's next evaluation was made at other points or in another step.
        """
        if not self.left:
            return None
        evaluation = self._recorded[self.number]
        same_bits = evaluation.theta.tobytes() == points.rows.tobytes()
        near = same_bits or (self._tolerance > 0.0 and _near(evaluation.theta, points.rows, self._tolerance))
        if not near or not _answers(evaluation, points, exactly=same_bits) or evaluation.step != step:
            raise Refused(
                f"the journal's evaluation {self.number} was made at other parameters than the loop asks for now: it "
                "was written by another version of the software or for other inputs. It was left as it is; start the "
                "run anew in another folder"
            )
        self.number += 1
        self.same_bits = self.same_bits and same_bits
        return evaluation


def _near(one: np.ndarray, other: np.ndarray, tolerance: float) -> bool:
    return one.shape == other.shape and bool(np.all(np.abs(one - other) <= tolerance))


def _answers(evaluation: Evaluation, points: Points, *, exactly: bool) -> bool:
    """Whether an evaluation holds just what the points ask for, and compares the same pairs."""
    told, pairs = evaluation.told, evaluation.pairs
    wanted = [told.gradients is not None, told.metrics is not None, pairs is not None]
    if wanted != [points.gradient, bool(points.metric), points.pairs is not None]:
        return False
    return not exactly or pairs is None or points.pairs is None or pairs.tobytes() == points.pairs.tobytes()
