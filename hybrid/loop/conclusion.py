"""From the end of a loop to an energy that can be stood by: evaluated afresh, and judged."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from backends.base import Capabilities
from circuits import Problem
from hybrid.loop.optimize import Ending
from hybrid.optimizers.optimizer import Points, Told
from hybrid.runs.result import Status
from hybrid.workload.workload import Workload

SIGMAS = 5.0
"""Standard errors by which two estimates of one number may differ."""

AGREEMENT = 1e-10
"""Difference that rounding may cause between two double-precision engines, relative to the scale of H."""


@dataclass(frozen=True, eq=False)
class Conclusion:
    """What a run has to say in the end.

    Attributes:
        theta: Shape (params,), radians.
        energy: At theta, in the problem's unit; NaN if nothing was evaluated.
        standard_error: Of the energy.
        bias: Estimated size of its systematic error.
        status: As for a `Result`.
        message: As for a `Result`.
    """

    theta: np.ndarray
    energy: float
    standard_error: float
    bias: float
    status: Status
    message: str


def conclude(
    work: Workload,
    ending: Ending,
    answer: Callable[[Points, int], Told],
    *,
    sampled: bool,
    exact: float | None,
) -> Conclusion:
    """Evaluate the optimizer's answer afresh; where values have statistical errors, beside the start.

    A noisy descent may end above where it began; then the start is the answer, and the message says so.

    Args:
        work: The workload.
        ending: Of its loop; not stopped.
        answer: As for `optimize`.
        sampled: Whether values have statistical errors, so that an answer may be worse than it seemed.
        exact: The exact energy, or None where it is not known.
    """
    rows = np.stack([ending.theta, work.theta]) if sampled and ending.theta.size else ending.theta[None]
    told = answer(Points(rows, gradient=False), ending.steps)
    chosen, message = 0, ending.message
    if len(rows) > 1 and told.values[1] < told.values[0]:
        chosen = 1
        above = told.values[0] - told.values[1]
        error = float(np.hypot(*told.standard_errors))
        message = _joined(
            message,
            f"the optimizer's answer lies {above:.2g} ± {error:.1g} {work.problem.unit} above the start, so the start "
            "is given instead",
        )
    conclusion = at(rows[chosen], told.row(chosen), ending.status, message)
    depth = below_exact(work.problem, conclusion, exact)
    if depth:
        below = f"the energy lies {depth:.1e} below the exact one: do not trust it"
        return replace(conclusion, status="below_exact", message=below)
    return conclusion


def at(theta: np.ndarray, told: Told, status: Status, message: str) -> Conclusion:
    """The conclusion that one evaluated row allows."""
    bias = 0.0 if told.biases is None else float(told.biases[0])
    return Conclusion(theta, float(told.values[0]), float(told.standard_errors[0]), bias, status, message)


def is_sampled(can: Capabilities, shots: int | None) -> bool:
    """Whether values have statistical errors."""
    return shots is not None or can.default_shots is not None


def explained(
    conclusion: Conclusion, can: Capabilities, exact: float | None, validated: float | None, unit: str
) -> Conclusion:
    """The conclusion with a word on where its distance from the exact energy comes from, where noise has a part."""
    if exact is None or not can.noise or conclusion.energy - exact <= SIGMAS * conclusion.standard_error:
        return conclusion
    words = f"{conclusion.energy - exact:.2g} {unit} above the exact energy"
    if validated is None:
        words += ", by the angles and by the device's noise"
    else:
        words += (
            f": {validated - exact:.2g} of it by the angles, {conclusion.energy - validated:.2g} by the device's noise"
        )
    return replace(conclusion, message=_joined(conclusion.message, words))


def scale(problem: Problem) -> float:
    """Sum of the absolute coefficients of H, at least 1: what rounding errors are relative to."""
    return max(1.0, float(np.abs(np.asarray(problem.hamiltonian.coeffs)).sum()))


def below_exact(problem: Problem, conclusion: Conclusion, exact: float | None) -> float:
    """By how much an energy lies below the exact one, beyond rounding, statistics and bias; 0 if it does not."""
    if exact is None:
        return 0.0
    depth = exact - conclusion.energy
    allowed = SIGMAS * conclusion.standard_error + conclusion.bias + AGREEMENT * scale(problem)
    return depth if depth > allowed else 0.0


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
