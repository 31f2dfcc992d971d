"""The quantum approximate optimization algorithm, from depth to depth and from graph to graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from qiskit.quantum_info import SparsePauliOp

from backends.base import Samples
from circuits import Problem
from circuits import qaoa as ansatz
from circuits.ansatz.qaoa import fields
from circuits.errors import Refused
from circuits.problems.checks import whole
from circuits.problems.exact import lowest_eigenvalue
from circuits.problems.graphs import Graph
from hybrid.algorithms.record import Record, open_record, with_cached_exact_energy
from hybrid.algorithms.summary import Summary
from hybrid.runs.budget import Budget
from hybrid.runs.result import Result
from hybrid.workload.arguments import BackendLike, OptimizerLike
from hybrid.workload.spec import RecordModel
from hybrid.workload.workload import workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
class QAOA(Summary):
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
    def cut(self) -> float | None:
        """Weight of the best cut in the sample; None if the problem is no graph."""
        graph = self.problem.structure
        return graph.cut_weight(self.bits) if isinstance(graph, Graph) else None

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
            part = Panel(f"energy ({self.problem.unit})", [found])
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
            steps = f"{run.status} after {run.evaluations} evaluations"
            rows.append((f"layers {len(run.theta) // 2}", f"{run.measured()}{ratio}, {steps}"))
        best = f"{self.bits}: {self.value:g}" if self.cut is None else f"{self.bits} cuts {self.cut:g}"
        exact = self.runs[-1].exact_energy
        rows.append(("best", f"{best}, {self.hits} times in {self.samples} samples"))
        if exact is not None:
            rows.append(("exact", f"{exact:g} {self.problem.unit}"))
        return [*rows, ("record", str(self.folder))]


def qaoa(
    problem: Problem,
    *,
    layers: int = 3,
    start: QAOA | ArrayLike | None = None,
    samples: int = 1024,
    backend: BackendLike = "auto",
    optimizer: OptimizerLike = "lbfgs",
    seed: int = 0,
    max_steps: int = 200,
    accuracy: float = 1e-6,
    shots: int | None = None,
    label: str = "open",
    mitigation: Any = None,
    budget: Budget | Mapping[str, float] | None = None,
    folder: str | Path | None = None,
    progress: bool = True,
) -> QAOA:
    """QAOA whose angles are found depth by depth: those of p layers, interpolated, start the search for p + 1.

    Random starts need 2^O(p) tries to find as good a minimum. Between graphs the angles are handed on as they
    are, with gamma scaled by the mean field that a qubit feels (for a graph without weights the root of its degree).

    Args:
        problem: With a diagonal Hamiltonian, such as `circuits.maxcut`.
        layers: Largest depth.
        start: Where to begin: None for one layer of the ramp of `circuits.qaoa`; the `QAOA` of another problem; or
            beta[k], gamma[k] as an array of shape (2 p,). Its depth is the first that is optimized.
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
    layers, samples = whole(layers, "layers", at_least=1), whole(samples, "samples", at_least=1)
    problem = with_cached_exact_energy(problem)
    theta = _start(problem, start, layers)
    work = workload(
        ansatz(problem, layers=len(theta) // 2),
        problem,
        optimizer=optimizer,
        theta=theta,
        accuracy=accuracy,
        max_steps=max_steps,
        seed=seed,
        shots=shots,
        label=label,
    )
    asked = {"layers": layers, "samples": samples, "start": theta.tolist()}
    with open_record(
        "qaoa",
        work,
        backend=backend,
        folder=folder,
        mitigation=mitigation,
        budget=budget,
        asked=asked,
        ability=Samples,
        progress=progress,
    ) as record:
        runs: list[Result] = []
        for depth in range(len(theta) // 2, layers + 1):
            circuit = ansatz(problem, layers=depth)
            runs.append(record.run(f"layers-{depth}", circuit, problem, theta=theta, seed=record.seed(0, depth)))
            beta, gamma = np.split(runs[-1].theta, 2)
            theta = np.concatenate([interpolate(beta), interpolate(gamma)])
        sample = record.compute_once("samples", Counts, lambda: _sample(record, problem, runs[-1].theta, samples))
        best = _best(problem, sample.counts)
        ratio, ratio_errors = _ratios(problem, runs) or (None, ())
        result = QAOA(
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
        record.finish(
            {"energies": [run.energy for run in runs], "ratio": result.ratio, "theta": result.theta}
            | {"bits": result.bits, "value": result.value, "hits": result.hits, "samples": samples}
        )
    return result


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


def _start(problem: Problem, start: QAOA | ArrayLike | None, layers: int) -> np.ndarray:
    first = ansatz(problem, layers=1)  # refuses what is not diagonal
    if start is None:
        return np.array(first.metadata["theta"])
    theta = transferred(start.theta, start.problem, problem) if isinstance(start, QAOA) else np.asarray(start, float)
    if theta.ndim != 1 or theta.size % 2 or not 2 <= theta.size <= 2 * layers:
        raise Refused(
            f"start must hold beta[k] and gamma[k] of 1 to {layers} layers, shape (2 p,), not shape {theta.shape}"
        )
    return theta


def _sample(record: Record, problem: Problem, theta: np.ndarray, samples: int) -> Counts:
    circuit = ansatz(problem, layers=len(theta) // 2)
    backend = record.backend
    assert isinstance(backend, Samples)  # refused before the first stage
    return Counts(counts=backend.sample(circuit, theta, shots=samples, seed=record.seed(1)))


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
