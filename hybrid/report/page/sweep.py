"""The points of a sweep: their table, their picture, and each with all its sections."""

from collections.abc import Sequence
from typing import Any

from hybrid.report.page.axes import linear, logarithmic
from hybrid.report.page.html import Html, below, fold, join, section, table, tag
from hybrid.report.page.picture import Series, picture
from hybrid.report.page.run import run_sections
from hybrid.runs.account import Account, Unread
from hybrid.terminal.words import duration, energy

FLOOR, NOTHING = 1e-14, 1e-12
"""Smallest distance from an exact energy that the logarithmic scale shows, and the largest that is not worth drawing,
in the problem's unit."""

MOST = 100
"""Points that are told of in full; the table has all."""


def sweep_sections(points: Sequence[Account | Unread]) -> Html:
    """All that the records of a sweep's points say.

    Args:
        points: At least one with an account.
    """
    runs = [point for point in points if isinstance(point, Account)]
    return join(
        [section("Points", _table(points), _summary(points)), _picture(runs), section("Each point", _each(points))]
    )


def _summary(points: Sequence[Account | Unread]) -> Html:
    done = [point.entry["status"] if isinstance(point, Account) else "without a run" for point in points]
    counts = ", ".join(f"{done.count(status)} {status}" for status in dict.fromkeys(done))
    return tag("p", f"{len(points)} points: {counts}.")


def _table(points: Sequence[Account | Unread]) -> Html:
    names = list(dict.fromkeys(name for point in points for name in keys(point)))
    columns = [*names, "Energy", "Exact", "Distance", "Status", "Evaluations", "Time", "Backend"]
    numbers = [*names, "Energy", "Exact", "Distance", "Evaluations", "Time"]
    rows = [[*(_plain(keys(point).get(name, "–")) for name in names), *_cells(point)] for point in points]
    units = dict.fromkeys(point.unit for point in points if isinstance(point, Account))
    return table(columns, rows, caption=f"Energies in {' or '.join(units)}", numbers=numbers, seen=True)


def keys(point: Account | Unread) -> dict[str, Any]:
    """What tells a point from the others: its values, or, in a folder of runs that is no sweep, its name."""
    return point.values or {"run": point.path.name if isinstance(point, Account) else point.name}


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cells(point: Account | Unread) -> tuple[str, ...]:
    if isinstance(point, Unread):
        return "–", "–", "–", f"failed: {point.reason}", "–", "–", "–"
    entry, exact = point.entry, point.entry["exact_energy"]
    error = "–" if exact is None or entry["energy"] is None else f"{entry['energy'] - exact:+.2e}"
    seconds = (entry["seconds"] or {}).get("total")
    return (
        energy({**entry, "unit": ""}).rstrip(),
        "–" if exact is None else f"{exact:.10f}",
        error,
        entry["status"],
        f"{len(point.history):,}",
        "–" if seconds is None else duration(seconds),
        entry["backend"],
    )


def _picture(runs: Sequence[Account]) -> Html | None:
    """Energies over the sweep's variable, where that is one number, and their distances from the exact ones."""
    names = {name for run in runs for name in run.values}
    done = [run for run in runs if run.entry["energy"] is not None]
    if len(names) != 1 or not done or len({run.unit for run in done}) > 1:
        return None
    (name,) = names
    if any(isinstance(run.values.get(name), str | None) for run in done):
        return None
    done.sort(key=lambda run: run.values[name])
    x = [float(run.values[name]) for run in done]
    energies = [float(energy) for run in done if (energy := run.entry["energy"]) is not None]
    errors = [float(run.entry["standard_error"] or 0.0) for run in done]
    known = [(at, run.entry["exact_energy"]) for at, run in zip(x, done, strict=True)]
    exact = [(at, value) for at, value in known if value is not None]
    series = [Series("computed", x, energies, "first", errors=errors if any(errors) else ())]
    if exact:
        at, values = zip(*exact, strict=True)
        series.insert(0, Series("exact", at, values, "exact", line=True, dots=False))
    ends = [e + sign * error for e, error in zip(energies, errors, strict=True) for sign in (-1, 1)]
    up = linear([*ends, *(value for _, value in exact)], f"energy ({done[0].unit})")
    across = linear(x, name)
    drawn = [picture(series, across, up, says=f"Energy of {len(done)} points over {name}")]
    if len(exact) == len(done):
        away = [max(abs(e - value), FLOOR) for e, (_, value) in zip(energies, exact, strict=True)]
        if max(away) <= NOTHING:
            said = f"No point is further than {NOTHING:g} {done[0].unit} from its exact energy."
            return section(f"Energy over {name}", drawn, tag("p", said))
        scale = logarithmic(away, f"distance from the exact energy ({done[0].unit})")
        said = f"Distance from the exact energy over {name}; the largest is {max(away):.2g} {done[0].unit}"
        drawn.append(picture([Series("distance", x, away, "first", line=True)], across, scale, says=said))
    return section(f"Energy over {name}", drawn)


def _each(points: Sequence[Account | Unread]) -> Html:
    shown = [
        fold(_title(point), below(run_sections(point)))
        if isinstance(point, Account)
        else fold(_title(point), tag("p", f"It has no run: {point.reason}"))
        for point in points[:MOST]
    ]
    left = len(points) - len(shown)
    more = tag("p", f"The other {left:,} are in the table above; hybrid report shows each by itself.", class_="note")
    return join([shown, more if left else None])


def _title(point: Account | Unread) -> str:
    name = ", ".join(f"{key} = {_plain(value)}" for key, value in keys(point).items())
    return f"{name}: " + (point.entry["status"] if isinstance(point, Account) else "failed")
