"""From the end of a loop to the energy that a run reports: evaluated once more, and compared with the exact one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from backends.base import Capabilities
from circuits import Problem
from hybrid.loop.optimize import Ending
from hybrid.optimizers.optimizer import Points, Told
from hybrid.runs.agreement import AGREEMENT, SIGMAS
from hybrid.runs.agreement import scale as scale_of
from hybrid.runs.evaluation import Evaluation
from hybrid.runs.result import Status
from hybrid.terminal.words import with_unit
from hybrid.workload.workload import Workload


@dataclass(frozen=True, eq=False)
class Conclusion:
    """The parameters and the energy that a run ends with.

    Attributes:
        theta: Shape (params,), radians.
        energy: At theta, in the problem's unit; NaN if nothing was evaluated.
        standard_error: Of the energy, in the same unit; 0 where it is exact.
        bias: Estimated size of the energy's systematic error, in the same unit.
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
    seen: np.ndarray | None = None,
) -> Conclusion:
    """Evaluate the optimizer's parameters once more; where values have statistical errors, others beside them, too.

    A noisy descent may end above where it began or where it has been. Then the run ends with the lowest of these, and
    the message says so. Since the lowest of several noisy values lies low by chance, it is evaluated once more.

    Args:
        work: The workload.
        ending: Of its loop; not stopped.
        answer: As for `optimize`.
        sampled: Whether values have statistical errors, so that parameters may be worse than they seemed.
        exact: The exact energy, in the problem's unit; None where it is not known.
        seen: Parameters of the lowest value so far, shape (params,), radians. None, as in records of format 2 and
            earlier: only the start stands beside the optimizer's parameters, and nothing is evaluated twice.

    Returns:
        The conclusion, with the status "below_exact" if its energy lies below the exact one.
    """
    names, rows = ["the optimizer's answer"], ending.theta[None]
    if sampled and ending.theta.size:
        others = {"the best point on the way": seen, "the start": work.theta}
        names += [name for name, theta in others.items() if theta is not None]
        rows = np.stack([ending.theta, *(theta for theta in others.values() if theta is not None)])
    told = answer(Points(rows, gradient=False), ending.steps)
    chosen, message, unit = int(np.argmin(told.values)), ending.message, work.problem.unit
    if chosen:
        above = told.values[0] - told.values[chosen]
        error = float(np.hypot(told.standard_errors[0], told.standard_errors[chosen]))
        message = _joined(
            message,
            f"the optimizer's answer lies {with_unit(f'{above:.2g} ± {error:.1g}', unit)} above {names[chosen]}, so "
            f"{names[chosen]} is given instead",
        )
    one = told.row(chosen)
    if len(rows) > 1 and seen is not None:
        one = answer(Points(rows[chosen][None], gradient=False), ending.steps)
        above = one.values[0] - told.values[-1]
        if above > 0:
            error = float(np.hypot(one.standard_errors[0], told.standard_errors[-1]))
            message = _joined(
                message, f"evaluated afresh, it lies {with_unit(f'{above:.2g} ± {error:.1g}', unit)} above the start"
            )
    conclusion = conclusion_at(rows[chosen], one, ending.status, message)
    depth = below_exact(work.problem, conclusion, exact)
    if depth:
        below = f"the energy lies {depth:.1e} below the exact one: do not trust it"
        return replace(conclusion, status="below_exact", message=below)
    return conclusion


def conclusion_at(theta: np.ndarray, told: Told, status: Status, message: str) -> Conclusion:
    """A conclusion from one evaluated row.

    Args:
        theta: The row, shape (params,), radians.
        told: Its value, standard error and bias, each of shape (1,).
        status: As for a `Result`.
        message: As for a `Result`.
    """
    bias = 0.0 if told.biases is None else float(told.biases[0])
    return Conclusion(theta, float(told.values[0]), float(told.standard_errors[0]), bias, status, message)


def with_noise_explained(
    conclusion: Conclusion, can: Capabilities, *, exact: float | None, validated: float | None, unit: str
) -> Conclusion:
    """The conclusion of a noisy run, whose message divides the error of the energy between parameters and noise.

    Args:
        conclusion: Of the run.
        can: What its backend can do; without noise nothing is added.
        exact: The exact energy, in the unit; None where it is not known.
        validated: The energy at the same parameters without noise and shots, in the unit; None where it is not known.
        unit: Of the energies.
    """
    if exact is None or not can.noise or conclusion.energy - exact <= SIGMAS * conclusion.standard_error:
        return conclusion
    error = f" ± {1.96 * conclusion.standard_error:.1g}" if conclusion.standard_error else ""
    text = with_unit(f"{conclusion.energy - exact:.2g}{error}", unit) + " above the exact energy"
    if validated is None:
        text += ", by the angles and by the device's noise"
    else:
        noise = f"{conclusion.energy - validated:.2g}{error}"
        text += f": {validated - exact:.2g} of it by the angles, {noise} by the device's noise"
    return replace(conclusion, message=_joined(conclusion.message, text))


def best_seen(evaluations: Iterable[Evaluation], start: np.ndarray) -> np.ndarray:
    """The parameters with the lowest value so far, shape (params,); the start before the first evaluation.

    Args:
        evaluations: Of a run, in order.
        start: Its starting point, shape (params,), radians.
    """
    theta, lowest = start, np.inf
    for evaluation in evaluations:
        k = int(np.argmin(evaluation.told.values))
        if evaluation.told.values[k] < lowest:
            theta, lowest = evaluation.theta[k], evaluation.told.values[k]
    return theta


def scale(problem: Problem) -> float:
    """Sum of the absolute coefficients of H, at least 1: what rounding errors are relative to."""
    return scale_of(problem.hamiltonian)


def below_exact(problem: Problem, conclusion: Conclusion, exact: float | None) -> float:
    """By how much an energy lies below the exact one, where rounding, statistics and bias do not explain it.

    Args:
        problem: The problem.
        conclusion: With the energy, its standard error and its bias.
        exact: The exact energy, in the problem's unit; None where it is not known.

    Returns:
        A positive difference in the problem's unit; 0 if there is none, or if it is explained.
    """
    if exact is None:
        return 0.0
    depth = exact - conclusion.energy
    allowed = SIGMAS * conclusion.standard_error + conclusion.bias + AGREEMENT * scale(problem)
    return depth if depth > allowed else 0.0


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
