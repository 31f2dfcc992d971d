"""The curve of a sweep over one number."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from hybrid.report.picture import ACCENT, INK, Picture, finish

if TYPE_CHECKING:
    from hybrid.studies.outcome import Outcome

FLOOR = 1e-14
"""Smallest error that the logarithmic axis shows, in the problem's unit."""


def curve(outcomes: "Sequence[Outcome]") -> Figure | None:
    """Energies against the swept number, and below them their errors where the exact energies are known.

    Returns:
        The figure, or None unless exactly one number was swept.
    """
    done = [outcome for outcome in outcomes if outcome.result is not None]
    names = {name for outcome in done for name in outcome.point.values}
    if len(names) != 1 or any(isinstance(v, str) for outcome in done for v in outcome.point.values.values()):
        return None
    (name,) = names
    points = sorted(((float(o.point.values[name]), o.result) for o in done if o.result), key=lambda point: point[0])
    x = [value for value, _ in points]
    results = [result for _, result in points]
    known = all(result.error is not None for result in results)
    figure = Picture(figsize=(6.4, 5.2 if known else 4.0), layout="constrained")
    panels = figure.subplots(2 if known else 1, 1, sharex=True, squeeze=False, height_ratios=(3, 2) if known else None)
    above, below = panels[0, 0], panels[-1, 0]
    errors = [result.standard_error for result in results]
    if known:
        above.plot(x, [result.exact_energy for result in results], "--", color=INK, lw=1.2, label="exact")
        below.semilogy(x, [max(abs(r.error or 0.0), FLOOR) for r in results], "o-", ms=4, lw=1, color=ACCENT)
        below.set_ylabel(f"error ({results[0].unit})")
        finish(below)
    above.errorbar(
        x,
        [result.energy for result in results],
        yerr=errors if np.any(errors) else None,
        fmt="o",
        ms=5,
        color=ACCENT,
        label=results[0].backend,
    )
    above.set_ylabel(f"energy ({results[0].unit})")
    above.set_title(" / ".join(sorted({result.problem for result in results})[:2]), loc="left", color=INK, fontsize=11)
    finish(above)
    below.set_xlabel(name)
    return figure
