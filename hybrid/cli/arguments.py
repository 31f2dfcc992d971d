"""Arguments and options that several commands share.

A run is named by its folder, or by the folder's name alone wherever it lies; see `hybrid.runs.index.find`.
"""

from pathlib import Path
from typing import Annotated

import typer


def _found(folder: Path | None) -> Path | None:
    from hybrid.runs.index import find

    return None if folder is None else find(folder)


StudyFile = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.", show_default=False)]
RunFolder = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="The run's folder, or its name.", show_default=False, callback=_found),
]
OptionalRunFolder = Annotated[
    Path | None,
    typer.Argument(metavar="RUN", help="A folder or its name; all without one.", show_default=False, callback=_found),
]
EnvironmentOrRun = Annotated[
    Path | None,
    typer.Argument(
        metavar="RUN", help="A folder or its name; without one, this environment.", show_default=False, callback=_found
    ),
]
NoExact = Annotated[bool, typer.Option("--no-exact", help="Compute no exact energy beside the run, to compare with.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Signers = Annotated[
    Path | None, typer.Option(metavar="FILE", help="OpenSSH's list of those of whom one must have signed.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")]
