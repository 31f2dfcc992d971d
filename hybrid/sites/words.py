"""What the names and lines that users give must be, to stand in a script, on a command line, or in a job's name."""

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from circuits.errors import Refused
from circuits.secrets import is_secret

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
"""What ends a line somewhere, or cannot be seen; a tab is neither."""

ASSIGNED = re.compile(r"([\w.-]+)\s*=")
"""What is set somewhere in a line of shell."""

NAME_BYTES, PATH_BYTES = 255, 4000
"""Longest name of a file, and longest path of a run's folder that leaves room for what lies in it, in bytes."""

JOB_LETTERS = 60
"""Longest part of a job's name that comes from the study."""


def job_word(text: str) -> str:
    """The text as the beginning of a job's name: letters, digits and -_. of ASCII, the first one a letter or digit.

    >>> job_word("LiH (r=1.6)"), job_word("-n; rm *")
    ('LiH-r-1.6', 'n-rm')
    """
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-_.")[:JOB_LETTERS].rstrip("-_.") or "study"


def check_folder(path: Path) -> None:
    """Refuse a folder that a script or a scheduler could not name.

    Raises:
        Refused: if its path holds line breaks or other control characters, or bytes that are not UTF-8, or is too long.
    """
    text = str(path)
    if CONTROL.search(text) or re.search("[\ud800-\udfff]", text):
        raise Refused(
            f"the folder {text!a}: its path holds control characters or bytes that are not UTF-8, which scripts of "
            "jobs cannot name safely; rename it, or choose another one"
        )
    if len(os.fsencode(text)) > PATH_BYTES or any(len(os.fsencode(part)) > NAME_BYTES for part in path.parts):
        raise Refused(
            f"the folder {text[:40]}...: a name may have {NAME_BYTES} bytes, and the whole path {PATH_BYTES}; "
            "choose a shorter one"
        )


def ranges(numbers: Sequence[int], *, steps: bool = True) -> str:
    """Whole numbers as Slurm writes them, with steps such as 0-12:4 if these are understood where it is read.

    >>> ranges([0, 1, 2, 3, 7, 9, 10]), ranges([0, 4, 8, 12, 14])
    ('0-3,7,9-10', '0-12:4,14')
    """
    numbers, spans, first = sorted(numbers), [], 0
    while first < len(numbers):
        last, step = first, numbers[first + 1] - numbers[first] if first + 1 < len(numbers) else 1
        while last + 1 < len(numbers) and numbers[last + 1] - numbers[last] == step and (steps or step == 1):
            last += 1
        if step > 1 and last - first < 2:
            last = first  # two numbers that are far apart are no row
        through = f"-{numbers[last]}" + f":{step}" * (step > 1)
        spans.append(str(numbers[first]) + through * (last > first))
        first = last + 1
    return ",".join(spans)


def one_line(line: str) -> str:
    """A line without line breaks or other control characters, so that it stays one line wherever it is written."""
    if CONTROL.search(line):
        raise ValueError("must be one line, without control characters")
    return line


def no_secret(line: str) -> str:
    """One line that sets no secret: the script is kept, and read by others."""
    if any(is_secret(name) for name in ASSIGNED.findall(one_line(line))) or is_secret("", line):
        raise ValueError(
            "looks like a secret, and the script is kept in the run's folder; set it in your own shell's environment"
        )
    return line


def _shell_words(line: str) -> str:
    try:
        shlex.split(line)
    except ValueError as err:
        raise ValueError(f"must be words as in a shell: {err}") from err
    return line


def _program(word: str) -> str:
    if re.match(r"-|\s|[A-Za-z_]\w*=|$", word):
        raise ValueError("must be the name or path of a program")
    return word


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{twice[0]} stands there twice")
    return names


def _variables(table: dict[str, str]) -> dict[str, str]:
    for name, value in table.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"{name!a} is no name of a variable: letters, digits and _ of ASCII, no digit first")
        if name.startswith("hybrid_"):
            raise ValueError(f"{name} is a name of the script's own; choose one that does not begin with hybrid_")
        no_secret(f"{name}={value}")
    return table


Line = Annotated[str, AfterValidator(no_secret)]
"""A line of shell, or one word of a command: as the site file has it."""

Launcher = Annotated[Line, AfterValidator(_shell_words), Field(min_length=1)]
Program = Annotated[Line, AfterValidator(_program)]
Module = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.][A-Za-z0-9_.+@/:=,~%-]*$")]
Modules = Annotated[tuple[Module, ...], Field(strict=False)]
Lines = Annotated[tuple[Line, ...], Field(strict=False)]
Variables = Annotated[dict[str, str], AfterValidator(_variables)]
Word = Annotated[str, Field(pattern=r"^[\w.,:?+@%/=*&|\[\]()-]+$")]
"""A word for a scheduler, such as an account or a dependency."""

Qpus = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.:@-]*$")], ...], Field(strict=False), AfterValidator(_once)
]
"""Names of quantum resources, as Slurm's plugin for QRMI takes them."""

_RESOURCE = r"[A-Za-z][\w.-]*(:[A-Za-z][\w.-]*)?(:[1-9][0-9]{0,5})?"
Gres = Annotated[str, Field(pattern=rf"^{_RESOURCE}(,{_RESOURCE})*$")]
"""Generic resources of Slurm: name, type if there is one, and number, several with commas between them."""
