"""The command that signs a run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hybrid.cli.arguments import Json, RunFolder


def sign(
    folder: RunFolder,
    key: Annotated[Path, typer.Option(metavar="KEY", help="An SSH key, private or in an agent.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Sign a run that has ended, or each run of a sweep or an algorithm, with an SSH key.

    Args:
        folder: Of the run, the sweep or the algorithm.
        key: A private SSH key, or the public half of one that an agent or a token holds.
        as_json: Whether to print JSON: "signatures", the paths of the files.

    Raises:
        Refused: if a run has not ended or was changed; if OpenSSH is not installed or cannot sign with the key.
        RecordFailed: if a signature cannot be written.
    """
    from hybrid.runs.folder import SPEC, is_run
    from hybrid.runs.signature import sign as write
    from hybrid.terminal.console import console

    runs = [] if is_run(folder) else sorted(spec.parent for spec in folder.rglob(SPEC))
    paths = [write(run, key) for run in runs or [folder]]
    if as_json:
        print(json.dumps({"signatures": [str(path) for path in paths]}))
        return
    for path in paths:
        console().print(f"signed: {path}", highlight=False, soft_wrap=True, markup=False)
