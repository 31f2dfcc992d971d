"""The checks of a time evolution: its energies, its motion and its distance from the exact path, computed again."""

from collections.abc import Iterator

import numpy as np
from qiskit.quantum_info import Statevector

from backends.batch import Batch
from circuits.errors import FailedJob, Refused
from hybrid.algorithms.evolution import EXACT_QUBITS, Evolution, fidelities
from hybrid.algorithms.motion import TOLERANCE, Motion, motion, motions, moved
from hybrid.algorithms.reading import Reading
from hybrid.loop.conclusion import AGREEMENT, scale
from hybrid.terminal.words import with_unit
from hybrid.verification.engines import other_engines
from hybrid.verification.verification import Check

SPREAD = 5
"""Points of a trajectory, and parts between them, that are computed again: the ends and some between."""

STEP = 1e-5
"""Of the differences that a state's derivatives are checked by, radians."""

RESIDUAL = 1e-5
"""Difference between two residuals that rounding, a nearly singular metric and differences explain, relative to the
scale of H."""


def of_evolution(found: Evolution, reading: Reading) -> Iterator[Check]:
    """The checks of a time evolution.

    Args:
        found: What its stages came to.
        reading: Their reading.
    """
    yield _energies(found, reading)
    yield _path(found, reading)
    yield _residuals(found, reading)
    yield _exact(found, reading)
    yield _bound(found)


def _some(number: int) -> list[int]:
    """A few of so many things, the ends included."""
    return sorted({round(k) for k in np.linspace(0, number - 1, min(SPREAD, number))})


def _energies(found: Evolution, reading: Reading) -> Check:
    """Whether an engine that the evolution did not use gives the same energies along the path."""
    name, rows = "energies on another engine", _some(len(found.times))
    H, bound = found.problem.hamiltonian, AGREEMENT * scale(found.problem)
    for engine in other_engines([reading.backend]):
        try:
            values = engine.submit(Batch(found.circuit, H, found.thetas[rows])).result().values[:, 0]
        except (Refused, FailedJob):
            continue  # too large for this one; others follow
        apart = float(np.max(np.abs(values - found.energies[rows])))
        told = f"{len(rows)} points on {engine.capabilities().name}, {apart:.1e} apart (bound {bound:.1e})"
        return Check(name, "passed" if apart <= bound else "failed", told)
    return Check(name, "unchecked", "no other engine here can do it")


def _path(found: Evolution, reading: Reading) -> Check:
    """Whether the integrator, begun again at a point, comes to the next one."""
    weight, dt = float(reading.spec.asked["regularization"]), float(found.times[1] - found.times[0])
    move = motions(reading.backend, reading.work, found.kind, weight)
    parts = _some(len(found.times) - 1)
    apart = max(float(np.max(np.abs(moved(move, found.thetas[k], dt) - found.thetas[k + 1]))) for k in parts)
    bound = 100 * TOLERANCE  # another processor may take other steps, each with that error
    start = float(np.max(np.abs(reading.work.theta - found.thetas[0])))
    told = f"{len(parts)} steps of {len(found.times) - 1}, {apart:.1e} rad apart (bound {bound:.1e})"
    return Check("steps", "passed" if apart <= bound and start == 0.0 else "failed", told)


def _residuals(found: Evolution, reading: Reading) -> Check:
    """Whether McLachlan's residual is the same with a state's derivatives by differences, of Qiskit's states."""
    if found.problem.n_qubits > EXACT_QUBITS:
        return Check("residuals", "unchecked", f"by differences only up to {EXACT_QUBITS} qubits")
    weight, bound = float(reading.spec.asked["regularization"]), RESIDUAL * scale(found.problem)
    rows = _some(len(found.times))
    apart = max(abs(_by_differences(found, k, weight).residual - found.residuals[k]) for k in rows)
    told = f"{len(rows)} points by differences of states, {apart:.1e} apart (bound {bound:.1e})"
    return Check("residuals", "passed" if apart <= bound else "failed", told)


def _states(found: Evolution, theta: np.ndarray) -> np.ndarray:
    return np.asarray(Statevector(found.circuit.assign_parameters(theta)).data)


def _by_differences(found: Evolution, k: int, weight: float) -> Motion:
    def state_and_tangents(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        away = STEP * np.eye(len(theta))
        slopes = [(_states(found, theta + one) - _states(found, theta - one)) / (2 * STEP) for one in away]
        return _states(found, theta), np.array(slopes)

    matrix = found.problem.hamiltonian.to_matrix(sparse=True)
    return motion(
        found.thetas[k],
        kind=found.kind,
        state_and_tangents=state_and_tangents,
        product=lambda psi: matrix @ psi,
        regularization=weight,
    )


def _exact(found: Evolution, reading: Reading) -> Check:
    """Whether the overlap with the exact evolution is the same with Qiskit's states."""
    if found.fidelities is None:
        return Check("exact path", "none", f"it is computed up to {EXACT_QUBITS} qubits")
    dt, thetas = float(found.times[1] - found.times[0]), found.thetas.tolist()
    again = fidelities(found.kind, lambda theta: _states(found, theta), reading.work.problem, thetas=thetas, dt=dt)
    apart = float(np.max(np.abs(again - found.fidelities)))
    told = f"fidelity {found.fidelities[-1]:.9g} at the end, {apart:.1e} apart along the path (bound {1e-8:.1e})"
    return Check("exact path", "passed" if apart <= 1e-8 else "failed", told)


def _bound(found: Evolution) -> Check:
    """Real time: whether the distance from the exact state is within its bound; imaginary: whether the energy falls."""
    if found.kind == "imaginary":
        rise = float(np.max(np.diff(found.energies), initial=0.0))
        good = rise <= RESIDUAL * scale(found.problem) and found.status != "below_exact"
        told = "by " + with_unit(f"{found.energies[0] - found.energy:.3g}", found.problem.unit)
        return Check("energy falls", "passed" if good else "failed", told)
    if found.fidelities is None:
        return Check("distance", "none", f"the exact path is computed up to {EXACT_QUBITS} qubits")
    distance = float(np.sqrt(max(0.0, 2 - 2 * np.sqrt(min(1.0, found.fidelities[-1])))))  # over global phases
    bound = 2 * found.distance_bound + 100 * TOLERANCE * len(found.times)  # with the errors of rule and integrator
    told = f"{distance:.2e} from the exact state; the residuals come to {found.distance_bound:.2e} (bound {bound:.1e})"
    return Check("distance", "passed" if distance <= bound else "failed", told)
