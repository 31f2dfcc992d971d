"""The commands that show runs and check them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybrid.cli.arguments import Json, RunFolder

if TYPE_CHECKING:
    from hybrid.runs.entries import RunEntry

NAMES = {"seconds": "time", "created_utc": "begun"}
"""What a table calls the keys that JSON, where no unit stands beside a value, needs another word for."""


def runs(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Where to look; runs/ by default.")] = None,
    as_json: Json = False,
) -> None:
    """List the runs in a folder.

    Args:
        folder: Where to look; None for where runs without a folder of their own go.
        as_json: Whether to print JSON: "runs" with one object for each.

    Raises:
        Refused: if the folder does not exist.
    """
    from hybrid.runs.listing import listing
    from hybrid.terminal.console import console, table
    from hybrid.terminal.words import energy

    entries = listing(folder)
    if as_json:
        print(json.dumps({"runs": entries}, allow_nan=False))
        return
    rows = table("run", "problem", "backend", "status", "energy")
    rows.columns[0].no_wrap, rows.columns[-1].no_wrap = False, True  # a long path leaves the numbers their room
    for entry in entries:
        rows.add_row(entry["folder"], entry["problem"], entry["backend"], entry["status"], energy(entry))
    console().print(rows if entries else "no runs here")


def show(folder: RunFolder, as_json: Json = False) -> None:
    """Show a run or an algorithm: what was asked, where it ran, what came out.

    Args:
        folder: Of a run, of an algorithm, whose runs are listed below, or of a sweep, whose points are listed.
        as_json: Whether to print JSON: the run, or "points" with one object for each point of a sweep; of an algorithm
            also "runs".

    Raises:
        Refused: if the folder holds neither, or a damaged run.
    """
    from hybrid.runs.folder import is_algorithm
    from hybrid.runs.listing import entry_of, stages_of, sweep_of

    points = sweep_of(folder)
    stages = stages_of(folder) if is_algorithm(folder) else []
    if as_json:
        entry = {"points": points} if points is not None else entry_of(folder)
        print(json.dumps(entry | ({"runs": stages} if is_algorithm(folder) else {}), allow_nan=False))
    elif points is None:
        _print_run(entry_of(folder))
        if stages:
            _print_points(stages, "run")
    else:
        _print_points(points)


def _print_run(entry: "RunEntry") -> None:
    from hybrid.runs.failovers import described
    from hybrid.terminal.console import console, table
    from hybrid.terminal.words import energy

    rows = table("what", "value")
    for key, value in entry.items():
        if key == "energy":
            rows.add_row(key, energy(entry))
        elif key == "failovers":
            for failover in entry["failovers"]:
                rows.add_row("failover", described(failover))
        elif not _is_absent(key, value):
            rows.add_row(NAMES.get(key, key.replace("_", " ")), _text(key, value, entry["unit"]))
    console().print(rows)


def _is_absent(key: str, value: Any) -> bool:
    """Whether there is nothing to say: no message, no run at the start, no calibration, no error of exact values."""
    return value is None or value in ("", []) or (key in ("standard_error", "bias") and value == 0)


def _text(key: str, value: Any, unit: str) -> str:
    from hybrid.runs.prediction import Prediction
    from hybrid.terminal.words import measured, value_text

    if key == "prediction":
        return Prediction.model_validate(value).text()
    if key == "exact_energy":
        return measured(value, 0.0, unit)
    if key in ("standard_error", "bias", "accuracy"):
        return f"{value:.2g} {unit}"
    return value_text(key, value)


def _print_points(points: "list[RunEntry]", what: str = "point") -> None:
    from hybrid.terminal.console import console, table
    from hybrid.terminal.words import energy

    rows = table(what, "status", "energy")
    for point in points:
        rows.add_row(point["folder"], point["status"], energy(point))
    console().print(rows)


def verify(folder: RunFolder, as_json: Json = False) -> None:
    """Check a run: its record, its journal replayed, its energy on other engines, bound, gradient, precision.

    Args:
        folder: Of a run, or of an algorithm, each of whose runs is checked.
        as_json: Whether to print the verification as JSON.

    Raises:
        Refused: if the folder holds no run, or files so damaged that nothing can be checked.
        typer.Exit: always, with the code 0 if everything was checked and holds, and 3 otherwise.
    """
    from hybrid.algorithms.verification import verify as check
    from hybrid.cli.exit_codes import DONE, NOT_CONVERGED
    from hybrid.terminal.console import console

    verification = check(folder)
    if as_json:
        print(json.dumps(verification.to_dict(), allow_nan=False))
    else:
        console().print(verification)
    raise typer.Exit(DONE if verification.passed else NOT_CONVERGED)
