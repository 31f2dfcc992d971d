"""How much lower an optimizer would have come, had it gone on: an estimate from its last steps."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from hybrid.runs.evaluation import Evaluation

LEAST = 6
"""Fewest steps from which an estimate is made."""

SLOW = 0.97
"""Ratio of two successive gains from which on steps are taken as not getting shorter."""


class Gap(NamedTuple):
    """An estimate of what is left to the end of a descent.

    Attributes:
        width: In the unit of the energies; None where nothing can be said.
        source: Where it comes from, in a sentence.
    """

    width: float | None
    source: str


def gap(evaluations: Iterable[Evaluation], steps: int) -> Gap:
    """What is left to the minimum into which an optimizer descends, by its last steps, to an order of magnitude.

    Two estimates are made, and the larger one is given. If gains shrink like a geometric series, g then r g over
    windows of the same length, r g r / (1 - r) is left (Aitken). If E - E* <= c |gradient|^2, as it is near a minimum
    (Lojasiewicz), c follows from the last steps, whose energies above the last one and gradients are known. A descent
    that crosses a plateau looks as if it had ended. Below the scatter of values with statistical errors nothing is
    seen, so that is the least that is given.

    Args:
        evaluations: Of the run, in order.
        steps: Of the optimizer; what was evaluated after the last one, to conclude, is left out.
    """
    low, scatter, slopes = _descent(evaluations, steps)
    if len(low) < LEAST:
        return Gap(None, f"{len(low)} steps are too few to tell from")
    best = np.minimum.accumulate(low)
    window = max(2, len(best) // 4)
    last, before = best[-1 - window] - best[-1], best[-1 - 2 * window] - best[-1 - window]
    floor = 1.96 * np.sqrt(2.0) * scatter
    if last > floor and last >= SLOW * before:
        return Gap(None, f"the energy still fell by {last:.1g} in the last {window} steps, no less than before")
    ratio = last / before if before > 0 else 0.0
    widths = [last * ratio / (1 - ratio) if last > floor else 0.0, floor]
    known = np.isfinite(slopes)
    if scatter == 0 and known.sum() >= LEAST:
        recent = np.flatnonzero(known)[-LEAST:]
        above, squares = low[recent] - best[-1], slopes[recent] ** 2
        usable = (squares > squares[-1]) & (above > 0)
        if usable.any():
            widths.append(float(np.max(above[usable] / (squares[usable] - squares[-1]))) * float(squares[-1]))
    how = "by the gains and gradients of the last steps" if known.any() and scatter == 0 else "by the last steps' gains"
    seen = ", no less than the scatter of the values" if scatter else ""
    return Gap(float(max(widths)), f"left to the end of the descent, to an order of magnitude, {how}{seen}")


def _descent(evaluations: Iterable[Evaluation], steps: int) -> tuple[np.ndarray, float, np.ndarray]:
    """Lowest value of each step, a typical standard error of the last ones, and the gradient's norm of that row."""
    low: dict[int, tuple[float, float, float]] = {}
    for one in evaluations:
        if one.step >= steps and steps:
            continue
        k = int(np.argmin(one.told.values))
        slope = np.nan if one.told.gradients is None else float(np.linalg.norm(one.told.gradients[k]))
        found = (float(one.told.values[k]), float(one.told.standard_errors[k]), slope)
        if one.step not in low or found[0] < low[one.step][0]:
            low[one.step] = found
    columns = np.array([low[step] for step in sorted(low)]).reshape(-1, 3)
    scatter = float(np.median(columns[-LEAST:, 1])) if len(columns) else 0.0
    return columns[:, 0], scatter, columns[:, 2]
