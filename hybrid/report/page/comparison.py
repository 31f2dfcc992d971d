"""Runs side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hybrid.report.page.axes import linear, logarithmic
from hybrid.report.page.html import Html, note, section, table
from hybrid.report.page.picture import Look, Series, picture
from hybrid.runs.benchmark.compare import COLUMNS as DIFFERENCES
from hybrid.runs.benchmark.compare import differences
from hybrid.runs.benchmark.folder import read_record
from hybrid.runs.comparison import COLUMNS, Comparison
from hybrid.terminal.words import axis

LOOKS: tuple[Look, ...] = ("first", "second", "third", "fourth")
"""Of the lines; more lines than these are told apart by the table, not by the picture."""

FLOOR = 1e-14


def comparison(compared: Comparison) -> Html:
    """What each run reached and took, and how near each had come after how many evaluations.

    Args:
        compared: Two runs or more.
    """
    rows = [run.cells() for run in compared.runs]
    numbers = [name for name in COLUMNS if name not in ("run", "status")]
    told = table(COLUMNS, rows, caption=compared.title, numbers=numbers, seen=True)
    return section("Comparison", told, _picture(compared))


def benchmark_comparison(places: Sequence[Path]) -> Html:
    """The scores of benchmarks beside those of the first, and which differ by more than chance.

    Args:
        places: Folders of two benchmarks or more, the earliest first.

    Raises:
        Refused: if one has no unit in common with the first.
    """
    first, *others = places
    before = read_record(first)
    parts = []
    for place in others:
        found = differences(before, read_record(place))
        caption = f"{place.resolve().name} against {first.resolve().name}"
        told = table(
            DIFFERENCES, found.rows(), caption=caption, numbers=[*DIFFERENCES[3:7], *DIFFERENCES[8:]], folds=True
        )
        parts += [told, *map(note, found.notes())]
    return section("Comparison of benchmarks", *parts)


def _picture(compared: Comparison) -> Html | None:
    """The best energy so far; its distance from the exact one where all share one and no energy has an error."""
    runs = [run for run in compared.runs if len(run.history)]
    if not runs or len(runs) > len(LOOKS):
        return None
    exact = {run.entry["exact_energy"] for run in runs}
    known = next(iter(exact)) if len(exact) == 1 else None
    unit = runs[0].entry["unit"]
    distances = known is not None and not any(np.any(run.history.standard_error > 0) for run in runs)
    lines = []
    for run in runs:
        best = np.minimum.accumulate(run.history.energy)
        lines.append(np.maximum(np.abs(best - known), FLOOR) if distances and known is not None else best)
    series = [
        Series(run.label, list(range(1, len(line) + 1)), line.tolist(), look, line=True, dots=False)
        for run, line, look in zip(runs, lines, LOOKS, strict=False)
    ]
    every = [value for line in lines for value in line.tolist()]
    longest = max(len(line) for line in lines)
    if distances:
        up = logarithmic(every, axis("distance from the exact energy, best so far", unit))
    else:
        if known is not None:
            series.append(Series("exact energy", [1, longest], [known, known], "exact", line=True, dots=False))
            every.append(known)
        up = linear(every, axis("energy, best so far", unit))
    across = (
        logarithmic([1, longest], "evaluations") if longest > 50 else linear([1, longest], "evaluations", whole=True)
    )
    return picture(series, across, up, says=f"Best energies of {len(runs)} runs over their evaluations")
