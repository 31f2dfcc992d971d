"""The manual page, generated from the commands: ``python -m hybrid.cli.manual`` prints it for ``docs/hybrid.1``."""

from collections.abc import Sequence

from hybrid.cli.exit_codes import HELP
from hybrid.cli.tree import Command, Parameter

FILES = {
    "~/.config/hybrid/sites.toml": "sites that studies may be submitted to; HYBRID_SITES names another file",
    "~/.config/hybrid/policy.toml": "where data may go; HYBRID_POLICY names another file",
    "~/.cache/hybrid": "measured speeds and compiled programs; HYBRID_CACHE names another folder",
    "~/.local/share/hybrid/runs.txt": "folders of runs that were begun; HYBRID_DATA names another folder",
    "~/.local/state/hybrid": "the log of decisions on data; HYBRID_STATE names another folder",
    "runs": "where runs without a folder of their own go; HYBRID_RUNS names another folder",
}


def manual(commands: Sequence[Command], *, summary: str) -> str:
    """The page in the language of man, for the section 1.

    Args:
        commands: All of them.
        summary: What the program is for, in one sentence.
    """
    lines = [
        '.TH HYBRID 1 "" "hybrid" "User Commands"',
        ".SH NAME",
        f"hybrid \\- {_escaped(summary)}",
        ".SH SYNOPSIS",
        ".B hybrid",
        r"\fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]",
        ".SH DESCRIPTION",
        "Each command describes itself with \\fB\\-\\-help\\fR.",
        "\\fBhybrid \\-\\-version\\fR says which version this is.",
        ".SH COMMANDS",
    ]
    for command in commands:
        lines += [f'.SS "{_escaped(_usage(command))}"', _escaped(command.help)]
        for parameter in (*command.arguments, *command.options):
            lines += [".TP", _head(parameter), _escaped(parameter.help) or "."]
    lines += [".SH EXIT STATUS", _escaped(HELP.removeprefix("Exit codes: "))]
    lines += [".SH FILES"]
    for path, what in FILES.items():
        lines += [".TP", f"\\fI{_escaped(path)}\\fR", _escaped(what)]
    return "\n".join(lines) + "\n"


def _usage(command: Command) -> str:
    words = [argument.value if argument.required else f"[{argument.value}]" for argument in command.arguments]
    return " ".join(["hybrid", command.name, *words])


def _head(parameter: Parameter) -> str:
    """The line on which a parameter is named."""
    value = f" \\fI{_escaped(parameter.value)}\\fR" if parameter.value else ""
    return ", ".join(f"\\fB{_escaped(name)}\\fR" for name in parameter.names) + value


def _escaped(text: str) -> str:
    """Text that man takes as it stands."""
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain


if __name__ == "__main__":
    from hybrid.cli.app import SUMMARY, app
    from hybrid.cli.tree import commands

    print(manual(commands(app), summary=SUMMARY), end="")
