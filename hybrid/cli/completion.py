"""Completion in bash, zsh and fish: a script that is generated from the commands, and needs no Python afterwards."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hybrid.cli.tree import Command, Parameter

RUNS = r"""_hybrid_runs() {
  { ls -1 "${HYBRID_RUNS:-runs}"
    sed 's|.*/||' "${HYBRID_DATA:-${XDG_DATA_HOME:-$HOME/.local/share}/hybrid}/runs.txt"; } 2>/dev/null | sort -u
}
_hybrid_sites() {
  { echo local
    sed -n 's/^\[\([A-Za-z0-9_.-]*\)\].*/\1/p' "${HYBRID_SITES:-${XDG_CONFIG_HOME:-$HOME/.config}/hybrid/sites.toml}"
  } 2>/dev/null | sort -u
}
"""
"""What bash and zsh ask for the names of runs and sites: the files that hold them, and no slow program."""


@dataclass(frozen=True)
class Words:
    """The words that stand for themselves where a value is expected.

    Attributes:
        backends: Names of backends.
        kinds: Of study files to start from.
        statuses: Of runs.
        shells: That there is completion for.
    """

    backends: Sequence[str]
    kinds: Sequence[str]
    statuses: Sequence[str]
    shells: Sequence[str]

    def of(self, parameter: Parameter) -> Sequence[str]:
        """Those of a parameter; none where files or runs are expected, or anything."""
        if set(parameter.names) & {"--backend", "--backends"}:
            return self.backends
        by_name = self.statuses if "--status" in parameter.names else ()
        return {"KIND": self.kinds, "SHELL": self.shells}.get(parameter.value, by_name)


def kind_of(parameter: Parameter) -> str:
    """What is expected: "runs", "sites", "toml", "folders", "files", or "" for anything else."""
    if "--site" in parameter.names:
        return "sites"
    for mark, kind in (("RUN", "runs"), ("STUDY.toml", "toml"), ("DIR", "folders"), ("FILE", "files")):
        if mark in parameter.value:
            return kind
    return ""


def bash(commands: Sequence[Command], words: Words) -> str:
    """The script for bash."""
    lines = [
        "# Completion of hybrid for bash 4 or later, read on first use from where bash-completion looks:",
        "# hybrid completion bash > ~/.local/share/bash-completion/completions/hybrid",
        RUNS,
        '_hybrid_take() { mapfile -t COMPREPLY < <(compgen "$@" -- "${COMP_WORDS[COMP_CWORD]}"); }',
        "_hybrid_files() { compopt -o filenames; mapfile -t COMPREPLY < <(",
        '  compgen -d -- "${COMP_WORDS[COMP_CWORD]}"; compgen -f -X "$1" -- "${COMP_WORDS[COMP_CWORD]}"); }',
        "_hybrid() {",
        "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}",
        "  COMPREPLY=()",
        '  if [ "$COMP_CWORD" -eq 1 ]; then',
        f"    _hybrid_take -W '{' '.join([*(c.name for c in commands), '--help', '--version'])}'; return",
        "  fi",
        '  case "$command $before" in',
        *(
            f"    {_either(command, option)}) {_taken(option, words)}; return ;;"
            for command in commands
            for option in command.options
            if option.value
        ),
        "  esac",
        '  if [[ $word == -* ]]; then case "$command" in',
        *(f"    {c.name}) _hybrid_take -W '{' '.join(_names(c))}' ;;" for c in commands),
        "  esac; return; fi",
        '  case "$command" in',
        *(f"    {c.name}) {_taken(c.arguments[0], words)} ;;" for c in commands if c.arguments),
        "  esac",
        "}",
        "complete -F _hybrid hybrid",
    ]
    return "\n".join(lines) + "\n"


def _names(command: Command) -> list[str]:
    return [*(name for option in command.options for name in option.names), "--help"]


def _either(command: Command, option: Parameter) -> str:
    return "|".join(f'"{command.name} {name}"' for name in option.names)


def _taken(parameter: Parameter, words: Words) -> str:
    """The shell command that completes a value in bash."""
    if known := words.of(parameter):
        return f"_hybrid_take -W '{' '.join(known)}'"
    return {
        "runs": '_hybrid_take -d -W "$(_hybrid_runs)"',
        "sites": '_hybrid_take -W "$(_hybrid_sites)"',
        "toml": "_hybrid_files '!*.toml'",
        "folders": "_hybrid_take -d",
        "files": "_hybrid_files ''",
    }.get(kind_of(parameter), ":")


def zsh(commands: Sequence[Command], words: Words) -> str:
    """The script for zsh."""
    named = " ".join(_single(f"{_zsh(c.name)}:{_zsh(c.help)}") for c in commands)
    lines = [
        "#compdef hybrid",
        "# Completion of hybrid for zsh, read on first use: hybrid completion zsh > _hybrid, in a folder of $fpath",
        RUNS,
        '_hybrid_run_names() { local -a names; names=(${(f)"$(_hybrid_runs)"}); compadd -a names; _files -/ }',
        '_hybrid_site_names() { local -a names; names=(${(f)"$(_hybrid_sites)"}); compadd -a names }',
        "_hybrid() {",
        "  local -a commands",
        f"  commands=({named})",
        "  if (( CURRENT == 2 )); then",
        "    _describe command commands; compadd -- --help --version; return",
        "  fi",
        "  local command=$words[2]",
        "  shift words; (( CURRENT-- ))",
        '  case "$command" in',
    ]
    for command in commands:
        specs = [_single(spec) for spec in _zsh_specs(command, words)]
        lines.append(f"    {command.name}) _arguments {' '.join(specs)} ;;")
    ending = ["  esac", "}", 'if [[ $funcstack[1] == _hybrid ]]; then _hybrid "$@"; else compdef _hybrid hybrid; fi']
    return "\n".join([*lines, *ending]) + "\n"


def _zsh_specs(command: Command, words: Words) -> list[str]:
    """What zsh's _arguments takes."""
    specs = ["--help[Show the help]"]
    for option in command.options:
        for name in option.names:
            value = f":{_zsh(option.value)}:{_zsh_action(option, words)}" if option.value else ""
            specs.append("*" * option.repeats + f"{name}[{_zsh(option.help)}]{value}")
    for argument in command.arguments:
        specs.append(f"{'*' if argument.repeats else ''}:{_zsh(argument.value)}:{_zsh_action(argument, words)}")
    return specs


def _zsh_action(parameter: Parameter, words: Words) -> str:
    if known := words.of(parameter):
        return f"({' '.join(known)})"
    return {
        "runs": "_hybrid_run_names",
        "sites": "_hybrid_site_names",
        "toml": "_files -g '*.toml'",
        "folders": "_files -/",
        "files": "_files",
    }.get(kind_of(parameter), " ")


def _zsh(text: str) -> str:
    """Text without what zsh would read as the end of a description."""
    return re.sub(r"[\[\]:`\\]", "", text)


def _single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def fish(commands: Sequence[Command], words: Words) -> str:
    """The script for fish."""
    names = " ".join(command.name for command in commands)
    first = f"complete -c hybrid -n 'not __fish_seen_subcommand_from {names}'"
    lines = [
        "# Completion of hybrid for fish: hybrid completion fish > ~/.config/fish/completions/hybrid.fish",
        "function __hybrid_runs",
        "    set -q HYBRID_RUNS; and set -l home $HYBRID_RUNS; or set -l home runs",
        "    set -q XDG_DATA_HOME; and set -l data $XDG_DATA_HOME; or set -l data $HOME/.local/share",
        "    set -q HYBRID_DATA; and set -l index $HYBRID_DATA/runs.txt; or set -l index $data/hybrid/runs.txt",
        "    begin; ls -1 $home; sed 's|.*/||' $index; end 2>/dev/null | sort -u",
        "end",
        "function __hybrid_sites",
        "    set -q XDG_CONFIG_HOME; and set -l config $XDG_CONFIG_HOME; or set -l config $HOME/.config",
        "    set -q HYBRID_SITES; and set -l file $HYBRID_SITES; or set -l file $config/hybrid/sites.toml",
        "    begin; echo local; sed -n 's/^\\[\\([A-Za-z0-9_.-]*\\)\\].*/\\1/p' $file; end 2>/dev/null | sort -u",
        "end",
        "complete -c hybrid -f",
        f"{first} -l version -d 'Show the version'",
        "complete -c hybrid -l help -d 'Show the help'",
    ]
    for command in commands:
        lines.append(f"{first} -a {command.name} -d {_single(command.help)}")
        here = f"complete -c hybrid -n '__fish_seen_subcommand_from {command.name}'"
        for option in command.options:
            for name in option.names:
                takes = f" -x{_fish_action(option, words)}" if option.value else ""
                lines.append(f"{here} -l {name.removeprefix('--')}{takes} -d {_single(option.help)}")
        for argument in command.arguments[:1]:
            lines.append(f"{here}{_fish_action(argument, words)}")
    return "\n".join(lines) + "\n"


def _fish_action(parameter: Parameter, words: Words) -> str:
    if known := words.of(parameter):
        return f" -a '{' '.join(known)}'"
    return {
        "runs": " -a '(__hybrid_runs; __fish_complete_directories)'",
        "sites": " -a '(__hybrid_sites)'",
        "toml": " -a '(__fish_complete_suffix .toml)'",
        "folders": " -a '(__fish_complete_directories)'",
        "files": " -F",
    }.get(kind_of(parameter), "")


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}
