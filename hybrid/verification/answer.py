"""Checks of the answer itself: its intervals, whether it is at rest, and what its state conserves."""

import math

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.batch import Batch
from circuits.errors import Refused
from circuits.problems.chemistry import Molecule
from hybrid.loop.conclusion import AGREEMENT, SIGMAS
from hybrid.loop.repeat import JournalEnded
from hybrid.runs import prepared
from hybrid.runs.uncertainty import Uncertainty
from hybrid.terminal.words import measured, with_unit
from hybrid.verification.claim import Claim
from hybrid.verification.finding import Finding
from hybrid.workload.beside import VALIDATED_QUBITS

AGAIN = 1e-3
"""Relative difference of a width that was computed again, on another processor, to be the same."""

LEFT = 100.0
"""Accuracies by which the energy may still fall along the slope, for an answer that is called converged."""

LENGTHS = 10.0 ** -np.arange(0.0, 8.0, 0.5)
"""Of the steps along the slope that are tried, radians."""

SHARP = 1e-6
"""Spread of a conserved number that rounding explains."""


def uncertainty(claim: Claim) -> Finding:
    """Whether the intervals in result.json are those that follow from the journal."""
    result = claim.result
    if result is None:
        return Finding("failed", "there is no result")
    if result.uncertainty is None:
        return Finding("none", "there are none: the run was stopped, or made by a version that stated none")
    try:
        again = claim.uncertainty
    except (Refused, JournalEnded) as err:
        return Finding("unchecked", f"they cannot be made again: {err}")
    if differ := _differing(result.uncertainty, again, AGREEMENT * claim.scale):
        return Finding("failed", f"result.json says otherwise than the journal: {', '.join(differ)}")
    unit = claim.problem.unit
    return Finding("passed", f"made again: {again.state.text(unit)}; {again.ground.text(unit)}")


def _differing(recorded: Uncertainty, again: Uncertainty, rounding: float) -> list[str]:
    """Names of the intervals and parts that are not the same."""
    differ = []
    for name in ("state", "ground"):
        one, other = getattr(recorded, name), getattr(again, name)
        width = 0.0 if other.low is None or other.high is None else other.high - other.low
        bound = AGAIN * width + rounding
        ends = ((one.low, other.low), (one.high, other.high))
        if one.quantity != other.quantity or not all(_same(*pair, bound) for pair in ends):
            differ.append(f"the interval of {other.quantity}")
    if [part.name for part in recorded.parts] != [part.name for part in again.parts]:
        return [*differ, "its parts"]
    for one, other in zip(recorded.parts, again.parts, strict=True):
        bound = AGAIN * max(other.below or 0.0, other.above or 0.0) + rounding
        same = _same(one.below, other.below, bound) and _same(one.above, other.above, bound)
        if one.kind != other.kind or not same:
            differ.append(f"the part of the {other.name}")
    return differ


def _same(one: float | None, other: float | None, bound: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= bound


def evaluated_again(claim: Claim) -> Finding:
    """Whether the last two evaluations of the answer in the journal agree within their standard errors."""
    if not claim.sampled:
        return Finding("none", "values without statistical errors repeat themselves")
    if claim.result is None:
        return Finding("failed", "there is no result")
    theta, seen = claim.theta.tobytes(), list[tuple[float, float]]()
    for evaluation in claim.journal_content.evaluations:
        for row, value, error in zip(
            evaluation.theta, evaluation.told.values, evaluation.told.standard_errors, strict=True
        ):
            if row.tobytes() == theta:
                seen.append((float(value), float(error)))
    if len(seen) < 2:
        return Finding("none", "the answer was evaluated once")
    (one, first), (two, second) = seen[-2:]
    bound = SIGMAS * math.hypot(first, second) + AGREEMENT * claim.scale
    unit = claim.problem.unit
    text = f"{measured(one, first, unit)}, then {measured(two, second, unit)} (bound {bound:.1e})"
    return Finding("passed" if abs(one - two) <= bound else "failed", text)


def slope(claim: Claim) -> Finding:
    """Whether the energy of a converged run falls no further along its gradient than the accuracy explains."""
    result, can = claim.result, claim.backend.capabilities()
    if result is None or result.energy is None:
        return Finding("failed", "there is no energy")
    if claim.sampled or not can.exact or can.place == "provider":
        return Finding("none", "slopes of values that are sampled, truncated or paid for are not asked for")
    if not len(claim.theta):
        return Finding("none", "the circuit has no parameters")
    circuit, hamiltonian = claim.record.circuit, claim.record.hamiltonian
    slopes = claim.backend.value_and_grad(circuit, hamiltonian)(claim.theta)[1]
    norm = float(np.linalg.norm(slopes))
    unit = claim.problem.unit
    if norm == 0.0:
        return Finding("passed", "the gradient is zero")
    rows = claim.theta - np.outer(LENGTHS, slopes / norm)
    gain = result.energy - float(claim.backend.submit(Batch(circuit, hamiltonian, rows)).result().values.min())
    accuracy = claim.record.spec.workload.accuracy
    bound = LEFT * accuracy + (1e-5 if claim.single else AGREEMENT) * claim.scale
    fallen = f"|gradient| {norm:.1e}; along it the energy falls by {with_unit(f'{max(gain, 0.0):.1e}', unit)}"
    if result.status != "converged":
        return Finding("none", f"{fallen}, and nobody calls the run converged")
    return Finding("passed" if gain <= bound else "failed", f"{fallen} (bound {bound:.1e})")


def conserved(claim: Claim) -> Finding:
    """Whether the number of ones is sharp in the final state, where the Hamiltonian conserves it."""
    hamiltonian, n = claim.record.hamiltonian, claim.record.circuit.num_qubits
    if claim.result is None:
        return Finding("failed", "there is no result")
    if not hamiltonian.paulis.x.any() or not _conserves(hamiltonian):
        return Finding("none", "the Hamiltonian conserves no number of ones, or every one of them")
    if n > VALIDATED_QUBITS:
        return Finding("unchecked", f"the state of {n} qubits is too large to look into, at most {VALIDATED_QUBITS}")
    weights = np.abs(prepared.state(claim.record.circuit, claim.theta)) ** 2
    ones = np.bitwise_count(np.arange(len(weights)))
    mean = float(weights @ ones)
    spread = math.sqrt(max(0.0, float(weights @ (ones - mean) ** 2)))
    if spread > SHARP:
        return Finding("none", f"{mean:.4g} ± {spread:.1g} ones: the circuit mixes what the Hamiltonian conserves")
    molecule = claim.problem.structure
    if isinstance(molecule, Molecule) and molecule.mapping == "jordan_wigner" and claim.problem.tapering is None:
        right = molecule.n_alpha + molecule.n_beta
        text = f"{mean:.6g} electrons, the molecule has {right}"
        return Finding("passed" if abs(mean - right) < SHARP else "failed", text)
    return Finding("passed", f"{mean:.6g} ones, within {spread:.0e}")


def _conserves(hamiltonian: SparsePauliOp) -> bool:
    """Whether H commutes with the sum of all Z."""
    n = hamiltonian.paulis.z.shape[1]
    total = SparsePauliOp.from_sparse_list([("Z", [q], 1.0) for q in range(n)], n)
    left = (hamiltonian @ total - total @ hamiltonian).simplify()
    scale = float(np.abs(np.asarray(hamiltonian.coeffs)).sum())
    return bool(np.abs(np.asarray(left.coeffs)).max(initial=0.0) <= 1e-10 * scale)
