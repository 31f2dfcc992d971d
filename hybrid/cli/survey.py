"""A survey on the command line: its runs as they end, what it came to, and what it may cost."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hybrid.ranks.mpi import Ranks
    from hybrid.routing.plan import Plan
    from hybrid.studies.outcome import Outcome
    from hybrid.studies.study import Point, Study
    from hybrid.survey.loop import Progress
    from hybrid.survey.result import Survey
    from hybrid.survey.step import Step

PICTURE = "survey.png"


def lead(ranks: "Ranks", study: "Study", place: Path, *, resume: bool, plot: bool, as_json: bool) -> int:
    """Run a survey with the help of all ranks, and say how it went.

    Args:
        ranks: This one leads them.
        study: With a survey.
        place: Where the record goes.
        resume: Whether to continue what the folder holds.
        plot: Whether to draw it into the folder.
        as_json: Whether to print the result as JSON instead of text.

    Returns:
        The exit code.
    """
    from hybrid.loop.stop import Stop
    from hybrid.loop.walltime import end_time
    from hybrid.ranks.mpi import End
    from hybrid.survey.study import run_survey
    from hybrid.terminal.console import console

    out = console(quiet=as_json)
    first = study.points()[0]
    end = end_time()

    def announce(point: "Point", plan: "Plan") -> None:
        if point.name == first.name:
            out.print(plan)

    def told(step: "Step", progress: "Progress") -> None:
        out.print(line(step, progress), highlight=False, markup=False)

    def failed(outcome: "Outcome") -> None:
        if outcome.error is not None:
            out.print(f"{outcome.point.name}: failed: {outcome.error}", highlight=False, markup=False)

    with Stop(end) as stop:
        survey = run_survey(
            study,
            place,
            resume=resume,
            on_plan=announce,
            on_outcome=failed,
            on_step=told,
            should_stop=stop,
            ranks=ranks,
            end=end,
        )
        picture = draw(survey) if plot and not stop() else None
    out.print(str(survey), highlight=False, markup=False, soft_wrap=True)
    if picture is not None:
        out.print(f"picture: {picture}", highlight=False, markup=False, soft_wrap=True)
    if as_json:
        print(json.dumps(survey.to_dict() | {"ranks": ranks.size}, allow_nan=False), flush=True)
    code = code_of(survey)
    ranks.broadcast(End(code))
    return code


def code_of(survey: "Survey") -> int:
    """The exit code of a survey: 3 where what was promised does not hold."""
    from hybrid.cli.exit_codes import DONE, NOT_CONVERGED, STOPPED

    return {"converged": DONE, "not_converged": NOT_CONVERGED}.get(survey.status, STOPPED)


def line(step: "Step", progress: "Progress") -> str:
    """One run on one line of text: its energy, why it was made, what was predicted, and how well all is known now."""
    from hybrid.terminal.words import measured, with_unit

    reading, z = step.reading, step.z
    parts = [f"{step.proposal.name}: {measured(reading.energy, reading.standard_error, reading.unit)}"]
    parts.append(f"{step.proposal.why}" if z is None else f"{step.proposal.why}, {z:+.1f} deviations from predicted")
    if progress.verdict is not None and len(progress.steps) >= progress.question.n_first:
        parts.append(f"half width now {with_unit(f'{progress.verdict.half_width:.1e}', reading.unit)}")
    return "  ".join(parts)


def draw(survey: "Survey") -> Path | None:
    """Write the picture of a survey into its folder; None if there is nothing to draw, or it cannot be written."""
    from hybrid.cli import show

    return None if survey.progress.surrogate is None else show.save(survey.plot(), survey.folder / PICTURE)


def most(study: "Study", plans: "list[Plan]") -> dict[str, Any]:
    """What a survey takes at most, by the plans of its first design.

    Args:
        study: With a survey.
        plans: Of the points of its first design.

    Returns:
        JSON-able: "runs", and "seconds" and "usd" of so many runs like the dearest of the first; None where unknown.
    """
    assert study.survey is not None
    runs = study.survey.runs
    seconds = max((plan.chosen.seconds for plan in plans if plan.ways), default=math.nan)
    dollars = [usd for plan in plans if plan.ways and (usd := plan.chosen.cost.money_usd) is not None]
    return {
        "runs": runs,
        "seconds": None if math.isnan(seconds) else runs * seconds,
        "usd": runs * max(dollars) if len(dollars) == len(plans) else None,
    }


def most_text(most: dict[str, Any]) -> str:
    """`most` as a sentence."""
    from hybrid.terminal.words import duration, rounded

    time = "an unknown time" if most["seconds"] is None else duration(most["seconds"], digits=2)
    money = "" if not most["usd"] else f", ${rounded(most['usd'])}"
    return f"the survey: at most {most['runs']} such runs, one after the other: {time}{money}"
