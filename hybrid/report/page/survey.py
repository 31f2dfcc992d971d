"""The section on a survey: whether its promise holds, its picture, and its runs with what was predicted of them."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.report.page.drawing import drawing
from hybrid.report.page.html import Html, facts, section, table
from hybrid.report.survey import draw
from hybrid.runs import folder as folders
from hybrid.runs.files import read_json
from hybrid.terminal.words import counted, with_unit

SURROGATE = "surrogate.json"


def has_survey(folder: Path) -> bool:
    """Whether a folder holds a survey that has learnt something."""
    return folders.is_survey(folder) and (folder / SURROGATE).is_file()


def survey_section(folder: Path) -> Html:
    """What the files of a survey say.

    Args:
        folder: Of the survey.

    Raises:
        Refused: if one of them is damaged.
    """
    told, surrogate = read_json(folder / folders.SURVEY), read_json(folder / SURROGATE)
    try:
        drawn = drawing(partial(draw, told, surrogate), name="survey", says=_says(told))
        return section("Survey", facts(_answer(told)), drawn, _table(told))
    except (KeyError, TypeError, ValueError) as err:
        raise Refused(f"{folder / folders.SURVEY} or {SURROGATE} is damaged ({type(err).__name__}: {err})") from err


def _says(told: Mapping[str, Any]) -> str:
    over = " and ".join(told["question"]["ranges"])
    return f"Energy over {over} with its 95 % interval, from {counted(len(told['runs']), 'runs')}"


def _answer(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    verdict, unit, question = told["verdict"], told["unit"], told["question"]
    lowest = verdict["lowest"]
    half = with_unit(f"{verdict['half_width']:.2g}", unit)
    energy = with_unit(f"{lowest['energy']:.6f}", unit)
    return [
        ("Status", told["status"]),
        ("Promised half width", with_unit(f"{question['interval']:g}", unit)),
        ("Reached", f"{half} (largest at {_at(verdict['at'])})"),
        ("Lowest energy", f"{energy} at {_at(lowest['at'])}"),
        ("What is missing", verdict["doubt"]),
    ]


def _at(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in values.items())


def _table(told: Mapping[str, Any]) -> Html:
    names = list(told["question"]["ranges"])
    columns = ["Run", *names, "Why", "Predicted", "Energy", "Deviations off"]
    rows = [
        [
            str(run["run"] + 1),
            *(f"{run['values'][name]:g}" for name in names),
            run["why"],
            "–" if run["predicted"] is None else f"{run['predicted']:.6f} ± {run['deviation']:.1e}",
            f"{run['energy']:.6f}",
            "–" if run["z"] is None else f"{run['z']:+.2f}",
        ]
        for run in told["runs"]
    ]
    numbers = ["Run", *names, "Predicted", "Energy", "Deviations off"]
    unit = told["unit"]
    return table(columns, rows, caption=f"Runs in their order, energies in {unit}" if unit else "Runs", numbers=numbers)
