"""Where the next run goes: a function of the question and of the runs that have ended, and of nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hybrid.optimizers.streams import stream
from hybrid.optimizers.surrogate import log_h
from hybrid.survey.question import Question
from hybrid.survey.surrogate import Surrogate, scaled

Why = Literal["design", "uncertain", "improvement", "check"]

TIE = 1e-6
"""Relative difference below which two points are equally good: the first in the grid is taken."""


@dataclass(frozen=True)
class Past:
    """A run that was made before.

    Attributes:
        values: Of the ranges.
        why: As of a `Proposal`.
    """

    values: dict[str, float]
    why: Why


@dataclass(frozen=True)
class Proposal:
    """A run that shall be made.

    Attributes:
        number: Of the run, from 0.
        values: Of the ranges.
        why: "design" for the first design; "uncertain" and "improvement" for what the surrogate asks for; "check" for a
            random point that tests what it says.
        mean: Of the energy, as predicted before the run; None in the first design.
        deviation: Of that prediction.
    """

    number: int
    values: dict[str, float]
    why: Why
    mean: float | None = None
    deviation: float | None = None

    @property
    def name(self) -> str:
        """Of the run's folder."""
        return ",".join(f"{name}={value}" for name, value in self.values.items())

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "values": dict(self.values),
            "folder": self.name,
            "why": self.why,
            "predicted": self.mean,
            "deviation": self.deviation,
        }


def first_design(question: Question) -> list[Proposal]:
    """The runs with which a survey begins: each as far as possible from those before it.

    Args:
        question: Of the survey.

    References:
        W. G. Müller, Coffee-house designs, in Optimum Design 2000 (Kluwer, 2001).
    """
    from scipy.spatial.distance import cdist  # a third of a second, which commands without a survey need not wait

    grid = question.grid()
    U = scaled(grid, question.ranges)
    chosen = [0]
    apart = cdist(U, U[:1])[:, 0]
    while len(chosen) < question.n_first:
        chosen.append(_first_of_the_largest(apart))
        apart = np.minimum(apart, cdist(U, U[chosen[-1:]])[:, 0])
    return [Proposal(k, question.values(grid[row]), "design") for k, row in enumerate(chosen)]


def propose(question: Question, seen: Sequence[dict[str, float]], surrogate: Surrogate) -> Proposal | None:
    """The next run after the first design; None where every point of the grid has one.

    Args:
        question: Of the survey.
        seen: Values of the runs that have ended, in their order.
        surrogate: That has learnt from them.
    """
    grid = question.grid()
    done = {tuple(values.values()) for values in seen}
    free = np.array([row for row in grid if tuple(row) not in done])
    if not len(free):
        return None
    mean, deviation = surrogate.predict(free)
    number = len(seen)
    if is_check(question, number):
        at, why = int(stream(question.seed, number).integers(len(free))), "check"
    elif question.find == "minimum":
        lowest = float(surrogate.predict(surrogate.X)[0].min())
        gain = np.log(deviation) + log_h((lowest - mean) / deviation)[0]
        at, why = int(np.argmax(gain >= gain.max() - TIE)), "improvement"
    else:
        at, why = _first_of_the_largest(deviation), "uncertain"
    return again(question, number, Past(question.values(free[at]), why), surrogate)


def again(question: Question, number: int, past: Past, surrogate: Surrogate | None) -> Proposal:
    """A run that was made before, with what the surrogate predicts of it now.

    Args:
        question: Of the survey.
        number: Of the run.
        past: Where it was made, and why.
        surrogate: That has learnt from those before it; None where there is none yet.
    """
    if number < question.n_first or surrogate is None:
        return Proposal(number, past.values, past.why)
    mean, deviation = surrogate.predict(np.array([list(past.values.values())]))
    return Proposal(number, past.values, past.why, float(mean[0]), float(deviation[0]))


def is_check(question: Question, number: int) -> bool:
    """Whether a run of this number tests the surrogate at a random point."""
    later = number - question.n_first
    return later >= 0 and (later + 1) % question.n_check == 0


def _first_of_the_largest(values: np.ndarray) -> int:
    return int(np.argmax(values >= (1.0 - TIE) * values.max()))
