"""How the energy came down."""

import numpy as np

from hybrid.report.page.axes import linear, logarithmic
from hybrid.report.page.html import Html, section, tag
from hybrid.report.page.picture import Series, picture
from hybrid.runs.account import Account
from hybrid.runs.history import History
from hybrid.terminal.words import axis


def convergence(run: Account) -> Html | None:
    """The picture of a run's evaluations; None before the first one."""
    history = run.history
    if not np.any(np.isfinite(history.energy)):
        return None
    exact = run.record.spec.problem.exact_energy
    noisy = bool(np.any(history.standard_error > 0))
    drawn = _energies(run, history) if exact is None or noisy else _distances(run, history, exact)
    return section("Convergence", drawn)


def _distances(run: Account, history: History, exact: float) -> Html:
    """The distance from the exact energy."""
    floor = max(np.finfo(float).eps * max(abs(exact), 1.0), 1e-15)
    above = np.maximum(np.abs(history.energy - exact), floor)
    best = np.fmin.accumulate(above)
    count = np.arange(1, len(above) + 1)
    series = [
        Series("evaluated", count.tolist(), above.tolist(), "quiet"),
        Series("nearest so far", count.tolist(), best.tolist(), "first", line=True, dots=False),
    ]
    accuracy = run.record.spec.workload.accuracy
    if best[-1] / 1e3 < accuracy < np.nanmax(above):
        series.append(_level("accuracy asked for", accuracy, len(above)))
    up = logarithmic([*_finite(above), *series[-1].y], axis("distance from the exact energy", run.unit))
    says = f"{len(above)} evaluations; the nearest is {best[-1]:.2g} {run.unit} from the exact energy"
    return picture(series, linear(count.tolist(), "evaluations", whole=True), up, says=says)


def _energies(run: Account, history: History) -> Html:
    """The energies themselves, with their standard errors, beside the exact one where that is known."""
    count, exact = np.arange(1, len(history) + 1), run.record.spec.problem.exact_energy
    noisy = bool(np.any(history.standard_error > 0))
    errors = history.standard_error.tolist() if noisy else ()
    label = "evaluated, ± standard error" if noisy else "evaluated"
    series = [Series(label, count.tolist(), history.energy.tolist(), "first", line=not noisy, errors=errors)]
    if exact is not None:
        series.append(_level("exact energy", exact, len(history)))
    ends = [*_finite(history.energy - history.standard_error), *_finite(history.energy + history.standard_error)]
    up = linear([*ends, *(() if exact is None else (exact,))], axis("energy", run.unit))
    says = f"{len(history)} evaluations; the lowest energy is {np.nanmin(history.energy):.8g} {run.unit}"
    drawn = picture(series, linear(count.tolist(), "evaluations", whole=True), up, says=says)
    note = "The distance from the exact energy is not drawn, since that is not known."
    return drawn if exact is not None else Html(drawn + tag("p", note, class_="note"))


def _finite(values: np.ndarray) -> list[float]:
    return values[np.isfinite(values)].tolist()


def _level(label: str, value: float, n: int) -> Series:
    """A line at one value."""
    return Series(label, [1, max(n, 2)], [value, value], "exact", line=True, dots=False)
