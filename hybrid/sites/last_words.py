"""What a task that ended without a result has said last."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid.sites.script import BEGINS, ENDS

TAIL_BYTES = 1 << 16
"""Of a log no more than this is read, from its end."""

LONGEST = 500
"""Letters of a message."""


@dataclass(frozen=True)
class LastWords:
    """How a task ended, as far as it could say so itself.

    Attributes:
        message: The last line that it printed, or the error that it reported; empty if it said nothing.
        exit_code: Of the task; None if it was killed before it could write it down, or has not begun.
    """

    message: str = ""
    exit_code: int | None = None


def last_words(
    log: Path, submission: int, scheduler: Path | None, values: Mapping[str, Any] | None = None
) -> LastWords:
    """How the last attempt of a task ended.

    Args:
        log: Of the task; its report lies beside it. It holds the words of all attempts, one after the other.
        submission: Number of the last submission of the point: what those before it said is over.
        scheduler: Where the scheduler says why it ended a task, or None.
        values: Of the sweep, at the point of the task that is asked for; None for its only one.
    """
    last, code, number = "", None, submission
    for line in _lines(log):
        if line.startswith(BEGINS):
            last, code, number = "", None, _number(line, BEGINS)
        elif line.startswith(ENDS):
            code = _number(line, ENDS)
        elif code is None:  # what a task's shell says after its end is not why it ended
            last = line
    if number != submission:
        last, code = "", None
    elif code is not None and (reported := _report(log.with_suffix(".json"), values)):
        last = reported
    said = _lines(scheduler) if scheduler is not None and (code is None or not last) else []
    return LastWords((said[-1] if said else last).removeprefix("hybrid: ")[:LONGEST], code)


def last_line(log: Path) -> str:
    """The last line of a log that says anything."""
    lines = _lines(log)
    return lines[-1][:LONGEST] if lines else ""


def _lines(path: Path) -> list[str]:
    """The end of a log, line by line, without what is empty and what moves a cursor."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []  # there is none, or it cannot be read from here: nothing is known, then
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text)
    lines = ("".join(c for c in line if c.isprintable() or c == "\t").strip() for line in re.split(r"[\r\n]+", text))
    return [line for line in lines if line]


def _number(line: str, mark: str) -> int | None:
    found = re.match(r" (\d{1,9})\b", line.removeprefix(mark))
    return int(found[1]) if found else None


def begun_at(log: Path, submission: int) -> float | None:
    """When the last attempt of a task has begun, in seconds since 1970, as it has written it down; None if it has not.

    Args:
        log: Of the task.
        submission: As for `last_words`.
    """
    begun = [line for line in _lines(log) if line.startswith(BEGINS)]
    found = re.search(r"\[(\d{1,12})\]$", begun[-1]) if begun else None
    return float(found[1]) if found and _number(begun[-1], BEGINS) == submission else None


def _report(path: Path, values: Mapping[str, Any] | None) -> str:
    """The error of a point in the report of its task; empty where there is none."""
    try:
        content: Any = json.loads(path.read_text())
        point = next(one for one in content["points"] if values is None or one["values"] == dict(values))
        return str(point["message"]) if point["status"] == "failed" else ""
    except (OSError, ValueError, RecursionError, LookupError, TypeError, StopIteration):
        return ""  # a run that was ended, or failed early, reports nothing
