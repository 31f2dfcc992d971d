"""A recorded run, taken from where its journal ends to its result."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import cast

from backends.base import Backend
from hybrid.loop.clock import Clock
from hybrid.loop.conclusion import best_seen, conclude, conclusion_at, with_noise_explained
from hybrid.loop.dispatch import held, journaled
from hybrid.loop.failover import Places
from hybrid.loop.hindsight import correct_speed, in_hindsight, learn_from
from hybrid.loop.ledger import Ledger, Place
from hybrid.loop.optimize import Callback, Ending, optimize
from hybrid.loop.pool import check_workers_may
from hybrid.loop.stop import Waiting
from hybrid.loop.team import evaluator
from hybrid.loop.uncertainty import uncertainty_of
from hybrid.loop.validation import error_budget_of, rounding_of, validated_energy
from hybrid.ranks.mpi import Ranks
from hybrid.registry.start import add_at_end
from hybrid.routing.plan import Plan
from hybrid.routing.policy import guarded
from hybrid.runs import folder as folders
from hybrid.runs.budget import Budget, spending_of
from hybrid.runs.entries import ChainEntry
from hybrid.runs.failovers import Failover
from hybrid.runs.files import checked, read_bytes, read_json, to_json, write
from hybrid.runs.history import History
from hybrid.runs.journal import Journal
from hybrid.runs.loading import check_sealed
from hybrid.runs.lock import Lock
from hybrid.runs.result import Result, StoredResult
from hybrid.workload.beside import is_sampled
from hybrid.workload.spec import BackendSpec
from hybrid.workload.workload import Workload


def run_to_end(
    record: folders.Record,
    work: Workload,
    backend: Backend,
    *,
    spares: Sequence[BackendSpec],
    plan: Plan | None,
    clock: Clock,
    should_stop: Callable[[], bool],
    team: Ranks,
    budget: Budget | None,
    callback: Callback | None = None,
    made: Sequence[Backend] = (),
) -> Result:
    """Take a recorded run from where its journal ends to its result, and write that.

    Args:
        record: What was asked, and the journal.
        work: Its workload.
        backend: Where it is.
        spares: Where it may go on, in order, if the backend fails.
        plan: Of a run that begins; None of one that goes on.
        clock: With the time of what ran before.
        should_stop: As for `hybrid.minimize`.
        team: Ranks that help to evaluate; this one leads.
        budget: As for `hybrid.loop.minimize.run`.
        callback: As for `hybrid.minimize`.
        made: Those of the spares that no record can make again.

    Raises:
        PolicyViolation: if the data may not go to the workers of the team's executor.
        Refused: if another process has the folder, the journal is not the run's, or a finished run was changed.
        FailedJob: if the backend fails, and there is nowhere to go on.
        RecordFailed: if the record cannot be written.
    """
    exact = record.spec.problem.exact_energy
    if team.executor is not None:
        check_workers_may(team.executor, work.label, record.path)
    with ExitStack() as held_open, Lock(record.path), Journal(record.journal, record.digest) as journal:
        _check_untouched(record, journal)

        def opened(backend: Backend, came: Failover | None) -> Place:
            held_open.enter_context(held(backend))
            routed, begin = journaled(backend, journal, spending, should_stop=should_stop, came=came)
            can = backend.capabilities()
            provider = can.name if can.place == "provider" else None
            return Place(
                lambda: evaluator(work, guarded(routed, work.label, record.path), team, contained=bool(spares)),
                provider,
                _before(journal, provider, begin),
            )

        spending = spending_of(record.path)
        if budget is not None:
            spending.grant(budget)
        places = Places(work, journal, record.spec.backend, backend, spares, opened, team, made=made)
        ledger = Ledger(journal, places.now(), clock, team=team, after=places.after)
        rounding = validated = errors = uncertainty = None
        try:
            ending = _descend(work, ledger, clock, should_stop, callback, exact)
            if ending.status == "stopped":
                conclusion = conclusion_at(*ledger.best(work.theta), "stopped", ending.message)
            else:
                fresh_start = is_sampled(backend.capabilities(), work.shots) and record.spec.format > 1
                seen = best_seen(ledger.evaluations, work.theta) if record.spec.format > 2 else None
                conclusion = conclude(work, ending, ledger.answer, sampled=fresh_start, exact=exact, seen=seen)
                backend = places.backend
                can = backend.capabilities()
                rounding = rounding_of(work, backend, conclusion, clock)
                validated = validated_energy(work, backend, conclusion, clock)
                conclusion = with_noise_explained(
                    conclusion, can, exact=exact, validated=validated, unit=work.problem.unit
                )
                errors = error_budget_of(work, can, conclusion, exact, validated, clock)
                uncertainty = uncertainty_of(
                    record,
                    work,
                    backend,
                    conclusion,
                    ledger.evaluations,
                    steps=ending.steps,
                    exact=exact,
                    validated=validated,
                    rounding=rounding,
                    errors=errors,
                    failovers=places.failovers,
                    clock=clock,
                )
        except Waiting as waiting:
            ending = Ending(work.theta, ledger.steps, "stopped", str(waiting))
            conclusion = conclusion_at(*ledger.best(work.theta), "stopped", ending.message)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"Everything finished is saved; continue with hybrid.resume('{record.path}').")
            raise
        n_rows, seconds = sum(len(evaluation.theta) for evaluation in ledger.evaluations), ledger.report()
        result = Result(
            energy=conclusion.energy,
            standard_error=conclusion.standard_error,
            theta=conclusion.theta,
            status=conclusion.status,
            message=conclusion.message,
            history=History.from_evaluations(ledger.evaluations, len(work.theta)),
            plan=plan,
            folder=record.path,
            exact_energy=exact,
            unit=work.problem.unit,
            problem=work.problem.name,
            backend=places.backend.capabilities().name,
            steps=ending.steps,
            evaluations=n_rows,
            seconds=seconds,
            ranks=team.size,
            rounding=rounding,
            validated=validated,
            bias=conclusion.bias,
            error_budget=errors,
            uncertainty=uncertainty,
            failovers=tuple(change.to_dict() for change in places.failovers),
            prediction=in_hindsight(record.spec.plan, n_rows, seconds, ledger.replayed_s),
            start=record.spec.start,
        )
        recorded = _recorded(record, result, ledger, journal)
        if ledger.evaluated and result.status != "stopped" and not places.failovers:
            can = places.backend.capabilities()
            whole = not {"start", "stage"} & set(record.spec.notes)
            if whole:  # the last steps of a descent say nothing of a whole one
                learn_from(work, can, result)
            correct_speed(work, can, result, record.spec.plan)
        if result.status != "stopped":
            add_at_end(record)
        return recorded


def _before(journal: Journal, provider: str | None, begin: Callable[[int, str], None] | None) -> Callable[[int], None]:
    """What is called before each evaluation."""
    if begin is not None:
        return lambda number: begin(number, "")
    return lambda number: None if provider is None else journal.intend(number)


def _check_untouched(record: folders.Record, journal: Journal) -> None:
    """Refuse a finished run whose journal or result was changed since."""
    file = record.path / folders.RESULT
    if record.spec.format == 1 or is_unfinished(record):
        return
    check_sealed(record.path, read_bytes(file), journal.content)


def _descend(
    work: Workload,
    ledger: Ledger,
    clock: Clock,
    should_stop: Callable[[], bool],
    callback: Callback | None,
    exact: float | None,
) -> Ending:
    return optimize(
        work.optimizer,
        work.theta,
        ledger.answer,
        accuracy=work.accuracy,
        seed=work.seed,
        max_steps=work.max_steps,
        should_stop=should_stop,
        clock=clock,
        title=work.problem.name,
        unit=work.problem.unit,
        exact=exact,
        callback=callback,
    )


def _recorded(record: folders.Record, result: Result, ledger: Ledger, journal: Journal) -> Result:
    """Write the result, unless nothing was computed: then times and ranks are those of the run itself."""
    written = _written(record) if (record.path / folders.RESULT).exists() else None
    if ledger.evaluated or written is None or written.status != result.status:
        result = replace(result, chain=journal.chain)
        content = to_json(result.to_dict())
        journal.seal(content)
        write(record.path / folders.RESULT, content)
        return result
    kept = {"seconds": written.seconds, "ranks": written.ranks, "prediction": written.prediction}
    return replace(result, **kept, chain=cast("ChainEntry | None", written.chain))


def _written(record: folders.Record) -> StoredResult:
    file = record.path / folders.RESULT
    return checked(StoredResult, read_json(file), file)


def is_unfinished(record: folders.Record) -> bool:
    """Whether resuming a run computes anything: it has no result, or one of a run that was stopped.

    Args:
        record: Of the run.
    """
    return not (record.path / folders.RESULT).exists() or _written(record).status == "stopped"
