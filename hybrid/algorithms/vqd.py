"""Variational quantum deflation: excited states, one after the other, with penalties for overlap with those below."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends.base import Backend, Capabilities
from backends.batch import Batch
from backends.checks import check_circuit
from backends.mitigation.words import MitigationLike
from circuits import Problem
from circuits.errors import Refused
from circuits.problems.checks import finite, whole
from circuits.problems.levels import MAX_QUBITS, lowest_levels
from hybrid.algorithms.algorithm import Algorithm, Stage
from hybrid.algorithms.carry_out import carry_out
from hybrid.algorithms.deflated import Deflated
from hybrid.algorithms.inputs import circuit_files, problem_files, read_circuit, read_problem
from hybrid.algorithms.kinds import Carry, settings
from hybrid.algorithms.outlook import searches
from hybrid.algorithms.record import without_exact_energy
from hybrid.algorithms.stages import Stages
from hybrid.algorithms.summary import Summary
from hybrid.loop.conclusion import SIGMAS
from hybrid.routing.spares import Failing
from hybrid.runs import failovers, journal
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import Status, read_spec, worst
from hybrid.runs.budget import Budget
from hybrid.runs.files import checked, read_json
from hybrid.runs.result import Result, StoredResult
from hybrid.terminal.words import axis, measured, with_unit
from hybrid.workload.arguments import BackendLike, OptimizerLike, ProblemLike
from hybrid.workload.spec import RecordModel, backend_of, backend_spec
from hybrid.workload.workload import Workload, workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARGIN = 1.5
"""Default penalty, in units of the largest gap that the coefficients allow: a penalty equal to the gap leaves mixtures
of levels as low as the levels."""

MIXED = 1e-3
"""Overlap with a level below, beyond accuracy and statistics, from which on a state is a mixture with it."""


MOST_STARTS = 1000
"""Searches for one level."""

MOST_QUBITS = 30
"""Register above which no number of levels is too large for it."""


class StoredLevel(RecordModel):
    """A level, as its file holds it; see `Level`."""

    energy: float
    standard_error: float
    overlaps: list[float]
    overlap_errors: list[float] | None = None
    mixed: bool | None = None


class ExactLevels(RecordModel):
    """The lowest levels, as their file holds them; None above 12 qubits."""

    exact: list[float] | None


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

    def state(self) -> np.ndarray:
        """The exact state, up to a global phase; as `hybrid.Result.state`."""
        return self.run.state()

    @property
    def status(self) -> Status:
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
    def status(self) -> Status:
        """That of the first level which has not converged, else "converged"."""
        return worst(level.status for level in self.levels)

    def content(self) -> dict[str, Any]:
        """See `Summary.content`; "energy" is that of the lowest level."""
        return {
            "status": self.status,
            "energy": self.levels[0].energy,
            "standard_error": self.levels[0].standard_error,
            "exact_energy": None if self.exact is None else float(self.exact[0]),
            "energies": self.energies,
            "standard_errors": [level.standard_error for level in self.levels],
            "exact": self.exact,
            "overlaps": [level.overlaps for level in self.levels],
        }

    def plot(self) -> "Figure":
        """The energies of the levels, beside the exact ones where they are known.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.report.panels import Panel, Series, panels

        numbers, unit = np.arange(len(self.levels)), self.problem.unit
        errors = np.array([level.standard_error for level in self.levels])
        found = Series("found", numbers, self.energies, errors, joined=False)
        parts = [Panel(axis("energy", unit), [found])]
        if self.exact is not None:
            known = min(len(self.exact), len(numbers))
            right = Series("exact", numbers[:known], self.exact[:known], exact=True, joined=False)
            away = Series("", numbers[:known], self.energies[:known] - self.exact[:known], errors[:known], joined=False)
            parts = [
                Panel(axis("energy", unit), [found, right]),
                Panel(axis("size of the error", unit), [away], log=True),
            ]
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
                text += f", error {with_unit(f'{level.energy - self.exact[k]:+.1e}{width}', self.problem.unit)}"
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
    mitigation: MitigationLike | None = None,
    budget: Budget | Mapping[str, float] | None = None,
    failover: Failing = False,
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
        failover: As for `hybrid.minimize`; where one stage went on, the next one begins.
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
    algorithm = prepared(
        circuit,
        problem,
        levels=levels,
        penalty=penalty,
        starts=starts,
        optimizer=optimizer,
        theta=theta,
        seed=seed,
        max_steps=max_steps,
        accuracy=accuracy,
        shots=shots,
        label=label,
    )
    return carry_out(
        algorithm,
        backend=backend,
        mitigation=mitigation,
        budget=budget,
        failover=failover,
        folder=folder,
        progress=progress,
    )


def prepared(
    circuit: QuantumCircuit, problem: ProblemLike, *, levels: int, penalty: float | None, starts: int, **settings: Any
) -> Algorithm[VQD]:
    """Deflation, ready to be predicted and carried out; see `vqd`.

    Args:
        circuit: As for `vqd`.
        problem: As for `vqd`.
        levels: As for `vqd`.
        penalty: As for `vqd`.
        starts: As for `vqd`.
        settings: Optimizer, theta, seed, max_steps, accuracy, shots and label.
    """
    levels, starts = whole(levels, "levels", at_least=1), whole(starts, "starts", at_least=1, at_most=MOST_STARTS)
    check_circuit(circuit)
    if levels > 2 ** min(circuit.num_qubits, MOST_QUBITS):
        raise Refused(f"levels must be at most 2^{circuit.num_qubits}, the number there are, not {levels}")
    work = workload(circuit, problem, **settings)
    if penalty is None:
        penalty = _above_any_gap(work.problem)
    if finite(penalty, "penalty") <= 0:
        raise Refused(f"penalty must be positive, in {work.problem.unit}, not {penalty}")
    weight = float(penalty)

    def stage(k: int) -> Stage:
        below = np.zeros((k, len(work.theta)))
        return Stage(
            f"level {k}", searches(work, starts, around=lambda backend: _deflated(backend, circuit, below, weight))
        )

    return Algorithm(
        "vqd",
        work,
        {"levels": levels, "penalty": weight, "starts": starts, "theta": work.theta.tolist()},
        [stage(k) for k in range(levels)],
        [
            f"{starts} search{'es' * (starts != 1)} for each of {levels} level{'s' * (levels != 1)}, as long as one "
            "for the ground state",
            "each overlap with a level below takes as long as two energies",
        ],
        lambda stages: carried_out(stages, levels, weight, starts),
        lambda: circuit_files(work.circuit) | problem_files(work.problem),
    )


def reader(path: Path, asked: Mapping[str, Any]) -> tuple[Workload, Carry]:
    """How its folder is read; see `hybrid.algorithms.kinds.Reader`.

    Args:
        path: Of the folder.
        asked: What was asked.
    """
    work = workload(read_circuit(path), read_problem(path), theta=asked["theta"], **settings(asked))
    levels, penalty, starts = asked["levels"], asked["penalty"], asked["starts"]
    return work, lambda stages: carried_out(stages, levels, penalty, starts)


def carried_out(record: Stages, levels: int, penalty: float, starts: int) -> VQD:
    """The stages of deflation.

    Args:
        record: Where they are computed, or read.
        levels: Number of levels.
        penalty: In the problem's unit.
        starts: Searches for each level.
    """
    work, lowest = record.work, list[Level]()
    for _ in range(levels):
        lowest.append(_next(record, work, lowest, penalty, starts))

    def exactly(backend: Backend) -> ExactLevels:
        del backend
        known = work.circuit.num_qubits <= MAX_QUBITS
        return ExactLevels(exact=lowest_levels(work.problem, levels).tolist() if known else None)

    exact = record.compute_once("exact", ExactLevels, exactly).exact
    return VQD(work.problem, tuple(lowest), None if exact is None else np.array(exact), record.folder)


def penalized_backend(folder: Path, run: Path, backend: BackendLike | None = None) -> Backend | None:
    """The backend of a search above the ground state, made again from the levels below; None for any other run.

    Args:
        folder: Of the deflation, or of any other algorithm.
        run: Of one of its runs.
        backend: As for `hybrid.verify`, without penalties.

    Raises:
        Refused: if the record is damaged, or its backend cannot be made again.
    """
    spec = read_spec(folder)
    k = int(run.name.split("-")[1]) if spec.kind == "vqd" else 0
    if not k:
        return None
    below = []
    for level in range(k):
        files = sorted(folder.glob(f"level-{level}-start-*/{folders.RESULT}"))
        results = [checked(StoredResult, read_json(file), file) for file in files]
        below.append(min(results, key=lambda result: np.inf if result.energy is None else result.energy).theta)
    at = failovers.place(folders.read_spec(run).backend, journal.read_failovers(run / folders.JOURNAL))
    circuit, thetas = folders.read(run).circuit, np.array(below)
    for place in (spec.backend, *spec.failover):
        given = backend if place is spec.backend else None
        made = _deflated(backend_of(place, given), circuit, thetas, float(spec.asked["penalty"]))
        if backend_spec(made).question == at.question:
            return made
    raise Refused(f"{run}: its backend, {at.title}, is not among those of {folder}")


def _deflated(backend: Backend, circuit: QuantumCircuit, below: np.ndarray, penalty: float) -> Backend:
    """The backend with penalties for the overlap with levels below; itself where there are none."""
    return Deflated(backend, circuit, below, penalty) if len(below) else backend


def _next(record: Stages, work: Workload, below: list[Level], penalty: float, starts: int) -> Level:
    """The next level above those below."""
    k = len(below)
    thetas = np.array([level.theta for level in below]).reshape(k, len(work.theta))
    found = []
    for start in range(starts):
        seed = record.seed(k, start)
        anywhere = np.random.default_rng(seed).uniform(-np.pi, np.pi, len(work.theta))
        found.append(
            record.run(
                f"level-{k}-start-{start}",
                work.circuit,
                without_exact_energy(work.problem) if k else work.problem,
                theta=anywhere if start else work.theta,
                seed=seed,
                around=lambda backend: _deflated(backend, work.circuit, thetas, penalty),
            )
        )
    run = min(found, key=lambda search: search.energy)

    seeds = record.seed(k, starts), record.seed(k, starts + 1)

    def evaluate(backend: Backend) -> StoredLevel:
        batch = Batch(work.circuit, work.problem.hamiltonian, run.theta, shots=work.shots, seed=seeds[0])
        expectation = backend.submit(batch).result()
        deflated = Deflated(backend, work.circuit, thetas, penalty)
        overlaps = deflated.overlaps(work.circuit, run.theta, shots=work.shots, seed=seeds[1])
        energy, error = float(expectation.values[0, 0]), float(expectation.standard_errors[0, 0])
        can = backend.capabilities()
        mixed = bool(np.any(overlaps > _explained(can, work, penalty)))
        errors = _errors(overlaps, work.shots or can.default_shots)
        return StoredLevel(
            energy=energy,
            standard_error=error,
            overlaps=overlaps.tolist(),
            overlap_errors=errors.tolist(),
            mixed=mixed,
        )

    level = record.compute_once(f"level-{k}", StoredLevel, evaluate)
    overlaps = np.array(level.overlaps, dtype=float)
    can = record.backend.capabilities() if level.mixed is None or level.overlap_errors is None else None
    if can is None:
        mixed, errors = bool(level.mixed), np.array(level.overlap_errors, dtype=float)
    else:  # a level that an earlier version has written
        mixed = bool(np.any(overlaps > _explained(can, work, penalty)))
        errors = _errors(overlaps, work.shots or can.default_shots)
    return Level(level.energy, level.standard_error, run.theta, overlaps, run, mixed, errors)


def _errors(overlaps: np.ndarray, shots: int | None) -> np.ndarray:
    """Standard errors of overlaps that were counted; zeros where they are exact."""
    if shots is None:
        return np.zeros_like(overlaps)
    seldom = (overlaps * shots + 0.5) / (shots + 1)  # never in n shots: once in about n
    return np.sqrt(seldom * (1 - seldom) / shots)


def _explained(can: Capabilities, work: Workload, penalty: float) -> float:
    """The overlap with a level below that accuracy and statistics explain; noise explains any."""
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
