"""A prediction after the run: how it compares with what happened, and what the next one learns from it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from backends.base import Capabilities
from backends.speed import correct
from circuits.errors import RecordFailed
from hybrid.routing.learned import learn
from hybrid.routing.outlook import remembered_as
from hybrid.runs.prediction import Prediction, predicted
from hybrid.runs.result import Result
from hybrid.terminal.progress import say
from hybrid.workload.workload import Workload

BEFORE = ("problem", "plan")
"""Phases that have ended when a prediction is made."""


def in_hindsight(
    plan: Mapping[str, Any], evaluations: int, seconds: Mapping[str, float], replayed_s: float
) -> Prediction | None:
    """What a run's plan predicted, with what it took; None for records of versions that predicted nothing.

    Args:
        plan: From the run's spec.
        evaluations: Rows of parameters, those of the conclusion included.
        seconds: Wall time by phase, with the "total", of the process that ended it.
        replayed_s: What the evaluations of earlier processes took.
    """
    made, before = predicted(plan), sum(seconds.get(phase, 0.0) for phase in BEFORE)
    return made and made.after(evaluations=evaluations, seconds=seconds["total"] - before + replayed_s)


def learn_from(work: Workload, can: Capabilities, result: Result) -> None:
    """Let later plans know how many rows a run took that has ended; called by its leader alone.

    One that spent its steps teaches only that it takes as many at least.

    Args:
        work: The workload.
        can: What the backend can do where it ran.
        result: What it came to.
    """
    if not work.theta.size:
        return
    expected = work.expected(shots=can.default_shots)
    happened = max(int((result.history.step < result.steps).sum()), 1)  # the conclusion's rows belong to the last step
    if result.status == "max_steps" and happened <= expected.unlimited:
        return
    learn(remembered_as(work, can), expected=expected.unlimited, happened=happened)


def correct_speed(work: Workload, can: Capabilities, result: Result, plan: Mapping[str, Any]) -> None:
    """Let later plans know how fast the backend of a run that has ended really was; called by its leader alone.

    Only rows that one process computed here, without the geometry of the states, tell the speed that was predicted.

    Args:
        work: The workload.
        can: What the backend can do where it ran.
        result: What it came to.
        plan: From the run's spec.
    """
    chosen = (plan.get("ways") or [{}])[0]
    name, row_s = (chosen.get("cost") or {}).get("speed"), chosen.get("row_s")
    rows = result.history.seconds[result.history.step < result.steps]
    if not (name and row_s and len(rows)) or can.place != "here" or result.ranks > 1 or work.optimizer.geometry:
        return
    try:
        correct(name, row_s * len(rows), float(np.median(rows)) * len(rows))  # the first one was compiled
    except RecordFailed as err:
        say(f"hybrid: {err}; the run's own record is complete")
