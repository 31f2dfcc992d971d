"""The command that signs a record."""

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
    """Sign a run, an algorithm or a benchmark that has ended, or each point of a sweep, with an SSH key.

    Args:
        folder: Its path.
        key: A private SSH key, or the public half of one that an agent or a token holds.
        as_json: Whether to print JSON: "signatures", the paths of the files.

    Raises:
        Refused: if one has not ended or was changed; if OpenSSH is not installed or cannot sign with the key.
        RecordFailed: if a signature cannot be written.
    """
    from hybrid.runs.kinds import KINDS, kind_of
    from hybrid.runs.signature import sign as write
    from hybrid.terminal.console import console

    points = {head.parent for kind in KINDS for head in folder.glob(f"*/{kind.head}")} if not kind_of(folder) else ()
    paths = [write(record, key) for record in sorted(points) or [folder]]
    if as_json:
        print(json.dumps({"signatures": [str(path) for path in paths]}))
        return
    for path in paths:
        console().print(f"signed: {path}", highlight=False, soft_wrap=True, markup=False)
