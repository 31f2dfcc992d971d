"""The single checks that a verification is made of.

Each says what it found: "passed", "failed", "unchecked" where something is claimed that could not be checked here, or
"none" where nothing of the kind is claimed.
"""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np

from backends.batch import Batch
from backends.seeds import child_seed
from circuits.errors import FailedJob, Refused
from hybrid.loop.conclusion import AGREEMENT, SIGMAS, explained
from hybrid.verification.claim import Claim, JournalEnded
from hybrid.verification.engines import others

VERIFICATION = 2
"""Branch of the run's tree of seeds that verification draws from; 1 belongs to the evaluations."""

ENOUGH = 2
"""Other engines on which an energy is computed again, where there are so many."""

SINGLE = 1e-5
"""Difference that rounding in single precision may cause, relative to the scale of H."""

Outcome = Literal["passed", "failed", "unchecked", "none"]
Finding = tuple[Outcome, str]


def record(claim: Claim) -> Finding:
    """The files belong together: spec, circuit, Hamiltonian, journal and result are those that the run left."""
    try:
        kept = claim.kept
    except Refused as err:
        return "failed", str(err)
    if claim.record.digest is None:
        return "unchecked", "a record of version 0.1: its journal is bound to nothing, so it may be that of another run"
    if claim.result is None:
        return "failed", "there is no result.json"
    if not claim.sealed:
        return "failed", "result.json or the journal was changed after the run had ended"
    return "passed", f"{len(kept.evaluations)} evaluations, bound to the run; result and journal are as it left them"


def replay(claim: Claim) -> Finding:
    """The loop, started again and answered from the journal, comes to the same result."""
    if claim.result is None:
        return "failed", "there is no result to compare with"
    if claim.result.status == "stopped":
        return "failed", "the run was stopped before its end"
    try:
        again = claim.replayed
    except (Refused, JournalEnded) as err:
        return "failed", str(err)
    if again.left:
        return "failed", f"the journal holds {again.left} evaluations more than the loop asks for"
    if differ := sorted(_differing(claim)):
        return "failed", f"result.json says otherwise than the journal: {', '.join(differ)}"
    how = "to the last bit" if again.same_bits else "up to the rounding of another processor"
    return "passed", f"{again.steps} steps, {again.evaluations} evaluations, {how}"


def _differing(claim: Claim) -> Iterator[str]:
    """The names of what result.json says otherwise than the run's journal and spec do."""
    again, told, spec = claim.replayed, claim.result, claim.record.spec
    assert told is not None
    can, exact = claim.backend.capabilities(), spec.problem.exact_energy
    conclusion = explained(again.conclusion, can, exact, told.validated, spec.problem.unit)
    numbers = {
        "energy": (told.energy, conclusion.energy),
        "standard_error": (told.standard_error, conclusion.standard_error),
        "bias": (told.bias, conclusion.bias),
        "status": (told.status, conclusion.status),
        "steps": (told.steps, again.steps),
        "evaluations": (told.evaluations, again.evaluations),
        "exact_energy": (told.exact_energy, exact),
        "unit": (told.unit, spec.problem.unit),
        "problem": (told.problem, spec.problem.name),
        "backend": (told.backend, can.name),
    }
    if spec.format > 1:  # earlier versions worded it otherwise
        numbers["message"] = (told.message, conclusion.message)
    yield from (name for name, (said, right) in numbers.items() if said != right)
    theta = np.asarray(conclusion.theta)
    if claim.theta.shape != theta.shape or not np.allclose(claim.theta, theta, rtol=0.0, atol=1e-9):
        yield "theta"


def status(claim: Claim) -> Finding:
    """The run has ended, and converged."""
    if claim.result is None:
        return "failed", "the run has not ended; continue it with resume, then verify"
    words = claim.result.status + (f": {claim.result.message}" if claim.result.message else "")
    return _outcome(claim.result.status == "converged"), words


def exact_energy(claim: Claim) -> Finding:
    """The exact energy that the record holds, computed anew."""
    said = claim.record.spec.problem.exact_energy
    if said is None:
        return "none", "the record holds no exact energy"
    try:
        right = claim.problem.exact_energy()
    except Refused as err:
        return "unchecked", str(err)
    difference, bound = abs(said - right), 1e-8 * claim.scale
    words = f"{right:.12g}, {difference:.1e} from the record's (bound {bound:.1e})"
    if difference > bound and right < said and claim.problem.solve is None:
        return "unchecked", f"{words}: it may be that of a sector that the record does not describe"
    return _outcome(difference <= bound), words


def energy(claim: Claim) -> Finding:
    """The energy, or for a noisy run its energy without noise, on engines that the run did not use."""
    told = claim.result
    if told is None or told.energy is None:
        return "failed", "there is no energy"
    can = claim.backend.capabilities()
    if can.noise and told.validated is None:
        return (
            "unchecked",
            "the device is noisy: exact engines answer another question, which the run did not ask",
        )
    said = told.validated if can.noise and told.validated is not None else told.energy
    error, bias = (0.0, 0.0) if can.noise else (told.standard_error or 0.0, told.bias)
    bound = _rounding(claim) + SIGMAS * error + bias
    found, reasons = [], []
    for engine in others(claim.backend):
        try:
            value, _, _ = claim.energy_on(engine)
        except (Refused, FailedJob) as err:
            reasons.append(f"{engine.capabilities().name}: {err}")
            continue
        found.append((engine.capabilities().name, value))
        if len(found) == ENOUGH:
            break
    if not found:
        return "unchecked", "no other engine here can do it: " + "; ".join(reasons)
    words = ", ".join(f"{value:.12g} on {name}" for name, value in found)
    apart = max(abs(value - said) for _, value in found)
    good = apart <= bound and all(_fits(claim, value) for _, value in found)
    return _outcome(good), f"{words}; {apart:.1e} apart (bound {bound:.1e})"


def _fits(claim: Claim, value: float) -> bool:
    """Whether what the record says of the energy without shots, or in double precision, agrees with another engine."""
    told = claim.result
    assert told is not None
    assert told.energy is not None
    bound = AGREEMENT * claim.scale
    validated = told.validated is None or abs(told.validated - value) <= bound
    rounding = told.rounding is None or abs(told.energy - told.rounding - value) <= bound
    return validated and rounding


def repeated(claim: Claim) -> Finding:
    """The energy again on the run's own backend, with fresh random numbers."""
    told, can = claim.result, claim.backend.capabilities()
    if told is None or told.energy is None:
        return "failed", "there is no energy"
    if can.place == "provider":
        return "unchecked", f"asking {can.name} again would be paid for again"
    seed = child_seed(claim.record.spec.workload.seed, VERIFICATION)
    value, error, bias = claim.energy_on(claim.backend, shots=claim.record.spec.workload.shots, seed=seed)
    difference = abs(value - told.energy)
    bound = SIGMAS * float(np.hypot(error, told.standard_error or 0.0)) + _rounding(claim) + bias
    return _outcome(difference <= bound), f"{value:.12g}, {difference:.1e} apart (bound {bound:.1e})"


def variational_bound(claim: Claim) -> Finding:
    """The energy does not lie below the lowest eigenvalue."""
    told = claim.result
    if told is None or told.energy is None:
        return "failed", "there is no energy"
    exact = claim.record.spec.problem.exact_energy
    if exact is None:
        return "none", "the exact energy of this problem is not known"
    allowed = SIGMAS * (told.standard_error or 0.0) + told.bias + _rounding(claim)
    above = told.energy - exact
    if above < -allowed:
        return "failed", f"{-above:.1e} BELOW the exact energy {exact:.12g}"
    return "passed", f"{above:+.1e} from the exact energy {exact:.12g}"


def gradient(claim: Claim) -> Finding:
    """The backend's gradient against central differences, near the minimum, along a random direction."""
    if claim.result is None:
        return "failed", "there is no result"
    if claim.sampled or not claim.backend.capabilities().exact:
        return "none", "differences of values that are sampled or truncated say nothing about a gradient"
    if not len(claim.theta):
        return "none", "the circuit has no parameters"
    circuit, hamiltonian = claim.record.circuit, claim.record.hamiltonian
    rng = np.random.default_rng(child_seed(claim.record.spec.workload.seed, VERIFICATION, 1))
    near = claim.theta + rng.normal(0, 0.1, len(claim.theta))
    direction = rng.normal(size=len(near))
    direction /= np.linalg.norm(direction)
    slopes = claim.backend.value_and_grad(circuit, hamiltonian)(near)[1]
    step = 1e-2 if claim.single else 1e-4
    rows = near + step * np.outer([1.0, -1.0], direction)
    up, down = claim.backend.submit(Batch(circuit, hamiltonian, rows)).result().values[:, 0]
    slope, difference = float(slopes @ direction), float(up - down) / (2 * step)
    bound = (1e-3 if claim.single else 1e-7) * claim.scale
    return _outcome(abs(slope - difference) <= bound), (
        f"{slope:.9g} against {difference:.9g} along a random direction (bound {bound:.1e})"
    )


def precision(claim: Claim) -> Finding:
    """Rounding, statistics and bias resolve the accuracy that was asked for."""
    if claim.result is None:
        return "failed", "there is no result"
    digits = float(np.finfo(np.float32 if claim.single else np.float64).eps)
    rounding = digits * claim.scale * float(np.sqrt(claim.record.circuit.size() + 1))
    resolved = max(rounding, claim.result.standard_error or 0.0, claim.result.bias)
    accuracy = claim.record.spec.workload.accuracy
    return _outcome(resolved <= accuracy), (
        f"energies are resolved to {resolved:.1e}, asked was {accuracy:.1e} {claim.problem.unit}"
    )


def _rounding(claim: Claim) -> float:
    return (SINGLE if claim.single else AGREEMENT) * claim.scale


def _outcome(good: bool) -> Literal["passed", "failed"]:
    return "passed" if good else "failed"


CHECKS: dict[str, Callable[[Claim], Finding]] = {
    "record": record,
    "replay": replay,
    "status": status,
    "exact energy": exact_energy,
    "energy on other engines": energy,
    "energy repeated": repeated,
    "variational bound": variational_bound,
    "gradient": gradient,
    "precision": precision,
}
