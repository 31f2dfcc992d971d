"""The folder of an algorithm: what was asked, and each of its stages, so that it can be killed and called again.

algorithm.json      what was asked: the arguments, the backend, versions, machine
NAME/               a stage that is a minimization: the folder of a run
NAME.json           a stage that is one answer, such as the counts of a sample
NAME.jsonl          a stage of many small steps, a line for each
result.json         what came out
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field
from qiskit import QuantumCircuit

import backends
from backends.base import Backend
from backends.seeds import child_seed
from circuits import Problem
from circuits.errors import RecordFailed, Refused
from hybrid.loop import notebook
from hybrid.loop.clock import Clock
from hybrid.loop.exact import EXACT_QUBITS
from hybrid.loop.ledger import Evaluate, Ledger
from hybrid.loop.minimize import continue_run, run
from hybrid.loop.optimize import Ending, optimize
from hybrid.loop.stop import Stopped
from hybrid.routing.plan import candidates, rank
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.files import checked, read_bytes, read_json, write_json
from hybrid.runs.journal import Journal
from hybrid.runs.lock import Lock
from hybrid.runs.places import fresh
from hybrid.runs.provenance import provenance
from hybrid.runs.result import Result
from hybrid.workload.question import SETTINGS, differing, question
from hybrid.workload.spec import BackendWords, Words, backend_of, backend_words
from hybrid.workload.workload import Workload, workload

ALGORITHM = 3
"""Branch of the tree of seeds that the stages draw from; a run uses 0 to 2 of its own tree."""

FORMAT = 1


class AlgorithmWords(Words):
    """What was asked of an algorithm, as algorithm.json says it.

    Attributes:
        format: Of the folder.
        kind: The algorithm's name.
        asked: Its arguments.
        backend: Where all stages run.
    """

    format: int = Field(ge=1, le=FORMAT)
    kind: str
    asked: dict[str, Any]
    backend: BackendWords


@dataclass(frozen=True)
class Record:
    """An algorithm's folder, open for work.

    Attributes:
        folder: Where it lies.
        backend: Where all stages run.
        work: The first minimization; the others share its optimizer, accuracy, steps, shots and label.
        should_stop: Whether a signal asks to stop.
    """

    folder: Path
    backend: Backend
    work: Workload
    should_stop: Callable[[], bool]

    def seed(self, *place: int) -> int:
        """The seed of a stage, from its place in the algorithm."""
        return child_seed(self.work.seed, ALGORITHM, *place)

    def check_stop(self) -> None:
        """End here if a signal asks to: what was finished is saved.

        Raises:
            Stopped: if it does.
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
        """Minimize, or read what a stage of this name has come to, or continue it.

        Args:
            name: Of the stage and its folder.
            circuit: Ansatz.
            problem: What is minimized.
            theta: Starting point, shape (params,).
            seed: Of the stage.
            backend: Instead of the algorithm's own.

        Raises:
            Stopped: if a signal stopped it; its work is saved.
        """
        self.check_stop()
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
        """Minimize a function that is no energy, or continue; with a journal of its own, in this folder.

        Args:
            name: Of the stage and its journal.
            theta: Starting point, shape (params,).
            evaluate: From points and the number of the step to what they are worth.

        Returns:
            How it ended, and the first value of every step.

        Raises:
            Stopped: if a signal stopped it; its work is saved.
        """
        path, work, clock = self.folder / f"{name}.sqlite", self.work, Clock()
        bound = hashlib.sha256(read_bytes(self.folder / folders.ALGORITHM)).hexdigest()
        if not path.exists():
            journal.create(path, bound)
        with Journal(path, bound) as opened:
            ledger = Ledger(opened, lambda: evaluate, clock)
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

    def answer(self, name: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What a stage of this name has answered, or what asking gives now; JSON-able values."""
        path = self.folder / f"{name}.json"
        self.check_stop()
        if not path.exists():
            write_json(path, ask())
        return read_json(path)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """What a stage of many steps has written so far, one line each; a line torn by a kill is taken out."""
        path = self.folder / f"{name}.jsonl"
        whole = path.read_bytes() if path.exists() else b""
        kept = whole[: whole.rfind(b"\n") + 1]
        if kept != whole:
            with path.open("r+b") as file:
                file.truncate(len(kept))
        return [json.loads(line) for line in kept.splitlines()]

    def append(self, name: str, line: Mapping[str, Any]) -> None:
        """Write down one more step.

        Raises:
            RecordFailed: if the disk is full or the folder is gone.
        """
        path = self.folder / f"{name}.jsonl"
        try:
            with path.open("a") as file:
                file.write(json.dumps(line, allow_nan=False) + "\n")
        except OSError as err:
            raise RecordFailed(f"{path} cannot be written: {err.strerror}") from err

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write down what came out."""
        write_json(self.folder / folders.RESULT, dict(summary))


@contextmanager
def opened(
    kind: str,
    work: Workload,
    *,
    backend: Any,
    folder: str | Path | None,
    asked: Mapping[str, Any],
    settings: Sequence[str] = SETTINGS,
    ability: type = object,
) -> Iterator[Record]:
    """Begin an algorithm, or continue one that was asked the same thing in the same folder.

    Args:
        kind: The algorithm's name.
        work: Its first minimization.
        backend: As for `hybrid.minimize`; "auto" chooses once, for all stages.
        folder: Where the record goes; by default a new folder under ``runs/`` (or ``$HYBRID_RUNS``).
        asked: The algorithm's own arguments, as JSON-able values.
        settings: Those of the workload that it heeds.
        ability: What its backend must be able to do, such as `backends.Samples`.

    Raises:
        Refused: if the folder holds anything else, or another process is at work there.
    """
    whole = question(work, settings) | dict(asked)
    with notebook.interrupts() as stop:
        named = {"algorithm": kind, **whole, "backend": _asked_backend(backend)}
        path = Path(folder) if folder is not None else notebook.earlier(named)
        path = path or fresh(f"{kind}-{work.problem.name}")
        notebook.note(named, path)
        device = None if (path / folders.ALGORITHM).exists() else _chosen(kind, work, backend, ability, path)
        with Lock(path):
            file = path / folders.ALGORITHM
            if device is None or file.exists():
                device = _continued(file, kind, whole, backend)
            else:
                head = {"format": FORMAT, "kind": kind, "asked": whole, "backend": backend_words(device).to_dict()}
                write_json(file, head | {"provenance": provenance()})
            try:
                yield Record(path, device, work, stop)
            except KeyboardInterrupt as interrupt:
                interrupt.add_note(
                    f"Finished stages are saved; call it again with the same arguments and folder='{path}'."
                )
                raise


def _chosen(kind: str, work: Workload, backend: Any, ability: type, path: Path) -> Backend:
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


def _asked_backend(backend: Any) -> Any:
    return "auto" if isinstance(backend, str) and backend == "auto" else backend_words(backends.get(backend)).to_dict()


def solved_once(problem: Problem) -> Problem:
    """The same problem, whose exact energy is computed once for all stages, or not at all where it is too large."""
    if problem.solve is None and problem.n_qubits > EXACT_QUBITS:
        return problem
    return replace(problem, solve=cache(problem.exact_energy))


def unsolved(problem: Problem) -> Problem:
    """The same problem, whose exact energy says nothing about what is minimized."""

    def refuse() -> float:
        raise Refused("the exact energy of H is not the minimum that is looked for")

    return replace(problem, solve=refuse)


def _continued(file: Path, kind: str, asked: dict[str, Any], backend: Any) -> Backend:
    """The backend of the algorithm that the folder holds; refuse if it is not the one that is asked for."""
    kept = checked(AlgorithmWords, read_json(file), file)
    if kept.kind != kind:
        raise Refused(f"{file.parent} holds another algorithm: {kept.kind}; choose another folder")
    if differ := differing(kept.asked, asked):
        raise Refused(
            f"{file.parent} holds {kind} with other arguments: {', '.join(differ)} differ; "
            "give them as they were, or choose another folder"
        )
    return backend_of(kept.backend, None if isinstance(backend, str) and backend == "auto" else backend)
