"""A survey's folder: a subfolder for each run, and two files that are made of them and can be made again.

survey.json      what is asked, the runs in their order with what was predicted of each, and the verdict
surrogate.json   the processes and what they were made of, and mean and deviation on the whole grid
sweep.json       the runs as the points of a sweep, for what reads sweeps
lock             held by the one process that works on the survey

Nothing is read back from these files but what is asked, and which runs were made in which order: so a survey can go on
elsewhere, where another rounding might lead to other runs. The rest is computed from the runs, each time, and
`differing` tells where a run does not follow from those before it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np

from circuits.errors import Refused
from hybrid.runs import algorithm
from hybrid.runs import folder as folders
from hybrid.runs.files import checked, parsed, read_bytes, read_json, write_json
from hybrid.runs.result import StoredResult
from hybrid.survey.loop import Progress, following, learnt, surrogate_of
from hybrid.survey.proposals import Past, Proposal, Why, first_design, propose
from hybrid.survey.question import Question
from hybrid.survey.step import Reading, Step

FILE, SURROGATE, SWEEP = folders.SURVEY, "surrogate.json", "sweep.json"

FORMAT = 1

MAY_CHANGE = ("interval", "runs")
"""What may be asked otherwise of a survey that was begun: no run depends on it."""

ROUNDING = 1e-3
"""Difference that another processor may cause in what is computed from the runs, in units of the promised interval."""

DEVIATIONS = ("z", "left_out", "widening")
"""Numbers in units of a standard deviation, in which that difference is relative."""


def reading_of(folder: Path) -> Reading | None:
    """What a run or an algorithm came to; None where it has not ended.

    Args:
        folder: Of it; it need not exist.

    Raises:
        Refused: if it is damaged, or has ended without an energy.
    """
    file = folder / folders.RESULT
    if not file.exists():
        return None
    content = read_bytes(file)
    stored: StoredResult | algorithm.StoredOutcome
    if folders.is_algorithm(folder):
        spec, stored = algorithm.read_spec(folder), checked(algorithm.StoredOutcome, parsed(file, content), file)
        accuracy, unit, problem = float(spec.asked.get("accuracy") or 0.0), spec.unit, str(spec.asked.get("problem"))
    else:
        run, stored = folders.read_spec(folder), checked(StoredResult, parsed(file, content), file)
        accuracy, unit, problem = run.workload.accuracy, stored.unit, stored.problem
    if stored.status == "stopped":
        return None
    if stored.energy is None:
        raise Refused(
            f"{folder} has ended without an energy, of which a survey is made; ask for something that has one"
        )
    return Reading(
        energy=stored.energy,
        standard_error=stored.standard_error or 0.0,
        accuracy=accuracy,
        exact_energy=stored.exact_energy,
        status=stored.status,
        unit=unit,
        problem=problem,
        result_sha256=hashlib.sha256(content).hexdigest(),
    )


def begin(folder: Path, question: Question) -> None:
    """Write what is asked, or refuse a folder where something else was.

    Args:
        folder: That exists.
        question: What is asked.

    Raises:
        Refused: if it holds the survey of another question, or a damaged one.
        RecordFailed: if it cannot be written.
    """
    if not folders.is_survey(folder):
        if (folder / SWEEP).exists() or any(folder.glob(f"*/{folders.SPEC}")):
            raise Refused(f"{folder} holds other runs already; choose another folder")
        write(folder, Progress(question, ()))
        return
    kept, asked = question_in(folder).to_dict(), question.to_dict()
    if differ := [key for key in asked if kept[key] != asked[key] and key not in MAY_CHANGE]:
        raise Refused(
            f"{folder} holds a survey that asks something else ({', '.join(differ)}); give it as it was, or choose "
            "another folder"
        )


def question_in(folder: Path) -> Question:
    """What the survey in a folder asks.

    Raises:
        Refused: if there is none, or a damaged one.
    """
    file = folder / FILE
    content = read_json(file)
    if content.get("format") != FORMAT:
        raise Refused(
            f"{file} has the format {content.get('format')}, and this version knows {FORMAT}: update hybrid-codesign"
        )
    try:
        asked = dict(content["question"])
        ranges = {name: (float(low), float(high)) for name, (low, high) in asked.pop("ranges").items()}
        return Question(ranges, **asked)
    except (KeyError, TypeError, ValueError) as err:
        raise Refused(f"{file} is damaged ({type(err).__name__}: {err}); restore it from a copy") from err


def history_in(folder: Path) -> list[Past]:
    """Which runs the survey in a folder has made, in their order.

    Raises:
        Refused: if there is none, or a damaged one.
    """
    names, file = question_in(folder).names, folder / FILE
    try:
        past = [
            Past({name: float(run["values"][name]) for name in names}, run["why"]) for run in read_json(file)["runs"]
        ]
        if any(one.why not in get_args(Why) for one in past):
            raise ValueError("why")
    except (KeyError, TypeError, ValueError) as err:
        raise Refused(f"{file} is damaged ({type(err).__name__}: {err}); restore it from a copy") from err
    return past


def read(folder: Path) -> Progress:
    """How far the survey in a folder has come, computed from its runs.

    Raises:
        Refused: if there is none, or one of its files is damaged.
    """
    progress, history = Progress(question_in(folder), ()), history_in(folder)
    while (proposal := following(progress, history)) is not None:
        reading = reading_of(folder / proposal.name)
        if reading is None:
            return progress
        progress = learnt(progress, Step(proposal, reading))
    return progress


def write(folder: Path, progress: Progress) -> None:
    """Write how far a survey has come.

    Args:
        folder: Of the survey.
        progress: Of it.

    Raises:
        RecordFailed: if it cannot be written.
    """
    if progress.surrogate is not None:
        write_json(folder / SURROGATE, surrogate_content(progress))
    points = [
        {
            "values": step.proposal.values,
            "folder": str(folder / step.proposal.name),
            "energy": step.reading.energy,
            "status": step.reading.status,
        }
        for step in progress.steps
    ]
    write_json(folder / SWEEP, {"points": points})
    write_json(folder / FILE, content_of(progress))


def content_of(progress: Progress) -> dict[str, Any]:
    """The content of survey.json."""
    first = progress.steps[0].reading if progress.steps else None
    return {
        "format": FORMAT,
        "question": progress.question.to_dict(),
        "status": progress.status,
        "problem": first and first.problem,
        "unit": first and first.unit,
        "verdict": progress.verdict and progress.verdict.to_dict(),
        "runs": [step.to_dict() for step in progress.steps],
    }


def surrogate_content(progress: Progress) -> dict[str, Any]:
    """The content of surrogate.json."""
    assert progress.surrogate is not None
    mean, deviation = progress.surrogate.predict(progress.question.grid())
    axes = dict(zip(progress.question.names, progress.question.axes(), strict=True))
    told = {"axes": axes, "mean": mean, "deviation": deviation}
    return {"format": FORMAT, **progress.surrogate.to_dict(), "grid": told}


def differing(folder: Path) -> str:
    """In what survey.json and surrogate.json say otherwise than the runs; empty where in nothing.

    Args:
        folder: Of the survey.

    Raises:
        Refused: if a file is missing or damaged.
    """
    progress = read(folder)
    first = first_design(progress.question)
    for number, step in enumerate(progress.steps):
        here, before = step.proposal, progress.steps[:number]
        right = first[number] if number < len(first) else _proposed(progress.question, before)
        if right is None or (here.values, here.why) != (right.values, right.why):
            return f"run {number + 1} ({here.name}) is not where those before it lead on this machine"
    told = read_json(folder / FILE)
    scale = progress.question.interval
    right = content_of(progress)
    if told.get("status") == "stopped" and right["status"] == "unfinished":
        right["status"] = "stopped"
    if where := _differ(told, right, scale):
        return f"{FILE} says otherwise than the runs: {where}"
    if progress.surrogate is None:
        return ""
    told, right = read_json(folder / SURROGATE), surrogate_content(progress)
    for content in (told, right):
        content.pop("processes", None)  # of equal weights either may come first; what they predict is compared
    where = _differ(told, right, scale)
    return f"{SURROGATE} says otherwise than the runs: {where}" if where else ""


def _proposed(question: Question, steps: tuple[Step, ...]) -> Proposal | None:
    surrogate = surrogate_of(question, steps)
    return propose(question, [step.proposal.values for step in steps], surrogate)


def _differ(told: Any, right: Any, scale: float, at: str = "") -> str:
    """Where two JSON-able values differ by more than rounding; empty where nowhere."""
    if isinstance(right, np.ndarray):
        right = right.tolist()
    if isinstance(right, Mapping):
        if not isinstance(told, Mapping) or told.keys() != right.keys():
            return at or "its keys"
        pairs = [(key, told[key], right[key]) for key in right]
    elif isinstance(right, list | tuple):
        if not isinstance(told, list) or len(told) != len(right):
            return at
        pairs = [(str(k), one, other) for k, (one, other) in enumerate(zip(told, right, strict=True))]
    elif isinstance(right, float) and isinstance(told, int | float):
        bound = max(1.0, abs(right)) if at.rpartition(".")[2] in DEVIATIONS else scale
        return "" if abs(told - right) <= ROUNDING * bound else at
    else:
        return "" if told == right else at
    found = (_differ(one, other, scale, f"{at}.{key}" if at else key) for key, one, other in pairs)
    return next((where for where in found if where), "")
