"""The variational loop: plan, ask, evaluate, write down, tell."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit

import backends
from backends.base import Backend
from circuits.errors import Refused
from hybrid import notebook
from hybrid.clock import Clock
from hybrid.distributed import ALONE, Ranks
from hybrid.judges import SIGMAS, below_exact
from hybrid.ledger import Ledger
from hybrid.optimizers.optimizer import Points
from hybrid.progress import Progress
from hybrid.question import differing, question
from hybrid.result import Result, Status
from hybrid.routing.plan import Plan, candidates, rank
from hybrid.runs import folder as folders
from hybrid.runs.history import History
from hybrid.runs.journal import Journal
from hybrid.spec import backend_of, backend_words, spec_of, workload_of
from hybrid.workload import Workload, workload

EXACT_QUBITS = 16
"""Largest problem whose exact energy, or that of a noisy run's answer, is computed without being asked for."""


def minimize(
    circuit: QuantumCircuit,
    problem: Any,
    *,
    backend: Any = "auto",
    optimizer: Any = "lbfgs",
    theta: Any = None,
    seed: int = 0,
    max_steps: int = 200,
    accuracy: float = 1e-6,
    folder: str | Path | None = None,
    shots: int | None = None,
    label: str = "open",
    name: str | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Result:
    """Minimize the energy of a problem over a circuit's parameters, and leave a record.

    Args:
        circuit: Ansatz with parameters; no measurements.
        problem: A `circuits.Problem`, or a Hermitian operator on the circuit's qubits.
        backend: "auto" takes the fastest that the plan finds; a name or a backend object is obeyed.
        optimizer: Name or `Optimizer`, such as ``optimizers.get("adam", learning_rate=0.02)``.
        theta: Starting point, shape (params,), radians; by default the ansatz's own, or a small random one.
        seed: Root of every random number; the same seed gives the same bits.
        max_steps: Most steps of the optimizer.
        accuracy: Wanted accuracy of the minimum, in the problem's unit.
        folder: Where the record goes; by default a new folder under ``runs/`` (or ``$HYBRID_RUNS``). A run there that
            asks the same is continued, or read if it is finished.
        shots: Shots for each measured circuit; None for exact values, or a device's default.
        label: Classification of the data: "open", "internal" or "restricted".
        name: Of the run, for its folder; by default the problem's.
        should_stop: Asked before each step; when it says yes, the run ends with the status "stopped".

    Returns:
        The `Result`. Not converging is a status on it, not an exception. In a notebook, interrupting the cell ends the
        run with the status "stopped" and the best so far; the same call then goes on with it.

    Raises:
        Refused: if the parts do not fit each other or no backend can do it; nothing was written.
        FailedJob: if a backend fails; what was finished is kept, and `resume` continues.

    Examples:
        >>> import tempfile
        >>> from circuits import tfim, hardware_efficient
        >>> r = minimize(hardware_efficient(2, layers=2), tfim(2), backend="statevector", folder=tempfile.mkdtemp())
        >>> r.status, round(r.energy, 6)
        ('converged', -2.236068)
    """
    work = workload(
        circuit,
        problem,
        optimizer=optimizer,
        theta=theta,
        accuracy=accuracy,
        max_steps=max_steps,
        seed=seed,
        shots=shots,
        label=label,
    )
    asked = {**question(work), "theta": work.theta.tolist(), "backend": _words(backend)}
    place = notebook.begun(asked) if folder is None else Path(folder)
    with notebook.interrupts() as interrupted:

        def stopping() -> bool:
            return should_stop() or interrupted()

        if place is not None and folders.is_run(place):
            result = _continued(place, asked, backend, stopping)
        else:
            if place is not None:
                folders.check_free(place)
            clock = Clock()
            with clock.phase("plan"):
                plan = rank(work, candidates(backend))
            result = run(work, plan, folder=folder, name=name, clock=clock, should_stop=stopping)
        return notebook.noted(result, asked, interrupted)


def _words(backend: Any) -> Any:
    """How a question names a backend; "auto" is answered by any."""
    return backend if backend == "auto" else backend_words(backends.get(backend))


def _continued(path: Path, asked: dict[str, Any], backend: Any, should_stop: Callable[[], bool]) -> Result:
    """The run in a folder, if it asks the same."""
    spec, circuit, problem = folders.read(path)
    work = workload_of(spec, circuit, problem)
    kept = {**question(work), "theta": work.theta.tolist(), "backend": spec["backend"]}
    if asked["backend"] == "auto":
        kept["backend"] = "auto"
    if differ := differing(kept, asked):
        raise Refused(
            f"{path} holds a run already that asks something else ({', '.join(differ)}); choose another folder, or "
            f"hybrid.resume('{path}')"
        )
    return resume(path, backend=None if backend == "auto" else backend, should_stop=should_stop)


def run(
    work: Workload,
    plan: Plan,
    *,
    folder: str | Path | None = None,
    name: str | None = None,
    notes: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    team: Ranks = ALONE,
) -> Result:
    """Run a workload the way its plan chose; `minimize` is this with the plan made for you.

    Args:
        work: The workload.
        plan: Made for it by `hybrid.routing.plan.rank`.
        folder: As for `minimize`.
        name: As for `minimize`.
        notes: JSON-able values to keep in the folder's spec under "notes".
        clock: What ran before, such as planning, if it is to be counted.
        should_stop: As for `minimize`.
        team: Ranks that help to evaluate; this one leads.
    """
    backend = plan.chosen.backend
    clock = clock or Clock()
    path = folders.fresh(name or work.problem.name) if folder is None else Path(folder)
    folders.check_free(path)
    with clock.phase("exact energy"):
        exact = _exact_energy(work)
    spec = spec_of(work, plan, exact) | {"notes": dict(notes or {})}
    folders.create(path, spec, work.circuit, work.problem.hamiltonian)
    return _loop(path, work, backend, plan, exact, clock, should_stop, team)


def resume(
    folder: str | Path, *, backend: Any = None, should_stop: Callable[[], bool] = lambda: False, team: Ranks = ALONE
) -> Result:
    """Continue a run from its folder alone; a finished one is read, not run again.

    Args:
        folder: Of a run that was stopped or killed.
        backend: Needed only if the run was started on a backend object, which no folder can hold.
        should_stop: As for `minimize`.
        team: Ranks that help to evaluate; their number need not be that of before.

    Returns:
        The same `Result`, to the last bit, as if the run had never been interrupted.

    Raises:
        Refused: if the folder holds no run, its journal is corrupt, or the journal tells another story.
    """
    path = Path(folder)
    spec, circuit, problem = folders.read(path)
    work, device = workload_of(spec, circuit, problem), backend_of(spec, backend)
    return _loop(path, work, device, None, spec["problem"]["exact_energy"], Clock(), should_stop, team)


def _loop(
    path: Path,
    work: Workload,
    backend: Backend,
    plan: Plan | None,
    exact: float | None,
    clock: Clock,
    should_stop: Callable[[], bool],
    team: Ranks,
) -> Result:
    with folders.Lock(path):
        journal = Journal(path / folders.JOURNAL)
        try:
            ledger = Ledger(journal, work, backend, clock, team)
            state, steps, status, message = _optimize(work, ledger, clock, should_stop)
            rounding = validated = None
            if status == "stopped":
                theta, energy, error = ledger.best()
            else:
                theta = work.optimizer.best(state)
                told = ledger.answer(Points(theta[None], gradient=False), steps)
                energy, error = float(told.values[0]), float(told.standard_errors[0])
                status, message = _judged(work, backend, energy, error, exact, status, message)
                rounding = _rounding(work, backend, theta, energy, clock)
                validated = _validated(work, backend, theta, clock)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"Everything finished is saved; continue with hybrid.resume('{path}').")
            raise
        finally:
            with clock.phase("record"):
                journal.close()
        result = Result(
            energy=energy,
            standard_error=error,
            theta=theta,
            status=status,
            message=message,
            history=History.of(ledger.evaluations, len(work.theta)),
            plan=plan,
            folder=path,
            exact_energy=exact,
            unit=work.problem.unit,
            problem=work.problem.name,
            backend=backend.capabilities().name,
            steps=steps,
            evaluations=sum(len(evaluation.theta) for evaluation in ledger.evaluations),
            seconds=ledger.report(),
            ranks=team.size,
            rounding=rounding,
            validated=validated,
        )
        written = path / "result.json"
        kept = folders.read_json(written) if written.exists() else {}
        if ledger.asked_backend or kept.get("status") != status:
            folders.write_json(written, result.to_dict())
            return result
    return replace(
        result, seconds=kept["seconds"], ranks=kept["ranks"]
    )  # nothing was computed: those of the run itself


def _optimize(
    work: Workload, ledger: Ledger, clock: Clock, should_stop: Callable[[], bool]
) -> tuple[Any, int, Status, str]:
    optimizer = work.optimizer
    with clock.phase("optimize"):
        state = optimizer.init(work.theta, accuracy=work.accuracy, seed=work.seed)
    with Progress(work.problem.name, work.max_steps) as progress:
        for step in range(work.max_steps + 1):
            with clock.phase("optimize"):
                converged, stalled = optimizer.converged(state), optimizer.stalled(state)
            if converged:
                return state, step, "converged", ""
            if stalled:
                return state, step, "stalled", stalled
            if step == work.max_steps:
                break
            if should_stop():
                return state, step, "stopped", "all work is saved; resume to continue"
            with clock.phase("optimize"):
                points = optimizer.ask(state)
            told = ledger.answer(points, step)
            with clock.phase("optimize"):
                state = optimizer.tell(state, told)
            progress.update(step + 1, f"energy {told.values[0]:.8f}")
    return state, work.max_steps, "max_steps", f"not converged to {work.accuracy:g} {work.problem.unit}"


def _judged(
    work: Workload, backend: Backend, energy: float, error: float, exact: float | None, status: Status, message: str
) -> tuple[Status, str]:
    """Status and message in the light of the exact energy."""
    if depth := below_exact(work.problem, energy, error, exact):
        return "below_exact", f"the energy lies {depth:.1e} below the exact one: do not trust it"
    if exact is not None and backend.capabilities().noise and energy - exact > SIGMAS * error:
        message += "; " * bool(message) + f"the device's noise keeps it {energy - exact:.1e} above the exact energy"
    return status, message


def _rounding(work: Workload, backend: Backend, theta: Any, energy: float, clock: Clock) -> float | None:
    """What single precision changed: the energy less that of the same engine in double precision."""
    can = backend.capabilities()
    if can.precision == "double" or not can.exact or work.shots is not None or backend.origin is None:
        return None
    with clock.phase("double precision"):
        double = backends.get(backend.origin.name, **(backend.origin.options | {"precision": "double"}))
        exact = double.prepare(work.circuit, work.problem.hamiltonian)(theta).values[0, 0]
    return energy - float(exact)


def _validated(work: Workload, backend: Backend, theta: Any, clock: Clock) -> float | None:
    """The exact energy at the answer of a sampled or noisy run, from a simulator here, where the states are small."""
    can = backend.capabilities()
    if (can.exact and not can.noise and work.shots is None) or work.circuit.num_qubits > EXACT_QUBITS:
        return None
    with clock.phase("validate"):
        try:
            exact = backends.get("statevector").prepare(work.circuit, work.problem.hamiltonian)
        except Refused:
            return None  # the device knows gates that the simulator does not; the result says nothing, then
        return float(exact(theta).values[0, 0])


def _exact_energy(work: Workload) -> float | None:
    problem = work.problem
    if problem.solve is None and problem.n_qubits > EXACT_QUBITS:
        return None
    try:
        return problem.exact_energy()
    except Refused:
        return None  # it would not fit; the result says that it is not known
