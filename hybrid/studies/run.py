"""Running a study: one workload, or every point of a sweep, each in a folder of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuits.errors import Refused, ToolkitError
from hybrid import loop
from hybrid.clock import Clock
from hybrid.progress import Progress
from hybrid.result import Result
from hybrid.routing.plan import Plan, candidates, rank
from hybrid.runs import folder as folders
from hybrid.studies.study import Point, Study, build
from hybrid.workload import Workload, workload


@dataclass(frozen=True)
class Outcome:
    """What became of one point: a result, or the error that kept it from one."""

    point: Point
    result: Result | None
    error: ToolkitError | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form: the sweep's values, and the result's summary or the error."""
        values = {"values": dict(self.point.values)}
        if self.result is None:
            return values | {"status": "failed", "message": str(self.error)}
        return values | self.result.to_dict()


def workload_of(point: Point) -> tuple[Workload, Any]:
    """The workload of a point, and the backend it asks for ("auto" or a `Backend`)."""
    problem, circuit, arguments = build(point)
    backend = arguments.pop("backend")
    arguments.pop("name")
    try:
        return workload(circuit, problem, **arguments), backend
    except Refused as err:
        raise type(err)(f"{point.where}: {err}") from err


def plan_of(point: Point) -> tuple[Workload, Plan]:
    """The workload of a point, and where it would run."""
    work, backend = workload_of(point)
    return work, rank(work, candidates(backend))


def run_study(
    study: Study,
    folder: Path,
    *,
    resume: bool,
    on_plan: Callable[[Point, Plan], None],
    on_outcome: Callable[[Outcome], None],
    should_stop: Callable[[], bool],
) -> list[Outcome]:
    """Run every point of a study that has no result yet.

    A single workload runs in the folder itself, a sweep's points in subfolders named after their values. Every point is
    built before the first one starts, so that a mistake in the last one is found while nothing is written. A point that
    fails does not stop the others.

    Args:
        study: Read and checked.
        folder: Where the record goes.
        resume: Whether to continue what the folder holds; otherwise it must hold no run.
        on_plan: Told each point's plan before it runs.
        on_outcome: Told each outcome as it comes.
        should_stop: Asked before each step and each point.

    Returns:
        The outcomes in the order of the points; fewer than points if it was stopped.
    """
    points = study.points()
    places = {point.name: folder / point.name if point.values else folder for point in points}
    if not resume:
        for place in (folder, *places.values()):
            folders.check_free(place)
    known = {point.name: _continue_check(point, places[point.name]) for point in points} if resume else {}
    fresh = {}
    with Progress("building problems and circuits", len(points)) as progress:
        for done, point in enumerate(points):
            progress.update(done, point.name)
            if not known.get(point.name):
                fresh[point.name] = _prepare(point)
    outcomes = []
    for point in points:
        if should_stop():
            break
        place = places[point.name]
        try:
            if point.name in fresh:
                result = _start(point, fresh[point.name], place, on_plan, should_stop)
            else:
                result = loop.resume(place, should_stop=should_stop)
            outcome = Outcome(point, result)
        except ToolkitError as err:
            if not point.values:
                raise
            outcome = Outcome(point, None, err)
        outcomes.append(outcome)
        on_outcome(outcome)
    if points[0].values and not study.partial:
        summary = {"points": [outcome.to_dict() for outcome in outcomes]}
        folder.mkdir(parents=True, exist_ok=True)
        folders.write_json(folder / "sweep.json", summary)
    return outcomes


def unfinished(study: Study, folder: Path) -> list[int]:
    """Positions of the points that have no final result in the folder; a run that was stopped has none.

    Raises:
        Refused: if the folder holds the run of another study.
    """
    missing = []
    for number, point in enumerate(study.points()):
        result = folder / point.name / "result.json"
        ended = _continue_check(point, folder / point.name) and result.is_file()
        if not ended or folders.read_json(result).get("status") == "stopped":
            missing.append(number)
    return missing


def _prepare(point: Point) -> tuple[Workload, Any, float]:
    start = time.perf_counter()
    return *workload_of(point), time.perf_counter() - start


def _start(
    point: Point,
    prepared: tuple[Workload, Any, float],
    place: Path,
    on_plan: Callable[[Point, Plan], None],
    should_stop: Callable[[], bool],
) -> Result:
    work, backend, build_s = prepared
    clock = Clock(before={"problem": build_s})
    with clock.phase("plan"):
        plan = rank(work, candidates(backend))
        plan.chosen  # noqa: B018 - refuses here, before anything is announced or written
    on_plan(point, plan)
    return loop.run(work, plan, folder=place, notes={"study": point.record()}, clock=clock, should_stop=should_stop)


def _continue_check(point: Point, place: Path) -> bool:
    """Whether the folder holds this point's run; refuse one of another study."""
    if not folders.is_run(place):
        return False
    kept = folders.read_json(place / "spec.json").get("notes", {}).get("study")
    record = point.record()
    if kept != record:
        sections = sorted(key for key in {*record, *(kept or {})} if (kept or {}).get(key) != record.get(key))
        raise Refused(
            f"{place} holds the run of another study: {', '.join(f'[{s}]' for s in sections)} differ. "
            "Give the study file as it was, or another folder"
        )
    return True
