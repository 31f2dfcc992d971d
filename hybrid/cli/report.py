"""The command that writes a page on runs."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hybrid.cli.arguments import Force, Json


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="RECORD...", help="Folders of runs, sweeps, algorithms, benchmarks, co-design."),
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it goes; report.html in the one folder by default.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the pictures there too, PDF and SVG, with captions.")
    ] = None,
    force: Force = False,
    show: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
    as_json: Json = False,
) -> None:
    """Write a page on runs for others to read: one HTML file that needs nothing else.

    Args:
        folders: Of runs, sweeps, algorithms, benchmarks or co-design; several are compared on the page.
        output: The file; None for report.html in the folder, if there is only one.
        figures: Folder of the pictures as files of their own; None for none.
        force: Whether to replace a file that is there already.
        show: Whether to show it in a browser.
        as_json: Whether to print what was written as JSON: "path", "runs", and "figures" where they were asked for.

    Raises:
        Refused: if a folder holds none of these, a damaged run, or an algorithm without runs, or the file is there.
        RecordFailed: if the file cannot be written.
    """
    import webbrowser

    from hybrid.cli.outputs import check_folder
    from hybrid.codesign.figures import save
    from hybrid.report.page.page import write
    from hybrid.terminal.console import console

    if figures is not None:
        check_folder(figures, "--figures")
    written = write(folders, output, overwrite=force)
    drawn = [] if figures is None else save(folders, figures)
    if show and not webbrowser.open(written.path.absolute().as_uri()):
        print("hybrid: no browser was found that could show it", file=sys.stderr)
    if as_json:
        print(json.dumps(written.to_dict() | ({} if figures is None else {"figures": list(map(str, drawn))})))
        return
    for path in (written.path, *drawn):
        console().print(str(path), highlight=False, soft_wrap=True, markup=False)
