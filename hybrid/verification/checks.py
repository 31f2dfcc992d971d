"""The single checks that a verification is made of: each takes the claim of a run and returns a finding."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from backends.batch import Batch
from backends.seeds import child_seed
from circuits.errors import FailedJob, Refused
from hybrid.loop.changing import alike
from hybrid.loop.conclusion import AGREEMENT, SIGMAS, with_noise_explained
from hybrid.loop.repeat import JournalEnded
from hybrid.runs.chain import told
from hybrid.runs.evidence import Evidence
from hybrid.runs.signature import judged, signatures
from hybrid.terminal.words import counted, measured, with_unit
from hybrid.verification import answer
from hybrid.verification.claim import Claim
from hybrid.verification.engines import other_engines
from hybrid.verification.finding import Finding

VERIFICATION = 2
"""Branch of the run's tree of seeds that verification draws from; 1 belongs to the evaluations."""

ENOUGH = 2
"""Number of other engines on which an energy is computed again, where there are as many."""

SINGLE = 1e-5
"""Difference that rounding in single precision may cause, relative to the scale of H."""


def record(claim: Claim) -> Finding:
    """Whether spec, circuit, Hamiltonian, journal and result are those that the run left, by their digests."""
    try:
        journal = claim.journal_content
    except Refused as err:
        return Finding("failed", str(err))
    if claim.record.digest is None:
        return Finding(
            "unchecked", "a record of version 0.1: its journal is bound to nothing, so it may be that of another run"
        )
    if claim.result is None:
        return Finding("failed", "there is no result.json")
    if not claim.sealed:
        return Finding("failed", "result.json or the journal was changed after the run had ended")
    return Finding(
        "passed",
        f"{counted(len(journal.evaluations), 'evaluations')}, bound to the run; result and journal are as it left them"
        + (", but for what was withheld" if claim.evidence.redacted else ""),
    )


def chain(claim: Claim) -> Finding:
    """Whether every row and file is as it was written, by the chain of the journal; what is not is named."""
    return chained(claim.evidence, ended=claim.result is not None)


def chained(found: Evidence, *, ended: bool) -> Finding:
    """Whether a record is as it was written, by what its chain says.

    Args:
        found: Of the record.
        ended: Whether there is a result.
    """
    if found.faults:
        return Finding("failed", f"changed after it was written: {told(found.faults)}")
    if not found.chained:
        return Finding("none", "made before records were chained: nothing is known of single rows")
    if ended and found.open:
        return Finding("unchecked", f"{told(found.open)}: a kill leaves that, too, so resume it")
    ends = "sealed with result.json" if found.sealed else told(found.open)
    redacted = f"; {found.redacted}, whose digests the chain keeps" if found.redacted else ""
    return Finding("passed", f"{found.rows} rows, each bound to those before; {ends}; head {found.head}{redacted}")


def signature(claim: Claim) -> Finding:
    """Whether somebody has signed the record as it is now; with a file of allowed signers, one of these."""
    return signed(claim.record.path, claim.evidence, claim.signers)


def signed(folder: Path, evidence: Evidence, signers: Path | None) -> Finding:
    """Whether somebody has signed a record as it is now.

    Args:
        folder: Of the record.
        evidence: What its chain says.
        signers: A file of allowed signers, one of whom must have; None to ask for none.
    """
    try:
        found = signatures(folder, signers)
    except Refused as err:
        return Finding("unchecked", str(err))
    seal = evidence.seal
    return Finding(*judged(found, None if seal is None else seal[0], asked=signers is not None))


def replay(claim: Claim) -> Finding:
    """Whether the loop, started again and answered from the journal, comes to the recorded result."""
    if claim.result is None:
        return Finding("failed", "there is no result to compare with")
    if claim.result.status == "stopped":
        return Finding("failed", "the run was stopped before its end")
    if claim.work.optimizer.missing:
        return Finding("unchecked", claim.work.optimizer.missing.replace("resume", "verify"))
    try:
        again = claim.replayed
    except (Refused, JournalEnded) as err:
        return Finding("failed", str(err))
    if again.left:
        return Finding("failed", f"the journal holds {again.left} evaluations more than the loop asks for")
    if differ := sorted(_differing(claim)):
        return Finding("failed", f"result.json says otherwise than the journal: {', '.join(differ)}")
    how = "to the last bit" if again.same_bits else "up to the rounding of another processor"
    return Finding("passed", f"{counted(again.steps, 'steps')}, {counted(again.evaluations, 'evaluations')}, {how}")


def _differing(claim: Claim) -> Iterator[str]:
    """The keys in which result.json differs from what follows from the run's journal and spec."""
    again, result, spec = claim.replayed, claim.result, claim.record.spec
    assert result is not None
    can, exact = claim.backend.capabilities(), spec.problem.exact_energy
    conclusion = with_noise_explained(
        again.conclusion, can, exact=exact, validated=result.validated, unit=spec.problem.unit
    )
    numbers = {
        "energy": (result.energy, conclusion.energy),
        "standard_error": (result.standard_error, conclusion.standard_error),
        "bias": (result.bias, conclusion.bias),
        "status": (result.status, conclusion.status),
        "steps": (result.steps, again.steps),
        "evaluations": (result.evaluations, again.evaluations),
        "exact_energy": (result.exact_energy, exact),
        "unit": (result.unit, spec.problem.unit),
        "problem": (result.problem, spec.problem.name),
        "backend": (result.backend, can.name),
        "failovers": (result.failovers, [change.to_dict() for change in claim.failovers]),
    }
    if spec.format > 1:  # earlier versions worded it otherwise
        numbers["message"] = (result.message, conclusion.message)
    yield from (name for name, (recorded, right) in numbers.items() if recorded != right)
    theta = np.asarray(conclusion.theta)
    if claim.theta.shape != theta.shape or not np.allclose(claim.theta, theta, rtol=0.0, atol=1e-9):
        yield "theta"


def status(claim: Claim) -> Finding:
    """Whether the run has ended, and converged."""
    if claim.result is None:
        return Finding("failed", "the run has not ended; continue it with resume, then verify")
    text = claim.result.status + (f": {claim.result.message}" if claim.result.message else "")
    return _finding(claim.result.status == "converged", text)


def exact_energy(claim: Claim) -> Finding:
    """Whether the exact energy in the record is the one that is computed anew, within 1e-8 of the scale of H."""
    recorded = claim.record.spec.problem.exact_energy
    if recorded is None:
        return Finding("none", "the record holds no exact energy")
    try:
        right = claim.problem.exact_energy()
    except Refused as err:
        return Finding("unchecked", str(err))
    difference, bound = abs(recorded - right), 1e-8 * claim.scale
    text = f"{with_unit(f'{right:.12g}', claim.problem.unit)}, {difference:.1e} from the record's (bound {bound:.1e})"
    if difference > bound and right < recorded and claim.problem.solve is None:
        return Finding("unchecked", f"{text}: it may be that of a sector that the record does not describe")
    return _finding(difference <= bound, text)


def energy(claim: Claim) -> Finding:
    """Whether engines that the run did not use give the same energy; for a noisy run, its energy without noise.

    The finding names them, and what the run used; an energy that only the run's own engine can compute is unchecked.
    """
    result = claim.result
    if result is None or result.energy is None:
        return Finding("failed", "there is no energy")
    can = claim.backend.capabilities()
    if can.noise and result.validated is None:
        return Finding(
            "unchecked", "the device is noisy: exact engines answer another question, which the run did not ask"
        )
    recorded = result.validated if can.noise and result.validated is not None else result.energy
    error, bias = (0.0, 0.0) if can.noise else (result.standard_error or 0.0, result.bias)
    bound = _rounding(claim) + SIGMAS * error + bias
    energies, reasons = [], []
    for engine in other_engines(claim.backends):
        try:
            value = claim.energy_on(alike(engine, claim.backend)).value
        except (Refused, FailedJob) as err:
            reasons.append(f"{engine.capabilities().name}: {err}")
            continue
        energies.append((engine.capabilities().name, value))
        if len(energies) == ENOUGH:
            break
    own = " and ".join(dict.fromkeys(one.capabilities().name for one in claim.backends))
    if not energies:
        others = f"no other engine here can do it ({'; '.join(reasons)})" if reasons else "no other engine is here"
        return Finding("unchecked", f"{others}: it came from {own}, which would only say the same again")
    unit = claim.problem.unit
    text = ", ".join(f"{with_unit(f'{value:.12g}', unit)} on {name}" for name, value in energies)
    apart = max(abs(value - recorded) for _, value in energies)
    good = apart <= bound and all(_fits(claim, value) for _, value in energies)
    return _finding(good, f"{text}; {apart:.1e} apart (bound {bound:.1e}); the run used {own}")


def _fits(claim: Claim, value: float) -> bool:
    """Whether the recorded energies without noise and in double precision agree with that of another engine."""
    result = claim.result
    assert result is not None
    assert result.energy is not None
    bound = AGREEMENT * claim.scale
    validated = result.validated is None or abs(result.validated - value) <= bound
    rounding = result.rounding is None or abs(result.energy - result.rounding - value) <= bound
    return validated and rounding


def repeated(claim: Claim) -> Finding:
    """Whether the run's own backend gives the same energy again, with other random numbers."""
    result, can = claim.result, claim.backend.capabilities()
    if result is None or result.energy is None:
        return Finding("failed", "there is no energy")
    if can.place == "provider":
        return Finding("unchecked", f"asking {can.name} again would be paid for again")
    seed = child_seed(claim.record.spec.workload.seed, VERIFICATION)
    again = claim.energy_on(claim.backend, shots=claim.record.spec.workload.shots, seed=seed)
    difference = abs(again.value - result.energy)
    bound = SIGMAS * float(np.hypot(again.standard_error, result.standard_error or 0.0)) + _rounding(claim) + again.bias
    text = measured(again.value, again.standard_error, claim.problem.unit)
    return _finding(difference <= bound, f"{text}, {difference:.1e} apart (bound {bound:.1e})")


def variational_bound(claim: Claim) -> Finding:
    """Whether the energy is not below the recorded exact one, beyond rounding, statistics and bias."""
    result = claim.result
    if result is None or result.energy is None:
        return Finding("failed", "there is no energy")
    exact = claim.record.spec.problem.exact_energy
    if exact is None:
        return Finding("none", "the exact energy of this problem is not known")
    allowed = SIGMAS * (result.standard_error or 0.0) + result.bias + _rounding(claim)
    above, unit = result.energy - exact, claim.problem.unit
    width = f" ± {result.standard_error:.0e}" if result.standard_error else ""
    if above < -allowed:
        return Finding("failed", f"{with_unit(f'{-above:.1e}{width}', unit)} BELOW the exact energy {exact:.12g}")
    return Finding("passed", f"{with_unit(f'{above:+.1e}{width}', unit)} from the exact energy {exact:.12g}")


def gradient(claim: Claim) -> Finding:
    """Whether the backend's gradient near the minimum agrees with a central difference along a random direction."""
    if claim.result is None:
        return Finding("failed", "there is no result")
    if claim.sampled or not claim.backend.capabilities().exact:
        return Finding("none", "differences of values that are sampled or truncated say nothing about a gradient")
    if not len(claim.theta):
        return Finding("none", "the circuit has no parameters")
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
    return _finding(
        abs(slope - difference) <= bound,
        f"{slope:.9g} against {difference:.9g} along a random direction (bound {bound:.1e})",
    )


def precision(claim: Claim) -> Finding:
    """Whether rounding, standard error and bias are within the accuracy that was asked for."""
    if claim.result is None:
        return Finding("failed", "there is no result")
    digits = float(np.finfo(np.float32 if claim.single else np.float64).eps)
    rounding = digits * claim.scale * float(np.sqrt(claim.record.circuit.size() + 1))
    resolved = max(rounding, claim.result.standard_error or 0.0, claim.result.bias)
    accuracy = claim.record.spec.workload.accuracy
    asked = with_unit(f"{accuracy:.1e}", claim.problem.unit)
    return _finding(resolved <= accuracy, f"energies are resolved to {resolved:.1e}, asked was {asked}")


def _rounding(claim: Claim) -> float:
    return (SINGLE if claim.single else AGREEMENT) * claim.scale


def _finding(good: bool, text: str) -> Finding:
    return Finding("passed" if good else "failed", text)


CHECKS: dict[str, Callable[[Claim], Finding]] = {
    "record": record,
    "chain": chain,
    "signature": signature,
    "replay": replay,
    "status": status,
    "exact energy": exact_energy,
    "energy on other engines": energy,
    "energy repeated": repeated,
    "variational bound": variational_bound,
    "gradient": gradient,
    "precision": precision,
    "uncertainty": answer.uncertainty,
    "evaluations repeated": answer.evaluated_again,
    "slope at the end": answer.slope,
    "conserved numbers": answer.conserved,
}
