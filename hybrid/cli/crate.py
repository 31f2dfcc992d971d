"""The commands that hand runs on as RO-Crates, and repeat what such a crate holds."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hybrid.cli.arguments import Force, Json, RunFolder


def crate(
    folder: RunFolder,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.zip", help="Where it goes; NAME.crate.zip by default.")
    ] = None,
    agent: Annotated[str, typer.Option(help="Who ran it: an ORCID's address, or a name.")] = "",
    terms: Annotated[str, typer.Option("--license", help="The address of a license, or a sentence.")] = "",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a run, or all runs of a sweep or an algorithm, as one RO-Crate, for archives and other people.

    Args:
        folder: Of the run, the sweep or the algorithm.
        output: The zip file; None for one beside the folder.
        agent: Who ran it; nothing is said by default.
        terms: The license; nothing is said by default.
        force: Whether to replace a file that is there already.
        as_json: Whether to print JSON: "path".

    Raises:
        Refused: if a run has not ended or was changed; if the file is there already, or rocrate is not installed.
        RecordFailed: if the file cannot be written.
    """
    from hybrid.runs.crate.write import write
    from hybrid.terminal.console import console

    path = write(
        folder, output or Path(f"{folder.resolve().name}.crate.zip"), agent=agent, terms=terms, overwrite=force
    )
    if as_json:
        print(json.dumps({"path": str(path)}))
        return
    console().print(f"{path}: {path.stat().st_size:,} bytes", highlight=False, soft_wrap=True, markup=False)


def take_in(
    source: Annotated[
        Path, typer.Argument(metavar="CRATE", help="A zip file, or what was unpacked from it.", show_default=False)
    ],
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it goes; a new folder where runs go by default.")
    ] = None,
    signers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="OpenSSH's list of those of whom one must have signed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the crate of another site, and take it in as a run, or a sweep, among ours.

    Args:
        source: A zip file, or what was unpacked from it.
        folder: Where it goes; None for a folder of its name where runs go.
        signers: A file of allowed signers.
        as_json: Whether to print JSON: "folder", "runs", "left", and what imported.json says.

    Raises:
        Refused: if the folder is there already, the crate is damaged, a run in it was changed or has not ended, or a
            signature is not good. Nothing is written then.
        RecordFailed: if the folder cannot be written.
    """
    from hybrid.runs.crate.take_in import take_in as take
    from hybrid.terminal.console import console

    taken = take(source, folder, signers=signers)
    if as_json:
        print(json.dumps(taken.to_dict()))
        return
    out = console()

    def put(line: str) -> None:
        out.print(line, highlight=False, soft_wrap=True, markup=False)

    put(f"{taken.folder}: {', '.join(taken.runs)}, checked and as it was written")
    for name in taken.left:
        put(f"left in the crate: {name}")


def rerun(
    source: Annotated[Path, typer.Argument(metavar="CRATE", help="The crate, or a run's folder.", show_default=False)],
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the new run goes.")] = Path("again"),
    as_json: Json = False,
) -> None:
    """Repeat the run of a crate, or each of its runs, and say how the values compare.

    Args:
        source: A zip file, what was unpacked from it, or a run's folder.
        folder: Of the new run, or of all of them.
        as_json: Whether to print JSON: "runs", each with "verdict" and "reason".

    Raises:
        Refused: if the crate holds no run, or one that was changed; if the folder holds a run already.
        FailedJob: if a backend fails.
        RecordFailed: if the new record cannot be written.
        typer.Exit: with the code 3 if a run came to something else.
    """
    from hybrid.cli.exit_codes import DONE, NOT_CONVERGED
    from hybrid.loop.rerun import rerun as repeat
    from hybrid.terminal.console import console

    out, told = console(quiet=as_json), []
    for one in repeat(source, folder):
        told.append(one)
        out.print(str(one), highlight=False, soft_wrap=True, markup=False)
    if as_json:
        print(json.dumps({"runs": [one.to_dict() for one in told]}, allow_nan=False))
    raise typer.Exit(NOT_CONVERGED if any(one.verdict == "different" for one in told) else DONE)
