"""How runs and sweeps look on the command line."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from circuits.errors import Refused
from hybrid.algorithms.result import AlgorithmResult
from hybrid.runs.result import Result
from hybrid.studies.outcome import Outcome
from hybrid.terminal.words import axis, with_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def result_table(result: Result | AlgorithmResult) -> Table:
    """The summary of one run or algorithm as a table."""
    title = result.title if isinstance(result, AlgorithmResult) else result.problem
    summary = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None)
    summary.add_column(style="dim", no_wrap=True)
    summary.add_column(overflow="fold")
    for name, text in result.rows():
        summary.add_row(name, text)
    return summary


def line(outcome: Outcome) -> str:
    """The outcome of one point of a sweep on one line of text."""
    if outcome.result is None:
        return f"{outcome.point.name}: failed: {outcome.error}"
    result = outcome.result
    if isinstance(result, AlgorithmResult):
        return f"{outcome.point.name}: {result.line()}"
    if not result.begun:
        return f"{outcome.point.name}: {result.status} before its first value"
    width = f" ± {result.standard_error:.0e}" if result.standard_error else ""
    error = "" if result.error is None else "  error " + with_unit(f"{result.error:+.1e}{width}", result.unit)
    return f"{outcome.point.name}: {result.measured()}{error}  {result.status} on {result.backend}"


def draw(outcomes: Sequence[Outcome], place: Path, *, swept: bool) -> Path | None:
    """Write the picture of a run or a sweep into its folder.

    Args:
        outcomes: Of one workload or algorithm, or of the points of a sweep; at least one.
        place: The folder.
        swept: Whether it is a sweep, whose energies are drawn over its variables.

    Returns:
        Path of the picture; None where there is nothing to draw, or it cannot be written; of a sweep a message on
        standard error says why.
    """
    try:
        figure = _sweep(outcomes) if swept else _alone(outcomes[0].result)
    except Refused as err:
        print(f"hybrid: no picture: {err}", file=sys.stderr)
        return None
    if figure is None:
        return None
    algorithm = isinstance(outcomes[0].result, AlgorithmResult)
    return save(figure, place / ("sweep.png" if swept else "result.png" if algorithm else "convergence.png"))


def _alone(result: Result | AlgorithmResult | None) -> "Figure | None":
    """The picture of a run or an algorithm; None of one that has nothing to draw yet."""
    if isinstance(result, AlgorithmResult):
        from hybrid.algorithms.loading import read

        return None if result.status == "stopped" else read(result.folder)[0].plot()
    return result.plot() if result is not None and result.begun else None


def save(figure: "Figure", picture: Path) -> Path | None:
    """Write a picture.

    Args:
        figure: What is drawn.
        picture: Where it goes; the folder is made if need be.

    Returns:
        Its path; None, with a message on standard error, if it cannot be written.

    Raises:
        Refused: if its name ends in no known format.
    """
    known = figure.canvas.get_supported_filetypes()
    if picture.suffix.removeprefix(".").lower() not in known:
        raise Refused(f"{picture}: no format of a picture; end its name in .png, .pdf or .svg")
    scratch = picture.with_name(f".{os.getpid()}.{picture.name}")
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(scratch)
        scratch.replace(picture)  # whole or not at all, whoever else draws it
    except OSError as err:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        print(f"hybrid: {picture} cannot be written: {err.strerror}; the record itself is complete", file=sys.stderr)
        return None
    return picture


def _sweep(outcomes: Sequence[Outcome]) -> "Figure":
    """The picture of a sweep: a curve over one number, or lines and panels over several variables or words.

    Raises:
        Refused: if there is none, with the reason.
    """
    from hybrid.report.curve import CurvePoint, curve
    from hybrid.report.grid import GridPoint, grid

    done = [(o.point.values, o.result) for o in outcomes if o.result is not None and o.result.begun]
    if not done:
        raise Refused("no point has an energy")
    units = sorted({result.unit for _, result in done})
    if len(units) > 1:
        raise Refused(f"the points have energies in different units: {', '.join(units)}")
    title = " / ".join(sorted({result.problem for _, result in done})[:2])
    names, variable_units = list(done[0][0]), outcomes[0].point.units
    if len(names) > 1 or any(isinstance(values[names[0]], str) for values, _ in done):
        grid_points = [GridPoint(values, r.energy, r.standard_error, r.exact_energy) for values, r in done]
        return grid(grid_points, unit=units[0], title=title, units=variable_units)
    points = [CurvePoint(float(v[names[0]]), r.energy, r.standard_error, r.exact_energy) for v, r in done]
    x_label = axis(names[0], variable_units.get(names[0], ""))
    return curve(points, x_label=x_label, unit=units[0], title=title, label=done[0][1].backend)
