"""The command that adds runs to the registry of trained parameters, and shows what it holds."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid.cli.arguments import Json

if TYPE_CHECKING:
    from hybrid.registry.entry import Entry


class Action(StrEnum):
    """What is done."""

    add = "add"
    list = "list"
    show = "show"


def registry(
    action: Annotated[Action, typer.Argument(help="Add runs, list the entries, or show one.", show_default=False)],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN ...|ENTRY]", help="The runs to add, or the entry to show.", show_default=False),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A file, or postgresql://USER@HOST/DATABASE; else $HYBRID_REGISTRY."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add runs to the registry of trained parameters, list what it holds, or show one entry.

    Args:
        action: What is done.
        names: The runs to add, by folder or name; the entry to show, by the first digits of its digest.
        at: As for `hybrid.registry`.
        as_json: Whether to print JSON: "entries", one object for each.

    Raises:
        Refused: if a run cannot be added, there is no such entry, or the registry cannot be opened.
    """
    from circuits.errors import Refused
    from hybrid.registry.registry import registry as opened
    from hybrid.runs.index import find
    from hybrid.terminal.console import console
    from hybrid.terminal.rows import put

    given, place = names or [], opened(at)
    if action is Action.list and given:
        raise Refused(f"`hybrid registry list` takes no names, and {given[0]!r} is one: did you mean show, or add?")
    if action is Action.show and len(given) != 1:
        raise Refused("`hybrid registry show` takes one entry: give the first column of `hybrid registry list`")
    if action is Action.add and not given:
        raise Refused("`hybrid registry add` needs the folder or the name of a run")
    if action is Action.add:
        entries = [place.add(find(name)) for name in given]
    else:
        entries = [place.entry(given[0])] if action is Action.show else place.entries()
    if as_json:
        print(json.dumps({"entries": [entry.to_dict() for entry in entries]}, allow_nan=False))
    elif action is Action.show:
        _print(entries[0])
    else:
        nothing = f"the registry {place.address.text} is empty"
        put(console(), [_line(entry) for entry in entries], nothing=nothing)


def _line(entry: "Entry") -> dict[str, str]:
    return {
        "entry": entry.name,
        "problem": entry.problem,
        "parameters": str(len(entry.theta)),
        "energy": entry.measured(),
        "evaluations": str(entry.evaluations),
        "label": entry.label,
        "run": entry.folder,
    }


def _print(entry: "Entry") -> None:
    from hybrid.terminal.console import console, table
    from hybrid.terminal.words import value_text

    content = entry.to_dict() | {"energy": entry.measured(), "theta": " ".join(map(repr, entry.theta.tolist()))}
    rows = table("what", "value")
    for key, value in content.items():
        if key not in ("standard_error", "unit", "family") and value not in (None, {}):
            rows.add_row(key.replace("_", " "), value_text(key, value))
    console().print(rows)
