"""The command that hands the numbers of runs to other programs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hybrid.cli.arguments import Force, Json
from hybrid.cli.crate import crate


def export(
    folder: Annotated[Path, typer.Argument(metavar="RUN|SWEEP|ALGORITHM", help="The folder.", show_default=False)],
    kind: Annotated[
        str | None,
        typer.Option("--format", metavar="csv|json|parquet|crate", help="By default what --output ends in; csv."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it goes; export.FORMAT in the folder by default.")
    ] = None,
    agent: Annotated[str, typer.Option(help="In a crate: who ran it, an ORCID's address or a name.")] = "",
    terms: Annotated[str, typer.Option("--license", help="In a crate: a license's address, or a sentence.")] = "",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write every evaluation of a run, or of all runs of a sweep or an algorithm, into one file.

    Args:
        folder: Of the run, the sweep or the algorithm.
        kind: The format; None for what the output's ending says, and CSV without an output.
        output: The file; None for one in the folder.
        agent: Who ran it, in a crate.
        terms: The license, in a crate.
        force: Whether to replace a file that is there already.
        as_json: Whether to print what was written as JSON: "path", "format", "runs", "rows".

    Raises:
        Refused: if the folder holds no run, or a damaged one; if the file is there already; if the
            format is not known or needs a package that is not installed. Nothing is written then.
        RecordFailed: if the file cannot be written.
    """
    from hybrid.runs.export import export as write
    from hybrid.terminal.console import console

    if kind == "crate":
        crate(folder, output, agent, terms, force, as_json)
        return
    if kind is None and output is None:
        kind = "csv"
    written = write(folder, output or folder / f"export.{kind}", kind=kind, overwrite=force)
    if as_json:
        print(json.dumps(written.to_dict()))
        return
    console().print(
        f"{written.path}: {written.rows} rows of {written.runs} run{'s' if written.runs != 1 else ''}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
