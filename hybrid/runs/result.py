"""What came of a run: prints, plots, shows itself in a notebook, and can be verified."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hybrid.routing.plan import duration
from hybrid.runs.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hybrid.routing.plan import Plan
    from hybrid.verification import Verification

Status = Literal["converged", "max_steps", "stalled", "stopped", "below_exact"]


@dataclass(frozen=True, eq=False)
class Result:
    """The end of a run.

    Attributes:
        energy: At theta, in the problem's unit; NaN if it was stopped before the first evaluation.
        standard_error: Statistical error of the energy; 0 where it is exact.
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
        backend: Name of the backend.
        steps: Steps of the optimizer.
        evaluations: Rows of parameters that were evaluated, the final one included.
        seconds: Wall time by phase.
        ranks: Processes that shared the work.
        rounding: The energy less that in double precision at the same parameters; None for a run in double precision.
        validated: The energy at theta without noise and without shots, from a simulator on this machine; None for a run
            that was exact itself, and where a simulator is out of reach.
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

    @property
    def error(self) -> float | None:
        """Energy above the exact one, or None where that is unknown."""
        return None if self.exact_energy is None else self.energy - self.exact_energy

    def to_dict(self) -> dict[str, Any]:
        """JSON-able summary; the history stays in the journal."""
        return {
            "problem": self.problem,
            "energy": None if np.isnan(self.energy) else self.energy,
            "exact_energy": self.exact_energy,
            "standard_error": None if np.isnan(self.standard_error) else self.standard_error,
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
            "theta": self.theta.tolist(),
        }

    def rows(self) -> list[tuple[str, str]]:
        """The summary as pairs of words, for tables."""
        started = not np.isnan(self.energy)
        spread = f" +- {self.standard_error:.1e}" if self.standard_error else ""
        digits = max(2, int(2 - np.log10(self.standard_error))) if started and self.standard_error else 10
        rows = [("energy", f"{self.energy:.{digits}f}{spread} {self.unit}" if started else "none yet")]
        if self.exact_energy is not None and started:
            rows.append(("exact", f"{self.exact_energy:.{digits}f} {self.unit}"))
            rows.append(("error", f"{self.error:+.2e} {self.unit}"))
        if self.rounding is not None:
            rows.append(("rounding", f"{self.rounding:+.1e} {self.unit} from the energy in double precision"))
        if self.validated is not None:
            rows.append(("exactly", f"{self.validated:.{digits}f} {self.unit} at these parameters, on a simulator"))
        rows.append(("status", self.status + (f": {self.message}" if self.message else "")))
        rows.append(("work", f"{self.steps} steps, {self.evaluations} evaluations on {self.backend}"))
        phases = ", ".join(f"{name} {duration(s)}" for name, s in self.seconds.items() if name != "total")
        rows.append(("time", f"{duration(self.seconds['total'])} ({phases})"))
        rows.append(("record", str(self.folder)))
        return rows

    def __str__(self) -> str:
        return "\n".join([self.problem, *(f"  {name:<8}{text}" for name, text in self.rows())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in self.rows())
        return f"<p><b>{escape(self.problem)}</b></p><table>{rows}</table>"

    def plot(self, ax: Any = None) -> "Figure":
        """Energy against evaluations; above the exact energy on a logarithmic axis where that is known.

        Args:
            ax: Matplotlib axes to draw on; a figure of its own by default.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.report.convergence import convergence

        return convergence(self, ax)

    def verify(self) -> "Verification":
        """Judge the energy by other means; see `hybrid.verify`."""
        from hybrid.verification import verify

        return verify(self.folder)
