"""What an algorithm is expected to take: the sum over its stages, with an interval and what was assumed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from backends.base import Backend
from circuits.errors import Refused
from hybrid.algorithms.algorithm import Algorithm, Stage
from hybrid.routing.outlook import Outlook, outlook
from hybrid.routing.phases import seconds_a_row
from hybrid.routing.plan import Plan, Way
from hybrid.routing.prediction import fitting
from hybrid.runs.prediction import Interval, Phase, Prediction, counted, timed
from hybrid.terminal.words import duration
from hybrid.workload.expected import rows_of
from hybrid.workload.workload import Workload

EARLY = 10.0
"""Times fewer steps that a minimization takes which converges early."""

TOGETHER = 10.0
"""Times faster that rows are which are computed together."""


def searches(
    work: Workload,
    times: Interval | int = 1,
    *,
    around: Callable[[Backend], Backend] = lambda backend: backend,
    less: float = 1.0,
) -> Callable[[Backend], Prediction]:
    """What a number of minimizations that are alike take, from the backend.

    Args:
        work: One of them.
        times: How many.
        around: What is put around the backend.
        less: Share of its usual rows that each takes at least, where it starts near its end.
    """
    number = times if isinstance(times, Interval) else Interval(expected=times, low=times, high=times)

    def predict(backend: Backend) -> Prediction:
        here = around(backend)
        one = outlook(work, here, fitting(work, here)).prediction
        rows = _scaled(one.evaluations, number, less)
        return Prediction(evaluations=rows, seconds=one.seconds and _scaled(one.seconds, number, less))

    return predict


def gradients_of(work: Workload, times: Interval) -> Callable[[Backend], Prediction]:
    """What a number of single gradients takes, from the backend, each of a circuit that is compiled for it alone.

    Args:
        work: Whose circuit and optimizer's derivatives they are.
        times: How many.
    """
    none = Interval(expected=0, low=0, high=0)

    def predict(backend: Backend) -> Prediction:
        cost = fitting(work, backend)
        each = cost.compile_s + seconds_a_row(work, cost)
        if not math.isfinite(each):
            return Prediction(evaluations=none)
        low, high = each / cost.spread, each * cost.spread
        seconds = Interval(expected=each * times.expected, low=low * times.low, high=high * times.high)
        return Prediction(evaluations=none, seconds=seconds)

    return predict


def steps_of(work: Workload, n_params: int, *, each: int) -> Callable[[Backend], Prediction]:
    """What a minimization that spends all its steps takes, from the backend.

    Args:
        work: Whose circuit is evaluated.
        n_params: Number of parameters that are changed.
        each: Evaluations of the circuit for each row of these.
    """
    most = rows_of(work.optimizer, n_params, work.max_steps)
    rows = Interval(expected=most, low=max(1.0, most / EARLY), high=most)

    def predict(backend: Backend) -> Prediction:
        return Prediction(evaluations=rows, seconds=_timed(rows, each, work, backend))

    return predict


def tangents_of(work: Workload, steps: int, *, integrator: tuple[int, int]) -> Callable[[Backend], Prediction]:
    """What a trajectory takes, from the backend.

    Args:
        work: Whose circuit moves.
        steps: Points of the trajectory, each counted as an evaluation.
        integrator: How often each takes a state with its derivatives, at least and at most.
    """
    points = Interval(expected=steps, low=steps, high=steps)
    low, high = (count * steps for count in integrator)
    motions = Interval(expected=math.sqrt(low * high), low=low, high=high)

    def predict(backend: Backend) -> Prediction:
        return Prediction(evaluations=points, seconds=_timed(motions, 1 + len(work.theta), work, backend))

    return predict


def _timed(rows: Interval, each: int, work: Workload, backend: Backend) -> Interval | None:
    """The seconds of so many rows, each of which takes some evaluations of the circuit; None if not known."""
    cost = fitting(work, backend)
    row_s = seconds_a_row(work, cost)
    if not math.isfinite(row_s):
        return None
    once = cost.compile_s
    return Interval(
        expected=once + each * row_s * rows.expected,
        low=(once + each * row_s * rows.low) / (cost.spread * TOGETHER),
        high=(once + each * row_s * rows.high) * cost.spread,
    )


def with_all_stages(plan: Plan, algorithm: Algorithm) -> Plan:
    """The plan of an algorithm's first minimization with what all stages together take, for every way.

    Args:
        plan: Of the first minimization.
        algorithm: What is asked.
    """
    stages = f"{algorithm.kind} in {len(algorithm.stages)} stage{'s' * (len(algorithm.stages) != 1)}"
    return Plan(f"{stages}; first {plan.workload}", tuple(_whole(way, algorithm) for way in plan.ways), plan.refusals)


def _whole(way: Way, algorithm: Algorithm) -> Way:
    try:
        parts = [(stage, stage.predict(way.backend)) for stage in algorithm.stages]
    except Refused as err:
        return replace(way, outlook=None, reason=f"{way.reason}; a later stage cannot be predicted: {err}")
    evaluations = _sum([part.evaluations for _, part in parts])
    known = [part.seconds for _, part in parts if part.seconds is not None]
    seconds = _sum(known) if len(known) == len(parts) else None
    told = f"all stages: {counted(evaluations, 'evaluations')}" + ("" if seconds is None else f", {timed(seconds)}")
    assumed = f"assumed: {'; '.join(algorithm.assumed)}"
    whole = Outlook(
        Prediction(evaluations=evaluations, seconds=seconds),
        tuple(_phase(stage, part) for stage, part in parts),
        (told, _listed(parts), assumed),
        math.nan,
    )
    return replace(way, outlook=whole)


def _listed(parts: Sequence[tuple[Stage, Prediction]]) -> str:
    """The stages on one line: the first ones and the last, where they are many."""
    words = []
    for stage, part in parts:
        rows = f" {counted(part.evaluations, 'evaluations')}" if part.evaluations.high else ""
        time = "" if part.seconds is None else f" in {duration(part.seconds.expected, digits=2)}"
        words.append(f"{stage.name}{rows}{time}")
    return "stages: " + ", ".join(words if len(words) <= 6 else [*words[:4], "...", words[-1]])


def _phase(stage: Stage, part: Prediction) -> Phase:
    seconds = part.seconds
    if seconds is None:
        return Phase(stage.name, math.nan, math.nan, math.nan)
    return Phase(stage.name, seconds.expected, seconds.low, seconds.high)


def _scaled(one: Interval, number: Interval, less: float) -> Interval:
    return Interval(
        expected=one.expected * number.expected,
        low=max(less * one.low, min(1.0, one.low)) * number.low,
        high=one.high * number.high,
    )


def _sum(parts: Sequence[Interval]) -> Interval:
    """All of them, whose errors are taken to be of one kind: they do not average out."""
    return Interval(
        expected=sum(part.expected for part in parts),
        low=sum(part.low for part in parts),
        high=sum(part.high for part in parts),
    )
