"""Which number of the hardware limits an application, and what a better one would buy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from scipy.optimize import minimize as descend

import backends
from backends.base import Backend
from backends.checks import check_circuit
from backends.density.program import MAX_QUBITS
from backends.devices.device import Device
from backends.gradients.shift_rule import n_shifted
from backends.instructions import terms
from backends.measurement.targets import LEVELS, OptimizationLevel, transpiled
from backends.mitigation.words import MitigationLike, as_mitigation
from circuits.errors import Refused
from circuits.problems.checks import finite, whole
from hybrid.algorithms.algorithm import Algorithm, Stage
from hybrid.algorithms.carry_out import carry_out
from hybrid.algorithms.inputs import circuit_files, problem_files, read_circuit, read_problem
from hybrid.algorithms.kinds import Carry
from hybrid.algorithms.outlook import searches
from hybrid.algorithms.stages import Stages
from hybrid.codesign.engines import Density, Engine, Method, chosen, trajectories
from hybrid.codesign.grid import Variant, Vary, devices_of, sharing, variants
from hybrid.codesign.model import model, paths
from hybrid.codesign.point import DevicePoint, Mitigated
from hybrid.codesign.result import Codesign
from hybrid.codesign.sensitivity import sensitivities
from hybrid.codesign.size import Wanted, size
from hybrid.runs.result import Result
from hybrid.terminal.progress import Progress
from hybrid.workload.arguments import ProblemLike
from hybrid.workload.workload import Workload, workload

CHEMICAL_ACCURACY = 1.6e-3
"""Hartree: 1 kcal/mol."""

SHARE = 0.01
"""Of what the ansatz gains over the maximally mixed state: the target where none is given and the unit is another."""

DRAWN_SHOTS = 20_000
"""Of each measured circuit, at most, where values are drawn."""

DESCENT = {"maxiter": 200, "ftol": 1e-12, "gtol": 1e-8}
"""Of the angles under noise, by SciPy's L-BFGS-B."""

Devices = str | Device | Sequence[str | Device]
"""A device, the name of a snapshot or of a topology, or several of these."""


@dataclass(frozen=True)
class Asked:
    """How devices are looked at; see `codesign`."""

    target: float | None
    method: Method
    reoptimize: bool
    mitigation: Any
    shots: int | None
    level: OptimizationLevel


def codesign(
    circuit: QuantumCircuit,
    problem: ProblemLike,
    *,
    device: Devices,
    vary: Vary | None = None,
    target: float | None = None,
    method: Method = "auto",
    reoptimize: bool = False,
    mitigation: MitigationLike | None = None,
    shots: int | None = None,
    optimization_level: OptimizationLevel = 1,
    theta: ArrayLike | None = None,
    seed: int = 0,
    label: str = "open",
    folder: str | Path | None = None,
    progress: bool = True,
) -> Codesign:
    """Ask which parameter of a device limits a variational application, and what a better one would buy.

    The angles are optimized without noise; then the energy that the device would give at these angles is divided into
    what the ansatz, the angles, the noise and the shots add to the exact one, and differentiated by every number of
    the device.

    Args:
        circuit: Ansatz with parameters.
        problem: As for `hybrid.minimize`.
        device: A `hybrid.Device`, the name of a snapshot such as "ibm:fake_torino", or a list of these and of names of
            topologies, which stand for the device before them with other couplings.
        vary: Names of a device's numbers, "topology" or "scale" (all errors, T1 and T2 together), each with a list of
            values or a table such as ``{"from": 1e-4, "to": 1e-2, "points": 5}``; every combination is looked at.
        target: Wanted error, in the problem's unit; by default chemical accuracy, 1.6e-3 hartree, or in other units 1 %
            of what the ansatz gains over the maximally mixed state.
        method: "density" (exact, with derivatives), "trajectories" (drawn, with a statistical error; derivatives of the
            model), "model" (analytic, any size), or "auto": density matrices up to 10 qubits, else the model.
        reoptimize: Whether angles are optimized anew under each device's noise, from those without; needs density
            matrices.
        mitigation: What is done about noise, as for `hybrid.minimize`; the energy with it is drawn beside the others.
        shots: Of each measured circuit; by default as many as make the 95 % interval of an energy the target.
        optimization_level: Of the transpilation, as for the backend "density"; once for each topology.
        theta: Where the angles' optimization starts, shape (params,), radians; as for `hybrid.minimize`.
        seed: Of the first angles, and of what is drawn.
        label: As for `hybrid.minimize`.
        folder: Where the record goes; called again with the same arguments, it continues what it finds there.
        progress: As for `hybrid.minimize`.

    Returns:
        A `Codesign`, which prints itself, draws itself with ``plot()``, and holds all numbers.

    Raises:
        Refused: for an unknown number of the device, impossible values, too many combinations, a circuit that does not
            fit the device or the method.

    Examples:
        >>> import tempfile, hybrid
        >>> from circuits import hamiltonian_variational, tfim
        >>> problem = tfim(4)
        >>> line = hybrid.Device(4, "line", two_qubit_error=0.01, readout_error=0.001)
        >>> circuit = hamiltonian_variational(problem, layers=2)
        >>> found = codesign(circuit, problem, device=line, method="model", folder=tempfile.mkdtemp())
        >>> found.points[0].limit
        'two_qubit_error'
    """
    check_circuit(circuit)
    algorithm = prepared(
        circuit,
        problem,
        variants(devices_of(device, circuit.num_qubits), vary, circuit.num_qubits),
        target=target,
        method=method,
        reoptimize=reoptimize,
        mitigation=mitigation,
        shots=shots,
        optimization_level=optimization_level,
        theta=theta,
        seed=seed,
        label=label,
    )
    return carry_out(algorithm, backend="statevector", folder=folder, progress=progress)


def prepared(
    circuit: QuantumCircuit,
    problem: ProblemLike,
    grid: Sequence[Variant],
    *,
    target: float | None = None,
    method: Method = "auto",
    reoptimize: bool = False,
    mitigation: MitigationLike | None = None,
    shots: int | None = None,
    optimization_level: OptimizationLevel = 1,
    theta: ArrayLike | None = None,
    seed: int = 0,
    label: str = "open",
    exact: bool = True,
) -> Algorithm[Codesign]:
    """The question, ready to be carried out; see `codesign`.

    Args:
        circuit: As for `codesign`.
        problem: As for `codesign`.
        grid: The devices.
        target: As for `codesign`.
        method: As for `codesign`.
        reoptimize: As for `codesign`.
        mitigation: As for `codesign`.
        shots: As for `codesign`.
        optimization_level: As for `codesign`.
        theta: As for `codesign`.
        seed: As for `codesign`.
        label: As for `codesign`.
        exact: Whether the exact energy may be computed.
    """
    work = workload(circuit, problem, theta=theta, seed=seed, label=label, accuracy=1e-8, max_steps=500, exact=exact)
    if not len(work.theta):
        raise Refused("codesign optimizes angles, and the circuit has none")
    if all(c == 0 or not set(label) - {"I"} for label, c in work.problem.hamiltonian.to_list()):
        raise Refused(
            "the Hamiltonian is a constant, whose value no device changes: codesign asks for one with a term on a qubit"
        )
    n_qubits, grid = circuit.num_qubits, sharing(grid)
    if target is not None and not finite(target, "target") > 0:
        raise Refused(f"target must be a positive number in {work.problem.unit}, not {target}")
    if shots is not None:
        whole(shots, "shots", at_least=1)
    if optimization_level not in (0, 1, 2, 3):
        raise Refused(f"optimization_level must be {LEVELS}, not {optimization_level}")
    way = chosen(method, n_qubits)
    if reoptimize and way != "density":
        cure = "leave it out"
        if n_qubits <= MAX_QUBITS:
            cure += ', or ask for method = "density"'
        raise Refused(
            f"reoptimize differentiates density matrices, and the method for the {n_qubits} qubits of the circuit is "
            f"{way}: {cure}"
        )
    words = None if mitigation is None else as_mitigation(mitigation).words
    asked = Asked(target, method, reoptimize, mitigation, shots, optimization_level)

    def carried_out(stages: Stages) -> Codesign:
        return _carried_out(stages, work, grid, asked)

    def inputs() -> dict[str, bytes]:
        return problem_files(work.problem) | circuit_files(work.circuit)

    return Algorithm(
        "codesign",
        work,
        {
            "devices": [_told(variant.device) for variant in grid],
            "points": [variant.name for variant in grid],
            "target": target,
            "method": method,
            "reoptimize": reoptimize,
            "mitigation": None if words is None else repr(as_mitigation(mitigation)),
            "device_shots": shots,
            "optimization_level": optimization_level,
            "theta": work.theta.tolist(),
        },
        [Stage("angles", searches(work))],
        [f"what {len(grid)} device{'s' * (len(grid) != 1)} take is not predicted"],
        carried_out,
        inputs,
    )


def _carried_out(stages: Stages, work: Workload, grid: Sequence[Variant], asked: Asked) -> Codesign:
    """Angles without noise, then one device after the other, each written down as it is done."""
    best = stages.run("angles", work.circuit, work.problem, theta=work.theta, seed=stages.seed(0))
    target = asked.target or _usual_target(work, best)
    look = _Looking(work, best, target, asked)
    points = []
    with Progress("devices", len(grid)) as progress:
        for k, variant in enumerate(grid):
            progress.update(k, variant.name or variant.device.name)
            seed = stages.seed(1, k)
            points.append(
                stages.compute_once(
                    _stage(k), DevicePoint, lambda _, variant=variant, seed=seed: look.at(variant, seed)
                )
            )
    return Codesign(work.problem, tuple(points), stages.folder)


def reader(path: Path, asked: Mapping[str, Any]) -> tuple[Workload, Carry]:
    """How its folder is read; see `hybrid.algorithms.kinds.Reader`.

    Args:
        path: Of the folder.
        asked: What was asked.
    """
    circuit, problem = read_circuit(path), read_problem(path)
    work = workload(circuit, problem, theta=asked["theta"], seed=asked["seed"], label=asked["label"])
    return work, lambda stages: read_points(stages, work, len(asked["points"]))


def read_points(stages: Stages, work: Workload, n_points: int) -> Codesign:
    """The same from stages that have all been done.

    Args:
        stages: Of the folder.
        work: The application.
        n_points: Number of the devices.

    Raises:
        Refused: if a stage is missing or damaged.
    """
    stages.run("angles", work.circuit, work.problem)

    def missing(_: Backend) -> DevicePoint:
        raise Refused(f"{stages.folder}: a device is missing")

    points = [stages.compute_once(_stage(k), DevicePoint, missing) for k in range(n_points)]
    return Codesign(work.problem, tuple(points), stages.folder)


def _stage(k: int) -> str:
    return f"device-{k:04}"


def _usual_target(work: Workload, best: Result) -> float:
    if work.problem.unit == "hartree":
        return CHEMICAL_ACCURACY
    return SHARE * abs(best.energy - _mixed(work.problem.hamiltonian))


def _mixed(H: SparsePauliOp) -> float:
    """tr(H) / 2^n, the energy of the maximally mixed state."""
    return float(np.real(np.asarray(H.coeffs)[~np.any(H.paulis.x | H.paulis.z, axis=1)].sum()))


class _Looking:
    """One application, looked at on one device after the other; what devices have in common is made once.

    Args:
        work: The application.
        best: Its minimum without noise.
        target: Wanted error.
        asked: How it is looked at.
    """

    def __init__(self, work: Workload, best: Result, target: float, asked: Asked):
        self.circuit, self.H, self.unit = work.circuit, work.problem.hamiltonian, work.problem.unit
        self.best, self.asked, self.target = best, asked, target
        self.method = chosen(asked.method, work.circuit.num_qubits)
        self.energies = best.evaluations * (1 + n_shifted(work.circuit))
        self._moved = cache(lambda base: transpiled(self.circuit, base.fake(), level=asked.level))
        self._model = cache(self._modelled)
        self._terms = cache(self._terms_at)
        self._density = cache(lambda base: Density(self.circuit, self.H, base, asked.level))

    def at(self, variant: Variant, seed: int) -> DevicePoint:
        """All that is to be known of one device.

        Args:
            variant: The device.
            seed: Of what is drawn.
        """
        device, noise = variant.device, variant.device.values()
        moved, layout = self._moved(variant.base)
        reference = self.best.energy if self.best.exact_energy is None else self.best.exact_energy
        wanted = Wanted(self.target, self.asked.shots, self.energies)
        theta, noiseless, spread = self.best.theta, self.best.energy, 0.0
        if self.method == "density":
            density = self._density(variant.base)
            unadapted = density.value(theta, noise)
            if self.asked.reoptimize:
                theta = self._adapted(density, noise)
                noiseless = self._noiseless(theta)
            engine = density.at(theta)
            noisy = engine.value(noise)
        modelled = self._model(variant.base, tuple(theta))
        if self.method != "density":
            engine = modelled
            noisy = engine.value(noise)
            if self.method == "trajectories":
                noisy, spread, _ = self._drawn(device, theta, seed)
            unadapted = noisy
        return DevicePoint(
            name=variant.name or device.name,
            device=device.name,
            values=dict(variant.values),
            numbers=_medians(device),
            method=self.method,
            unit=self.unit,
            size=size(moved, layout, self.H, device, wanted),
            exact=self.best.exact_energy,
            optimum=self.best.energy,
            theta=[float(angle) for angle in theta],
            noiseless=noiseless,
            noisy=noisy,
            standard_error=spread,
            unadapted=unadapted,
            modelled=modelled.value(noise),
            target=self.target,
            sensitivities=sensitivities(engine, noise, variant.base, target=self.target, reference=reference),
            mitigated=self._mitigated(device, theta, seed),
        )

    def _adapted(self, density: Density, noise: Mapping[str, Any]) -> np.ndarray:
        """The angles of the lowest energy under noise, near those without."""
        found = descend(
            lambda theta: density.by_angles(theta, noise), self.best.theta, jac=True, method="L-BFGS-B", options=DESCENT
        )
        return np.asarray(found.x)

    def _noiseless(self, theta: np.ndarray) -> float:
        """The energy without noise at some angles."""
        return float(backends.get("statevector").prepare(self.circuit, self.H)(theta).values[0, 0])

    def _modelled(self, base: Device, angles: tuple[float, ...]) -> Engine:
        """The analytic model at some angles."""
        theta = np.array(angles)
        moved, layout = self._moved(base)
        bound = moved.assign_parameters(dict(zip(self.circuit.parameters, theta, strict=True)))
        return model(paths(bound, layout, self.H, self._terms(angles), base), base)

    def _terms_at(self, angles: tuple[float, ...]) -> dict[str, float]:
        """The noiseless value of each term of the observable."""
        labels = [label for label, _ in terms(self.H) if set(label) != {"I"}]
        strings = [SparsePauliOp(label) for label in labels]
        ideal = np.asarray(backends.get("statevector").prepare(self.circuit, strings)(np.array(angles)).values)[0]
        return {label: float(value) for label, value in zip(labels, ideal, strict=True)}

    def _drawn(self, device: Device, theta: np.ndarray, seed: int, **options: Any) -> tuple[float, float, float]:
        shots = min(self.asked.shots or DRAWN_SHOTS, DRAWN_SHOTS)
        level = self.asked.level
        return trajectories(self.circuit, self.H, device, theta, level=level, shots=shots, seed=seed, **options)

    def _mitigated(self, device: Device, theta: np.ndarray, seed: int) -> Mitigated | None:
        """The energy with mitigation, drawn from shots; None where none is asked for."""
        option = self.asked.mitigation
        if option is None:
            return None
        value, spread, bias = self._drawn(device, theta, seed, mitigation=option)
        words, shots = list(as_mitigation(option).words), min(self.asked.shots or DRAWN_SHOTS, DRAWN_SHOTS)
        return Mitigated(words=words, value=value, standard_error=spread, bias=bias, shots=shots)


def _told(device: Device) -> dict[str, Any]:
    """The device's options as JSON has them, what is infinite as a word."""
    return {name: _finite(value) for name, value in device.options().items()}


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _medians(device: Device) -> dict[str, float]:
    """The median of each noise parameter that is finite."""
    found = {name: float(np.median(value)) for name, value in device.values().items() if np.size(value)}
    return {name: value for name, value in found.items() if np.isfinite(value)}
