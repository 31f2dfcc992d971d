"""The folder of an algorithm: what was asked, and each of its stages, so that it can be killed and called again.

algorithm.json      what was asked: the arguments, the backend, versions, machine
NAME/               a stage that is a minimization: the folder of a run
NAME.json           a stage that is one answer, such as the counts of a sample
NAME.jsonl          a stage of many small steps, a line for each
result.json         what came out
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit

import backends
from backends.base import Backend
from backends.sampling import child_seed
from circuits import Problem
from circuits.errors import RecordFailed, Refused
from hybrid import loop
from hybrid.question import SETTINGS, differing, question
from hybrid.result import Result
from hybrid.routing.plan import candidates, rank
from hybrid.runs import folder as folders
from hybrid.runs.provenance import provenance
from hybrid.spec import backend_of, backend_words
from hybrid.workload import Workload

ALGORITHM = 3
"""Branch of the tree of seeds that the stages draw from; a run uses 0 to 2 of its own tree."""

FORMAT = 1


@dataclass(frozen=True)
class Record:
    """An algorithm's folder, open for work.

    Attributes:
        folder: Where it lies.
        backend: Where all stages run.
        work: The first minimization; the others share its optimizer, accuracy, steps, shots and label.
    """

    folder: Path
    backend: Backend
    work: Workload

    def seed(self, *place: int) -> int:
        """The seed of a stage, from its place in the algorithm."""
        return child_seed(self.work.seed, ALGORITHM, *place)

    def run(
        self,
        name: str,
        circuit: QuantumCircuit,
        problem: Problem,
        *,
        theta: Any = None,
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
        """
        place, device, work = self.folder / name, backend or self.backend, self.work
        if folders.is_run(place):
            return loop.resume(place, backend=device)
        return loop.minimize(
            circuit,
            problem,
            backend=device,
            optimizer=work.optimizer,
            theta=theta,
            seed=seed,
            max_steps=work.max_steps,
            accuracy=work.accuracy,
            shots=work.shots,
            label=work.label,
            folder=place,
        )

    def answer(self, name: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What a stage of this name has answered, or what asking gives now; JSON-able values."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            folders.write_json(path, ask())
        return folders.read_json(path)

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
        folders.write_json(self.folder / "result.json", dict(summary))


@contextmanager
def opened(
    kind: str,
    work: Workload,
    *,
    backend: Any,
    folder: str | Path | None,
    asked: Mapping[str, Any],
    settings: Sequence[str] = SETTINGS,
) -> Iterator[Record]:
    """Begin an algorithm, or continue one that was asked the same thing in the same folder.

    Args:
        kind: The algorithm's name.
        work: Its first minimization.
        backend: As for `hybrid.minimize`; "auto" chooses once, for all stages.
        folder: Where the record goes; by default a new folder under ``runs/`` (or ``$HYBRID_RUNS``).
        asked: The algorithm's own arguments, as JSON-able values.
        settings: Those of the workload that it heeds.

    Raises:
        Refused: if the folder holds anything else, or another process is at work there.
    """
    path = folders.fresh(f"{kind}-{work.problem.name}") if folder is None else Path(folder)
    whole = question(work, settings) | dict(asked)
    file = path / folders.ALGORITHM
    if file.exists():
        device = _continued(file, kind, whole, backend)
    else:
        folders.check_free(path)
        device = rank(work, candidates(backend)).chosen.backend
        head = {"format": FORMAT, "kind": kind, "asked": whole, "backend": backend_words(device)}
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise Refused(f"the folder {path} cannot be written: {err}") from err
        folders.write_json(file, head | {"provenance": provenance()})
    with folders.Lock(path):
        try:
            yield Record(path, device, work)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"Finished stages are saved; call it again with the same arguments and folder='{path}'.")
            raise


def solved_once(problem: Problem) -> Problem:
    """The same problem, whose exact energy is computed once for all stages, or not at all where it is too large."""
    if problem.solve is None and problem.n_qubits > loop.EXACT_QUBITS:
        return problem
    return replace(problem, solve=cache(problem.exact_energy))


def unsolved(problem: Problem) -> Problem:
    """The same problem, whose exact energy says nothing about what is minimized."""

    def refuse() -> float:
        raise Refused("the exact energy of H is not the minimum that is looked for")

    return replace(problem, solve=refuse)


def _continued(file: Path, kind: str, asked: dict[str, Any], backend: Any) -> Backend:
    """The backend of the algorithm that the folder holds; refuse if it is not the one that is asked for."""
    kept = folders.read_json(file)
    if kept.get("format") != FORMAT or not {"kind", "asked", "backend"} <= set(kept):
        raise Refused(f"{file} is damaged or of another version; this one reads format {FORMAT}")
    if kept["kind"] != kind:
        raise Refused(f"{file.parent} holds another algorithm: {kept['kind']}; choose another folder")
    if differ := differing(kept["asked"], asked):
        raise Refused(
            f"{file.parent} holds {kind} with other arguments: {', '.join(differ)} differ; "
            "give them as they were, or choose another folder"
        )
    if isinstance(backend, str) and backend == "auto":
        return backend_of(kept)
    device = backends.get(backend)
    if backend_words(device) != kept["backend"]:
        raise Refused(f"{file.parent} was begun on another backend: {kept['backend']}; give that, or another folder")
    return device
