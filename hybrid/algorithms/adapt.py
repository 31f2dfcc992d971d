"""ADAPT-VQE: an ansatz that grows by the operator that promises most."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import PauliEvolutionGate

from backends.base import Backend
from backends.mitigation.words import MitigationLike
from circuits import Problem
from circuits.errors import Refused
from circuits.problems.checks import finite, whole
from circuits.problems.problem import as_problem
from hybrid.algorithms.algorithm import Algorithm, Stage
from hybrid.algorithms.carry_out import carry_out
from hybrid.algorithms.inputs import pool_files, problem_files, read_pool, read_problem
from hybrid.algorithms.kinds import Carry, settings
from hybrid.algorithms.outlook import gradients_of, searches
from hybrid.algorithms.pools import Generator, PoolLike, generators
from hybrid.algorithms.record import with_cached_exact_energy
from hybrid.algorithms.stages import Stages
from hybrid.algorithms.summary import PreparesState
from hybrid.routing.spares import Failing
from hybrid.runs.algorithm import Status
from hybrid.runs.budget import Budget
from hybrid.runs.history import History
from hybrid.runs.prediction import Interval
from hybrid.runs.result import Result
from hybrid.terminal.words import axis, slope_unit, with_unit
from hybrid.workload.arguments import BackendLike, OptimizerLike, ProblemLike
from hybrid.workload.spec import RecordModel
from hybrid.workload.workload import Workload, workload

WARM = 0.1
"""Share of the rows of a new start that a search takes at least which begins at the angles of the one before."""

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class PoolGradient(RecordModel):
    """The gradients of a pool's operators, in the problem's unit per radian, as their file holds them."""

    gradient: list[float]


@dataclass(frozen=True, eq=False, repr=False)
class ADAPT(PreparesState):
    """What ADAPT-VQE found.

    Attributes:
        problem: The problem.
        chosen: The operators, in the order in which the ansatz grew.
        runs: One run for each number of operators.
        gradient_norms: Euclidean norm of the pool's gradients before each choice, and after the last.
        circuit: The ansatz, with one parameter for each operator.
        status: "converged" (the norm is below the tolerance), "max_operators", or "below_exact" as for a run.
        folder: Where the record lies.
    """

    computed: ClassVar[frozenset[str]] = frozenset({"gradient_norms"})

    problem: Problem
    chosen: tuple[Generator, ...]
    runs: tuple[Result, ...]
    gradient_norms: tuple[float, ...]
    circuit: QuantumCircuit
    status: Status
    folder: Path

    @property
    def energy(self) -> float:
        """That of the whole ansatz, in the problem's unit."""
        return self.runs[-1].energy

    @property
    def error(self) -> float | None:
        """Energy above the exact one, in the problem's unit; None where that is unknown."""
        return self.runs[-1].error

    @property
    def theta(self) -> np.ndarray:
        """Angles of the whole ansatz, shape (operators,), radians."""
        return self.runs[-1].theta

    @property
    def history(self) -> History:
        """Every evaluation of the last run; `runs` has those of the others."""
        return self.runs[-1].history

    def prepared(self) -> tuple[QuantumCircuit, np.ndarray]:
        """The circuit and its parameters, shape (params,), radians."""
        return self.circuit, self.theta

    def content(self) -> dict[str, Any]:
        """See `Summary.content`."""
        last = self.runs[-1]
        return {
            "status": self.status,
            "energy": self.energy,
            "standard_error": last.standard_error,
            "exact_energy": last.exact_energy,
            "energies": [run.energy for run in self.runs],
            "theta": self.theta,
            "operators": [operator.name for operator in self.chosen],
            "gradient_norms": self.gradient_norms,
        }

    def plot(self) -> "Figure":
        """The energy, above the exact one where that is known, and the pool's gradient, as the ansatz grows.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.report.panels import Panel, Series, panels

        numbers, unit = np.arange(len(self.runs)), self.problem.unit
        errors = np.array([run.standard_error for run in self.runs])
        energies, exact = np.array([run.energy for run in self.runs]), self.runs[-1].exact_energy
        if exact is None:
            above = Panel(axis("energy", unit), [Series("", numbers, energies, errors)])
        else:
            above = Panel(axis("energy above exact", unit), [Series("", numbers, energies - exact, errors)], log=True)
        slope = Series("", numbers, np.array(self.gradient_norms))
        parts = [above, Panel(axis("gradient of the pool", slope_unit(unit)), [slope], log=True)]
        return panels(parts, x_label="operators", title=self.title(), whole_numbers=True)

    def title(self) -> str:
        """What was done to what."""
        return f"ADAPT-VQE of {self.problem.name}"

    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text."""
        rows = []
        for k, run in enumerate(self.runs):
            name = self.chosen[k - 1].name if k else "reference"
            width = f" ± {run.standard_error:.0e}" if run.standard_error else ""
            error = "" if run.error is None else f", error {with_unit(f'{run.error:+.1e}{width}', run.unit)}"
            slope = with_unit(f"{self.gradient_norms[k]:.1e}", slope_unit(run.unit))
            rows.append((name, f"{run.measured()}{error}, pool gradient {slope}"))
        return [*rows, ("status", self.status), ("record", str(self.folder))]


def adapt(
    problem: ProblemLike,
    *,
    pool: PoolLike = "fermionic",
    tolerance: float = 1e-3,
    max_operators: int = 50,
    backend: BackendLike = "auto",
    optimizer: OptimizerLike = "lbfgs",
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
) -> ADAPT:
    """Grow prod_k exp(-i theta_k G_k) |reference> by the operator with the largest gradient, optimize all, and repeat.

    The gradient of an operator, dE/dtheta at theta = 0 = <i [G, H]>, is that of its gate appended with a zero angle;
    those of the whole pool are one gradient of the circuit with the whole pool appended.

    Args:
        problem: With a reference state, such as a molecule's Hartree-Fock determinant; without one, |0...0>.
        pool: "fermionic", "qubit", or operators; see `hybrid.algorithms.pools.generators`.
        tolerance: Norm of the pool's gradients at which it has converged, in the problem's unit per radian. With shots
            the norm holds their noise, too: choose it above that, or limit the operators.
        max_operators: Most operators of the ansatz.
        backend: As for `hybrid.minimize`.
        optimizer: As for `hybrid.minimize`.
        seed: As for `hybrid.minimize`.
        max_steps: Of each optimization.
        accuracy: Of each optimization, in the problem's unit.
        shots: As for `hybrid.minimize`.
        label: As for `hybrid.minimize`.
        mitigation: As for `hybrid.minimize`.
        budget: What all stages together may spend at a vendor; as for `hybrid.minimize`.
        failover: As for `hybrid.minimize`; where one stage went on, the next one begins.
        folder: Where the record goes; called again with the same arguments, it continues what it finds there.
        progress: As for `hybrid.minimize`.

    Returns:
        An `ADAPT`, which prints itself.

    Raises:
        Refused: for a pool that does not fit the problem; nothing was written.

    References:
        H. R. Grimsley, S. E. Economou, E. Barnes, N. J. Mayhall, An adaptive variational algorithm for exact molecular
        simulations on a quantum computer, Nat. Commun. 10, 3007 (2019).

    Examples:
        >>> import tempfile
        >>> from circuits import molecule
        >>> h2 = molecule("H 0 0 0; H 0 0 0.735")
        >>> grown = adapt(h2, backend="statevector", folder=tempfile.mkdtemp())
        >>> [operator.name for operator in grown.chosen], abs(grown.error) < 1e-8
        (['0,2 -> 1,3'], True)
    """
    algorithm = prepared(
        problem,
        pool=pool,
        tolerance=tolerance,
        max_operators=max_operators,
        optimizer=optimizer,
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
    problem: ProblemLike, *, pool: PoolLike, tolerance: float, max_operators: int, **settings: Any
) -> Algorithm[ADAPT]:
    """ADAPT-VQE, ready to be predicted and carried out; see `adapt`.

    Args:
        problem: As for `adapt`.
        pool: As for `adapt`.
        tolerance: As for `adapt`.
        max_operators: As for `adapt`.
        settings: Optimizer, seed, max_steps, accuracy, shots and label.
    """
    problem = as_problem(problem)
    max_operators = whole(max_operators, "max_operators", at_least=1)
    if finite(tolerance, "tolerance") <= 0:
        raise Refused(f"tolerance must be positive, in {problem.unit} per radian, not {tolerance}")
    operators = generators(problem, pool)
    problem = with_cached_exact_energy(problem)
    work = workload(grown(problem, operators, "theta"), problem, theta=np.zeros(len(operators)), **settings)
    most = min(max_operators, len(operators))
    usual = max(1, min(max_operators, round(math.sqrt(len(operators)))))
    number = Interval(expected=usual, low=1, high=max_operators)
    return Algorithm(
        "adapt",
        work,
        {"tolerance": float(tolerance), "max_operators": max_operators},
        [
            Stage("searches", searches(_part(work, most), number, less=WARM)),
            Stage("gradients of the pool", gradients_of(work, number)),
        ],
        [
            f"the ansatz grows to about {usual} operators, 1 to {max_operators}, with a search and a gradient for each",
            f"each search as long as one of {most} operators from a new start",
        ],
        lambda stages: carried_out(stages, problem, operators, tolerance, max_operators),
        lambda: problem_files(problem) | pool_files(problem, operators),
    )


def _part(work: Workload, n_operators: int) -> Workload:
    """The workload of an ansatz of the first operators of the pool."""
    rest = list(work.circuit.parameters)[n_operators:]
    circuit = work.circuit.assign_parameters(dict.fromkeys(rest, 0.0))
    return replace(work, circuit=circuit, theta=work.theta[:n_operators])


def reader(path: Path, asked: Mapping[str, Any]) -> tuple[Workload, Carry]:
    """How its folder is read; see `hybrid.algorithms.kinds.Reader`.

    Args:
        path: Of the folder.
        asked: What was asked.
    """
    problem, pool = read_problem(path), read_pool(path)
    work = workload(grown(problem, pool, "theta"), problem, theta=np.zeros(len(pool)), **settings(asked))
    tolerance, most = asked["tolerance"], asked["max_operators"]
    return work, lambda stages: carried_out(stages, problem, pool, tolerance, most)


def carried_out(
    record: Stages, problem: Problem, operators: tuple[Generator, ...], tolerance: float, max_operators: int
) -> ADAPT:
    """The stages of ADAPT-VQE.

    Args:
        record: Where they are computed, or read.
        problem: With a reference state, or without.
        operators: The pool.
        tolerance: As for `adapt`.
        max_operators: As for `adapt`.
    """
    chosen: list[Generator] = []
    runs: list[Result] = []
    norms: list[float] = []
    theta = np.zeros(0)
    while True:
        k = len(chosen)
        circuit = grown(problem, chosen, "theta")
        runs.append(record.run(f"operators-{k}", circuit, problem, theta=theta, seed=record.seed(0, k)))
        theta = runs[-1].theta
        gradient = _pool_gradient(record, circuit, theta, operators, k)
        norms.append(float(np.linalg.norm(gradient)))
        if norms[-1] < tolerance or k == max_operators:
            break
        chosen.append(operators[_steepest(gradient)])
        theta = np.append(theta, 0.0)
    status: Status = "converged" if norms[-1] < tolerance else "max_operators"
    if runs[-1].status == "below_exact":
        status = "below_exact"
    return ADAPT(problem, tuple(chosen), tuple(runs), tuple(norms), circuit, status, record.folder)


def grown(problem: Problem, operators: Sequence[Generator], name: str) -> QuantumCircuit:
    """The ansatz: the reference state, then a gate for each operator.

    Args:
        problem: With its reference state, if it has one.
        operators: In their order.
        name: Of the vector of parameters.
    """
    circuit = QuantumCircuit(problem.n_qubits, name="adapt")
    if problem.reference_state is not None:
        circuit.compose(problem.reference_state, inplace=True)
    return _append(circuit, operators, name)


def _append(circuit: QuantumCircuit, operators: Sequence[Generator], name: str) -> QuantumCircuit:
    for angle, operator in zip(ParameterVector(name, len(operators)), operators, strict=True):
        circuit.append(PauliEvolutionGate(operator.operator, angle), list(operator.qubits))
    return circuit


def _steepest(gradient: np.ndarray) -> int:
    """The operator with the largest gradient; of those that rounding alone tells apart, the first."""
    size = np.abs(gradient)
    return int(np.argmax(size >= (1 - 1e-9) * np.max(size)))


def _pool_gradient(
    record: Stages, circuit: QuantumCircuit, theta: np.ndarray, operators: tuple[Generator, ...], k: int
) -> np.ndarray:
    """dE/dtheta of every operator of the pool, appended with a zero angle; shape (pool,)."""
    work, seed = record.work, record.seed(1, k)

    def compute(backend: Backend) -> PoolGradient:
        bound = circuit.assign_parameters(theta)
        everything = _append(bound, operators, "pool")
        f = backend.value_and_grad(everything, work.problem.hamiltonian, shots=work.shots, seed=seed)
        return PoolGradient(gradient=f(np.zeros(len(operators)))[1].tolist())

    return np.array(record.compute_once(f"pool-{k}", PoolGradient, compute).gradient)
