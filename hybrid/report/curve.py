"""The curve of a sweep over one number."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from hybrid.report.picture import ACCENT, INK, finish
from hybrid.report.picture import axes as new_axes

if TYPE_CHECKING:
    from hybrid.studies.run import Outcome


def curve(outcomes: "Sequence[Outcome]") -> Figure | None:
    """Energy, and the exact one, against the swept number; None unless exactly one number was swept."""
    done = [outcome for outcome in outcomes if outcome.result is not None]
    names = {name for outcome in done for name in outcome.point.values}
    if len(names) != 1 or any(isinstance(v, str) for outcome in done for v in outcome.point.values.values()):
        return None
    (name,) = names
    points = sorted((float(outcome.point.values[name]), outcome.result) for outcome in done)
    x = [value for value, _ in points]
    results = [result for _, result in points]
    axes = new_axes()
    exact = [(value, result.exact_energy) for value, result in points if result.exact_energy is not None]
    if exact:
        axes.plot(*zip(*exact, strict=True), "--", color=INK, lw=1.2, label="exact")
    errors = [result.standard_error for result in results]
    axes.errorbar(x, [r.energy for r in results], yerr=errors, fmt="o", ms=5, color=ACCENT, label=results[0].backend)
    axes.set_xlabel(name)
    axes.set_ylabel(f"energy ({results[0].unit})")
    finish(axes)
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure
