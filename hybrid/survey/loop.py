"""The closed loop of a survey: propose, run, validate, learn, and stop when the promised interval holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hybrid.survey.proposals import Past, Proposal, again, first_design, propose
from hybrid.survey.question import Question
from hybrid.survey.step import Reading, Step
from hybrid.survey.surrogate import LEAST_RUNS, Surrogate, learn
from hybrid.survey.verdict import Verdict, judge

Status = Literal["converged", "not_converged", "stopped", "unfinished"]


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a survey has come.

    Attributes:
        question: What is asked.
        steps: The runs that have ended, in their order.
        surrogate: What they say; None as long as there are too few.
        verdict: On the promise; None as long as there is no surrogate.
        status: "unfinished" where another run follows.
    """

    question: Question
    steps: tuple[Step, ...]
    surrogate: Surrogate | None = None
    verdict: Verdict | None = None
    status: Status = "unfinished"


def explore(
    question: Question,
    run: Callable[[Proposal, Sequence[Step]], Reading | None],
    *,
    history: Sequence[Past] = (),
    on_step: Callable[[Step, Progress], None] = lambda step, progress: None,
) -> Progress:
    """Make runs until what is promised holds, no run is left, or no further one would help.

    Args:
        question: What is asked.
        run: Makes a run, or reads it where it was made before, given the runs that have ended; None where it was
            stopped.
        history: Runs that were made before, in their order; proposals follow them.
        on_step: Called after each run.

    Returns:
        How far the survey came: "converged", "not_converged", or "stopped".
    """
    progress = Progress(question, ())
    while (proposal := following(progress, history)) is not None:
        reading = run(proposal, progress.steps)
        if reading is None:
            return replace(progress, status="stopped")
        progress = learnt(progress, Step(proposal, reading))
        on_step(progress.steps[-1], progress)
    return progress


def following(progress: Progress, history: Sequence[Past] = ()) -> Proposal | None:
    """The next run; None where none follows.

    Args:
        progress: So far.
        history: As for `explore`.
    """
    if progress.status != "unfinished":
        return None
    number = len(progress.steps)
    if number < len(history):
        return again(progress.question, number, history[number], progress.surrogate)
    if number < progress.question.n_first:
        return first_design(progress.question)[number]
    assert progress.surrogate is not None
    return propose(progress.question, [step.proposal.values for step in progress.steps], progress.surrogate)


def learnt(progress: Progress, step: Step) -> Progress:
    """How far a survey has come with one more run.

    Args:
        progress: Before it.
        step: The run.
    """
    question, steps = progress.question, (*progress.steps, step)
    if len(steps) < LEAST_RUNS:
        return replace(progress, steps=steps)
    surrogate = surrogate_of(question, steps)
    verdict = judge(question, steps, surrogate)
    ended = len(steps) >= question.n_first
    last = len(steps) >= min(question.runs, len(question.grid())) or verdict.hopeless
    status: Status = "unfinished"
    if ended and verdict.reached:
        status = "converged"
    elif ended and last:
        status = "not_converged"
    return Progress(question, steps, surrogate, verdict, status)


def surrogate_of(question: Question, steps: Sequence[Step]) -> Surrogate:
    """What runs say of the energies between them.

    Args:
        question: Of the survey.
        steps: Its runs, at least two.
    """
    first = steps[0].reading
    return learn(
        question.ranges,
        np.array([list(step.proposal.values.values()) for step in steps]),
        [step.reading.energy for step in steps],
        [step.reading.standard_error for step in steps],
        accuracy=first.accuracy,
        unit=first.unit,
    )
