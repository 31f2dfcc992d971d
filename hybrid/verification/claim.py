"""What a run claims, gathered from its folder and made again from its journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from backends.batch import Batch
from circuits import Problem, registry
from circuits.errors import RecordFailed, Refused
from hybrid.loop.clock import Clock
from hybrid.loop.conclusion import Conclusion, best_seen, conclude, scale
from hybrid.loop.repeat import repeated
from hybrid.loop.uncertainty import uncertainty_of
from hybrid.loop.validation import error_budget_of, rounding_of, validated_energy
from hybrid.runs import failovers, journal
from hybrid.runs import folder as folders
from hybrid.runs.evidence import Evidence, examine
from hybrid.runs.failovers import Failover
from hybrid.runs.files import checked, read_bytes, read_json
from hybrid.runs.folder import Record
from hybrid.runs.result import StoredResult
from hybrid.runs.uncertainty import Uncertainty
from hybrid.workload.arguments import BackendLike, OptimizerLike
from hybrid.workload.beside import is_sampled
from hybrid.workload.spec import backend_of, problem_of, workload_of
from hybrid.workload.workload import Workload


@dataclass(frozen=True, eq=False)
class Replayed:
    """A run that was repeated from its journal alone.

    Attributes:
        conclusion: The parameters and the energy that it ends with.
        steps: Number of steps of the optimizer.
        evaluations: Number of rows of parameters that were evaluated.
        left: Number of evaluations in the journal that the loop did not ask for.
        same_bits: Whether the loop asked for the journal's parameters to the last bit.
    """

    conclusion: Conclusion
    steps: int
    evaluations: int
    left: int
    same_bits: bool


class Energy(NamedTuple):
    """An energy that was computed again, in the problem's unit.

    Attributes:
        value: The energy.
        standard_error: Its statistical error; 0 where it is exact.
        bias: Estimated size of its systematic error.
    """

    value: float
    standard_error: float
    bias: float


@dataclass(frozen=True, eq=False)
class Claim:
    """What a run claims: its record, and what follows from it.

    Attributes:
        record: What was asked.
        result: What came out, as result.json holds it; None if the run has not ended.
        given: The backend, where the folder does not hold all of it.
        optimizer: The same for the optimizer.
        signers: A file of those who may have signed the run, in OpenSSH's format; None where nobody asks.
    """

    record: Record
    result: StoredResult | None
    given: BackendLike | None = field(default=None, repr=False)
    optimizer: OptimizerLike | None = None
    signers: Path | None = None

    @cached_property
    def problem(self) -> Problem:
        """The problem of the run.

        It is made again from its source where that gives the recorded Hamiltonian, with its own way to the exact
        energy; otherwise it is made from the record, and its exact energy is found by diagonalization.
        """
        kept = problem_of(self.record.spec.problem, self.record.hamiltonian)
        again = _made_again(kept.source)
        return again if again is not None and _same(again.hamiltonian, kept.hamiltonian) else kept

    @cached_property
    def work(self) -> Workload:
        """The workload of the run.

        Raises:
            Refused: if it cannot be made from the record.
        """
        return workload_of(self.record.spec.workload, self.record.circuit, self.problem, optimizer=self.optimizer)

    @cached_property
    def backend(self) -> Backend:
        """The backend of the run; after failovers the last one.

        Raises:
            Refused: if it cannot be made from the record, and was not given.
        """
        return backend_of(failovers.place(self.record.spec.backend, self.failovers), self.given, call="hybrid.verify")

    @cached_property
    def backends(self) -> tuple[Backend, ...]:
        """All that the run's values came from, in order: after failovers more than one.

        Raises:
            Refused: as for `backend`, and for an earlier one that cannot be made here.
        """
        specs = [self.record.spec.backend, *(change.backend for change in self.failovers)]
        return (*(backend_of(spec) for spec in specs[:-1]), self.backend)

    @cached_property
    def failovers(self) -> tuple[Failover, ...]:
        """How the run went on at other backends."""
        try:
            return journal.read_failovers(self.record.journal)
        except (Refused, RecordFailed):
            return ()  # the check of the record says what is wrong with the journal

    @cached_property
    def journal_content(self) -> journal.Content:
        """What the run's journal holds.

        Raises:
            Refused: if it is missing, damaged, or that of another run.
            RecordFailed: if it cannot be read.
        """
        content = journal.read(self.record.journal)
        content.check_run(self.record.digest, self.record.journal)
        return content

    @cached_property
    def evidence(self) -> Evidence:
        """What the chain of the journal says of the folder.

        Raises:
            RecordFailed: if a file cannot be read.
        """
        return examine(self.record.path)

    @property
    def sealed(self) -> bool:
        """Whether the journal holds the digest of result.json and of its own evaluations."""
        return self.journal_content.sealed(read_bytes(self.record.path / folders.RESULT))

    @cached_property
    def replayed(self) -> Replayed:
        """The run, repeated from its journal.

        Raises:
            Refused: if the loop asks for other evaluations than the journal holds.
            JournalEnded: if it asks for more.
        """
        work, exact = self.work, self.record.spec.problem.exact_energy
        found = repeated(work, work.theta, self.journal_content.evaluations, title=f"replaying {work.problem.name}")
        ending, replay = found.ending, found.replay
        beside_start = self.sampled and self.record.spec.format > 1
        before = self.journal_content.evaluations[: replay.number]
        seen = best_seen(before, work.theta) if self.record.spec.format > 2 else None
        conclusion = conclude(work, ending, found.answer, sampled=beside_start, exact=exact, seen=seen)
        rows = sum(len(evaluation.theta) for evaluation in self.journal_content.evaluations[: replay.number])
        return Replayed(conclusion, ending.steps, rows, replay.left, replay.same_bits)

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """The intervals of the run's energy, made again from its journal; what lies beside it is computed anew.

        Raises:
            Refused: as for `replayed`.
            JournalEnded: as for `replayed`.
        """
        work, backend, clock, exact = self.work, self.backend, Clock(), self.record.spec.problem.exact_energy
        can, again = backend.capabilities(), self.replayed
        validated = validated_energy(work, backend, again.conclusion, clock)
        return uncertainty_of(
            self.record,
            work,
            backend,
            again.conclusion,
            self.journal_content.evaluations,
            steps=again.steps,
            exact=exact,
            validated=validated,
            rounding=rounding_of(work, backend, again.conclusion, clock),
            errors=error_budget_of(work, can, again.conclusion, exact, validated, clock),
            failovers=self.failovers,
            clock=clock,
        )

    @property
    def theta(self) -> np.ndarray:
        """The parameters of the result, shape (params,), radians."""
        assert self.result is not None
        return np.asarray(self.result.theta, dtype=float)

    @property
    def sampled(self) -> bool:
        """Whether its energies have statistical errors."""
        return is_sampled(self.backend.capabilities(), self.record.spec.workload.shots)

    @property
    def single(self) -> bool:
        """Whether it was computed in single precision."""
        return self.backend.capabilities().precision == "single"

    @property
    def scale(self) -> float:
        """Sum of the Hamiltonian's absolute coefficients, at least 1, in the problem's unit; it bounds every energy."""
        return scale(self.problem)

    def energy_on(self, backend: Backend, *, shots: int | None = None, seed: int = 0) -> Energy:
        """The energy at the claimed parameters, computed again.

        Args:
            backend: Where.
            shots: Shots for each measured circuit; None for exact values, or the backend's default.
            seed: Of the shots.

        Raises:
            Refused: if the backend cannot do the circuit.
            FailedJob: if it fails.
        """
        batch = Batch(self.record.circuit, self.record.hamiltonian, self.theta, shots=shots, seed=seed)
        result = backend.submit(batch).result()
        return Energy(float(result.values[0, 0]), float(result.standard_errors[0, 0]), float(result.bias[0, 0]))


def claim(
    folder: Path,
    backend: BackendLike | None = None,
    optimizer: OptimizerLike | None = None,
    signers: Path | None = None,
) -> Claim:
    """What a run claims, read from its folder.

    Args:
        folder: Of a run.
        backend: Needed only where the folder does not hold all of it: a backend object, or secret options.
        optimizer: The same: an object of Optax's.
        signers: A file of those who may have signed the run, in OpenSSH's format.

    Raises:
        Refused: if the folder holds no run, or damaged files.
    """
    record = folders.read(folder)
    file = folder / folders.RESULT
    result = checked(StoredResult, read_json(file), file) if file.exists() else None
    return Claim(record, result, backend, optimizer, signers)


def _made_again(source: Mapping[str, Any]) -> Problem | None:
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
