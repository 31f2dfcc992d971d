"""A backend that plays a recorded run again: its values, its waiting times, its failures.

So a study, its script and its site are tried before money is spent: ``replay:RUN_FOLDER`` answers what the recorded run
was answered, for the same points, and refuses by name what was never recorded. It computes and sends nothing.
"""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend, Capabilities
from backends.batch import Evaluate, Expectations
from backends.checks import ObservablesLike, as_observables, as_rows, check_request
from backends.cost import Cost, Footprint, Work
from backends.providers.family import Family
from circuits.errors import FailedJob, Refused
from circuits.fingerprint import fingerprint
from hybrid.optimizers.optimizer import Points, Told
from hybrid.runs import folder, journal
from hybrid.runs.evaluation import Evaluation
from hybrid.workload.spec import BackendSpec
from hybrid.workload.workload import Workload

DEFAULT_SHOTS = 4096
"""That a device would have taken by itself: values that were recorded with errors came from shots."""

Speed = Annotated[float, Field(gt=0), "how many times faster than recorded to wait, a positive number"]


class Replay(Backend):
    """A recorded run, played again.

    What was asked more than once at the same point is answered in the order in which it was recorded: drift and
    statistical errors are those of the run. A job that failed fails again, unless a new process begins with it, as when
    the run is resumed.

    Args:
        path: Of the recorded run's folder.
        speed: As `replay`.
        failures: As `replay`.
    """

    def __init__(self, path: Path, *, speed: float, failures: bool):
        self._record = folder.read(path)
        content = journal.read(self._record.journal)
        content.check_run(self._record.digest, self._record.journal)
        self._speed, self._path = speed, path
        self._left: dict[tuple, list[Evaluation]] = defaultdict(list)
        for evaluation in content.evaluations:
            self._left[_key(evaluation)].append(evaluation)
        self._recorded = content.evaluations
        self._fails = _failures(self._record.journal) if failures else {}
        self._played = False

    @property
    def recorded(self) -> BackendSpec:
        """Where the recorded run was begun."""
        return self._record.spec.backend

    def capabilities(self) -> Capabilities:
        """As far as the record tells: exact if no value had an error."""
        errors = any(np.any(evaluation.told.standard_errors) for evaluation in self._recorded)
        title = self._record.spec.backend.title
        return Capabilities(
            name=f"replay:{self._path.name}",
            summary=f"a recorded run on {title}",
            max_qubits=self._record.circuit.num_qubits,
            exact=not errors,
            noise=errors and ":" in title,
            gradient="parameter-shift",
            default_shots=DEFAULT_SHOTS if errors and self._record.spec.workload.shots is None else None,
            steady=True,
        )

    def footprint(self, work: Work) -> Footprint:
        """Nothing is computed.

        Raises:
            Refused: if the circuit or the observable is another than the recorded one.
        """
        self._check(work.circuit, work.observables)
        errors = [float(np.max(evaluation.told.standard_errors, initial=0.0)) for evaluation in self._recorded]
        return Footprint(1, 1, 0, standard_error=float(np.median(errors)) if errors else 0.0)

    def predict(self, work: Work) -> Cost:
        """The time that the recorded run took for its evaluations, by the speed."""
        seconds = sum(evaluation.seconds for evaluation in self._recorded) / self._speed
        return Cost(seconds, 0.0, 0, standard_error=self.footprint(work).standard_error)

    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Evaluate:
        """Values alone, see `Backend.prepare`; a run is played by `answering`, which has its gradients, too."""
        observables = as_observables(observables, circuit.num_qubits)
        self._check(circuit, observables)

        def evaluate(
            parameters: Any, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            check_request(precision, shots, seed)
            told = self._answer(Points(as_rows(parameters, circuit), gradient=False))
            biases = np.zeros_like(told.values) if told.biases is None else told.biases
            return Expectations(told.values[:, None], told.standard_errors[:, None], shots or 0, bias=biases[:, None])

        return evaluate

    def answering(self, work: Workload) -> Callable[[Points, int], Told]:
        """What answers the evaluations of a loop, with all that the recorded run was told.

        Raises:
            Refused: if the circuit or the Hamiltonian is another than the recorded one.
        """
        self._check(work.circuit, work.observables)
        return lambda points, number: self._answer(points)

    def _answer(self, points: Points) -> Told:
        key = _asked(points)
        if key not in self._left:
            raise Refused(
                f"{self._path}: nothing was recorded at the parameters that are asked for, {_shown(points.rows)}: a "
                "recorded run answers only the same study, optimizer, start and seed"
            )
        if not self._left[key]:
            raise Refused(
                f"{self._path}: what was recorded at the parameters {_shown(points.rows)} has been played, and they "
                "are asked for once more than in the recorded run"
            )
        evaluation = self._left[key][0]
        time.sleep(evaluation.seconds / self._speed)
        reason = self._fails.pop(evaluation.number, None)
        if reason is not None and self._played:
            raise FailedJob(
                f"{self._path}: a job of evaluation {evaluation.number} failed in the recorded run: {reason}"
            )
        self._left[key].pop(0)
        self._played = True
        return evaluation.told

    def _check(self, circuit: QuantumCircuit, observables: Sequence[SparsePauliOp]) -> None:
        if fingerprint(circuit) != fingerprint(self._record.circuit):
            raise Refused(f"{self._path}: the circuit is another than the recorded run's")
        if len(observables) != 1 or fingerprint(observables[0]) != fingerprint(self._record.hamiltonian):
            raise Refused(f"{self._path}: the observable is another than the recorded run's Hamiltonian")


def replay(
    name: str,
    *,
    speed: Speed = 1.0,
    failures: Annotated[bool, "true or false: whether a job that failed fails again"] = True,
) -> Replay:
    """A recorded run as a backend.

    Args:
        name: Path of its folder.
        speed: How many times faster than recorded it waits.
        failures: Whether a job that failed in the recorded run fails again.

    Raises:
        Refused: if the folder holds no run, or a damaged one.
    """
    return Replay(Path(name), speed=speed, failures=failures)


REPLAY = Family(replay, "recorded runs, played again with their waiting times and failures")


def _key(evaluation: Evaluation) -> tuple:
    told = evaluation.told
    pairs = None if evaluation.pairs is None else evaluation.pairs.tobytes()
    return evaluation.theta.tobytes(), told.gradients is not None, told.metrics is not None, pairs


def _asked(points: Points) -> tuple:
    pairs = None if points.pairs is None else points.pairs.tobytes()
    rows = np.ascontiguousarray(points.rows, dtype=float)
    return rows.tobytes(), points.gradient, bool(points.metric), pairs


def _failures(path: Path) -> dict[int, str]:
    """Number of each evaluation with a job that failed, and the vendor's reason; none in journals without jobs."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        if database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'job'").fetchone() is None:
            return {}
        failed = "SELECT evaluation, reason FROM job WHERE status IN ('failed', 'given up') AND reason != ''"
        return {int(number): str(reason) for number, reason in database.execute(failed)}
    except sqlite3.Error as err:
        raise Refused(f"{path}: the table of jobs cannot be read: {err}") from err
    finally:
        database.close()


def _shown(rows: np.ndarray) -> str:
    numbers = ", ".join(f"{value:.6g}" for value in rows[0][:3])
    more = ", ..." if rows.shape[1] > 3 else ""
    return f"[{numbers}{more}]" + (f" and {len(rows) - 1} more points" if len(rows) > 1 else "")
