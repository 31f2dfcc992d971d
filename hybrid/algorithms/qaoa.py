"""The quantum approximate optimization algorithm, from depth to depth and from graph to graph."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend, Samples
from backends.mitigation.words import MitigationLike
from circuits import Problem
from circuits import qaoa as ansatz
from circuits.ansatz.qaoa import fields
from circuits.errors import Refused, shown
from circuits.problems.checks import whole
from circuits.problems.exact import lowest_eigenvalue
from circuits.problems.graphs import Graph
from circuits.problems.problem import as_problem
from hybrid.algorithms.algorithm import Algorithm, Stage
from hybrid.algorithms.carry_out import carry_out
from hybrid.algorithms.inputs import problem_files, read_problem
from hybrid.algorithms.kinds import Carry, settings
from hybrid.algorithms.outlook import searches
from hybrid.algorithms.record import with_cached_exact_energy
from hybrid.algorithms.stages import Stages
from hybrid.algorithms.summary import PreparesState
from hybrid.routing.spares import Failing
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import Status, read_outcome, read_spec, runs_of, worst
from hybrid.runs.budget import Budget
from hybrid.runs.history import History
from hybrid.runs.loading import load
from hybrid.runs.result import Result
from hybrid.runs.start import PREFIX
from hybrid.terminal.words import axis, counted, with_unit
from hybrid.workload.arguments import BackendLike, OptimizerLike, ProblemLike
from hybrid.workload.spec import RecordModel, problem_of
from hybrid.workload.workload import Workload, workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WARM = 0.3
"""Share of the rows of a new start that a search takes at least which begins at interpolated angles."""


class Counts(RecordModel):
    """Sampled bit strings, qubit 0 rightmost, each with its number, as their file holds them."""

    counts: dict[str, int]


class Best(NamedTuple):
    """The best of a sample of bit strings.

    Attributes:
        bits: The string of lowest energy, qubit 0 rightmost.
        value: Its energy, in the problem's unit.
        hits: How many strings of the sample had this energy.
    """

    bits: str
    value: float
    hits: int


@dataclass(frozen=True, eq=False, repr=False)
class QAOA(PreparesState):
    """What QAOA found.

    Attributes:
        problem: The problem.
        runs: One run for each depth, the shallowest first.
        ratio: Approximation ratio (E - E_max) / (E_min - E_max) at each depth; for a cut with weights of one sign the
            expected cut over the largest. None where the exact energy is not known.
        bits: The best bit string of the sample, qubit 0 rightmost.
        value: Its energy, in the problem's unit.
        hits: How many of the samples had this energy.
        samples: How many were drawn, at the largest depth.
        folder: Where the record lies.
        ratio_errors: Standard error of each ratio; empty where there is none.
    """

    computed: ClassVar[frozenset[str]] = frozenset({"ratio", "value"})

    problem: Problem
    runs: tuple[Result, ...]
    ratio: tuple[float, ...] | None
    bits: str
    value: float
    hits: int
    samples: int
    folder: Path
    ratio_errors: tuple[float, ...] = ()

    @property
    def energy(self) -> float:
        """Expected energy at the largest depth, in the problem's unit."""
        return self.runs[-1].energy

    @property
    def theta(self) -> np.ndarray:
        """Angles at the largest depth p: beta[k], then gamma[k], shape (2 p,), radians; as in `circuits.qaoa`."""
        return self.runs[-1].theta

    @property
    def status(self) -> Status:
        """That of the first depth which has not converged, else "converged"."""
        return worst(run.status for run in self.runs)

    @property
    def cut(self) -> float | None:
        """Weight of the best cut in the sample; None if the problem is no graph."""
        graph = self.problem.structure
        return graph.cut_weight(self.bits) if isinstance(graph, Graph) else None

    @property
    def circuit(self) -> QuantumCircuit:
        """The ansatz at the largest depth, its parameters free."""
        return self.runs[-1].circuit

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
            "ratio": self.ratio,
            "theta": self.theta,
            "bits": self.bits,
            "value": self.value,
            "cut": self.cut,
            "hits": self.hits,
            "samples": self.samples,
        }

    def plot(self) -> "Figure":
        """The approximation ratio, or the energy where the exact one is not known, against the number of layers.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.report.panels import Panel, Series, panels

        depths = np.array([len(run.theta) // 2 for run in self.runs])
        if self.ratio is not None:
            found = Series("", depths, np.array(self.ratio), np.array(self.ratio_errors) if self.ratio_errors else None)
            part = Panel("approximation ratio", [found])
        else:
            errors = np.array([run.standard_error for run in self.runs])
            found = Series("", depths, np.array([run.energy for run in self.runs]), errors)
            part = Panel(axis("energy", self.problem.unit), [found])
        return panels([part], x_label="layers", title=self.title(), whole_numbers=True)

    def title(self) -> str:
        """What was done to what."""
        return f"QAOA of {self.problem.name}"

    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text."""
        rows = []
        for k, run in enumerate(self.runs):
            ratio = ""
            if self.ratio is not None:
                ratio = f", ratio {self.ratio[k]:.4f}" + (
                    f" ± {self.ratio_errors[k]:.1g}" if run.standard_error else ""
                )
            steps = f"{run.status} after {counted(run.evaluations, 'evaluations')}"
            rows.append((f"layers {len(run.theta) // 2}", f"{run.measured()}{ratio}, {steps}"))
        best = f"{self.bits}: {self.value:g}" if self.cut is None else f"{self.bits} cuts {self.cut:g}"
        exact = self.runs[-1].exact_energy
        rows.append(("best", f"{best}, {counted(self.hits, 'times')} in {counted(self.samples, 'samples')}"))
        if exact is not None:
            rows.append(("exact", with_unit(f"{exact:g}", self.problem.unit)))
        return [*rows, ("record", str(self.folder))]


def qaoa(
    problem: ProblemLike,
    *,
    layers: int = 3,
    start: QAOA | ArrayLike | str | None = None,
    samples: int = 1024,
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
) -> QAOA:
    """QAOA whose angles are found depth by depth: those of p layers, interpolated, start the search for p + 1.

    Random starts need 2^O(p) tries to find as good a minimum. Between graphs the angles are handed on as they
    are, with gamma scaled by the mean field that a qubit feels (for a graph without weights the root of its degree).

    Args:
        problem: With a diagonal Hamiltonian, such as `circuits.maxcut`, or a diagonal operator alone.
        layers: Largest depth.
        start: Where to begin: None for one layer of the ramp of `circuits.qaoa`; the `QAOA` of another problem, or
            ``"run:FOLDER"`` for the one recorded there; or beta[k], gamma[k] as an array of shape (2 p,). Its depth is
            the first that is optimized.
        samples: Bit strings that are drawn at the largest depth.
        backend: As for `hybrid.minimize`.
        optimizer: As for `hybrid.minimize`.
        seed: As for `hybrid.minimize`.
        max_steps: At each depth.
        accuracy: At each depth, in the problem's unit.
        shots: Shots for each measured circuit during the optimization; None for exact values.
        label: As for `hybrid.minimize`.
        mitigation: As for `hybrid.minimize`; of the energies, since no bit string can be mitigated.
        budget: What all stages together may spend at a vendor; as for `hybrid.minimize`.
        failover: As for `hybrid.minimize`; where one stage went on, the next one begins.
        folder: Where the record goes; called again with the same arguments, it continues what it finds there.
        progress: As for `hybrid.minimize`.

    Returns:
        A `QAOA`, which prints itself.

    Raises:
        Refused: for a problem that is not diagonal, or a start that does not fit the depth.

    References:
        E. Farhi, J. Goldstone, S. Gutmann, arXiv:1411.4028 (2014).
        L. Zhou, S.-T. Wang, S. Choi, H. Pichler, M. D. Lukin, Phys. Rev. X 10, 021067 (2020), for INTERP.
        R. Shaydulin, P. C. Lotshaw, J. Larson, J. Ostrowski, T. S. Humble, ACM Trans. Quantum Comput. 4, 19 (2023),
        for the scale of transferred angles.

    Examples:
        >>> import tempfile
        >>> from circuits import maxcut
        >>> square = maxcut([(0, 1), (1, 2), (2, 3), (3, 0)])
        >>> found = qaoa(square, layers=2, backend="statevector", folder=tempfile.mkdtemp())
        >>> found.cut, [round(ratio, 4) for ratio in found.ratio]
        (4.0, [0.75, 1.0])
    """
    algorithm = prepared(
        problem,
        layers=layers,
        start=start,
        samples=samples,
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
    problem: ProblemLike, *, layers: int, start: "QAOA | ArrayLike | str | None", samples: int, **settings: Any
) -> Algorithm[QAOA]:
    """QAOA, ready to be predicted and carried out; see `qaoa`.

    Args:
        problem: As for `qaoa`.
        layers: As for `qaoa`.
        start: As for `qaoa`.
        samples: As for `qaoa`.
        settings: Optimizer, seed, max_steps, accuracy, shots and label.
    """
    layers, samples = whole(layers, "layers", at_least=1), whole(samples, "samples", at_least=1)
    problem = with_cached_exact_energy(as_problem(problem))
    theta = _start(problem, start, layers)
    depths = range(len(theta) // 2, layers + 1)
    deepest = [workload(ansatz(problem, layers=depth), problem, **settings) for depth in reversed(depths)]
    works = deepest[::-1]  # a circuit that is too deep is refused first
    first = replace(works[0], theta=theta)
    return Algorithm(
        "qaoa",
        first,
        {"layers": layers, "samples": samples, "start": theta.tolist()},
        [Stage(f"layers {depth}", searches(work, less=WARM)) for depth, work in zip(depths, works, strict=True)],
        [
            f"one search for each depth from {depths[0]} to {layers}, each at most as long as from a new start",
            f"the sample of {samples:,} bit strings takes no time beside them",
        ],
        lambda stages: carried_out(stages, problem, theta, layers, samples),
        lambda: problem_files(problem),
        ability=Samples,
    )


def reader(path: Path, asked: Mapping[str, Any]) -> tuple[Workload, Carry]:
    """How its folder is read; see `hybrid.algorithms.kinds.Reader`.

    Args:
        path: Of the folder.
        asked: What was asked.
    """
    problem, theta = read_problem(path), np.array(asked["start"], dtype=float)
    work = workload(ansatz(problem, layers=len(theta) // 2), problem, theta=theta, **settings(asked))
    layers, samples = asked["layers"], asked["samples"]
    return work, lambda stages: carried_out(stages, problem, theta, layers, samples)


def carried_out(record: Stages, problem: Problem, theta: np.ndarray, layers: int, samples: int) -> QAOA:
    """The stages of QAOA.

    Args:
        record: Where they are computed, or read.
        problem: With a diagonal Hamiltonian.
        theta: Where the first depth starts, shape (2 p,), radians.
        layers: Largest depth.
        samples: Bit strings that are drawn there.
    """
    runs: list[Result] = []
    for depth in range(len(theta) // 2, layers + 1):
        circuit = ansatz(problem, layers=depth)
        runs.append(record.run(f"layers-{depth}", circuit, problem, theta=theta, seed=record.seed(0, depth)))
        beta, gamma = np.split(runs[-1].theta, 2)
        theta = np.concatenate([interpolate(beta), interpolate(gamma)])
    best_theta, seed = runs[-1].theta, record.seed(1)
    sample = record.compute_once(
        "samples", Counts, lambda backend: _sample(backend, problem, best_theta, samples, seed)
    )
    best = _best(problem, sample.counts)
    ratio, ratio_errors = _ratios(problem, runs) or (None, ())
    return QAOA(
        problem=problem,
        runs=tuple(runs),
        ratio=ratio,
        bits=best.bits,
        value=best.value,
        hits=best.hits,
        samples=samples,
        folder=record.folder,
        ratio_errors=ratio_errors,
    )


def interpolate(angles: np.ndarray) -> np.ndarray:
    """Angles for p + 1 layers from those for p: u'_i = (i - 1) / p u_(i-1) + (p - i + 1) / p u_i, i = 1 ... p + 1.

    Args:
        angles: beta or gamma, shape (p,), radians.

    Returns:
        Shape (p + 1,), radians.

    References:
        L. Zhou, S.-T. Wang, S. Choi, H. Pichler, M. D. Lukin, Phys. Rev. X 10, 021067 (2020), for INTERP.

    >>> interpolate(np.array([1.0, 2.0])).tolist()
    [1.0, 1.5, 2.0]
    """
    p = len(angles)
    i = np.arange(p + 1)
    return i / p * np.append(0.0, angles) + (p - i) / p * np.append(angles, 0.0)


def transferred(theta: np.ndarray, origin: Problem, problem: Problem) -> np.ndarray:
    """Angles for one problem from those for another: gamma is multiplied by the ratio of their mean fields.

    Args:
        theta: beta[k], then gamma[k], of the other problem, shape (2 p,), radians.
        origin: The other problem.
        problem: The problem that angles are wanted for.

    Returns:
        Shape (2 p,), radians.

    References:
        R. Shaydulin, P. C. Lotshaw, J. Larson, J. Ostrowski, T. S. Humble, ACM Trans. Quantum Comput. 4, 19 (2023).
    """
    beta, gamma = np.split(theta, 2)
    return np.concatenate([beta, gamma * _mean_field(origin) / _mean_field(problem)])


def _mean_field(problem: Problem) -> float:
    return float(np.sqrt(np.mean(fields(problem.hamiltonian.simplify()) ** 2)))


def _start(problem: Problem, start: QAOA | ArrayLike | str | None, layers: int) -> np.ndarray:
    first = ansatz(problem, layers=1)  # refuses what is not diagonal
    if start is None:
        return np.array(first.metadata["theta"])
    if isinstance(start, str):
        theta = _found_by_another(start, problem)
    elif isinstance(start, QAOA):
        theta = transferred(start.theta, start.problem, problem)
    else:
        try:
            theta = np.asarray(start, float)
        except (TypeError, ValueError) as err:
            raise Refused(f"start must be angles, the result of a QAOA, or its folder, not {shown(start)}") from err
    if theta.ndim != 1 or theta.size % 2 or not 2 <= theta.size <= 2 * layers:
        raise Refused(
            f"start must hold beta[k] and gamma[k] of 1 to {layers} layers, shape (2 p,), not shape {theta.shape}"
        )
    if not np.all(np.isfinite(theta)):
        raise Refused(f"start must hold finite angles, not {shown(theta.tolist())}")
    return theta


def _found_by_another(start: str, problem: Problem) -> np.ndarray:
    """The angles of a QAOA that has ended in a folder, scaled for another problem."""
    if not start.startswith(PREFIX) or start == PREFIX:
        raise Refused(f'start must be angles, or "{PREFIX}FOLDER" for those that another QAOA has found, not {start!r}')
    path = Path(start.removeprefix(PREFIX))
    if not folders.is_algorithm(path) or read_spec(path).kind != "qaoa":
        raise Refused(f"start: {path} holds no QAOA")
    if read_outcome(path) is None:
        raise Refused(f"start: the QAOA in {path} has not ended: continue it first")
    deepest = max(runs_of(path), key=lambda run: folders.read(run).circuit.num_parameters)
    other = problem_of(folders.read_spec(deepest).problem, folders.read(deepest).hamiltonian)
    return transferred(load(deepest).theta, other, problem)


def _sample(backend: Backend, problem: Problem, theta: np.ndarray, samples: int, seed: int) -> Counts:
    circuit = ansatz(problem, layers=len(theta) // 2)
    assert isinstance(backend, Samples)  # refused before the first stage
    return Counts(counts=backend.sample(circuit, theta, shots=samples, seed=seed))


def _best(problem: Problem, counts: dict[str, int]) -> Best:
    """The string of lowest energy, the first in alphabetical order of those that are equal."""
    strings = sorted(counts)
    energies = energies_of(problem.hamiltonian, strings)
    best = int(np.argmin(energies))
    tied = np.isclose(energies, energies[best], rtol=0.0, atol=1e-9 * max(1.0, abs(energies[best])))
    best = int(np.argmax(tied))
    return Best(strings[best], float(energies[best]), sum(counts[strings[k]] for k in np.flatnonzero(tied)))


def energies_of(hamiltonian: SparsePauliOp, strings: list[str]) -> np.ndarray:
    """Energies of bit strings under a diagonal Hamiltonian.

    Args:
        hamiltonian: Of Z and I alone; other letters are not looked at.
        strings: Each of as many bits as the Hamiltonian has qubits, qubit 0 rightmost.

    Returns:
        Shape (strings,), in the Hamiltonian's unit.

    >>> energies_of(SparsePauliOp(["IZ", "ZZ"], [1.0, 0.5]), ["00", "01"]).tolist()
    [1.5, -1.5]
    """
    bits = np.array([[int(bit) for bit in reversed(string)] for string in strings])
    parity = bits @ hamiltonian.paulis.z.T.astype(int) % 2
    return (1 - 2 * parity) @ np.real(np.asarray(hamiltonian.coeffs, dtype=complex))


def _ratios(problem: Problem, runs: list[Result]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The approximation ratios and their standard errors."""
    lowest = runs[-1].exact_energy
    if lowest is None:
        return None
    highest = -lowest_eigenvalue(-problem.hamiltonian)
    width = lowest - highest
    return tuple((run.energy - highest) / width for run in runs), tuple(-run.standard_error / width for run in runs)
