"""The folder of an algorithm: what was asked, and each of its stages, so that it can be killed and called again.

algorithm.json      what was asked: the arguments, the backend, versions, machine
NAME/               a stage that is a minimization: the folder of a run
NAME.json           a stage that is computed once, such as the counts of a sample
NAME.jsonl          a stage of many small steps, a line for each
jobs.sqlite         the jobs at a vendor that stages sent, besides those of the runs; only where there is one
budget.sqlite       what all stages together may spend at vendors, and have spent
result.json         what came out
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field
from qiskit import QuantumCircuit

from backends.base import Backend, Jobs
from backends.seeds import child_seed
from circuits import Problem
from circuits.errors import RecordFailed, Refused
from hybrid.loop import notebook
from hybrid.loop.clock import Clock
from hybrid.loop.dispatch import Journaled, elsewhere, held
from hybrid.loop.ledger import Evaluate, Ledger, Place
from hybrid.loop.minimize import continue_run, mitigated, run
from hybrid.loop.optimize import Ending, optimize
from hybrid.loop.stop import Stopped
from hybrid.routing.plan import candidates, rank
from hybrid.routing.policy import guarded
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.budget import FILE, Budget, Spending, budget_of
from hybrid.runs.files import checked, parsed, read_bytes, read_json, write_json
from hybrid.runs.journal import Journal
from hybrid.runs.lock import Lock
from hybrid.runs.places import fresh
from hybrid.runs.provenance import provenance
from hybrid.runs.result import Result
from hybrid.terminal.progress import Progress
from hybrid.workload.arguments import BackendLike
from hybrid.workload.beside import UNASKED_S
from hybrid.workload.question import SETTINGS, differing, question
from hybrid.workload.spec import BackendSpec, RecordModel, backend_of, backend_spec, requested_backend
from hybrid.workload.workload import Workload, workload

ALGORITHM = 3
"""Branch of the tree of seeds that the stages draw from; a run uses 0 to 2 of its own tree."""

FORMAT = 1

W = TypeVar("W", bound=RecordModel)
"""The result of a stage, as its file holds it."""


class AlgorithmSpec(RecordModel):
    """What was asked of an algorithm, as algorithm.json holds it.

    Attributes:
        format: Version of the folder's layout, from 1 to `FORMAT`.
        kind: The algorithm's name.
        asked: Its workload, as `question` describes it, and its own arguments.
        backend: Where all stages run.
    """

    format: int = Field(ge=1, le=FORMAT)
    kind: str
    asked: dict[str, Any]
    backend: BackendSpec


@dataclass(frozen=True)
class Record:
    """An algorithm's folder, locked for this process, with what all stages share.

    Attributes:
        folder: Its path.
        backend: Where all stages run.
        work: The first minimization; the others share its optimizer, accuracy, steps, shots and label.
        should_stop: Whether a signal asks to stop.
        progress: Shows which stage goes on.
        begin: Called before a stage computes something, with its number in the stage and the stage's name: the jobs at
            a vendor that follow belong to it.
    """

    folder: Path
    backend: Backend
    work: Workload
    should_stop: Callable[[], bool]
    progress: Progress = field(default_factory=lambda: Progress(""))
    begin: Callable[[int, str], None] = lambda number, stage: None

    def seed(self, *place: int) -> int:
        """The seed of a stage, from the algorithm's own and the stage's place in it: numbers of 0 or more."""
        return child_seed(self.work.seed, ALGORITHM, *place)

    def check_stop(self) -> None:
        """Stop here if a signal asks for it; finished stages are saved.

        Raises:
            Stopped: if one does.
        """
        if self.should_stop():
            raise Stopped(f"finished stages are saved in {self.folder}; the same call goes on with them")

    def run(
        self,
        name: str,
        circuit: QuantumCircuit,
        problem: Problem,
        *,
        theta: ArrayLike | None = None,
        seed: int = 0,
        backend: Backend | None = None,
    ) -> Result:
        """Minimize in a stage, a run with a folder of its own; continue it, or read it, if it was begun before.

        Args:
            name: Of the stage and its folder.
            circuit: Ansatz.
            problem: What is minimized.
            theta: Starting point, shape (params,), radians; by default the ansatz's own, or a small random one.
            seed: Of the stage.
            backend: Instead of the algorithm's own.

        Returns:
            The result of the run, which has ended.

        Raises:
            Refused: if the parts do not fit each other, or the stage's folder is damaged.
            Stopped: if a signal stopped it; its work is saved.
        """
        self.check_stop()
        self.progress.update(0, name)
        place, device, kept = self.folder / name, backend or self.backend, self.work
        if folders.is_run(place):
            result = continue_run(place, backend=device, should_stop=self.should_stop)
        else:
            work = workload(
                circuit,
                problem,
                optimizer=kept.optimizer,
                theta=theta,
                accuracy=kept.accuracy,
                max_steps=kept.max_steps,
                seed=seed,
                shots=kept.shots,
                label=kept.label,
            )
            result = run(work, rank(work, [device]), folder=place, should_stop=self.should_stop)
        if result.status == "stopped":
            self.check_stop()
        return result

    def descend(self, name: str, theta: np.ndarray, evaluate: Evaluate) -> tuple[Ending, np.ndarray]:
        """Minimize a function that is no energy in a stage with a journal of its own; continue it if it was begun.

        Args:
            name: Of the stage and its journal.
            theta: Starting point, shape (params,), radians.
            evaluate: The function: from points and the number of the evaluation, from 0, to the values of the points.

        Returns:
            How it ended, and the value of the first point of every step, shape (steps,), in the function's unit.

        Raises:
            Refused: if the journal is damaged, or belongs to something else.
            Stopped: if a signal stopped it; its work is saved.
        """
        self.progress.update(0, name)
        path, work, clock = self.folder / f"{name}.sqlite", self.work, Clock()
        run_digest = hashlib.sha256(read_bytes(self.folder / folders.ALGORITHM)).hexdigest()
        if not path.exists():
            journal.create(path, run_digest)
        with Journal(path, run_digest) as opened:
            provider = self.backend.capabilities().name if elsewhere(self.backend) is not None else None
            before: Callable[[int], None] = lambda number: self.begin(number, name)  # noqa: E731
            ledger = Ledger(opened, Place(lambda: evaluate, provider, before), clock)
            ending = optimize(
                work.optimizer,
                theta,
                ledger.answer,
                accuracy=work.accuracy,
                seed=work.seed,
                max_steps=work.max_steps,
                should_stop=self.should_stop,
                clock=clock,
                title=work.problem.name,
                unit=work.problem.unit,
            )
        if ending.status == "stopped":
            self.check_stop()
        return ending, np.array([evaluation.told.values[0] for evaluation in ledger.evaluations])

    def compute_once(self, name: str, model: type[W], compute: Callable[[], W]) -> W:
        """The result of a stage: read from its file if it was computed before, else computed and written there.

        Args:
            name: Of the stage and its file.
            model: Type of the result.
            compute: Gives it.

        Raises:
            Refused: if the file is damaged.
            Stopped: if a signal asks to stop.
        """
        path = self.folder / f"{name}.json"
        self.check_stop()
        if not path.exists():
            self.progress.update(0, name)
            self.begin(0, name)
            write_json(path, compute().model_dump())
        return checked(model, read_json(path), path)

    def lines(self, name: str, model: type[W]) -> list[W]:
        """The steps that a stage of many steps has written so far; a line that a kill left unfinished is removed.

        Args:
            name: Of the stage and its file.
            model: Type of a step.

        Raises:
            Refused: if the file is damaged.
        """
        path = self.folder / f"{name}.jsonl"
        whole = path.read_bytes() if path.exists() else b""
        kept = whole[: whole.rfind(b"\n") + 1]
        if kept != whole:
            with path.open("r+b") as file:
                file.truncate(len(kept))
        return [checked(model, parsed(path, line), path) for line in kept.splitlines()]

    def append(self, name: str, line: RecordModel) -> None:
        """Append one step to the file of a stage of many steps.

        Args:
            name: Of the stage and its file.
            line: The step.

        Raises:
            RecordFailed: if the disk is full or the folder is gone.
        """
        path = self.folder / f"{name}.jsonl"
        try:
            with path.open("a") as file:
                file.write(json.dumps(line.model_dump(), allow_nan=False) + "\n")
        except OSError as err:
            raise RecordFailed(f"{path} cannot be written: {err.strerror}") from err

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the algorithm's result.json.

        Args:
            summary: JSON-able values; arrays and numbers of NumPy's are converted.

        Raises:
            RecordFailed: if it cannot be written.
        """
        write_json(self.folder / folders.RESULT, dict(summary))
        self.progress.end_with("finished")


@contextmanager
def open_record(
    kind: str,
    work: Workload,
    *,
    backend: BackendLike,
    folder: str | Path | None,
    asked: Mapping[str, Any],
    mitigation: Any = None,
    budget: Budget | Mapping[str, float] | None = None,
    settings: Sequence[str] = SETTINGS,
    ability: type = object,
    progress: bool = True,
) -> Iterator[Record]:
    """A context with the folder of an algorithm: a new one, or one in which the same was begun before.

    Args:
        kind: The algorithm's name.
        work: Its first minimization.
        backend: As for `hybrid.minimize`; "auto" chooses once, for all stages.
        folder: Where the record goes; by default a new folder under ``runs/`` (or ``$HYBRID_RUNS``).
        asked: The algorithm's own arguments, as JSON-able values.
        mitigation: As for `hybrid.minimize`.
        budget: As for `hybrid.minimize`, for all stages together.
        settings: Names of those attributes of the workload that the algorithm uses.
        ability: Class that its backend must have for a base, such as `backends.base.Samples`.
        progress: As for `hybrid.minimize`.

    Yields:
        The folder, in which the stages run.

    Raises:
        Refused: if the folder holds anything else, another process is at work there, or no backend can do it.
        Stopped: in a notebook, if the cell was interrupted before.
    """
    backend = backend if mitigation is None else mitigated(backend, mitigation)
    limits = None if budget is None else budget_of(budget)
    whole = question(work, settings) | dict(asked)
    with notebook.interrupts() as stop, Progress(f"{kind} of {work.problem.name}", shown=progress) as shown:
        named = {"algorithm": kind, **whole, "backend": requested_backend(backend)}
        path = Path(folder) if folder is not None else notebook.folder_to_continue(named)
        path = path or fresh(f"{kind}-{work.problem.name}")
        notebook.remember(named, path)
        device = None if (path / folders.ALGORITHM).exists() else _chosen(kind, work, backend, ability, path)
        with Lock(path):
            file = path / folders.ALGORITHM
            if device is None or file.exists():
                device = _continued(file, kind, whole, backend)
            else:
                head = {"format": FORMAT, "kind": kind, "asked": whole, "backend": backend_spec(device).to_dict()}
                write_json(file, head | {"provenance": provenance()})
            if limits is not None:
                Spending(path / FILE).grant(limits)
            try:
                with held(device), _routed(guarded(device, work.label, path), path, stop) as (routed, begin):
                    yield Record(path, routed, work, stop, shown, begin)
            except KeyboardInterrupt as interrupt:
                interrupt.add_note(
                    f"Finished stages are saved; call it again with the same arguments and folder='{path}'."
                )
                raise


@contextmanager
def _routed(
    backend: Backend, folder: Path, should_stop: Callable[[], bool]
) -> Iterator[tuple[Backend, Callable[[int, str], None]]]:
    """The backend with a journal and a budget around the jobs of all stages, and what is called before each of them."""
    if elsewhere(backend) is None:
        yield backend, lambda number, stage: None
        return
    assert isinstance(backend, Jobs)
    path, spending = folder / folders.JOBS, Spending(folder / FILE)
    run_digest = hashlib.sha256(read_bytes(folder / folders.ALGORITHM)).hexdigest()
    if not path.exists():
        journal.create(path, run_digest)
    spending.record({})  # the file is there from now on, so that the runs of the stages pay from it, too
    with Journal(path, run_digest) as opened:
        dispatch = Journaled(opened, spending, should_stop=should_stop)
        yield backend.through(dispatch), dispatch.begin


def _chosen(kind: str, work: Workload, backend: BackendLike, ability: type, path: Path) -> Backend:
    """The backend of a new algorithm, whose folder is made."""
    folders.check_free(path)
    device = rank(work, candidates(backend)).chosen.backend
    if not isinstance(device, ability):
        raise Refused(
            f"{kind} needs a backend that can give {ability.__name__.lower()}, unlike "
            f"'{device.capabilities().name}'; use 'statevector'"
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise Refused(f"the folder {path} cannot be written: {err}") from err
    return device


def with_cached_exact_energy(problem: Problem) -> Problem:
    """The same problem, whose exact energy is computed once for all stages; unchanged where it is too large."""
    seconds = problem.exact_energy_seconds()
    if seconds > UNASKED_S:
        return problem
    return replace(problem, solve=cache(problem.exact_energy), solve_seconds=seconds)


def without_exact_energy(problem: Problem) -> Problem:
    """The same problem, which refuses to give its exact energy: the minimum that is looked for is another."""

    def refuse() -> float:
        raise Refused("the exact energy of H is not the minimum that is looked for")

    return replace(problem, solve=refuse, solve_seconds=0.0)


def _continued(file: Path, kind: str, asked: dict[str, Any], backend: BackendLike) -> Backend:
    """The backend of the algorithm that the folder holds; refuse if it is not the one that is asked for."""
    kept = checked(AlgorithmSpec, read_json(file), file)
    if kept.kind != kind:
        raise Refused(f"{file.parent} holds another algorithm: {kept.kind}; choose another folder")
    if differ := differing(kept.asked, asked):
        raise Refused(
            f"{file.parent} holds {kind} with other arguments: {', '.join(differ)} differ; "
            "give them as they were, or choose another folder"
        )
    return backend_of(kept.backend, None if isinstance(backend, str) and backend == "auto" else backend)
