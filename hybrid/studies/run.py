"""Running a study: one workload, or every point of a sweep, each in a folder of its own, on one rank or many."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import backends
from backends.base import Backend
from circuits.errors import Refused, ToolkitError
from hybrid import loop
from hybrid.clock import Clock
from hybrid.distributed import ALONE, End, Ranks
from hybrid.progress import Progress
from hybrid.result import Result
from hybrid.routing.plan import Plan, candidates, rank
from hybrid.runs import folder as folders
from hybrid.runs.lock import Lock
from hybrid.sharing import check_node, serve
from hybrid.signals import Stop
from hybrid.studies.crew import DESK, Bell, Chain, Counter, Desk, leading
from hybrid.studies.outcome import Outcome
from hybrid.studies.study import Point, Study, build
from hybrid.workload import Workload, workload


@dataclass(frozen=True)
class Task:
    """A study as all ranks know it.

    Attributes:
        points: Its workloads.
        folder: Where the record goes.
        begun: Numbers of the points that have a record already.
        end: When the ranks will be ended, in seconds since 1970; None without a limit.
    """

    points: tuple[Point, ...]
    folder: Path
    begun: frozenset[int]
    end: float | None

    def place(self, k: int) -> Path:
        """The folder of a point: that of the study, or of a sweep's subfolder named after the values."""
        name = self.points[k].name
        return self.folder / name if name else self.folder


@dataclass(frozen=True)
class Prepared:
    """A point that is built."""

    work: Workload
    backend: Any
    seconds: float


@dataclass(frozen=True)
class Begin:
    """The leader's word that the work begins, in so many teams."""

    n_teams: int


def workload_of(point: Point, **made: Any) -> tuple[Workload, Any]:
    """The workload of a point, and the backend it asks for ("auto" or a `Backend`); see `build` for what is made."""
    problem, circuit, arguments = build(point, **made)
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
    ranks: Ranks = ALONE,
    end: float | None = None,
) -> list[Outcome]:
    """Run every point of a study that has no result yet.

    A single workload runs in the folder itself, a sweep's points in subfolders named after their values. Every point is
    built before the first one starts, so that a mistake in the last one is found while nothing is written. A point that
    fails does not stop the others.

    Several ranks share the evaluations of a single workload. The points of a sweep are handed out one by one to teams
    of ranks, as many as there are points, or to single ranks.

    Args:
        study: Read and checked.
        folder: Where the record goes.
        resume: Whether to continue what the folder holds; otherwise it must hold no run.
        on_plan: Told each plan of this rank's points before they run.
        on_outcome: Told each outcome as it comes.
        should_stop: Asked before each step and each point.
        ranks: This one leads them; the others `follow`.
        end: When the ranks will be ended, in seconds since 1970; the others watch it, too.

    Returns:
        The outcomes in the order of the points; fewer than points if it was stopped.
    """
    points = study.points()
    Lock(folder, shared=study.partial).check()
    begun = _begun(points, folder, resume=resume)
    task = Task(points, folder, begun, end)
    ranks.share(task)
    fresh, reserved = _build(task, ranks)
    with _at_work(study, folder):
        if _begun(points, folder, resume=resume) != begun:
            raise Refused(f"{folder}: somebody else has worked there while the points were built; start again")
        chains = study.chains()
        begin = ranks.share(Begin(min(len(chains), ranks.size)))
        team, leaders = ranks.split(begin.n_teams)
        bell = Bell(should_stop, ranks, leaders)
        kept = [chain for chain in chains if reserved.intersection(chain)]
        desk = Desk([c for c in chains if c not in kept], kept, ranks, leaders, on_outcome, bell)

        def stopping() -> bool:
            desk.attend()
            return bell()

        with leading(team):
            while (chain := desk.next()) is not None:
                _run(task, chain, fresh, team, on_plan, desk.take, stopping)
        desk.close()
        order = {point.name: k for k, point in enumerate(points)}
        outcomes = sorted(desk.outcomes, key=lambda outcome: order[outcome.point.name])
        if points[0].values and not study.partial:
            folders.write_json(folder / "sweep.json", {"points": [outcome.to_dict() for outcome in outcomes]})
    return outcomes


@contextmanager
def _at_work(study: Study, folder: Path) -> Iterator[None]:
    """The right to work on a sweep: alone, or, on some of its points, together with others; each point has its own."""
    if not study.sweep:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise Refused(f"the folder {folder} cannot be written: {err.strerror}") from err
    with Lock(folder, shared=study.partial):
        yield


def _begun(points: Sequence[Point], folder: Path, *, resume: bool) -> frozenset[int]:
    """Numbers of the points that have a record; refuse one of another study, and any that is not to be continued."""
    places = [folder / point.name for point in points]
    if not resume:
        for place in (folder, *places):
            folders.check_free(place)
        return frozenset()
    return frozenset(k for k, place in enumerate(places) if _continue_check(points[k], place))


def follow(ranks: Ranks) -> int:
    """Take part in a study that another rank leads with `run_study`, and return the exit code that it gives in the end.

    Args:
        ranks: In which this one does not lead.
    """
    if isinstance(task := ranks.share(), End):
        return task.code
    with Stop(task.end) as stop:
        return _follow(task, ranks, stop)


def _follow(task: Task, ranks: Ranks, should_stop: Callable[[], bool]) -> int:
    fresh, _ = _build(task, ranks)
    if isinstance(begin := ranks.share(), End):
        return begin.code
    team, leaders = ranks.split(begin.n_teams)
    bell = Bell(should_stop, ranks, leaders)
    if team.leads:
        with leading(team):
            counter = Counter(ranks, bell)
            while (chain := counter.next()) is not None:
                _run(task, chain, fresh, team, lambda *_: None, lambda outcome: _report(outcome, ranks), bell)
    else:
        serve(team, meanwhile=bell)
    return ranks.share(meanwhile=bell).code


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


def _report(outcome: Outcome, ranks: Ranks) -> None:
    result = outcome.result and replace(outcome.result, plan=None)  # a plan holds backends, which stay where they are
    ranks.send(replace(outcome, result=result), 0, DESK)


def _build(task: Task, ranks: Ranks) -> tuple[dict[int, Prepared], set[int]]:
    """Build the points that have no record, each rank its share.

    Returns:
        This rank's own, and, on the leader, the numbers of all points that ask a provider.

    Raises:
        ToolkitError: on the leader, the first point's that cannot be built.
    """
    own = range(ranks.rank, len(task.points), ranks.size)
    fresh: dict[int, Prepared] = {}
    errors: dict[int, ToolkitError] = {}
    reserved = set()
    with Progress("building problems and circuits", len(own)) as progress:
        for done, k in enumerate(own):
            progress.update(done, task.points[k].name)
            try:
                if k in task.begun:
                    backend = _backend(task.points[k])
                else:
                    fresh[k] = _prepare(task.points[k])
                    backend = fresh[k].backend
            except ToolkitError as err:
                errors[k] = err
                break
            if isinstance(backend, Backend) and backend.capabilities().place == "provider":
                reserved.add(k)
    for others, elsewhere in ranks.gather((errors, reserved)):
        errors |= others
        reserved |= elsewhere
    if errors and ranks.leads:
        raise errors[min(errors)]
    return fresh, reserved


def _backend(point: Point) -> Any:
    """The backend that a point asks for, "auto" or a `Backend`."""
    asked = point.spec.backend
    return "auto" if asked.name == "auto" else backends.get(asked.name, **asked.options)


def _prepare(point: Point) -> Prepared:
    start = time.perf_counter()
    return Prepared(*workload_of(point), time.perf_counter() - start)


def _run(
    task: Task,
    chain: Chain,
    fresh: dict[int, Prepared],
    team: Ranks,
    on_plan: Callable[[Point, Plan], None],
    report: Callable[[Outcome], None],
    should_stop: Callable[[], bool],
) -> None:
    """Run the points of a chain, one after the other, each from where the one before it ended, if that has ended."""
    before: Result | None = None
    for k in chain:
        if should_stop():
            return
        point, place = task.points[k], task.place(k)
        try:
            if k in task.begun:
                result = loop.resume(place, should_stop=should_stop, team=team)
            else:
                prepared = _from(before, fresh.pop(k, None) or _prepare(point), point)
                result = _start(point, prepared, place, on_plan, should_stop, team)
            outcome, before = Outcome(point, result), result
        except ToolkitError as err:
            if not point.values:
                raise
            outcome, before = Outcome(point, None, err), None
        report(outcome)


def _from(before: Result | None, prepared: Prepared, point: Point) -> Prepared:
    """The point with the parameters of the one before as its start; its own where there is none."""
    if before is None:
        return prepared
    if before.theta.shape != prepared.work.theta.shape:
        raise Refused(
            f"{point.where}: [run] warm_start = true: this point has {len(prepared.work.theta)} parameters, the one "
            f"before it {len(before.theta)}; let what changes their number not be the last variable of [sweep]"
        )
    return replace(prepared, work=replace(prepared.work, theta=before.theta))


def _start(
    point: Point,
    prepared: Prepared,
    place: Path,
    on_plan: Callable[[Point, Plan], None],
    should_stop: Callable[[], bool],
    team: Ranks,
) -> Result:
    work, clock = prepared.work, Clock(before={"problem": prepared.seconds})
    with clock.phase("plan"):
        plan = rank(work, candidates(prepared.backend))
        check_node(plan.chosen.backend, plan.chosen.cost, team)  # refused before anything is announced or written
    on_plan(point, plan)
    notes = {"study": point.record()}
    return loop.run(work, plan, folder=place, notes=notes, clock=clock, should_stop=should_stop, team=team)


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
