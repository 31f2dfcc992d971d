"""Whether a survey has reached what it promised, and if not, why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hybrid.survey.question import Question
from hybrid.survey.step import FINISHED, Step
from hybrid.survey.surrogate import TWO_SIDED, Surrogate
from hybrid.terminal.words import with_unit

CHECKS = 2
"""Of the last runs at random points so many must agree with what was predicted."""

AGREES = 3.0
"""Standard deviations up to which a run agrees."""


@dataclass(frozen=True)
class Verdict:
    """How far a survey has come.

    Attributes:
        half_width: Of the 95 % interval: the largest on the grid, or that of the lowest energy.
        at: Where the largest is, or where the lowest energy is expected.
        lowest: The lowest energy on the grid, as expected.
        lowest_at: Where that is.
        promise: Whether the half width is as small as promised.
        valid: Whether the last checks agree with what was predicted; None as long as there are too few.
        doubt: Why the survey cannot keep its promise, in words, or what is missing yet; empty where it has.
        hopeless: Whether no further run changes that.
    """

    half_width: float
    at: dict[str, float]
    lowest: float
    lowest_at: dict[str, float]
    promise: bool
    valid: bool | None
    doubt: str
    hopeless: bool

    @property
    def reached(self) -> bool:
        """Whether the survey may end."""
        return self.promise and self.valid is True and not self.doubt

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "half_width": self.half_width,
            "at": self.at,
            "lowest": {"energy": self.lowest, "at": self.lowest_at},
            "promise": self.promise,
            "valid": self.valid,
            "doubt": self.doubt,
        }


def judge(question: Question, steps: Sequence[Step], surrogate: Surrogate) -> Verdict:
    """How far a survey has come.

    Args:
        question: Of the survey.
        steps: Its runs.
        surrogate: That has learnt from them.
    """
    grid = question.grid()
    mean, deviation = surrogate.predict(grid)
    lowest, widest = int(np.argmin(mean)), int(np.argmax(deviation))
    if question.find == "minimum":
        half, at = _of_lowest(mean, deviation), lowest
    else:
        half, at = TWO_SIDED * float(deviation[widest]), widest
    promise, valid = half <= question.interval, _valid(steps)
    doubt, hopeless = _doubt(question, steps, half, question.values(grid[at]), valid)
    return Verdict(
        half,
        question.values(grid[at]),
        float(mean[lowest]),
        question.values(grid[lowest]),
        promise,
        valid,
        doubt,
        hopeless,
    )


def _of_lowest(mean: np.ndarray, deviation: np.ndarray) -> float:
    """Half of what lies between the lowest upper and the lowest lower end of the interval anywhere."""
    spread = TWO_SIDED * deviation
    return 0.5 * float((mean + spread).min() - (mean - spread).min())


def _valid(steps: Sequence[Step]) -> bool | None:
    found = [abs(step.z) <= AGREES for step in steps if step.proposal.why == "check" and step.z is not None]
    return all(found[-CHECKS:]) if len(found) >= CHECKS else None


def _doubt(
    question: Question, steps: Sequence[Step], half: float, at: dict[str, float], valid: bool | None
) -> tuple[str, bool]:
    """What is missing, and whether no further run can bring it."""
    unit = steps[0].reading.unit
    error = float(np.median([step.reading.standard_error for step in steps]))
    # Runs of one standard error that all told of the same number would leave this much.
    least = TWO_SIDED * error / math.sqrt(question.runs)
    wanted = with_unit(f"{question.interval:g}", unit)
    if least > question.interval:
        more = math.ceil((least / question.interval) ** 2)
        said = (
            f"the standard error of a run is {with_unit(f'{error:.2g}', unit)}: an interval of {wanted} cannot come of "
            f"{question.runs} such runs; take at least {more} times the shots, or promise a wider interval"
        )
        return said, True
    if wrong := [step for step in steps if step.reading.status not in FINISHED]:
        first = wrong[0]
        said = (
            f"{len(wrong)} of {len(steps)} runs did not converge, the first at {_place(first.proposal.values)} "
            f"({first.reading.status}): their energies are not those that were asked for; give the optimizer more "
            "max_steps, or another kind"
        )
        return said, False
    if half > question.interval:
        what = "the lowest energy is" if question.find == "minimum" else f"the energy at {_place(at)} is"
        return f"{what} known to {with_unit(f'{half:.2g}', unit)}, not to {wanted}", False
    if valid is None:
        return f"fewer than {CHECKS} runs at random points have tested what is predicted", False
    if not valid:
        z = [step.z for step in steps if step.proposal.why == "check" and step.z is not None][-CHECKS:]
        worst = max(map(abs, z))
        return f"of the last {CHECKS} checks one was {worst:.1f} standard deviations from what was predicted", False
    return "", False


def _place(values: dict[str, float]) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in values.items())
