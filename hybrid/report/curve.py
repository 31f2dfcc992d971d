"""The curve of a sweep over one number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from hybrid.report.picture import ACCENT, INK, Picture, finish
from hybrid.terminal.words import axis

FLOOR = 1e-14
"""Smallest error that the logarithmic axis shows, in the problem's unit."""


@dataclass(frozen=True)
class CurvePoint:
    """One point of a curve.

    Attributes:
        x: The swept number.
        energy: In the problem's unit.
        standard_error: Of the energy.
        exact_energy: The right answer, or None where it is unknown.
    """

    x: float
    energy: float
    standard_error: float
    exact_energy: float | None


def curve(points: Sequence[CurvePoint], *, x_label: str, unit: str, title: str, label: str) -> Figure:
    """Energies against the swept number, and below them their errors where the exact energies are known.

    Args:
        points: At least one.
        x_label: Of the swept number.
        unit: Of the energies.
        title: Above the picture.
        label: Of the energies, in the legend.
    """
    points = sorted(points, key=lambda point: point.x)
    x = [point.x for point in points]
    exact = [point.exact_energy for point in points if point.exact_energy is not None]
    known = len(exact) == len(points)
    figure = Picture(figsize=(6.4, 5.2 if known else 4.0), layout="constrained")
    panels = figure.subplots(2 if known else 1, 1, sharex=True, squeeze=False, height_ratios=(3, 2) if known else None)
    above, below = panels[0, 0], panels[-1, 0]
    errors = [point.standard_error for point in points]
    if known:
        away = [max(abs(point.energy - right), FLOOR) for point, right in zip(points, exact, strict=True)]
        above.plot(x, exact, "--", color=INK, lw=1.2, label="exact")
        below.semilogy(x, away, "o-", ms=4, lw=1, color=ACCENT)
        below.set_ylabel(axis("error", unit))
        finish(below)
    energies = [point.energy for point in points]
    above.errorbar(x, energies, yerr=errors if np.any(errors) else None, fmt="o", ms=5, color=ACCENT, label=label)
    above.set_ylabel(axis("energy", unit))
    above.set_title(title, loc="left", color=INK, fontsize=11)
    finish(above)
    below.set_xlabel(x_label)
    return figure
