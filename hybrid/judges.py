"""The single judgements that a verification is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from qiskit import QuantumCircuit

import backends
from backends.base import Backend
from backends.batch import Batch
from backends.sampling import child_seed
from circuits import Problem

VERIFICATION = 2
"""Branch of the run's tree of seeds that verification draws from; 1 belongs to the evaluations."""

SIGMAS = 5.0
"""Standard errors by which two estimates of one number may differ."""

AGREEMENT = 1e-10
"""Difference that rounding may cause between two double-precision engines, relative to the scale of H."""

Finding = tuple[Literal["passed", "failed", "skipped"], str]


@dataclass(frozen=True, eq=False)
class Claim:
    """What a run claims, and the means to check it."""

    circuit: QuantumCircuit
    problem: Problem
    backend: Backend
    theta: np.ndarray
    energy: float
    standard_error: float
    exact: float | None
    accuracy: float
    shots: int | None
    seed: int

    @property
    def sampled(self) -> bool:
        """Whether its energies come from shots."""
        return self.shots is not None or not self.backend.capabilities().exact

    @property
    def single(self) -> bool:
        """Whether it was computed in single precision."""
        return self.backend.capabilities().precision == "single"

    @property
    def scale(self) -> float:
        """Sum of the Hamiltonian's absolute coefficients, a bound on every energy."""
        return scale(self.problem)

    def energy_on(self, backend: Backend, *, shots: int | None = None, seed: int = 0) -> tuple[float, float]:
        """Energy and standard error at the claimed parameters."""
        batch = Batch(self.circuit, self.problem.hamiltonian, self.theta, shots=shots, seed=seed)
        result = backend.submit(batch).result()
        return float(result.values[0, 0]), float(result.standard_errors[0, 0])


def scale(problem: Problem) -> float:
    """Sum of the absolute coefficients of H, at least 1: what rounding errors are relative to."""
    return max(1.0, float(np.abs(np.asarray(problem.hamiltonian.coeffs)).sum()))


def below_exact(problem: Problem, energy: float, standard_error: float, exact: float | None) -> float:
    """By how much an energy lies below the exact one, beyond what rounding and statistics allow; 0 if it does not."""
    if exact is None:
        return 0.0
    depth = exact - energy
    return depth if depth > SIGMAS * standard_error + AGREEMENT * scale(problem) else 0.0


def on_reference(claim: Claim) -> Finding:
    """The energy again on the slow, obvious engine."""
    return _agreement(claim, backends.get("reference"))


def on_second_engine(claim: Claim) -> Finding:
    """The energy again on a fast engine that the run did not use."""
    used = claim.backend.capabilities().name
    return _agreement(claim, backends.get("statevector" if used == "lightning" else "lightning"))


def _agreement(claim: Claim, other: Backend) -> Finding:
    if claim.backend.capabilities().noise:
        return "skipped", "the run's device is noisy; an exact engine answers another question"
    value, _ = claim.energy_on(other)
    difference = abs(value - claim.energy)
    bound = (1e-5 if claim.single else AGREEMENT) * claim.scale + SIGMAS * claim.standard_error
    return _outcome(difference <= bound), (
        f"{value:.12g} on {other.capabilities().name}, {difference:.1e} apart (bound {bound:.1e})"
    )


def repeated(claim: Claim) -> Finding:
    """The energy again on the same backend, with fresh random numbers."""
    seed = child_seed(claim.seed, VERIFICATION)
    value, error = claim.energy_on(claim.backend, shots=claim.shots, seed=seed)
    difference = abs(value - claim.energy)
    bound = SIGMAS * float(np.hypot(error, claim.standard_error)) + (1e-5 if claim.single else AGREEMENT) * claim.scale
    return _outcome(difference <= bound), f"{value:.12g}, {difference:.1e} apart (bound {bound:.1e})"


def variational_bound(claim: Claim) -> Finding:
    """No energy lies below the exact one."""
    if claim.exact is None:
        return "skipped", "the exact energy of this problem is not known"
    depth = below_exact(claim.problem, claim.energy, claim.standard_error, claim.exact)
    if depth:
        return "failed", f"{depth:.1e} BELOW the exact energy {claim.exact:.12g}"
    return "passed", f"{claim.energy - claim.exact:+.1e} from the exact energy {claim.exact:.12g}"


def gradient(claim: Claim) -> Finding:
    """The backend's gradient against central differences, near the minimum, along a random direction."""
    if claim.sampled:
        return "skipped", "differences of sampled values say nothing about a gradient"
    if not len(claim.theta):
        return "skipped", "the circuit has no parameters"
    rng = np.random.default_rng(child_seed(claim.seed, VERIFICATION, 1))
    near = claim.theta + rng.normal(0, 0.1, len(claim.theta))
    direction = rng.normal(size=len(near))
    direction /= np.linalg.norm(direction)
    slopes = claim.backend.value_and_grad(claim.circuit, claim.problem.hamiltonian)(near)[1]
    step = 1e-2 if claim.single else 1e-4
    rows = near + step * np.outer([1.0, -1.0], direction)
    batch = Batch(claim.circuit, claim.problem.hamiltonian, rows)
    up, down = claim.backend.submit(batch).result().values[:, 0]
    slope, difference = float(slopes @ direction), float(up - down) / (2 * step)
    bound = (1e-3 if claim.single else 1e-7) * claim.scale
    return _outcome(abs(slope - difference) <= bound), (
        f"{slope:.9g} against {difference:.9g} along a random direction (bound {bound:.1e})"
    )


def precision(claim: Claim) -> Finding:
    """Rounding and statistics resolve the accuracy that was asked for."""
    digits = float(np.finfo(np.float32 if claim.single else np.float64).eps)
    rounding = digits * claim.scale * float(np.sqrt(claim.circuit.size() + 1))
    resolved = max(rounding, claim.standard_error)
    return _outcome(resolved <= claim.accuracy), (
        f"energies are resolved to {resolved:.1e}, asked was {claim.accuracy:.1e} {claim.problem.unit}"
    )


def _outcome(good: bool) -> Literal["passed", "failed"]:
    return "passed" if good else "failed"


JUDGES: dict[str, Callable[[Claim], Finding]] = {
    "energy on the reference": on_reference,
    "energy on a second engine": on_second_engine,
    "energy repeated": repeated,
    "variational bound": variational_bound,
    "gradient": gradient,
    "precision": precision,
}
