"""Carrying out an algorithm: plan, stages, result; or going on in its folder where it was interrupted."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from backends.base import Backend
from backends.mitigation.words import MitigationLike
from circuits.errors import Refused
from hybrid.algorithms.algorithm import Algorithm, R
from hybrid.algorithms.outlook import with_all_stages
from hybrid.algorithms.places import Places
from hybrid.algorithms.record import Record
from hybrid.loop import notebook
from hybrid.loop.clock import Clock
from hybrid.loop.hindsight import in_hindsight
from hybrid.loop.minimize import mitigated
from hybrid.loop.team import check_node
from hybrid.ranks.mpi import ALONE, Ranks
from hybrid.routing.plan import Plan, Refusal, candidates, rank
from hybrid.routing.spares import Failing, spares_now, with_spares
from hybrid.runs import algorithm as recorded
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import AlgorithmSpec
from hybrid.runs.budget import Budget, budget_of, spending_of
from hybrid.runs.files import to_json
from hybrid.runs.lock import Lock
from hybrid.runs.places import folder_of, fresh
from hybrid.runs.provenance import provenance
from hybrid.runs.stages import StageFiles, begin
from hybrid.terminal.progress import Progress
from hybrid.workload.arguments import BackendLike
from hybrid.workload.question import differing, question
from hybrid.workload.spec import backend_of, backend_spec, requested_backend


def carry_out(
    algorithm: Algorithm[R],
    *,
    backend: BackendLike = "auto",
    folder: str | Path | None = None,
    mitigation: MitigationLike | None = None,
    budget: Budget | Mapping[str, float] | None = None,
    failover: Failing = False,
    notes: Mapping[str, Any] | None = None,
    seconds: Mapping[str, float] | None = None,
    on_plan: Callable[[Plan], None] = lambda plan: None,
    should_stop: Callable[[], bool] = lambda: False,
    team: Ranks = ALONE,
    progress: bool = True,
) -> R:
    """Carry out an algorithm in a new folder, or in one in which the same was begun before.

    Args:
        algorithm: What is asked.
        backend: As for `hybrid.minimize`; "auto" chooses once, for all stages.
        folder: Where the record goes; by default a new folder under ``runs/`` (or ``$HYBRID_RUNS``).
        mitigation: As for `hybrid.minimize`.
        budget: As for `hybrid.minimize`, for all stages together.
        failover: As for `hybrid.minimize`; where one stage went on, the next one begins.
        notes: JSON-able values to keep in algorithm.json under "notes".
        seconds: Of phases that have ended before, such as building the problem, to be counted.
        on_plan: Called with the plan of a new algorithm, before anything is written.
        should_stop: As for `hybrid.minimize`.
        team: Ranks that help to evaluate; this one leads.
        progress: As for `hybrid.minimize`.

    Raises:
        Refused: if the folder holds anything else, another process is at work there, or no backend can do it.
        Stopped: if it was to stop; finished stages are saved. In a notebook also if the cell was interrupted before.
    """
    backend = backend if mitigation is None else mitigated(backend, mitigation)
    limits = None if budget is None else budget_of(budget)
    whole = question(algorithm.work, algorithm.settings) | dict(algorithm.asked)
    title = f"{algorithm.kind} of {algorithm.work.problem.name}"
    with (
        notebook.interrupts() as interrupted,
        Progress(title, shown=progress and team.leads) as shown,
        ExitStack() as held_open,
    ):

        def stopping() -> bool:
            return should_stop() or interrupted()

        named = {"algorithm": algorithm.kind, **whole, "backend": requested_backend(backend)}
        path = folder_of(folder) if folder is not None else notebook.folder_to_continue(named)
        path = path or fresh(f"{algorithm.kind}-{algorithm.work.problem.name}")
        notebook.remember(named, path)
        clock, begun = Clock(before=seconds), None
        if not folders.is_algorithm(path):
            recorded.check_free(path)
            with clock.phase("plan"):
                begun = planned(algorithm, backend, failover)
            check_node(begun[0].chosen.backend, begun[0].chosen.cost, team, leader_bytes=algorithm.work.held_bytes)
            on_plan(begun[0])
            _make(path)
        held_open.enter_context(Lock(path))
        if begun is None or folders.is_algorithm(path):
            places = _continued(path, algorithm, whole, backend, failover)
        else:
            places = _written(path, algorithm, whole, *begun, notes=dict(notes or {}))
        files = held_open.enter_context(StageFiles(path, folders.ALGORITHM))
        if limits is not None:
            spending_of(path).grant(limits)
        try:
            here = Places(files, algorithm.work, places, stopping, held_open)
            record = Record(files, here, algorithm.work, stopping, team, progress=shown)
            result = algorithm.carry_out(record)
            _finish(record, algorithm, result, clock)
            shown.end_with("finished")
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"Finished stages are saved; call it again with the same arguments and folder='{path}'.")
            raise
    return result


def planned(algorithm: Algorithm, backend: BackendLike, failover: Failing) -> tuple[Plan, tuple[Backend, ...]]:
    """Where an algorithm would run, what all its stages together would take, and where it may go on.

    Args:
        algorithm: What is asked.
        backend: As for `carry_out`.
        failover: As for `carry_out`.

    Raises:
        Refused: if no backend can do it, or a place that is named to go on at.
    """
    plan = able(rank(algorithm.work, candidates(backend)), algorithm)
    if plan.ways:
        plan, spares = with_spares(algorithm.work, plan, backend, failover)
        kept = tuple(spare for spare in spares if isinstance(spare, algorithm.ability))
        if failover is not False and len(kept) < len(spares) and (failover is not True or not kept):
            names = ", ".join(spare.capabilities().name for spare in spares if spare not in kept)
            raise Refused(f"failover: {algorithm.kind} cannot go on at {names}: {_lacking(algorithm)}")
        return with_all_stages(plan, algorithm), kept
    return plan, ()


def able(plan: Plan, algorithm: Algorithm) -> Plan:
    """A plan without the ways that lack an ability which the algorithm needs; those are among its refusals.

    Args:
        plan: Of the algorithm's first minimization.
        algorithm: What is asked.
    """
    ways = tuple(way for way in plan.ways if isinstance(way.backend, algorithm.ability))
    lacking = tuple(Refusal(way.name, _lacking(algorithm)) for way in plan.ways if way not in ways)
    return Plan(plan.workload, ways, (*plan.refusals, *lacking))


def check_able(algorithm: Algorithm, backend: BackendLike) -> None:
    """Refuse a backend that lacks an ability which the algorithm needs; among those of "auto" there is one.

    Args:
        algorithm: What is asked.
        backend: A `Backend`, or "auto".

    Raises:
        Refused: if it lacks it.
    """
    if isinstance(backend, Backend) and not isinstance(backend, algorithm.ability):
        raise Refused(f"'{backend.capabilities().name}': {_lacking(algorithm)}")


def _lacking(algorithm: Algorithm) -> str:
    return f"{algorithm.kind} needs a backend that gives {algorithm.ability.__name__.lower()}; use 'statevector'"


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise Refused(f"the folder {path} cannot be written: {err.strerror}; choose another one") from err


def _written(
    path: Path,
    algorithm: Algorithm,
    asked: dict[str, Any],
    plan: Plan,
    spares: Sequence[Backend],
    *,
    notes: dict[str, Any],
) -> list[Backend]:
    """Write what is asked; where it begins, and where it may go on."""
    device = plan.chosen.backend
    inputs = algorithm.inputs()
    spec = AlgorithmSpec(
        format=recorded.FORMAT,
        kind=algorithm.kind,
        asked=asked,
        backend=backend_spec(device),
        unit=algorithm.work.problem.unit,
        failover=[backend_spec(spare) for spare in spares],
        plan=dict(plan.to_dict()),
        provenance=provenance(),
        notes=notes,
        inputs={name: hashlib.sha256(file).hexdigest() for name, file in inputs.items()},
    )
    content = spec.model_dump() | {"backend": spec.backend.to_dict()}
    head = to_json(content | {"failover": [spare.to_dict() for spare in spec.failover]})
    begin(path, folders.ALGORITHM, {folders.ALGORITHM: head, **inputs})
    return [device, *spares]


def _continued(
    path: Path, algorithm: Algorithm, asked: dict[str, Any], backend: BackendLike, failover: Failing
) -> list[Backend]:
    """Where the algorithm in the folder was begun, and may go on; refuse if it is not the one that is asked for."""
    kept, kind = recorded.read_spec(path), algorithm.kind
    if kept.kind != kind:
        raise Refused(f"{path} holds another algorithm: {kept.kind}; choose another folder")
    if differ := differing(kept.asked, asked):
        raise Refused(
            f"{path} holds {kind} with other arguments: {', '.join(differ)} differ; "
            "give them as they were, or choose another folder"
        )
    device = backend_of(kept.backend, None if isinstance(backend, str) and backend == "auto" else backend)
    given_later = failover is not False and not (failover is True and kept.failover)
    spares = spares_now(algorithm.work, device, failover) if given_later else kept.failover
    return [device, *(backend_of(spare) for spare in spares)]


def _finish(record: Record, algorithm: Algorithm, result: Any, clock: Clock) -> None:
    """Write the algorithm's result.json, unless it is there already: then times and ranks are those of the first."""
    file, tally = record.folder / folders.RESULT, record.tally
    if file.exists():
        return
    failovers = [*tally.failovers, *(change.failover().to_dict() for change in record.places.failovers)]
    seconds = tally.seconds | {phase: clock.seconds[phase] for phase in clock.seconds if phase != "total"}
    seconds["total"] = sum(seconds.values())
    content = {
        "kind": algorithm.kind,
        "problem": algorithm.work.problem.name,
        "unit": algorithm.work.problem.unit,
        "message": tally.message,
        **result.content(),
        "steps": tally.steps,
        "evaluations": tally.evaluations,
        "backend": record.backend.capabilities().name,
        "failovers": failovers,
    }
    plan = recorded.read_spec(record.folder).plan
    prediction = in_hindsight(plan, tally.evaluations, seconds, 0.0)
    times = {"seconds": seconds, "ranks": record.team.size, "prediction": prediction and prediction.model_dump()}
    if (record.folder / folders.JOBS).exists():
        record.files.ended(folders.JOBS)
    record.files.finish(to_json(content | times))
