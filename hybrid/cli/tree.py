"""The commands with their options and arguments as plain values, for what is generated from them."""

from collections.abc import Iterable
from dataclasses import dataclass

import typer
from typer.main import get_command


@dataclass(frozen=True)
class Parameter:
    """An option or an argument.

    Attributes:
        names: Of an option, such as ("--plot", "--no-plot"); empty for an argument.
        value: What stands for its value in a usage line, such as "DIR"; empty for a switch.
        help: One sentence.
        required: Whether it must be given.
        repeats: Whether it may be given several times.
    """

    names: tuple[str, ...]
    value: str
    help: str
    required: bool
    repeats: bool


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: Of the command.
        help: The first paragraph on it.
        options: Those that begin with ``--``.
        arguments: In their order.
    """

    name: str
    help: str
    options: tuple[Parameter, ...]
    arguments: tuple[Parameter, ...]


def commands(app: typer.Typer) -> list[Command]:
    """All commands of the command line, in the order of its help.

    Args:
        app: With more than one command.
    """
    found = getattr(get_command(app), "commands")  # noqa: B009 - the group of several commands
    return [
        Command(name, command.help or "", *(_parameters(command.params, kind) for kind in ("option", "argument")))
        for name, command in found.items()
        if not command.hidden
    ]


def _parameters(parameters: Iterable, kind: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            (*one.opts, *one.secondary_opts) if kind == "option" else (),
            "" if kind == "option" and one.is_flag else one.metavar or one.name.upper(),
            one.help or "",
            one.required,
            one.multiple or one.nargs != 1,
        )
        for one in parameters
        if one.param_type_name == kind and not one.hidden
    )
