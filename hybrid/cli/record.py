"""The commands that look at runs and check them."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hybrid.cli.arguments import Json, RunFolder


def runs(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Where to look; runs/ by default.")] = None,
    as_json: Json = False,
) -> None:
    """List the runs in a folder."""
    from hybrid.runs.listing import listing
    from hybrid.terminal.console import console, table
    from hybrid.terminal.words import energy

    entries = listing(folder)
    if as_json:
        print(json.dumps({"runs": entries}, allow_nan=False))
        return
    rows = table("run", "problem", "backend", "status", "energy")
    for entry in entries:
        rows.add_row(entry["folder"], entry["problem"], entry["backend"], entry["status"], energy(entry))
    console().print(rows if entries else "no runs here")


def show(folder: RunFolder, as_json: Json = False) -> None:
    """Show a run: what was asked, where it ran, what came out."""
    from hybrid.runs.listing import entry_of, sweep_of
    from hybrid.terminal.console import console, table
    from hybrid.terminal.words import energy, words

    points = sweep_of(folder)
    if points is not None:
        if as_json:
            print(json.dumps({"points": points}, allow_nan=False))
            return
        rows = table("point", "status", "energy")
        for point in points:
            rows.add_row(point["folder"], point["status"], energy(point))
        console().print(rows)
        return
    entry = entry_of(folder)
    if as_json:
        print(json.dumps(entry, allow_nan=False))
        return
    rows = table("what", "value")
    for key, value in entry.items():
        rows.add_row(key, energy(entry) if key == "energy" else words(key, value))
    console().print(rows)


def verify(folder: RunFolder, as_json: Json = False) -> None:
    """Check a run: its record, its journal replayed, its energy on other engines, bound, gradient, precision."""
    from hybrid.cli.exit_codes import DONE, NOT_CONVERGED
    from hybrid.terminal.console import console
    from hybrid.verification.verification import verify as check

    verification = check(folder)
    if as_json:
        print(json.dumps(verification.to_dict(), allow_nan=False))
    else:
        console().print(verification)
    raise typer.Exit(DONE if verification.passed else NOT_CONVERGED)
