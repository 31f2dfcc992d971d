"""Variational quantum deflation: excited states, one after the other, with penalties for overlap with those below."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends.batch import Batch
from circuits import Problem
from circuits.errors import Refused
from circuits.problems.checks import finite, whole
from circuits.problems.levels import MAX_QUBITS, lowest_levels
from hybrid.algorithms.deflated import Deflated
from hybrid.algorithms.record import Record, open_record, without_exact_energy
from hybrid.algorithms.summary import Summary
from hybrid.loop.conclusion import SIGMAS
from hybrid.runs.budget import Budget
from hybrid.runs.result import Result
from hybrid.terminal.words import measured
from hybrid.workload.arguments import BackendLike, OptimizerLike, ProblemLike
from hybrid.workload.spec import RecordModel
from hybrid.workload.workload import Workload, workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARGIN = 1.5
"""Default penalty, in units of the largest gap that the coefficients allow: a penalty equal to the gap leaves mixtures
of levels as low as the levels."""

MIXED = 1e-3
"""Overlap with a level below, beyond accuracy and statistics, from which on a state is a mixture with it."""


class StoredLevel(RecordModel):
    """A level, as its file holds it; see `Level`."""

    energy: float
    standard_error: float
    overlaps: list[float]


@dataclass(frozen=True, eq=False)
class Level:
    """One state.

    Attributes:
        energy: <H>, without penalties, in the problem's unit.
        standard_error: Of the energy; 0 where it is exact.
        theta: Parameters, shape (params,), radians.
        overlaps: |<psi|psi_j>|^2 with each level below, shape (levels below,).
        run: The search that found it; its energy holds the penalties.
        mixed: Whether it overlaps with a level below by more than accuracy and statistics explain: the penalty is too
            small, or the ansatz cannot reach a state apart from those below.
        overlap_errors: Standard errors of the overlaps, same shape; zeros where they are exact.
    """

    energy: float
    standard_error: float
    theta: np.ndarray
    overlaps: np.ndarray
    run: Result
    mixed: bool = False
    overlap_errors: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def status(self) -> str:
        """That of the search, or "mixed" if the state is a mixture with a level below."""
        return "mixed" if self.mixed else self.run.status


@dataclass(frozen=True, eq=False, repr=False)
class VQD(Summary):
    """What variational quantum deflation found.

    Attributes:
        problem: The problem.
        levels: In the order in which they were found.
        exact: The lowest levels, shape (levels,), for a molecule those with its electrons; None above 12 qubits.
        folder: Where the record lies.
    """

    problem: Problem
    levels: tuple[Level, ...]
    exact: np.ndarray | None
    folder: Path

    @property
    def energies(self) -> np.ndarray:
        """Energies of the levels, shape (levels,), in the problem's unit."""
        return np.array([level.energy for level in self.levels])

    @property
    def status(self) -> str:
        """That of the first level which has not converged, else "converged"."""
        return next((level.status for level in self.levels if level.status != "converged"), "converged")

    def plot(self) -> "Figure":
        """The energies of the levels, beside the exact ones where they are known.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.report.panels import Panel, Series, panels

        numbers, unit = np.arange(len(self.levels)), self.problem.unit
        errors = np.array([level.standard_error for level in self.levels])
        found = Series("found", numbers, self.energies, errors, joined=False)
        parts = [Panel(f"energy ({unit})", [found])]
        if self.exact is not None:
            known = min(len(self.exact), len(numbers))
            right = Series("exact", numbers[:known], self.exact[:known], exact=True, joined=False)
            away = Series("", numbers[:known], self.energies[:known] - self.exact[:known], errors[:known], joined=False)
            parts = [Panel(f"energy ({unit})", [found, right]), Panel(f"size of the error ({unit})", [away], log=True)]
        return panels(parts, x_label="level", title=self.title(), whole_numbers=True)

    def title(self) -> str:
        """What was done to what."""
        return f"VQD of {self.problem.name}"

    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text."""
        rows = []
        for k, level in enumerate(self.levels):
            text = measured(level.energy, level.standard_error, self.problem.unit)
            if self.exact is not None and k < len(self.exact):
                width = f" ± {level.standard_error:.0e}" if level.standard_error else ""
                text += f", error {level.energy - self.exact[k]:+.1e}{width} {self.problem.unit}"
            if k:
                most = int(np.argmax(level.overlaps))
                error = f" ± {level.overlap_errors[most]:.0e}" if level.overlap_errors.any() else ""
                text += f", overlap with those below at most {level.overlaps[most]:.1e}{error}"
            rows.append((f"level {k}", f"{text}; {level.status}"))
        if any(level.mixed for level in self.levels):
            rows.append(
                ("warning", "mixed levels are no levels: raise the penalty, or take an ansatz that reaches them")
            )
        return [*rows, ("record", str(self.folder))]


def vqd(
    circuit: QuantumCircuit,
    problem: ProblemLike,
    *,
    levels: int = 3,
    penalty: float | None = None,
    starts: int = 3,
    backend: BackendLike = "auto",
    optimizer: OptimizerLike = "lbfgs",
    theta: ArrayLike | None = None,
    seed: int = 0,
    max_steps: int = 200,
    accuracy: float = 1e-6,
    shots: int | None = None,
    label: str = "open",
    mitigation: Any = None,
    budget: Budget | Mapping[str, float] | None = None,
    folder: str | Path | None = None,
    progress: bool = True,
) -> VQD:
    """The lowest levels by minimizing, for k = 0, 1, ..., <H> + penalty sum_(j<k) |<psi(theta)|psi(theta_j)>|^2.

    Overlaps are the probability of |0...0> after the circuit at theta and the inverse of the circuit at theta_j: exact
    and with adjoint gradients on a simulator that is, sampled elsewhere. The ansatz must be able to reach all levels.

    Args:
        circuit: Ansatz with parameters; at most 16 qubits.
        problem: As for `hybrid.minimize`.
        levels: Number of levels, from the lowest.
        penalty: Larger than the gap between the highest and the lowest level that is wanted, in the problem's unit; by
            default three times the sum of the absolute coefficients of H: no gap exceeds twice that sum, and a
            penalty that only equals a gap leaves mixtures of levels as low as the levels.
        starts: Searches for each level, of which the lowest counts; the first starts at theta, the others anywhere.
        backend: As for `hybrid.minimize`.
        optimizer: As for `hybrid.minimize`.
        theta: As for `hybrid.minimize`.
        seed: As for `hybrid.minimize`.
        max_steps: Of each search.
        accuracy: Of each search, in the problem's unit.
        shots: As for `hybrid.minimize`; the overlaps take as many.
        label: As for `hybrid.minimize`.
        mitigation: As for `hybrid.minimize`; of the energies, not of the overlaps, which are counted as they come.
        budget: What all stages together may spend at a vendor; as for `hybrid.minimize`.
        folder: Where the record goes; called again with the same arguments, it continues what it finds there.
        progress: As for `hybrid.minimize`.

    Returns:
        A `VQD`, which prints itself.

    Raises:
        Refused: if the parts do not fit each other; nothing was written.

    References:
        O. Higgott, D. Wang, S. Brierley, Variational quantum computation of excited states, Quantum 3, 156 (2019).

    Examples:
        >>> import tempfile
        >>> from circuits import tfim, hardware_efficient
        >>> ansatz = hardware_efficient(2, layers=2)
        >>> vqd(ansatz, tfim(2), levels=2, backend="statevector", folder=tempfile.mkdtemp()).energies.round(5).tolist()
        [-2.23607, -1.0]
    """
    levels, starts = whole(levels, "levels", at_least=1), whole(starts, "starts", at_least=1)
    if levels > 2**circuit.num_qubits:
        raise Refused(f"levels must be at most 2^{circuit.num_qubits}, the number there are, not {levels}")
    work = workload(
        circuit,
        problem,
        optimizer=optimizer,
        theta=theta,
        accuracy=accuracy,
        max_steps=max_steps,
        seed=seed,
        shots=shots,
        label=label,
    )
    if penalty is None:
        penalty = _above_any_gap(work.problem)
    if finite(penalty, "penalty") <= 0:
        raise Refused(f"penalty must be positive, in {work.problem.unit}, not {penalty}")
    asked = {"levels": levels, "penalty": float(penalty), "starts": starts, "theta": work.theta.tolist()}
    with open_record(
        "vqd",
        work,
        backend=backend,
        folder=folder,
        mitigation=mitigation,
        budget=budget,
        asked=asked,
        progress=progress,
    ) as record:
        lowest: list[Level] = []
        for _ in range(levels):
            lowest.append(_next(record, work, lowest, penalty, starts))
        exact = lowest_levels(work.problem, levels) if circuit.num_qubits <= MAX_QUBITS else None
        result = VQD(work.problem, tuple(lowest), exact, record.folder)
        record.finish({"energies": result.energies, "exact": exact, "status": result.status})
    return result


def _next(record: Record, work: Workload, below: list[Level], penalty: float, starts: int) -> Level:
    """The next level above those below."""
    k = len(below)
    thetas = np.array([level.theta for level in below]).reshape(k, len(work.theta))
    deflated = Deflated(record.backend, work.circuit, thetas, penalty)
    searches = []
    for start in range(starts):
        seed = record.seed(k, start)
        anywhere = np.random.default_rng(seed).uniform(-np.pi, np.pi, len(work.theta))
        searches.append(
            record.run(
                f"level-{k}-start-{start}",
                work.circuit,
                without_exact_energy(work.problem) if k else work.problem,
                theta=anywhere if start else work.theta,
                seed=seed,
                backend=deflated if k else None,
            )
        )
    run = min(searches, key=lambda search: search.energy)

    def evaluate() -> StoredLevel:
        batch = Batch(work.circuit, work.problem.hamiltonian, run.theta, shots=work.shots, seed=record.seed(k, starts))
        expectation = record.backend.submit(batch).result()
        overlaps = deflated.overlaps(work.circuit, run.theta, shots=work.shots, seed=record.seed(k, starts + 1))
        energy, error = float(expectation.values[0, 0]), float(expectation.standard_errors[0, 0])
        return StoredLevel(energy=energy, standard_error=error, overlaps=overlaps.tolist())

    level = record.compute_once(f"level-{k}", StoredLevel, evaluate)
    overlaps = np.array(level.overlaps, dtype=float)
    mixed = bool(np.any(overlaps > _explained(record, work, penalty)))
    shots = work.shots or record.backend.capabilities().default_shots
    seldom = 0.0 if shots is None else (overlaps * shots + 0.5) / (shots + 1)  # never in n shots: once in about n
    errors = np.zeros_like(overlaps) if shots is None else np.sqrt(seldom * (1 - seldom) / shots)
    return Level(level.energy, level.standard_error, run.theta, overlaps, run, mixed, errors)


def _explained(record: Record, work: Workload, penalty: float) -> float:
    """The overlap with a level below that accuracy and statistics explain; noise explains any."""
    can = record.backend.capabilities()
    if can.noise:
        return 1.0
    allowed = max(MIXED, 10.0 * work.accuracy / penalty)
    shots = work.shots or can.default_shots
    return allowed if shots is None else allowed + SIGMAS * np.sqrt(allowed / shots)


def _above_any_gap(problem: Problem) -> float:
    """A penalty that exceeds every difference of two energies."""
    H = problem.hamiltonian.simplify()
    moving = np.any(H.paulis.x | H.paulis.z, axis=1)
    return MARGIN * 2 * float(np.sum(np.abs(np.asarray(H.coeffs)[moving]))) or 1.0
