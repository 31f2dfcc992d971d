"""The points of a sweep: their table, their picture, and each with all its sections."""

from collections.abc import Sequence
from typing import Any

from hybrid.report.page.algorithm import algorithm_sections, cells, in_unit
from hybrid.report.page.axes import linear, logarithmic
from hybrid.report.page.html import Html, below, fold, join, section, table, tag
from hybrid.report.page.picture import Series, picture
from hybrid.report.page.run import run_sections
from hybrid.runs.account import Account, AlgorithmAccount, Unread
from hybrid.terminal.words import axis, counted

FLOOR, NOTHING = 1e-14, 1e-12
"""Smallest distance from an exact energy that the logarithmic scale shows, and the largest that is not worth drawing,
in the problem's unit."""

Point = Account | AlgorithmAccount | Unread

MOST = 100
"""Points that are told of in full; the table has all."""


def sweep_sections(points: Sequence[Point]) -> Html:
    """All that the records of a sweep's points say.

    Args:
        points: At least one with an account.
    """
    runs = [point for point in points if not isinstance(point, Unread)]
    return join(
        [section("Points", _table(points), _summary(points)), _picture(runs), section("Each point", _each(points))]
    )


def _summary(points: Sequence[Point]) -> Html:
    done = ["without a run" if isinstance(point, Unread) else point.entry["status"] for point in points]
    counts = ", ".join(f"{done.count(status)} {status}" for status in dict.fromkeys(done))
    return tag("p", f"{counted(len(points), 'points')}: {counts}.")


def _table(points: Sequence[Point]) -> Html:
    names = list(dict.fromkeys(name for point in points for name in keys(point)))
    columns = [*names, "Energy", "Exact", "Distance", "Status", "Evaluations", "Time", "Backend"]
    numbers = [*names, "Energy", "Exact", "Distance", "Evaluations", "Time"]
    rows = [[*(_plain(keys(point).get(name, "–")) for name in names), *cells(point)] for point in points]
    units = [point.unit for point in points if not isinstance(point, Unread)]
    return table(columns, rows, caption=in_unit(units), numbers=numbers, seen=True)


def keys(point: Point) -> dict[str, Any]:
    """What tells a point from the others: its values, or, in a folder of runs that is no sweep, its name."""
    return point.values or {"run": point.name if isinstance(point, Unread) else point.path.name}


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _picture(runs: Sequence[Account | AlgorithmAccount]) -> Html | None:
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
    up = linear([*ends, *(value for _, value in exact)], axis("energy", done[0].unit))
    across = linear(x, name)
    drawn = [picture(series, across, up, says=f"Energy of {len(done)} points over {name}")]
    if len(exact) == len(done):
        away = [max(abs(e - value), FLOOR) for e, (_, value) in zip(energies, exact, strict=True)]
        if max(away) <= NOTHING:
            said = f"No point is further than {NOTHING:g} {done[0].unit} from its exact energy."
            return section(f"Energy over {name}", drawn, tag("p", said))
        scale = logarithmic(away, axis("distance from the exact energy", done[0].unit))
        said = f"Distance from the exact energy over {name}; the largest is {max(away):.2g} {done[0].unit}"
        drawn.append(picture([Series("distance", x, away, "first", line=True)], across, scale, says=said))
    return section(f"Energy over {name}", drawn)


def _each(points: Sequence[Point]) -> Html:
    shown = [
        fold(_title(point), tag("p", f"It has no run: {point.reason}"))
        if isinstance(point, Unread)
        else fold(_title(point), below(_sections(point)))
        for point in points[:MOST]
    ]
    left = len(points) - len(shown)
    more = tag("p", f"The other {left:,} are in the table above; hybrid report shows each by itself.", class_="note")
    return join([shown, more if left else None])


def _sections(point: Account | AlgorithmAccount) -> Html:
    return run_sections(point) if isinstance(point, Account) else algorithm_sections(point)


def _title(point: Point) -> str:
    name = ", ".join(f"{key} = {_plain(value)}" for key, value in keys(point).items())
    return f"{name}: " + ("failed" if isinstance(point, Unread) else point.entry["status"])
