"""The commands, their arguments and options, and their exit codes, as the program itself has them."""

import inspect

import typer
from typer.main import get_command

from docs.generate.tables import table
from hybrid.cli import exit_codes as codes
from hybrid.cli.app import app


def commands() -> str:
    """A section for every command, in the order of `hybrid --help`."""
    group = get_command(app)
    context = typer.Context(group, info_name="hybrid")
    return "\n\n".join(_command(name, group.commands[name], context) for name in group.list_commands(context))


def _command(name: str, command, parent: typer.Context) -> str:
    context = typer.Context(command, info_name=name, parent=parent)
    usage = " ".join(command.get_usage(context).removeprefix("Usage: ").split())
    parts = [f"## `hybrid {name}`", inspect.cleandoc(command.help or ""), f"```text\n{usage}\n```"]
    rows = [row for row in (_row(parameter, context) for parameter in command.get_params(context)) if row]
    if rows:
        parts.append(table(["argument or option", "what", "default"], rows))
    return "\n\n".join(parts)


def _row(parameter, context: typer.Context) -> list[str] | None:
    if "--help" in parameter.opts:
        return None
    if parameter.param_type_name == "argument":
        return [f"`{parameter.metavar or parameter.name.upper()}`", _text(parameter.help or ""), ""]
    words = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if parameter.is_flag else f" {parameter.metavar or 'TEXT'}"
    default = parameter.get_default(context)
    shown = default not in (None, False, "", (), []) and not callable(default)
    return [f"`{words}{value}`", _text(parameter.help or ""), f"`{default}`" if shown else ""]


def exit_codes() -> str:
    """The codes and what they say."""
    listed = codes.HELP.removeprefix("Exit codes: ").removesuffix(".")
    rows = [part.strip().split(" ", 1) for part in listed.split(", ")]
    return table(["code", "meaning"], [[f"`{code}`", meaning] for code, meaning in rows])


def _text(words: str) -> str:
    """Words in a cell, whose signs are no markup."""
    return words.replace("*", "\\*").replace("<", "\\<").replace("[", "\\[")
