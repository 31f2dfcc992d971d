"""Minimizing an energy: plan, run the variational loop, conclude, and leave a record; or continue from a record."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

import backends
from backends.base import Backend
from backends.mitigation.words import MitigationLike
from circuits.errors import Refused
from hybrid.loop import notebook
from hybrid.loop.clock import Clock
from hybrid.loop.exact import exact_energy
from hybrid.loop.optimize import Callback, check_callback
from hybrid.loop.pool import check_executor
from hybrid.loop.run_to_end import is_unfinished, run_to_end
from hybrid.loop.threads import check_threads, threads_of
from hybrid.optimizers.optimizer import Optimizer
from hybrid.ranks.mpi import ALONE, Ranks
from hybrid.registry.start import warm
from hybrid.registry.words import NOTE, REGISTRY, is_registry
from hybrid.routing.plan import Plan, candidates, rank
from hybrid.routing.spares import Failing, spares_now, with_spares
from hybrid.runs import calibrations, failovers, index
from hybrid.runs import folder as folders
from hybrid.runs.budget import Budget, budget_of
from hybrid.runs.failovers import Failover
from hybrid.runs.journal import read_failovers
from hybrid.runs.places import folder_of, fresh
from hybrid.runs.provenance import provenance
from hybrid.runs.result import Result
from hybrid.runs.spec import FORMAT, RunSpec
from hybrid.runs.start import started
from hybrid.terminal.progress import Progress
from hybrid.workload.arguments import BackendLike, OptimizerLike, ProblemLike
from hybrid.workload.beside import is_sampled
from hybrid.workload.question import differing, question
from hybrid.workload.spec import (
    ProblemSpec,
    backend_of,
    backend_spec,
    problem_of,
    requested_backend,
    workload_of,
    workload_spec,
)
from hybrid.workload.workload import Workload, workload

ACCURACY = 1e-6
"""Wanted where nothing else is, in the problem's unit."""


def minimize(
    circuit: QuantumCircuit,
    problem: ProblemLike,
    *,
    backend: BackendLike = "auto",
    optimizer: OptimizerLike = "lbfgs",
    theta: ArrayLike | str | None = None,
    seed: int = 0,
    max_steps: int = 200,
    accuracy: float = ACCURACY,
    folder: str | Path | None = None,
    shots: int | None = None,
    mitigation: MitigationLike | None = None,
    label: str = "open",
    name: str | None = None,
    budget: Budget | Mapping[str, float] | None = None,
    failover: Failing = False,
    callback: Callback | None = None,
    tol: float | None = None,
    exact: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    progress: bool = True,
    executor: Executor | None = None,
) -> Result:
    """Minimize the energy of a problem over a circuit's parameters, and leave a record.

    Args:
        circuit: Ansatz with parameters; no measurements.
        problem: A `circuits.Problem`, or a Hermitian operator on the circuit's qubits.
        backend: "auto" takes the fastest that the plan finds; a name or a backend object is obeyed.
        optimizer: Name or `Optimizer`, such as ``optimizers.get("adam", learning_rate=0.02)``; ``"scipy:BFGS"`` for a
            method of ``scipy.optimize.minimize``; or an object of Optax's, such as ``optax.adam(0.1)``, which `resume`
            must be given again.
        theta: Starting point, shape (params,), radians; by default the ansatz's own, or a small random one.
            ``"run:FOLDER"`` starts where another run has ended, such as on a device from a simulator's angles; the
            record says which. ``"registry"`` starts where the registry's best run of this problem and circuit has
            ended, or else that of the nearest problem, and adds this run to it at its end; see `hybrid.registry`.
        seed: Root of every random number; the same seed gives the same bits.
        max_steps: Most steps of the optimizer.
        accuracy: Wanted accuracy of the minimum, in the problem's unit.
        folder: Where the record goes; by default a new folder under ``runs/`` (or ``$HYBRID_RUNS``). A run there that
            asks the same is continued, or read if it is finished.
        shots: Shots for each measured circuit; None for exact values, or a device's default.
        mitigation: What is done about noise, in the words of `backends.get`, for a backend that takes it.
        label: Classification of the data: "open", "internal" or "restricted".
        name: Of the run, for its folder; by default the problem's.
        budget: What the run may spend at a vendor, as in ``{"usd": 20, "qpu_s": 600, "shots": 1e6}``, restarts
            included; no limit for what is not named. A run that goes on keeps the budget it had, unless one is given.
        failover: Whether the run goes on at another backend if its own fails in the middle: True for the next simulator
            of this machine in the plan; a list of names, such as ``["aer", "ibm:fake_manila"]``, also for places
            that cost money. Evaluations that were finished are kept, the record says which backend gave which,
            and values of another kind (noise, shots, truncation) are refused.
        callback: ``callback(step, theta, energy)``, called after each step, those that a continued run takes from its
            journal included: step from 1, theta the best of the step's rows, shape (params,), energy in the problem's
            unit. If it returns True or raises StopIteration, the run ends with the status "stopped".
        tol: Another word for accuracy, as users of SciPy expect it; give one of the two.
        exact: Whether the problem's exact energy is computed beside the run, where the plan says that it takes some
            seconds at most; without it the result has no error, and no error budget.
        should_stop: Called before each step, and while a vendor's job is waited for; when it returns True, the run ends
            with the status "stopped".
        progress: Whether a terminal or a notebook shows how far it is, once it takes over a second. The variable
            ``HYBRID_PROGRESS=0`` switches that off everywhere.
        executor: Of ``concurrent.futures``, or of another library that follows it (Dask, Parsl, executorlib, Globus
            Compute), whose workers evaluate the rows of a population, of shifts, or of a gradient at the same time;
            the bits are those without it. This process alone writes the record.

    Returns:
        The `Result`. Not converging is a status on it, not an exception. In a notebook, interrupting the cell ends the
        run with the status "stopped" and the best so far; the same call then goes on with it.

    Raises:
        Refused: if the parts do not fit each other or no backend can do it; nothing was written.
        BudgetExceeded: if the next job would cost more than is left; it was not sent, and the run can go on with more.
        FailedJob: if a backend fails; what was finished is kept, and `resume` continues.
        LostJob: if nobody knows what became of a job; the message says how to go on.

    Examples:
        >>> import tempfile
        >>> from circuits import tfim, hardware_efficient
        >>> r = minimize(hardware_efficient(2, layers=2), tfim(2), backend="statevector", folder=tempfile.mkdtemp())
        >>> r.status, round(r.energy, 6)
        ('converged', -2.236068)
    """
    check_callback(callback)
    team = check_executor(executor)
    backend = backend if mitigation is None else mitigated(backend, mitigation)
    from_registry = is_registry(theta)
    start, notes = (None, {}) if from_registry else started(theta, circuit)
    if tol is not None and accuracy != ACCURACY:
        raise Refused(f"tol={tol} and accuracy={accuracy} mean the same: give one of them")
    work = workload(
        circuit,
        problem,
        optimizer=optimizer,
        theta=start,
        accuracy=accuracy if tol is None else tol,
        max_steps=max_steps,
        seed=seed,
        shots=shots,
        label=label,
        exact=exact,
    )
    limits = None if budget is None else budget_of(budget)
    begin = REGISTRY if from_registry else work.theta.tolist()
    asked = {**question(work), "theta": begin, "backend": requested_backend(backend)}
    with notebook.interrupts() as interrupted, Progress(work.problem.name, shown=progress) as shown:

        def stopping() -> bool:
            return should_stop() or interrupted()

        place = notebook.folder_to_continue(asked) if folder is None else folder_of(folder)
        if place is not None and folders.is_run(place):
            notebook.remember(asked, place)
            result = _continued(place, asked, backend, stopping, limits, failover, work.optimizer, callback, team)
        else:
            place = place or fresh(name or work.problem.name)
            folders.check_free(place)
            if from_registry:
                work, notes = warm(work)
            clock = Clock()
            with clock.phase("plan"):
                plan, spares = with_spares(work, rank(work, candidates(backend)), backend, failover)
            notebook.remember(asked, place)
            result = run(
                work,
                plan,
                folder=place,
                notes=notes,
                clock=clock,
                should_stop=stopping,
                team=team,
                budget=limits,
                spares=spares,
                callback=callback,
            )
        shown.end_with(_ended(result))
        return notebook.with_resume_hint(result, interrupted)


def _ended(result: Result) -> str:
    """How a run has ended, for the last line of its progress."""
    return f"{result.status} after {result.steps} steps" + (f", {result.measured()}" if result.begun else "")


def mitigated(backend: BackendLike, mitigation: MitigationLike | None) -> Backend:
    """A backend with what is done about its noise.

    Args:
        backend: As for `minimize`.
        mitigation: As for `backends.get`.

    Raises:
        Refused: for "auto", which chooses among exact backends, and where mitigation was given already.
    """
    if isinstance(backend, str) and backend == "auto":
        raise Refused('mitigation needs a backend with noise, and "auto" chooses among exact ones: name the backend')
    origin = backend.origin if isinstance(backend, Backend) else None
    if isinstance(backend, Backend) and origin is None:
        raise Refused("mitigation was given beside a backend that is made already: make it with mitigation=... instead")
    if origin is None:
        return backends.get(backend, mitigation=mitigation)
    if "mitigation" in origin.options:
        raise Refused("mitigation was given twice, to the backend and beside it; give it once")
    return backends.get(origin.name, **origin.options, mitigation=mitigation)


def _continued(
    path: Path,
    asked: dict[str, Any],
    backend: BackendLike,
    should_stop: Callable[[], bool],
    budget: Budget | None,
    failover: Failing,
    optimizer: Optimizer,
    callback: Callback | None,
    team: Ranks,
) -> Result:
    """The run in a folder, if it asks the same."""
    record = folders.read(path)
    work = _work_of(record)
    kept = {**question(work), "theta": work.theta.tolist(), "backend": record.spec.backend.to_dict()}
    if is_registry(asked["theta"]) and NOTE in record.spec.notes:
        kept["theta"] = REGISTRY  # whatever the registry holds by now
    if asked["backend"] == "auto":
        kept["backend"] = "auto"
    if differ := differing(kept, asked):
        raise Refused(
            f"{path} holds a run already that asks something else ({', '.join(differ)}); choose another folder, or "
            f"hybrid.resume('{path}')"
        )
    device = None if asked["backend"] == "auto" else backend
    allowed = None if failover is False else failover
    return continue_run(
        path,
        backend=device,
        should_stop=should_stop,
        team=team,
        budget=budget,
        failover=allowed,
        optimizer=optimizer,
        callback=callback,
    )


def run(
    work: Workload,
    plan: Plan,
    *,
    folder: str | Path,
    notes: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    team: Ranks = ALONE,
    budget: Budget | None = None,
    spares: Sequence[Backend] = (),
    callback: Callback | None = None,
) -> Result:
    """Run a workload the way its plan chose; `minimize` is this with the plan made for you.

    Args:
        work: The workload.
        plan: Made for it by `hybrid.routing.plan.rank`.
        folder: Where the record goes; it must hold no run.
        notes: JSON-able values to keep in the folder's spec under "notes".
        clock: With the time of what ran before, such as planning, if it is to be counted.
        should_stop: As for `minimize`.
        team: Ranks that help to evaluate; this one leads.
        budget: What it may spend at a vendor; None for what the sweep or algorithm that it belongs to may.
        spares: Where it may go on, in order, if the backend fails; see `hybrid.routing.spares.with_spares`.
        callback: As for `minimize`.

    Raises:
        Refused: if the folder holds a run already, or cannot be written.
        Stopped: if a signal came before anything was written.
        FailedJob: if the backend fails; what was finished is kept.
        RecordFailed: if the record cannot be written; what was committed before is kept.
    """
    check_callback(callback)
    clock = clock or Clock()
    record = begin_run(work, plan, folder=folder, notes=notes, clock=clock, spares=spares)
    return run_to_end(
        record,
        work,
        plan.chosen.backend,
        spares=record.spec.failover,
        plan=plan,
        clock=clock,
        should_stop=should_stop,
        team=team,
        budget=budget,
        callback=callback,
        made=spares,
    )


def begin_run(
    work: Workload,
    plan: Plan,
    *,
    folder: str | Path,
    notes: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    spares: Sequence[Backend] = (),
) -> folders.Record:
    """Write the folder of a run that has not evaluated anything yet; `continue_run` carries it out, here or elsewhere.

    Args:
        work: As for `run`, like the others.
        plan: Made for it.
        folder: Where the record goes.
        notes: To keep in the folder's spec.
        clock: With the time of what ran before.
        spares: Where it may go on.

    Raises:
        Refused: if the folder holds a run already, or cannot be written.
    """
    backend, clock, path = plan.chosen.backend, clock or Clock(), folder_of(folder)
    folders.check_free(path)
    with clock.phase("exact energy"):
        exact = exact_energy(work.problem)
    problem = work.problem
    spec = RunSpec(
        format=FORMAT,
        problem=ProblemSpec(name=problem.name, unit=problem.unit, source=dict(problem.source), exact_energy=exact),
        workload=workload_spec(work),
        backend=backend_spec(backend),
        plan=dict(plan.to_dict()),
        provenance=provenance() | calibrations.first(backend, work.circuit),
        threads=threads_of(backend),
        failover=[backend_spec(spare) for spare in spares],
        notes=dict(notes or {}),
    )
    return folders.create(path, spec, work.circuit, problem.hamiltonian)


def resume(
    folder: str | Path,
    *,
    backend: BackendLike | None = None,
    budget: Budget | Mapping[str, float] | None = None,
    failover: Failing | None = None,
    optimizer: OptimizerLike | None = None,
    callback: Callback | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    progress: bool = True,
    executor: Executor | None = None,
) -> Result:
    """Continue a run from its folder alone; a finished one is read, not run again.

    Args:
        folder: Of a run that was stopped or killed.
        backend: Needed only if the run was started on a backend object, or with secret options: no folder holds those.
        budget: As for `minimize`, in place of the one that it had; what was spent stays spent.
        failover: As for `minimize`; None for what the run was begun with. A run that failed over goes on where it was.
        optimizer: Needed only if the run was started with an object of Optax's, which no folder holds.
        callback: As for `minimize`; called for the steps in the journal, too, but not where a finished run is read.
        should_stop: As for `minimize`.
        progress: As for `minimize`.
        executor: As for `minimize`; it need not be the one that the run was begun with.

    Returns:
        The same `Result`, to the last bit, as if the run had never been interrupted.

    Raises:
        Refused: if the folder holds no run, its journal is corrupt or that of another run, or the loop asks for other
            evaluations than it holds.
        BudgetExceeded: as for `minimize`.
        FailedJob: if a job at a vendor failed or was cancelled; the message says how to send it anew.
        LostJob: if nobody knows what became of a job; the message says how to go on.
    """
    limits, team = None if budget is None else budget_of(budget), check_executor(executor)
    with notebook.interrupts() as interrupted, Progress(folder_of(folder).name, shown=progress) as shown:
        stopping: Callable[[], bool] = lambda: should_stop() or interrupted()  # noqa: E731
        result = continue_run(
            folder,
            backend=backend,
            should_stop=stopping,
            team=team,
            budget=limits,
            failover=failover,
            optimizer=optimizer,
            callback=callback,
        )
        shown.end_with(_ended(result))
        return notebook.with_resume_hint(result, interrupted)


def continue_run(
    folder: str | Path,
    *,
    backend: BackendLike | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    team: Ranks = ALONE,
    budget: Budget | None = None,
    failover: Failing | None = None,
    optimizer: OptimizerLike | None = None,
    callback: Callback | None = None,
    made: Sequence[Backend] = (),
    listed: bool = True,
) -> Result:
    """Continue a run as `resume` does, for a program that handles signals itself, on one or many ranks.

    Args:
        folder: As for `resume`.
        backend: As for `resume`.
        should_stop: As for `minimize`.
        team: Ranks that help to evaluate; this one leads.
        budget: As for `run`; None also for the one that it had.
        failover: As for `resume`.
        optimizer: As for `resume`.
        callback: As for `resume`.
        made: Where it may go on, in order, in place of what the record says; backends that no record can make again.
        listed: Whether the folder is noted among those that `hybrid runs` finds.

    Raises:
        Refused: as for `resume`.
        LostJob: as for `resume`.
    """
    check_callback(callback)
    record = folders.read(folder_of(folder))
    work, unfinished = _work_of(record, optimizer), is_unfinished(record)
    if unfinished and listed:
        index.add(record.path)
    changes = read_failovers(record.journal)
    device = _place_of(record, changes, backend)
    begun, threads = (changes[-1].provenance, changes[-1].threads) if changes else _begun(record)
    if unfinished and (changed := calibrations.resumed(record.path, begun, device, work.circuit)):
        warnings.warn(changed, stacklevel=2)
    _check_draws(record, work, device)
    check_threads(device, threads)
    given_later = failover is not None and unfinished and not (failover is True and record.spec.failover)
    spares = spares_now(work, device, failover or False) if given_later else record.spec.failover
    if made and unfinished:
        spares = [backend_spec(spare) for spare in made]
    return run_to_end(
        record,
        work,
        device,
        spares=spares,
        plan=None,
        clock=Clock(),
        should_stop=should_stop,
        team=team,
        budget=budget,
        callback=callback if unfinished else None,
        made=made,
    )


def _begun(record: folders.Record) -> tuple[Mapping[str, Any], int | None]:
    return record.spec.provenance, record.spec.threads


def _place_of(record: folders.Record, changes: Sequence[Failover], backend: BackendLike | None) -> Backend:
    """The backend at which a run is; the one that it was begun on may be given, too."""
    if backend is not None and changes and backend_spec(backends.get(backend)).question == record.spec.backend.question:
        backend = None
    return backend_of(failovers.place(record.spec.backend, changes), backend)


def _work_of(record: folders.Record, optimizer: OptimizerLike | None = None) -> Workload:
    """The workload of a record; its optimizer may be given, where a record cannot hold it."""
    spec = record.spec
    problem = problem_of(spec.problem, record.hamiltonian)
    return workload_of(spec.workload, record.circuit, problem, optimizer=optimizer)


def _check_draws(record: folders.Record, work: Workload, backend: Backend) -> None:
    """Refuse to go on with random numbers that another version drew in another way."""
    drawn = is_sampled(backend.capabilities(), work.shots) or work.optimizer.geometry == "fidelities"
    if record.spec.format < 3 and drawn and is_unfinished(record):
        raise Refused(
            f"{record.path} was begun by an earlier version, whose random numbers of shots were drawn in another way: "
            "it can be shown, but not continued to the same bits. Start it anew in another folder"
        )
