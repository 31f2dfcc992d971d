"""What a run claims, gathered from its folder and replayed from its journal, and the means to check it."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from backends.base import Backend
from backends.batch import Batch
from circuits import Problem
from circuits.errors import Refused
from hybrid.loop.clock import Clock
from hybrid.loop.conclusion import Conclusion, at, conclude, is_sampled, scale
from hybrid.loop.optimize import optimize
from hybrid.loop.replay import Replay
from hybrid.optimizers.optimizer import Points, Told
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.files import checked, read_json
from hybrid.runs.folder import Record
from hybrid.runs.result import ResultWords
from hybrid.workload.spec import backend_of, problem_of, workload_of
from hybrid.workload.workload import Workload


@dataclass(frozen=True, eq=False)
class Replayed:
    """A run, made again from its journal alone.

    Attributes:
        conclusion: What it comes to.
        steps: Of the optimizer.
        evaluations: Rows of parameters.
        left: Evaluations in the journal that the loop did not ask for.
    """

    conclusion: Conclusion
    steps: int
    evaluations: int
    left: int


class JournalEnded(Exception):
    """The loop asks for more than the journal holds."""


@dataclass(frozen=True, eq=False)
class Claim:
    """What a run claims.

    Attributes:
        record: What was asked.
        result: What came out, as result.json says it; None if the run has not ended.
        given: The backend, where the folder cannot hold it.
    """

    record: Record
    result: ResultWords | None
    given: Any = field(default=None, repr=False)

    @cached_property
    def problem(self) -> Problem:
        """The problem, as the folder holds it."""
        return problem_of(self.record.spec.problem, self.record.hamiltonian)

    @cached_property
    def work(self) -> Workload:
        """The workload.

        Raises:
            Refused: if the folder does not hold one that can be made.
        """
        return workload_of(self.record.spec.workload, self.record.circuit, self.problem)

    @cached_property
    def backend(self) -> Backend:
        """The backend that the run used.

        Raises:
            Refused: if it cannot be made again.
        """
        return backend_of(self.record.spec.backend, self.given)

    @cached_property
    def kept(self) -> journal.Kept:
        """The journal.

        Raises:
            Refused: if it is missing, damaged, or that of another run.
        """
        found = journal.read(self.record.journal)
        found.check(self.record.digest, self.record.journal)
        return found

    @cached_property
    def replayed(self) -> Replayed:
        """The run, made again from its journal.

        Raises:
            Refused: if the journal tells another story.
            JournalEnded: if it ends too early.
        """
        work, can = self.work, self.backend.capabilities()
        replay = Replay(self.kept.evaluations)

        def answer(points: Points, step: int) -> Told:
            evaluation = replay.next(points, step)
            if evaluation is None:
                raise JournalEnded(f"the journal ends after {replay.number} evaluations, in step {step}")
            return evaluation.told

        stopped = self.result is not None and self.result.status == "stopped"
        ending = optimize(
            work.optimizer,
            work.theta,
            answer,
            accuracy=work.accuracy,
            seed=work.seed,
            max_steps=work.max_steps,
            should_stop=lambda: stopped and not replay.left,
            clock=Clock(),
            title=f"replaying {work.problem.name}",
            unit=work.problem.unit,
        )
        exact = self.record.spec.problem.exact_energy
        if ending.status == "stopped":
            raise JournalEnded(f"the run was stopped after {replay.number} evaluations")
        conclusion = conclude(work, ending, answer, sampled=self.begins_fresh, exact=exact)
        rows = sum(len(evaluation.theta) for evaluation in self.kept.evaluations[: replay.number])
        del can
        return Replayed(conclusion, ending.steps, rows, replay.left)

    @property
    def begins_fresh(self) -> bool:
        """Whether the start was evaluated afresh beside the answer."""
        return is_sampled(self.backend.capabilities(), self.work.shots) and self.record.spec.format > 1

    @property
    def theta(self) -> np.ndarray:
        """The parameters of the result, shape (params,)."""
        assert self.result is not None
        return np.asarray(self.result.theta, dtype=float)

    @property
    def sampled(self) -> bool:
        """Whether its energies come from shots."""
        return is_sampled(self.backend.capabilities(), self.work.shots)

    @property
    def single(self) -> bool:
        """Whether it was computed in single precision."""
        return self.backend.capabilities().precision == "single"

    @property
    def scale(self) -> float:
        """Sum of the Hamiltonian's absolute coefficients, a bound on every energy."""
        return scale(self.problem)

    def energy_on(self, backend: Backend, *, shots: int | None = None, seed: int = 0) -> tuple[float, float, float]:
        """Energy, standard error and bias at the claimed parameters."""
        batch = Batch(self.record.circuit, self.record.hamiltonian, self.theta, shots=shots, seed=seed)
        told = backend.submit(batch).result()
        return float(told.values[0, 0]), float(told.standard_errors[0, 0]), float(told.bias[0, 0])


def claim(folder: Path, backend: Any) -> Claim:
    """What a folder claims.

    Args:
        folder: Of a run.
        backend: Where the folder cannot hold it.

    Raises:
        Refused: if the folder holds no run, or damaged files.
    """
    record = folders.read(folder)
    file = folder / folders.RESULT
    if not file.exists():
        return Claim(record, None, backend)
    return Claim(record, checked(ResultWords, read_json(file), file), backend)


__all__ = ["Claim", "JournalEnded", "Refused", "Replayed", "at", "claim"]
