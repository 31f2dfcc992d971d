"""What a run claims, gathered from its folder and made again from its journal."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from backends.batch import Batch
from circuits import Problem, registry
from circuits.errors import Refused
from hybrid.loop.clock import Clock
from hybrid.loop.conclusion import Conclusion, conclude, is_sampled, scale
from hybrid.loop.optimize import optimize
from hybrid.loop.replay import Replay
from hybrid.optimizers.optimizer import Points, Told
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.files import checked, read_bytes, read_json
from hybrid.runs.folder import Record
from hybrid.runs.result import ResultWords
from hybrid.workload.spec import backend_of, problem_of, workload_of
from hybrid.workload.workload import Workload

OTHER_PROCESSOR = 1e-9
"""Radians by which parameters may differ where another processor's arithmetic replays a run."""


class JournalEnded(Exception):
    """The loop asks for more than the journal holds."""


@dataclass(frozen=True, eq=False)
class Replayed:
    """A run, made again from its journal alone.

    Attributes:
        conclusion: What it comes to.
        steps: Of the optimizer.
        evaluations: Rows of parameters.
        left: Evaluations in the journal that the loop did not ask for.
        same_bits: Whether the loop asked for the journal's parameters to the last bit.
    """

    conclusion: Conclusion
    steps: int
    evaluations: int
    left: int
    same_bits: bool


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
        """The problem: with its own way to the exact energy, where what it was made from makes the same Hamiltonian."""
        kept = problem_of(self.record.spec.problem, self.record.hamiltonian)
        again = _made_again(kept.source)
        return again if again is not None and _same(again.hamiltonian, kept.hamiltonian) else kept

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
        kept = journal.read(self.record.journal)
        kept.check(self.record.digest, self.record.journal)
        return kept

    @property
    def sealed(self) -> bool:
        """Whether result.json and the journal are those that the run left behind."""
        return journal.seal(read_bytes(self.record.path / folders.RESULT), self.kept) in self.kept.seals

    @cached_property
    def replayed(self) -> Replayed:
        """The run, made again from its journal.

        Raises:
            Refused: if the journal tells another story.
            JournalEnded: if it ends too early.
        """
        work, exact = self.work, self.record.spec.problem.exact_energy
        replay = Replay(self.kept.evaluations, tolerance=OTHER_PROCESSOR)

        def answer(points: Points, step: int) -> Told:
            evaluation = replay.next(points, step)
            if evaluation is None:
                raise JournalEnded(f"the journal ends after {replay.number} evaluations, in step {step}")
            return evaluation.told

        ending = optimize(
            work.optimizer,
            work.theta,
            answer,
            accuracy=work.accuracy,
            seed=work.seed,
            max_steps=work.max_steps,
            should_stop=lambda: False,
            clock=Clock(),
            title=f"replaying {work.problem.name}",
            unit=work.problem.unit,
        )
        beside_start = self.sampled and self.record.spec.format > 1
        conclusion = conclude(work, ending, answer, sampled=beside_start, exact=exact)
        rows = sum(len(evaluation.theta) for evaluation in self.kept.evaluations[: replay.number])
        return Replayed(conclusion, ending.steps, rows, replay.left, replay.same_bits)

    @property
    def theta(self) -> np.ndarray:
        """The parameters of the result, shape (params,)."""
        assert self.result is not None
        return np.asarray(self.result.theta, dtype=float)

    @property
    def sampled(self) -> bool:
        """Whether its energies come from shots."""
        return is_sampled(self.backend.capabilities(), self.record.spec.workload.shots)

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


def claim(folder: Path, backend: Any = None) -> Claim:
    """What a folder claims.

    Args:
        folder: Of a run.
        backend: Where the folder cannot hold it.

    Raises:
        Refused: if the folder holds no run, or damaged files.
    """
    record = folders.read(folder)
    file = folder / folders.RESULT
    return Claim(record, checked(ResultWords, read_json(file), file) if file.exists() else None, backend)


def _made_again(source: Any) -> Problem | None:
    """The problem that a source describes; None if it describes none, or not one that can be made here."""
    kind, arguments = source.get("kind"), {key: value for key, value in source.items() if key != "kind"}
    if kind not in registry.names("problem"):
        return None
    try:
        return registry.load("problem", kind)(**arguments)
    except (Refused, TypeError):
        return None  # of another version, or from a file that is gone


def _same(one: SparsePauliOp, other: SparsePauliOp) -> bool:
    """Whether two operators agree up to the rounding of another processor."""
    if one.num_qubits != other.num_qubits:
        return False
    return bool(np.all(np.abs(np.asarray((one - other).simplify().coeffs)) < 1e-8))
