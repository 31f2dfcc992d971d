"""What came of a run: prints, plots, shows itself in a notebook, and can be verified."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from pydantic import Field, FiniteFloat

from circuits import tables
from hybrid.runs.entries import ChainEntry, FailoverEntry, PredictionEntry, ResultEntry
from hybrid.runs.error_budget import ErrorBudget
from hybrid.runs.failovers import described
from hybrid.runs.history import History
from hybrid.runs.prediction import Prediction
from hybrid.runs.uncertainty import Uncertainty
from hybrid.terminal.words import counted, duration, measured, with_unit
from hybrid.workload.spec import RecordModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from qiskit import QuantumCircuit

    from hybrid.routing.plan import Plan
    from hybrid.verification.verification import Verification
    from hybrid.workload.arguments import BackendLike

Status = Literal["converged", "max_steps", "stalled", "stopped", "below_exact"]


class StoredResult(RecordModel):
    """A result as result.json holds it; the keys mean what they mean in a `Result`."""

    problem: str
    energy: FiniteFloat | None
    exact_energy: FiniteFloat | None
    standard_error: FiniteFloat | None
    bias: FiniteFloat = 0.0
    unit: str
    status: Status
    message: str
    steps: int
    evaluations: int
    backend: str
    seconds: dict[str, FiniteFloat]
    ranks: int = 1
    rounding: FiniteFloat | None = None
    validated: FiniteFloat | None = None
    error_budget: dict[str, Any] | None = None
    uncertainty: Uncertainty | None = None
    failovers: list[dict[str, Any]] = Field(default_factory=list)
    prediction: Prediction | None = None
    chain: dict[str, Any] | None = None
    theta: list[FiniteFloat]


@dataclass(frozen=True, eq=False)
class Result:
    """The end of a run.

    Attributes:
        energy: At theta, in the problem's unit; NaN if it was stopped before the first evaluation.
        standard_error: Statistical error of the energy; 0 where there is none.
        theta: Best parameters, shape (params,), radians; those of the lowest energy if the run was stopped.
        status: "converged" (within the accuracy, as far as the optimizer can tell), "max_steps", "stalled" (the
            optimizer sees no way on), "stopped" (by a signal; continue with `hybrid.resume`) or "below_exact" (below
            the exact energy: something is wrong, or the ansatz leaves the sector of the exact solution).
        message: One sentence on the status where there is more to say.
        history: Every evaluation.
        plan: Why the backend was chosen, with predictions; None for a run read from its folder.
        folder: Where the record lies.
        exact_energy: The right answer, or None where it is unknown.
        unit: Of the energies.
        problem: Name of the problem.
        backend: Name of the backend; after failovers of the one that gave the last evaluations.
        steps: Steps of the optimizer.
        evaluations: Rows of parameters that were evaluated, the final ones included.
        seconds: Wall time by phase.
        ranks: Processes that shared the work.
        rounding: The energy less that in double precision at the same parameters; None for a run in double precision.
        validated: The energy at theta without noise and without shots, from a simulator on this machine; None for a run
            that was exact itself, and where a simulator is out of reach.
        bias: Estimated size of the energy's systematic error, from truncation or mitigation; 0 where there is none.
        error_budget: How the distance from the exact energy divides among ansatz, optimizer, noise and statistics; None
            for a run that was exact, and where the exact energies are not known.
        uncertainty: Intervals of the energy of the final state and of the ground state energy, with what they are made
            of; None for a run that was stopped, and for records of versions that made none.
        failovers: How the run went on at other backends, as `hybrid.runs.failovers.Failover.to_dict` says it: from
            which "evaluation" on, "from" which backend "to" which, the "reason", and "when_utc".
        prediction: What its plan expected of evaluations and time, beside what they came to; None for records of
            versions that did not expect anything.
        chain: On how many "rows" of its journal's chain it rests, and the "head" of the last, to be kept elsewhere;
            None for records that were made before they were chained.
        start: What the registry gave as the start, as one sentence; empty where it was not asked.
    """

    energy: float
    standard_error: float
    theta: np.ndarray
    status: Status
    message: str
    history: History
    plan: "Plan | None"
    folder: Path
    exact_energy: float | None
    unit: str
    problem: str
    backend: str
    steps: int
    evaluations: int
    seconds: dict[str, float]
    ranks: int = 1
    rounding: float | None = None
    validated: float | None = None
    bias: float = 0.0
    error_budget: ErrorBudget | None = None
    uncertainty: Uncertainty | None = None
    failovers: tuple[FailoverEntry, ...] = ()
    prediction: Prediction | None = None
    chain: ChainEntry | None = None
    start: str = ""

    @property
    def error(self) -> float | None:
        """Energy above the exact one, in the problem's unit; None where that is unknown."""
        return None if self.exact_energy is None else self.energy - self.exact_energy

    @property
    def begun(self) -> bool:
        """Whether there is an energy at all."""
        return not np.isnan(self.energy)

    @property
    def circuit(self) -> "QuantumCircuit":
        """The ansatz, read from the record, with its parameters free; ``theta`` is in circuit.parameters order."""
        from hybrid.runs.folder import read

        return read(self.folder).circuit

    def state(self) -> np.ndarray:
        """The ansatz's exact state at theta, up to a global phase, whatever backend the run was on.

        Returns:
            Complex, shape (2^n,); bit q of the index is qubit q.

        Raises:
            Refused: if the state does not fit into this machine's memory.
        """
        from hybrid.runs import prepared

        return prepared.state(self.circuit, self.theta)

    def sample(
        self, *, shots: int = 1000, seed: int | None = None, backend: "BackendLike" = "statevector"
    ) -> dict[str, int]:
        """Counts of measuring all qubits of the ansatz at theta.

        Args:
            shots: How many.
            seed: Of the random numbers; None for new ones in every call.
            backend: Name or backend that samples; the exact state of this machine by default, without noise.

        Returns:
            How often each bit string came, qubit 0 rightmost.

        Raises:
            Refused: if the backend cannot sample.
        """
        from hybrid.runs import prepared

        return prepared.sample(self.circuit, self.theta, shots=shots, seed=seed, backend=backend)

    def to_dict(self) -> ResultEntry:
        """JSON-able summary, the content of result.json; the history stays in the journal."""
        return {
            "problem": self.problem,
            "energy": self.energy if self.begun else None,
            "exact_energy": self.exact_energy,
            "standard_error": self.standard_error if self.begun else None,
            "bias": self.bias,
            "unit": self.unit,
            "status": self.status,
            "message": self.message,
            "steps": self.steps,
            "evaluations": self.evaluations,
            "backend": self.backend,
            "seconds": self.seconds,
            "folder": str(self.folder),
            "ranks": self.ranks,
            "rounding": self.rounding,
            "validated": self.validated,
            "error_budget": None if self.error_budget is None else self.error_budget.to_dict(),
            "uncertainty": None if self.uncertainty is None else self.uncertainty.to_dict(),
            "failovers": list(self.failovers),
            "prediction": None if self.prediction is None else cast("PredictionEntry", self.prediction.model_dump()),
            "chain": self.chain,
            "theta": self.theta.tolist(),
        }

    def rows(self) -> list[tuple[str, str]]:
        """The summary as pairs of a name and a text, for tables."""
        rows = [("energy", self.measured() if self.begun else "none yet")]
        if self.exact_energy is not None and self.begun:
            rows.append(("exact", measured(self.exact_energy, self.standard_error, self.unit, plain=True)))
            width = f" ± {self.standard_error:.0e}" if self.standard_error else ""
            rows.append(("error", with_unit(f"{self.error:+.2e}{width}", self.unit)))
        if self.bias:
            rows.append(
                ("bias", f"about {with_unit(f'{self.bias:.1e}', self.unit)}, as estimated, of truncation or mitigation")
            )
        if self.rounding is not None:
            rows.append(
                ("rounding", f"{with_unit(f'{self.rounding:+.1e}', self.unit)} from the energy in double precision")
            )
        if self.validated is not None:
            exactly = measured(self.validated, self.standard_error, self.unit, plain=True)
            rows.append(("exactly", f"{exactly} at these parameters, on a simulator"))
        if self.error_budget is not None:
            rows += [(f"by {cause}", f"{size} ({note})") for cause, size, note in self.error_budget.rows()]
        if self.uncertainty is not None:
            rows += self.uncertainty.rows()
        rows.append(("status", self.status + (f": {self.message}" if self.message else "")))
        if self.start:
            rows.append(("start", self.start))
        rows.append(
            ("work", f"{counted(self.steps, 'steps')}, {counted(self.evaluations, 'evaluations')} on {self.backend}")
        )
        rows += [("failover", described(failover)) for failover in self.failovers]
        phases = ", ".join(f"{name} {duration(s)}" for name, s in self.seconds.items() if name != "total")
        rows.append(("time", f"{duration(self.seconds['total'])} ({phases})"))
        if self.prediction is not None:
            rows.append(("predicted", self.prediction.text()))
        rows.append(("record", str(self.folder)))
        return rows

    def measured(self) -> str:
        """The energy with its standard error and unit, as text."""
        return measured(self.energy, self.standard_error, self.unit)

    def __str__(self) -> str:
        return tables.text(self.rows(), title=self.problem)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return tables.html(self.rows(), title=self.problem)

    def plot(self, ax: "Axes | None" = None) -> "Figure":
        """Energy against evaluations; above the exact energy on a logarithmic axis where that is known.

        Args:
            ax: Matplotlib axes to draw on; a figure of its own by default.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.report.convergence import convergence

        title = f"{self.problem} on {self.backend}: {self.status}"
        history = self.history
        return convergence(
            history.energy, history.standard_error, exact_energy=self.exact_energy, unit=self.unit, title=title, ax=ax
        )

    def report(self, path: str | Path | None = None) -> Path:
        """Write a page on the run for others to read; see `hybrid.report`.

        Args:
            path: Of the HTML file, which is replaced if it is there; report.html in the run's folder by default.

        Returns:
            Path of the page.
        """
        from hybrid.report.page.page import report

        return report(self, path)

    def export(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write every evaluation and the summary into one file for other programs; see `hybrid.runs.export`.

        Args:
            path: Of the file, which ends in .csv, .json or .parquet.
            overwrite: Whether a file that is there already may be replaced.

        Returns:
            Path of the file.

        Raises:
            Refused: if the ending names no format, the file is there already, or Parquet's package is missing.
        """
        from hybrid.runs.export import export

        return export(self.folder, path, overwrite=overwrite).path

    def verify(self) -> "Verification":
        """Check the run by other means; see `hybrid.verify`."""
        from hybrid.verification.verification import verify

        return verify(self.folder)
