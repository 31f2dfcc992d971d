"""Variational time evolution, real and imaginary: the parameters follow the state as well as the ansatz can."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends.base import Backend, Tangents
from circuits import Problem
from circuits.errors import Refused
from circuits.problems.checks import finite, whole
from hybrid.algorithms.algorithm import Algorithm, Stage
from hybrid.algorithms.carry_out import carry_out
from hybrid.algorithms.inputs import circuit_files, problem_files, read_circuit, read_problem
from hybrid.algorithms.kinds import Carry
from hybrid.algorithms.motion import Kind, Motion, motions, moved
from hybrid.algorithms.outlook import tangents_of
from hybrid.algorithms.stages import Stages
from hybrid.algorithms.summary import PreparesState
from hybrid.loop.conclusion import AGREEMENT, scale
from hybrid.loop.exact import exact_energy
from hybrid.loop.stop import stop_at_once
from hybrid.runs.algorithm import Status
from hybrid.terminal.words import axis, counted, with_unit
from hybrid.workload.arguments import BackendLike, ProblemLike
from hybrid.workload.spec import RecordModel
from hybrid.workload.workload import Workload, workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXACT_QUBITS = 12
"""Largest register on which the exact evolution is computed."""

INTEGRATOR = (14, 140)
"""Times that the integrator asks for the motion between two points, at least and at most: 37 to 71 at a tenth of one
over the coupling, on chains of four and eight spins; never fewer than one step of it takes, twice over."""

LONGEST = 1e6
"""Time in units of one over the sum of the absolute coefficients of H: the integrator takes some steps for each."""


class ExactPath(RecordModel):
    """What is known of the exact evolution, as its file holds it; see `Evolution`."""

    fidelities: list[float] | None
    lowest: float | None


class TrajectoryPoint(RecordModel):
    """A point of a trajectory, as its file holds it; see `Evolution`."""

    theta: list[float]
    energy: float
    residual: float


@dataclass(frozen=True, eq=False, repr=False)
class Evolution(PreparesState):
    """A trajectory.

    Attributes:
        problem: The problem, whose Hamiltonian drives it.
        kind: "real" or "imaginary".
        times: Shape (steps + 1,), in one over the problem's unit.
        thetas: Shape (steps + 1, params), radians.
        energies: <H>, shape (steps + 1,), in the problem's unit.
        residuals: What the ansatz cannot follow, per unit of time, shape (steps + 1,).
        fidelities: |<exact|psi>|^2 with the exact evolution of the first state, shape (steps + 1,); None above 12
            qubits.
        exact_energy: Lowest energy, for imaginary time; None where it is not known.
        folder: Where the record lies.
        circuit: The ansatz, its parameters free.
    """

    computed: ClassVar[frozenset[str]] = frozenset({"times", "drift", "distance_bound"})

    problem: Problem
    kind: Kind
    times: np.ndarray
    thetas: np.ndarray
    energies: np.ndarray
    residuals: np.ndarray
    fidelities: np.ndarray | None
    exact_energy: float | None
    folder: Path
    circuit: QuantumCircuit

    @property
    def energy(self) -> float:
        """<H> at the end, in the problem's unit."""
        return float(self.energies[-1])

    @property
    def theta(self) -> np.ndarray:
        """Parameters at the end, shape (params,), radians."""
        return self.thetas[-1]

    @property
    def status(self) -> Status:
        """That the trajectory is whole; of imaginary time "below_exact" if the energy lies below the exact one."""
        if self.exact_energy is not None and self.exact_energy - self.energy > AGREEMENT * scale(self.problem):
            return "below_exact"
        return "finished"

    @property
    def drift(self) -> float:
        """Largest change of the energy since the start, in the problem's unit; real time evolution conserves it."""
        return float(np.max(np.abs(self.energies - self.energies[0])))

    @property
    def distance_bound(self) -> float:
        """Bound on the distance to the exact state at the end of a real evolution: the residual's integral.

        The distance is the least over global phases, so that ``fidelity >= (1 - bound^2 / 2)^2``. The errors of the
        integrator, and of the trapezoidal rule between the points, are not in it.
        """
        return float(np.trapezoid(self.residuals, self.times))

    def prepared(self) -> tuple[QuantumCircuit, np.ndarray]:
        """The circuit and its parameters, shape (params,), radians."""
        return self.circuit, self.theta

    def content(self) -> dict[str, Any]:
        """See `Summary.content`."""
        return {
            "status": self.status,
            "energy": self.energy,
            "standard_error": 0.0,
            "exact_energy": self.exact_energy,
            "direction": self.kind,
            "times": self.times,
            "energies": self.energies,
            "residuals": self.residuals,
            "theta": self.theta,
            "fidelities": self.fidelities,
            "drift": self.drift,
            "distance_bound": self.distance_bound if self.kind == "real" else None,
        }

    def plot(self) -> "Figure":
        """The energy over time, and what is lost: of the fidelity where the exact states are known, else the residual.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.report.panels import Panel, Series, panels

        unit = self.problem.unit
        drawn = [Series("ansatz", self.times, self.energies)]
        if self.exact_energy is not None:
            drawn.append(Series("lowest", self.times, np.full(len(self.times), self.exact_energy), exact=True))
        lost = (
            Panel(axis("residual", unit), [Series("", self.times, self.residuals)], log=True)
            if self.fidelities is None
            else Panel("1 - fidelity", [Series("", self.times, 1 - self.fidelities)], log=True)
        )
        parts = [Panel(axis("energy", unit), drawn), lost]
        return panels(parts, x_label=axis("time", "" if unit in ("", "1") else f"1/{unit}"), title=self.title())

    def title(self) -> str:
        """What was done to what."""
        return f"{self.kind} time evolution of {self.problem.name}"

    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text."""
        rows = [("time", f"{self.times[-1]:g} in {counted(len(self.times) - 1, 'steps')}")]
        rows.append(("energy", with_unit(f"{self.energies[0]:.8f} to {self.energy:.8f}", self.problem.unit)))
        if self.kind == "real":
            rows.append(("drift", with_unit(f"{self.drift:.1e}", self.problem.unit)))
            rows.append(("distance", f"at most {self.distance_bound:.1e} by the residuals"))
        elif self.exact_energy is not None:
            rows.append(
                (
                    "error",
                    with_unit(f"{self.energy - self.exact_energy:+.1e}", self.problem.unit) + " from the lowest energy",
                )
            )
            if self.status == "below_exact":
                rows.append(("warning", "the energy lies below the exact one: do not trust it"))
        if self.fidelities is not None:
            text = f"{self.fidelities[-1]:.8f} at the end, {np.min(self.fidelities):.8f} at worst"
            rows.append(("fidelity", f"{text}, with the exact evolution"))
        return [*rows, ("record", str(self.folder))]


def real_time_evolution(
    circuit: QuantumCircuit,
    problem: ProblemLike,
    *,
    time: float,
    steps: int = 50,
    theta: ArrayLike | None = None,
    regularization: float = 1e-5,
    backend: BackendLike = "statevector",
    seed: int = 0,
    label: str = "open",
    folder: str | Path | None = None,
    progress: bool = True,
) -> Evolution:
    """Follow exp(-i H t) |psi(theta)> within an ansatz, by McLachlan's principle.

    Args:
        circuit: Ansatz with parameters.
        problem: As for `hybrid.minimize`; its Hamiltonian drives the state.
        time: How far, in one over the problem's unit.
        steps: Points at which the trajectory is written down. Between them the integrator, Dormand and Prince's, takes
            steps of its own, with an error of at most 1e-6 each.
        theta: First parameters, shape (params,), radians; as for `hybrid.minimize`.
        regularization: Added to the metric's diagonal: directions in which the state moves by less than its root are
            left alone.
        backend: One that knows the derivatives of a state: "statevector", with options as a `Backend`.
        seed: Of the first parameters, where neither theta nor the ansatz gives them.
        label: As for `hybrid.minimize`.
        folder: Where the record goes; called again with the same arguments, it continues what it finds there.
        progress: As for `hybrid.minimize`.

    Returns:
        An `Evolution`, with the energy's drift, the residuals and, up to 12 qubits, the fidelity with the exact state.

    Raises:
        Refused: if the parts do not fit each other, or the backend has no derivatives of states.
        FailedJob: if the integrator cannot follow the parameters; a larger regularization helps.

    References:
        A. D. McLachlan, Mol. Phys. 8, 39 (1964). Y. Li, S. C. Benjamin, Phys. Rev. X 7, 021050 (2017).
        X. Yuan, S. Endo, Q. Zhao, Y. Li, S. C. Benjamin, Quantum 3, 191 (2019).
        C. Zoufal, D. Sutter, S. Woerner, Phys. Rev. A 108, 022414 (2023), for the bound by the residuals.

    Examples:
        >>> import tempfile
        >>> from circuits import hardware_efficient
        >>> turn = hardware_efficient(1, layers=1, rotations="rx")
        >>> spin = real_time_evolution(turn, "X", time=1.0, steps=5, theta=[0.0], folder=tempfile.mkdtemp())
        >>> round(float(spin.theta[0]), 3)  # exp(-i t X) is a rotation by 2 t
        2.0
    """
    algorithm = prepared(
        "real",
        circuit,
        problem,
        time=time,
        steps=steps,
        theta=theta,
        regularization=regularization,
        seed=seed,
        label=label,
    )
    return carry_out(algorithm, backend=backend, folder=folder, progress=progress)


def imaginary_time_evolution(
    circuit: QuantumCircuit,
    problem: ProblemLike,
    *,
    time: float,
    steps: int = 50,
    theta: ArrayLike | None = None,
    regularization: float = 1e-5,
    backend: BackendLike = "statevector",
    seed: int = 0,
    label: str = "open",
    folder: str | Path | None = None,
    progress: bool = True,
) -> Evolution:
    """Follow exp(-H t) |psi(theta)>, normalized, within an ansatz: towards the ground state.

    Args:
        circuit: As for `real_time_evolution`.
        problem: As for `real_time_evolution`.
        time: As for `real_time_evolution`; excited states die out as exp(-2 gap t).
        steps: As for `real_time_evolution`.
        theta: As for `real_time_evolution`.
        regularization: As for `real_time_evolution`.
        backend: As for `real_time_evolution`.
        seed: As for `real_time_evolution`.
        label: As for `real_time_evolution`.
        folder: As for `real_time_evolution`.
        progress: As for `real_time_evolution`.

    Returns:
        An `Evolution`.

    Raises:
        Refused: as for `real_time_evolution`.
        FailedJob: as for `real_time_evolution`.

    References:
        S. McArdle, T. Jones, S. Endo, Y. Li, S. C. Benjamin, X. Yuan, Variational ansatz-based quantum simulation of
        imaginary time evolution, npj Quantum Inf. 5, 75 (2019).
    """
    algorithm = prepared(
        "imaginary",
        circuit,
        problem,
        time=time,
        steps=steps,
        theta=theta,
        regularization=regularization,
        seed=seed,
        label=label,
    )
    return carry_out(algorithm, backend=backend, folder=folder, progress=progress)


def prepared(
    kind: Kind,
    circuit: QuantumCircuit,
    problem: ProblemLike,
    *,
    time: float,
    steps: int,
    theta: ArrayLike | None,
    regularization: float,
    seed: int,
    label: str,
) -> Algorithm[Evolution]:
    """A time evolution, ready to be predicted and carried out; see `real_time_evolution`.

    Args:
        kind: "real" or "imaginary".
        circuit: As for `real_time_evolution`.
        problem: As for `real_time_evolution`.
        time: As for `real_time_evolution`.
        steps: As for `real_time_evolution`.
        theta: As for `real_time_evolution`.
        regularization: As for `real_time_evolution`.
        seed: As for `real_time_evolution`.
        label: As for `real_time_evolution`.
    """
    work = workload(circuit, problem, theta=theta, seed=seed, label=label)
    if finite(time, "time") <= 0:
        raise Refused(f"time must be positive, in one over {work.problem.unit}, not {time}")
    if finite(time, "time") * scale(work.problem) > LONGEST:
        raise Refused(
            f"time must be at most {LONGEST / scale(work.problem):.3g} for {work.problem.name}, not {time}: the "
            "integrator would take millions of steps"
        )
    if not 0 < finite(regularization, "regularization") < 1:
        raise Refused(f"regularization must be between 0 and 1, not {regularization}")
    steps = whole(steps, "steps", at_least=1)
    if not len(work.theta):
        raise Refused("time evolution moves parameters, and the circuit has none")
    weight = float(regularization)
    return Algorithm(
        f"{kind}-time",
        work,
        {"time": float(time), "steps": steps, "theta": work.theta.tolist(), "regularization": weight},
        [Stage("trajectory", tangents_of(work, steps, integrator=INTEGRATOR))],
        [
            f"{steps} points, for each of which the integrator takes the state and its {len(work.theta)} derivatives "
            f"{INTEGRATOR[0]} to {INTEGRATOR[1]} times"
        ],
        lambda stages: carried_out(stages, kind, dt=float(time) / steps, steps=steps, regularization=weight),
        lambda: circuit_files(work.circuit) | problem_files(work.problem),
        settings=("seed", "label"),
        ability=Tangents,
    )


def reader_of_real(path: Path, asked: Mapping[str, Any]) -> tuple[Workload, Carry]:
    """How its folder is read; see `hybrid.algorithms.kinds.Reader`.

    Args:
        path: Of the folder.
        asked: What was asked.
    """
    return _reader("real", path, asked)


def reader_of_imaginary(path: Path, asked: Mapping[str, Any]) -> tuple[Workload, Carry]:
    """How its folder is read; see `hybrid.algorithms.kinds.Reader`.

    Args:
        path: Of the folder.
        asked: What was asked.
    """
    return _reader("imaginary", path, asked)


def _reader(kind: Kind, path: Path, asked: Mapping[str, Any]) -> tuple[Workload, Carry]:
    circuit, problem = read_circuit(path), read_problem(path)
    work = workload(circuit, problem, theta=asked["theta"], seed=asked["seed"], label=asked["label"])
    steps, weight = asked["steps"], asked["regularization"]
    dt = asked["time"] / steps
    return work, lambda stages: carried_out(stages, kind, dt=dt, steps=steps, regularization=weight)


def carried_out(record: Stages, kind: Kind, *, dt: float, steps: int, regularization: float) -> Evolution:
    """The stages of a time evolution.

    Args:
        record: Where they are computed, or read.
        kind: "real" or "imaginary".
        dt: Time between two points, in one over the problem's unit.
        steps: Number of points after the first.
        regularization: As for `real_time_evolution`.
    """
    work = record.work

    @cache
    def move() -> Callable[[np.ndarray], Motion]:
        return motions(record.backend, work, kind, regularization)

    def follow(points: Sequence[TrajectoryPoint]) -> TrajectoryPoint:
        row = moved(move(), np.array(points[-1].theta), dt) if points else work.theta
        here = move()(row)
        return TrajectoryPoint(theta=row.tolist(), energy=here.energy, residual=here.residual)

    points = record.grow("trajectory", TrajectoryPoint, steps + 1, follow)
    thetas = [point.theta for point in points]

    def compare(backend: Backend) -> ExactPath:
        assert isinstance(backend, Tangents)  # refused before the first point
        with stop_at_once():  # every point of the trajectory is saved
            found = fidelities(kind, backend.states(work.circuit), work.problem, thetas=thetas, dt=dt)
            lowest = exact_energy(work.problem) if kind == "imaginary" else None
        return ExactPath(fidelities=None if found is None else found.tolist(), lowest=lowest)

    exact = record.compute_once("exact", ExactPath, compare)
    return Evolution(
        work.problem,
        kind,
        dt * np.arange(steps + 1),
        np.array(thetas),
        np.array([point.energy for point in points]),
        np.array([point.residual for point in points]),
        None if exact.fidelities is None else np.array(exact.fidelities),
        exact.lowest,
        record.folder,
        work.circuit,
    )


def fidelities(
    kind: Kind,
    states: Callable[[np.ndarray], np.ndarray],
    problem: Problem,
    *,
    thetas: Sequence[Sequence[float]],
    dt: float,
) -> np.ndarray | None:
    """Overlap with the exact evolution of the first state at every step; None above 12 qubits.

    Args:
        kind: "real" or "imaginary".
        states: From parameters to the state, shape (2^n,).
        problem: Whose Hamiltonian drives it.
        thetas: Parameters at each step, radians.
        dt: Time between two steps, in one over the problem's unit.

    Returns:
        Shape (steps + 1,).
    """
    if problem.n_qubits > EXACT_QUBITS:
        return None
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import expm_multiply

    generator = (-1j if kind == "real" else -1.0) * dt * csr_matrix(problem.hamiltonian.to_matrix(sparse=True))
    psi = exact = states(np.array(thetas[0]))
    found = []
    for theta in thetas:
        if found:
            exact = expm_multiply(generator, exact)
            exact /= np.linalg.norm(exact)
            psi = states(np.array(theta))
        found.append(abs(np.vdot(exact, psi)) ** 2)
    return np.array(found)
