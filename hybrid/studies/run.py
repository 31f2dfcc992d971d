"""Running a study: one workload, or every point of a sweep, each in a folder of its own, on one rank or many."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from backends.base import Backend
from circuits.errors import Refused, ToolkitError
from hybrid.algorithms.carry_out import carry_out
from hybrid.algorithms.result import AlgorithmResult, result_of, stopped
from hybrid.loop.clock import Clock
from hybrid.loop.jobs import journals
from hybrid.loop.minimize import begin_run, continue_run, run
from hybrid.loop.pool import check_executor, check_workers_may
from hybrid.loop.stop import Stop, Stopped
from hybrid.loop.team import check_node, leading, serve
from hybrid.ranks.mpi import ALONE, End, Ranks
from hybrid.ranks.work_queue import SharedStop, Work, WorkQueue, WorkQueueClient
from hybrid.registry.start import warm
from hybrid.registry.words import is_registry
from hybrid.routing.plan import Plan, candidates, rank
from hybrid.routing.spares import with_spares
from hybrid.runs import folder as folders
from hybrid.runs import index, journal
from hybrid.runs.algorithm import check_free
from hybrid.runs.budget import FILE, Spending
from hybrid.runs.files import write_json
from hybrid.runs.lock import Lock
from hybrid.runs.result import Result
from hybrid.runs.start import started
from hybrid.studies.away import Away, may_leave
from hybrid.studies.continuation import begun
from hybrid.studies.outcome import Outcome
from hybrid.studies.preparation import Prepared, Task, build_all, prepare, within_memory
from hybrid.studies.study import Point, Study, start_of
from hybrid.workload.workload import Workload


@dataclass(frozen=True)
class Begin:
    """The leader's message that the work begins.

    Attributes:
        n_teams: Number of teams into which the ranks divide.
    """

    n_teams: int


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
    executor: Executor | None = None,
) -> list[Outcome]:
    """Run every point of a study that has no result yet.

    A budget of the study holds for all its points and restarts together: what they spent before counts.

    A single workload runs in the folder itself, a sweep's points in subfolders named after their values. Every point is
    built before the first one starts, so that a mistake in the last one is found while nothing is written. A point that
    fails does not stop the others.

    Several ranks share the evaluations of a single workload. The points of a sweep are handed out one by one to teams
    of ranks, as many as there are points, or to single ranks.

    Args:
        study: Read and checked.
        folder: Where the record goes.
        resume: Whether to continue what the folder holds; otherwise it must hold no run.
        on_plan: Called with each point that this rank runs and its plan, before it runs.
        on_outcome: Called with each outcome as it comes.
        should_stop: Called before each step and each point; when it returns True, the study is stopped.
        ranks: This one leads them; the others `follow`.
        end: When the ranks will be ended, in seconds since 1970; the others watch it, too.
        executor: Whose workers run the points of a sweep, or share the evaluations of a single workload, in place of
            other ranks. Nothing but this process writes into the folder; see `hybrid.studies.away`.

    Returns:
        The outcomes in the order of the points; fewer than points if it was stopped.
    """
    points = study.points()
    if executor is not None:
        ranks = check_executor(executor)
        for label in sorted({point.spec.run.label for point in points}):
            check_workers_may(executor, label, folder)
    if study.survey is None:  # who runs a survey holds its folder
        Lock(folder, shared=study.partial).check()
    begun_points = _known(points, folder, resume=resume)
    task = Task(points, folder, begun_points, end)
    ranks.broadcast(task)
    fresh, reserved = build_all(task, ranks)
    with _at_work(study, folder):
        index.add(folder)
        if _known(points, folder, resume=resume) != begun_points:
            raise Refused(f"{folder}: somebody else has worked there while the points were built; start again")
        _grant(study, folder)
        chains = study.chains()
        begin = ranks.broadcast(Begin(min(len(chains), ranks.size)))
        team, leaders = ranks.split(begin.n_teams)
        stop = SharedStop(should_stop, ranks, leaders)
        kept = [chain for chain in chains if reserved.intersection(chain)]
        sent = [] if executor is None else _to_be_sent(points, chains, kept)
        queue = WorkQueue[Outcome](
            [chain for chain in chains if chain not in (*kept, *sent)],
            kept,
            ranks=ranks,
            leaders=leaders,
            on_result=on_outcome,
            should_stop=stop,
        )
        with ExitStack() as held, leading(team):
            away = None
            if executor is not None and sent:
                begin_point = partial(_begin, task, fresh, on_plan)
                away = Away(task, sent, executor, begin=begin_point, report=queue.add, should_stop=stop)
                held.enter_context(away)

            def stopping() -> bool:
                queue.answer()
                if away is not None:
                    away.answer()
                return stop()

            while (chain := queue.next()) is not None:
                _run(task, chain, fresh, team=team, on_plan=on_plan, report=queue.add, should_stop=stopping)
        queue.close()
        order = {point.name: k for k, point in enumerate(points)}
        outcomes = sorted(queue.results, key=lambda outcome: order[outcome.point.name])
        if points[0].values and not study.partial:
            write_json(folder / "sweep.json", {"points": [outcome.to_dict() for outcome in outcomes]})
    return outcomes


def _to_be_sent(points: Sequence[Point], chains: Sequence[Work], kept: Sequence[Work]) -> list[Work]:
    """The chains whose points go to an executor's workers; of a single one its evaluations are shared instead."""
    if len(chains) == 1:
        return []
    return [chain for chain in chains if chain not in kept and all(may_leave(points[k]) for k in chain)]


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


def _grant(study: Study, folder: Path) -> None:
    """Set what the study may spend, and count what its points have spent already."""
    limits = study.budget
    spending = Spending(folder / FILE)
    if limits is None and not spending.path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if limits is not None:
        spending.grant(limits)
    for point in study.points():
        for path in journals(folder / point.name):
            spending.record({row.tag: row.charge for row in journal.read(path).jobs if row.counts})


def _known(points: Sequence[Point], folder: Path, *, resume: bool) -> frozenset[int]:
    """Numbers of the points that have a record; refuse one of another study, and any that is not to be continued."""
    places = [folder / point.name for point in points]
    if not resume:
        for place in (folder, *places):
            check_free(place)
        return frozenset()
    return frozenset(k for k, place in enumerate(places) if begun(points[k], place))


def follow(ranks: Ranks) -> int:
    """Take part in a study that another rank leads with `run_study`, and return the exit code that it gives in the end.

    Args:
        ranks: In which this one does not lead.
    """
    told = ranks.broadcast()
    while not isinstance(told, End):
        with Stop(told.end) as stop:
            told = _follow(told, ranks, stop)
    return told.code


def _follow(task: Task, ranks: Ranks, should_stop: Callable[[], bool]) -> Task | End:
    """Take part in one task; return what the leader says next: the end, or another task, as of a survey."""
    fresh, _ = build_all(task, ranks)
    if isinstance(begin := ranks.broadcast(), End):
        return begin
    team, leaders = ranks.split(begin.n_teams)
    stop = SharedStop(should_stop, ranks, leaders)
    if team.leads:
        with leading(team):
            queue = WorkQueueClient[Outcome](ranks, stop)
            while (chain := queue.next()) is not None:
                report: Callable[[Outcome], None] = lambda outcome: queue.report(_portable(outcome))  # noqa: E731
                _run(task, chain, fresh, team=team, on_plan=lambda *_: None, report=report, should_stop=stop)
    else:
        serve(team, meanwhile=stop)
    return ranks.broadcast(meanwhile=stop)


def _portable(outcome: Outcome) -> Outcome:
    """Without the plan, which holds backends: they stay where they are."""
    if not isinstance(outcome.result, Result):
        return outcome
    return replace(outcome, result=replace(outcome.result, plan=None))


def _run(
    task: Task,
    chain: Work,
    fresh: dict[int, Prepared],
    *,
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
            if point.spec.algorithm is not None:
                prepared = fresh.pop(k, None) or prepare(point)
                result = _carry_out(point, prepared, place, on_plan=on_plan, should_stop=should_stop, team=team)
                outcome = Outcome(point, result)
                report(outcome)
                continue
            if k in task.begun:
                allowed = point.spec.run.failover or None
                result = continue_run(place, should_stop=should_stop, team=team, failover=allowed)
            else:
                prepared = _from(before, fresh.pop(k, None) or prepare(point), point)
                result = _start(point, prepared, place, on_plan=on_plan, should_stop=should_stop, team=team)
            outcome, before = Outcome(point, result), result
        except Stopped:
            return
        except (ToolkitError, MemoryError) as err:
            error = within_memory(err, point)
            if not point.values:
                raise error from err
            outcome, before = Outcome(point, None, error), None
        report(outcome)


def _carry_out(
    point: Point,
    prepared: Prepared,
    place: Path,
    *,
    on_plan: Callable[[Point, Plan], None],
    should_stop: Callable[[], bool],
    team: Ranks,
) -> AlgorithmResult:
    """Carry out a point's algorithm, or go on with it; one that is stopped says so."""
    assert prepared.algorithm is not None
    try:
        found = carry_out(
            prepared.algorithm,
            backend=prepared.backend,
            folder=place,
            failover=point.spec.run.failover,
            notes={"study": point.record()},
            seconds={"problem": prepared.seconds},
            on_plan=lambda plan: on_plan(point, plan),
            should_stop=should_stop,
            team=team,
        )
    except Stopped as err:
        if not folders.is_algorithm(place):
            raise
        return stopped(place, str(err))
    return result_of(found, place)


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


def _begin(
    task: Task,
    fresh: dict[int, Prepared],
    on_plan: Callable[[Point, Plan], None],
    k: int,
    before: Result | None,
) -> None:
    """Write the record of a point, for a worker to go on with."""
    point = task.points[k]
    try:
        prepared = _from(before, fresh.pop(k, None) or prepare(point), point)
        asked = _planned(point, prepared, on_plan, ALONE)
        begin_run(asked.work, asked.plan, folder=task.place(k), notes=asked.notes, clock=asked.clock)
    except MemoryError as err:
        raise within_memory(err, point) from err


@dataclass(frozen=True)
class _Planned:
    """A point that may begin."""

    work: Workload
    plan: Plan
    spares: Sequence[Backend]
    notes: dict[str, Any]
    clock: Clock


def _planned(point: Point, prepared: Prepared, on_plan: Callable[[Point, Plan], None], team: Ranks) -> _Planned:
    """What a point would run as, announced; what is wrong with it is refused before that."""
    work, begin, clock = prepared.work, start_of(point), Clock(before={"problem": prepared.seconds})
    work, origin = warm(work) if is_registry(begin) else (work, started(begin, work.circuit)[1])
    with clock.phase("plan"):
        plan = rank(work, candidates(prepared.backend))
        plan, spares = with_spares(work, plan, prepared.backend, point.spec.run.failover)
        own = work.held_bytes
        check_node(plan.chosen.backend, plan.chosen.cost, team, leader_bytes=own)
    on_plan(point, plan)
    return _Planned(work, plan, spares, {"study": point.record()} | origin, clock)


def _start(
    point: Point,
    prepared: Prepared,
    place: Path,
    *,
    on_plan: Callable[[Point, Plan], None],
    should_stop: Callable[[], bool],
    team: Ranks,
) -> Result:
    asked = _planned(point, prepared, on_plan, team)
    return run(
        asked.work,
        asked.plan,
        folder=place,
        notes=asked.notes,
        clock=asked.clock,
        should_stop=should_stop,
        team=team,
        spares=asked.spares,
    )
