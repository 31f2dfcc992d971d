"""The command that writes a page on runs."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hybrid.cli.arguments import Force, Json


def report(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN|SWEEP|ALGORITHM...", help="Folders.", show_default=False)
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it goes; report.html in the one folder by default.")
    ] = None,
    force: Force = False,
    show: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
    as_json: Json = False,
) -> None:
    """Write a page on runs for others to read: one HTML file that needs nothing else.

    Args:
        folders: Of runs, sweeps or algorithms; several are compared on the page.
        output: The file; None for report.html in the folder, if there is only one.
        force: Whether to replace a file that is there already.
        show: Whether to show it in a browser.
        as_json: Whether to print what was written as JSON: "path", "runs".

    Raises:
        Refused: if a folder holds none of these, a damaged run, or an algorithm without runs, or the file is there.
        RecordFailed: if the file cannot be written.
    """
    import webbrowser

    from hybrid.report.page.page import write
    from hybrid.terminal.console import console

    written = write(folders, output, overwrite=force)
    if show and not webbrowser.open(written.path.absolute().as_uri()):
        print("hybrid: no browser was found that could show it", file=sys.stderr)
    if as_json:
        print(json.dumps(written.to_dict()))
        return
    console().print(str(written.path), highlight=False, soft_wrap=True, markup=False)
