"""The folder of an algorithm that has ended, read alone: nothing is computed, and no backend is needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends.base import Backend
from circuits import Problem
from circuits.errors import Refused
from hybrid.algorithms.places import FILE, Around, StageFailover
from hybrid.algorithms.stages import Stages, Tally, W
from hybrid.loop.optimize import Ending
from hybrid.loop.repeat import JournalEnded, repeated
from hybrid.loop.team import Tiled
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.algorithm import AlgorithmSpec
from hybrid.runs.files import checked, digest_of, parsed, read_bytes, read_json
from hybrid.runs.loading import load
from hybrid.runs.result import Result
from hybrid.workload.arguments import BackendLike
from hybrid.workload.spec import backend_of
from hybrid.workload.workload import Workload


@dataclass(frozen=True)
class Reading(Stages):
    """An algorithm's folder, whose stages are read.

    Attributes:
        folder: Its path.
        spec: What was asked.
        work: The first minimization.
        given: The backend, where the folder does not hold all of it.
        tally: What the stages took.
    """

    folder: Path
    spec: AlgorithmSpec
    work: Workload
    given: BackendLike | None = field(default=None, repr=False)
    tally: Tally = field(default_factory=Tally)

    @cached_property
    def backend(self) -> Backend:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Where the last stage ran, made again.

        Raises:
            Refused: if the folder does not hold all of it, and it was not given.
        """
        file = self.folder / FILE
        lines = read_bytes(file).splitlines() if file.exists() else []
        changes = [checked(StageFailover, parsed(file, line), file) for line in lines]
        return backend_of(changes[-1].backend if changes else self.spec.backend, self.given, call="hybrid.verify")

    def run(
        self,
        name: str,
        circuit: QuantumCircuit,
        problem: Problem,
        *,
        theta: ArrayLike | None = None,
        seed: int = 0,
        around: Around = lambda backend: backend,
    ) -> Result:
        """Read a run; see `Stages.run`."""
        del circuit, problem, theta, seed, around  # the run's own folder holds them
        result = load(self.folder / name)
        self.tally.add(result)
        return result

    def descend(self, name: str, theta: np.ndarray, make: Callable[[Backend], Tiled]) -> tuple[Ending, np.ndarray]:
        """Repeat the optimizer's steps from the journal; see `Stages.descend`."""
        del make
        path, work = self.folder / f"{name}.sqlite", self.work
        if work.optimizer.missing:
            raise Refused(work.optimizer.missing.replace("resume", "verify"))
        content = journal.read(path)
        if content.run_digest != digest_of(self.folder / folders.ALGORITHM):
            raise Refused(f"{path} belongs to another run, or {folders.ALGORITHM} beside it was changed")
        try:
            found = repeated(work, theta, content.evaluations, title=f"reading {self.folder.name}")
        except JournalEnded as err:
            raise Refused(f"{path} is not whole: {err}") from err
        ending, replay = found.ending, found.replay
        if replay.left:
            raise Refused(f"{path} holds {replay.left} evaluations more than the optimizer asks for")
        self.tally.steps += ending.steps
        self.tally.evaluations += sum(len(evaluation.theta) for evaluation in content.evaluations)
        return ending, np.array([evaluation.told.values[0] for evaluation in content.evaluations])

    def compute_once(self, name: str, model: type[W], compute: Callable[[Backend], W]) -> W:
        """Read the result of a stage; see `Stages.compute_once`."""
        del compute
        file = self.folder / f"{name}.json"
        return checked(model, read_json(file), file)

    def grow(self, name: str, model: type[W], number: int, compute: Callable[[Sequence[W]], W]) -> list[W]:
        """Read the steps of a stage of many; see `Stages.grow`."""
        del compute
        file = self.folder / f"{name}.jsonl"
        steps = [checked(model, parsed(file, line), file) for line in read_bytes(file).splitlines()]
        if len(steps) != number:
            raise Refused(f"{file} holds {len(steps)} steps of {number}: it is not whole")
        self.tally.steps = self.tally.evaluations = len(steps) - 1
        return steps
