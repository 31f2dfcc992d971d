"""The commands about the program itself and where it can work: sites, and completion in shells."""

import json
from typing import Annotated

import typer

from hybrid.cli.arguments import Json


def sites(as_json: Json = False) -> None:
    """List the sites that studies may be submitted to, what each does, and whether it can be reached from here.

    Args:
        as_json: Whether to print JSON: "file", and "sites" with one object for each.

    Raises:
        Refused: if the site file says anything that is not understood.
    """
    from hybrid.sites import file
    from hybrid.terminal.console import console
    from hybrid.terminal.rows import put

    path, entries = file.path(), []
    for name, site in file.all_sites().items():
        why_not = site.reachable()
        settings = site.model_dump(mode="json", exclude_defaults=True, exclude={"kind", "environment"})
        entries.append(
            {"name": name, "kind": site.kind, "reachable": not why_not, "why": why_not, "settings": settings}
        )
    if as_json:
        print(json.dumps({"file": str(path), "file_exists": path.is_file(), "sites": entries}))
        return
    out = console()
    put(
        out,
        [
            {
                "site": entry["name"],
                "kind": entry["kind"],
                "reachable": "yes" if entry["reachable"] else f"no: {entry['why']}",
                "settings": ", ".join(f"{key} {_text(value)}" for key, value in entry["settings"].items()),
            }
            for entry in entries
        ],
    )
    if path.is_file():
        out.print(f"from {path}", highlight=False, soft_wrap=True)
    else:
        out.print(f"there is no {path}; to make one: hybrid new site > {path}", highlight=False, soft_wrap=True)


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)],
) -> None:
    """Print what completes commands, files and runs in a shell; its first lines say where to put it.

    Args:
        shell: "bash", "zsh" or "fish".

    Raises:
        Refused: for another shell.
    """
    from backends.registry import names
    from circuits.errors import unknown
    from hybrid.cli.app import app
    from hybrid.cli.completion import SHELLS, Words
    from hybrid.cli.tree import commands
    from hybrid.runs.listing import STATUSES
    from hybrid.studies.templates import kinds

    if shell not in SHELLS:
        raise unknown("shell", shell, SHELLS)
    words = Words(["auto", *names()], [*kinds(), "site"], STATUSES, list(SHELLS))
    print(SHELLS[shell](commands(app), words), end="")
