"""What an algorithm sees of its folder: stages, each of which is computed once and read whenever it is asked for again.

`hybrid.algorithms.record.Record` computes what is missing; `hybrid.algorithms.reading.Reading` reads alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends.base import Backend
from backends.seeds import child_seed
from circuits import Problem
from hybrid.algorithms.places import Around
from hybrid.loop.optimize import Ending
from hybrid.loop.team import Tiled
from hybrid.runs.entries import FailoverEntry
from hybrid.runs.result import Result
from hybrid.workload.spec import RecordModel
from hybrid.workload.workload import Workload

ALGORITHM = 3
"""Branch of the tree of seeds that the stages draw from; a run uses 0 to 2 of its own tree."""

W = TypeVar("W", bound=RecordModel)
"""The result of a stage, as its file holds it."""


@dataclass
class Tally:
    """What the stages took so far.

    Attributes:
        steps: Of the optimizers, or of a trajectory.
        evaluations: Rows of parameters.
        seconds: Wall time by phase; of a run that was finished before, what it took then.
        failovers: Of the runs.
        message: Of the first run that has not converged; empty if all have.
    """

    steps: int = 0
    evaluations: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    failovers: list[FailoverEntry] = field(default_factory=list)
    message: str = ""

    def add(self, result: Result) -> None:
        """Count a run that has ended."""
        self.steps += result.steps
        self.evaluations += result.evaluations
        self.failovers.extend(result.failovers)
        if result.status != "converged":
            self.message = self.message or result.message
        for phase, seconds in result.seconds.items():
            if phase != "total":
                self.spend(phase, seconds)

    def spend(self, phase: str, seconds: float) -> None:
        """Add seconds to a phase."""
        self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds


class Stages(ABC):
    """The stages of an algorithm in its folder.

    Attributes:
        folder: Its path.
        work: The first minimization; the others share its optimizer, accuracy, steps, shots and label.
        tally: What the stages took.
    """

    folder: Path
    work: Workload
    tally: Tally

    @property
    @abstractmethod
    def backend(self) -> Backend:
        """Where the next stage runs; after failovers where the last one went on."""

    def seed(self, *place: int) -> int:
        """The seed of a stage, from the algorithm's own and the stage's place in it: numbers of 0 or more."""
        return child_seed(self.work.seed, ALGORITHM, *place)

    @abstractmethod
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
        """Minimize in a stage, a run with a folder of its own.

        Args:
            name: Of the stage and its folder.
            circuit: Ansatz.
            problem: What is minimized.
            theta: Starting point, shape (params,), radians; by default the ansatz's own, or a small random one.
            seed: Of the stage.
            around: What is put around the algorithm's backend, such as penalties.

        Returns:
            The result of the run, which has ended.

        Raises:
            Refused: if the parts do not fit each other, or the stage's folder is damaged.
            Stopped: if a signal stopped it; its work is saved.
        """

    @abstractmethod
    def descend(self, name: str, theta: np.ndarray, make: Callable[[Backend], Tiled]) -> tuple[Ending, np.ndarray]:
        """Minimize a function that is no energy in a stage with a journal of its own.

        Args:
            name: Of the stage and its journal.
            theta: Starting point, shape (params,), radians.
            make: From the backend to the function, in tiles that ranks share; it can be sent to another process.

        Returns:
            How it ended, and the value of the first point of every step, shape (steps,), in the function's unit.

        Raises:
            Refused: if the journal is damaged, or belongs to something else.
            Stopped: if a signal stopped it; its work is saved.
        """

    @abstractmethod
    def compute_once(self, name: str, model: type[W], compute: Callable[[Backend], W]) -> W:
        """The result of a stage with a file of its own.

        Args:
            name: Of the stage and its file.
            model: Type of the result.
            compute: Gives it, from the backend.

        Raises:
            Refused: if the file is damaged.
            Stopped: if a signal asks to stop.
        """

    @abstractmethod
    def grow(self, name: str, model: type[W], number: int, compute: Callable[[Sequence[W]], W]) -> list[W]:
        """The steps of a stage of many, each of which follows from those before it and is a line of its file.

        Args:
            name: Of the stage and its file.
            model: Type of a step.
            number: How many steps there are in the end.
            compute: From the steps so far to the next one.

        Raises:
            Refused: if the file is damaged.
            RecordFailed: if the disk is full or the folder is gone.
            Stopped: if a signal asks to stop; the steps so far are saved.
        """
