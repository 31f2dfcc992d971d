"""The survey of a study file: each run is a point of the study, in a subfolder named after its values."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from circuits.errors import Refused
from hybrid.ranks.mpi import ALONE, Ranks
from hybrid.routing.plan import Plan
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import check_free
from hybrid.runs.start import PREFIX
from hybrid.studies.continuation import begun
from hybrid.studies.outcome import Outcome
from hybrid.studies.run import run_study
from hybrid.studies.study import Point, Study
from hybrid.survey.carry_out import carry_out
from hybrid.survey.loop import Progress
from hybrid.survey.proposals import Proposal
from hybrid.survey.question import Question
from hybrid.survey.record import reading_of
from hybrid.survey.result import Survey
from hybrid.survey.step import Reading, Step
from hybrid.survey.surrogate import scaled


def run_survey(
    study: Study,
    folder: Path,
    *,
    resume: bool,
    on_plan: Callable[[Point, Plan], None] = lambda point, plan: None,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    on_step: Callable[[Step, Progress], None] = lambda step, progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    ranks: Ranks = ALONE,
    end: float | None = None,
) -> Survey:
    """Make the runs of a survey until what it promises holds, or go on where it was stopped.

    What was run before is read, and where each next run goes follows from it: a survey that was killed gives the same
    runs as one that was not.

    Args:
        study: With a survey.
        folder: Where the record goes.
        resume: Whether to continue what the folder holds; otherwise it must hold none.
        on_plan: As for `hybrid.studies.run.run_study`.
        on_outcome: The same.
        on_step: Called after each run, those included that were made before.
        should_stop: As for `run_study`.
        ranks: As for `run_study`; they share each run's evaluations.
        end: As for `run_study`.

    Returns:
        What it came to; also if it was stopped.

    Raises:
        Refused: if the folder holds something else, or a run cannot be built.
        ToolkitError: if a run fails; those before it are kept, and the survey can go on.
    """
    question = study.survey
    assert question is not None
    if not resume:
        check_free(folder)
        if folders.is_survey(folder):
            raise Refused(f"{folder} holds a survey already; continue it with --resume, or choose another folder")
    warm = study.points()[0].spec.run.warm_start

    def run(proposal: Proposal, steps: Sequence[Step]) -> Reading | None:
        start = f"{PREFIX}{(folder / nearest(question, proposal, steps)).absolute()}" if warm and steps else None
        own = {} if start is None else {"theta": start}
        alone = study.at(proposal.values, seed=question.seed + proposal.number, warm_start=None, **own)
        (point,) = alone.points()
        place = folder / point.name
        if begun(point, place) and (reading := reading_of(place)) is not None:
            return reading
        for outcome in run_study(
            alone,
            folder,
            resume=True,
            on_plan=on_plan,
            on_outcome=on_outcome,
            should_stop=should_stop,
            ranks=ranks,
            end=end,
        ):
            if outcome.error is not None:
                raise outcome.error
        return reading_of(place)

    return carry_out(question, folder, run, on_step)


def nearest(question: Question, proposal: Proposal, steps: Sequence[Step]) -> str:
    """The folder of the run nearest to a proposed one, relative to the ranges; the earliest of equally near ones.

    Args:
        question: Of the survey.
        proposal: The run.
        steps: Those that have ended; at least one.
    """
    there = scaled(np.array([list(step.proposal.values.values()) for step in steps]), question.ranges)
    here = scaled(np.array([list(proposal.values.values())]), question.ranges)
    return steps[int(np.argmin(((there - here) ** 2).sum(axis=1).round(9)))].proposal.name
