"""Preparing a study: every point is built, and checked as far as possible, before the first one runs."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import backends
from backends.base import Backend
from circuits.errors import BudgetExceeded, Refused, ToolkitError
from hybrid.algorithms.algorithm import Algorithm
from hybrid.algorithms.carry_out import check_able, planned
from hybrid.ranks.mpi import Ranks
from hybrid.registry.words import is_registry
from hybrid.routing.plan import Plan, candidates, check_possible, rank, unreachable
from hybrid.routing.spares import with_spares
from hybrid.studies.study import Point, backend_asked, build, build_algorithm, simulator_of
from hybrid.terminal.progress import Progress
from hybrid.workload.question import question
from hybrid.workload.workload import Workload, workload


@dataclass(frozen=True)
class Task:
    """A study as its leader sends it to all ranks.

    Attributes:
        points: All points, in order.
        folder: Where the record goes.
        begun: Numbers of the points that have a record already.
        end: When the ranks will be ended, in seconds since 1970; None without a limit.
    """

    points: tuple[Point, ...]
    folder: Path
    begun: frozenset[int]
    end: float | None

    def place(self, k: int) -> Path:
        """The folder of point number k: that of the study, or for a sweep a subfolder named after the values."""
        name = self.points[k].name
        return self.folder / name if name else self.folder


@dataclass(frozen=True)
class Prepared:
    """A point that is built.

    Attributes:
        work: Its workload; of an algorithm the first one.
        backend: The backend that it asks for, "auto" or a `Backend`.
        seconds: Wall time that it took to build.
        algorithm: What it asks in place of a single minimization, if it does.
    """

    work: Workload
    backend: str | Backend
    seconds: float
    algorithm: Algorithm[Any] | None = None


def workload_of(point: Point, **made: Any) -> tuple[Workload, Any]:
    """The workload of a point, and the backend it asks for ("auto" or a `Backend`); see `build` for what is made.

    Of an algorithm it is the first of its workloads.
    """
    if point.spec.algorithm is not None:
        backend = made.pop("backend", None)
        work = build_algorithm(point, **made).work
        return work, backend or backend_asked(point, work.circuit)
    problem, circuit, arguments = build(point, **made)
    backend = arguments.pop("backend")
    arguments.pop("name")
    if is_registry(arguments["theta"]):
        arguments["theta"] = None  # the registry is asked when the run begins
    try:
        return workload(circuit, problem, **arguments), backend
    except Refused as err:
        raise type(err)(f"{point.where}: {err}") from err


def plan_of(point: Point) -> Plan:
    """The plan of a point: where it would run.

    Raises:
        Refused: if the point's workload cannot be built, or its backend cannot, and no price is known for it either.
    """
    try:
        backend = _backend_of(point)
    except Refused as err:
        name = point.spec.backend.name
        made = unreachable(workload_of(point, backend=name)[0], name, err)
        if not made.forecasts and not any(refusal.by_policy for refusal in made.refusals):
            raise type(err)(f"{point.where}: [backend] {err}") from err
        return made
    if point.spec.algorithm is not None:
        return planned(build_algorithm(point), backend, point.spec.run.failover)[0]
    work, backend = workload_of(point, backend=backend)
    plan = rank(work, candidates(backend))
    if point.spec.backend.name == "auto" and point.spec.backend.options:
        why = simulator_of(point, work.circuit)[1]
        ways = [replace(way, reason="; ".join(filter(None, [why, way.reason]))) for way in plan.ways]
        plan = replace(plan, ways=tuple(ways))
    return with_spares(work, plan, backend, point.spec.run.failover)[0] if plan.ways else plan


def within_memory(err: ToolkitError | MemoryError, point: Point) -> ToolkitError:
    """An error in work on a point as an error of this toolkit.

    Args:
        err: The error; one of this toolkit is returned as it is.
        point: The point.

    Returns:
        For a `MemoryError` a `BudgetExceeded` that names the point.
    """
    if isinstance(err, ToolkitError):
        return err
    return BudgetExceeded(f"{point.where}: it needs more memory than this process may use")


def build_all(task: Task, ranks: Ranks) -> tuple[dict[int, Prepared], set[int]]:
    """Build the points that have no record, each rank some of them.

    Args:
        task: The study.
        ranks: All of them; each calls this at the same time.

    Returns:
        The points that this rank has built, by number; and on the leader the numbers of all points that run at a
        provider, on other ranks those of its own points.

    Raises:
        ToolkitError: on the leader, the first point's that cannot be built.
    """
    numbers = range(ranks.rank, len(task.points), ranks.size)
    fresh: dict[int, Prepared] = {}
    errors: dict[int, ToolkitError] = {}
    reserved = set()
    checked: set[str] = set()
    with Progress("building problems and circuits", len(numbers)) as progress:
        for done, k in enumerate(numbers):
            progress.update(done, task.points[k].name)
            try:
                if k in task.begun:
                    backend = _backend_of(task.points[k])
                else:
                    fresh[k] = prepare(task.points[k])
                    backend = fresh[k].backend
                    _check(task.points[k], fresh[k], checked)
            except (ToolkitError, MemoryError) as err:
                errors[k] = within_memory(err, task.points[k])
                break
            if isinstance(backend, Backend) and backend.capabilities().place == "provider":
                reserved.add(k)
    for others, elsewhere in ranks.gather((errors, reserved)):
        errors |= others
        reserved |= elsewhere
    if errors and ranks.leads:
        raise errors[min(errors)]
    return fresh, reserved


def _backend_of(point: Point) -> str | Backend:
    """The backend that a point asks for, "auto" or a `Backend`."""
    asked = point.spec.backend
    if asked.name == "auto" and asked.options:
        return workload_of(point)[1]
    return "auto" if asked.name == "auto" else backends.get(asked.name, **asked.options)


def prepare(point: Point) -> Prepared:
    """Build a point, and take the time.

    Raises:
        Refused: if its workload cannot be built.
    """
    start = time.perf_counter()
    if point.spec.algorithm is None:
        return Prepared(*workload_of(point), time.perf_counter() - start)
    algorithm = build_algorithm(point)
    backend = backend_asked(point, algorithm.work.circuit)
    return Prepared(algorithm.work, backend, time.perf_counter() - start, algorithm)


def _check(point: Point, prepared: Prepared, checked: set[str]) -> None:
    """Refuse a point that no backend can do; each circuit is looked at once."""
    work = prepared.work
    key = (question(work)["circuit"], str(prepared.backend), work.label, work.shots, work.derivative, work.accuracy)
    if repr(key) not in checked:
        try:
            check_possible(work, candidates(prepared.backend))
            if prepared.algorithm is not None:
                check_able(prepared.algorithm, prepared.backend)
        except Refused as err:
            raise type(err)(f"{point.where}: {err}") from err
        checked.add(repr(key))
