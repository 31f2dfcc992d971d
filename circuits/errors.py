"""What can go wrong, as one small tree.

    ToolkitError
    ├── Refused               the request itself is wrong; nothing was started or written
    │   ├── PolicyViolation   allowed nowhere by the data's label
    │   └── BudgetExceeded    possible, but not within the money, time or memory granted
    ├── ProviderUnreachable   nobody answered; the request may be made again
    ├── FailedJob             a backend took the job and could not do it
    ├── LostJob               a job whose fate is unknown; it must be looked for before it is sent again
    └── RecordFailed          the run's folder could not be written; what was on disk before is kept

A run that does not converge is not an error: it is a status on the result.
"""

import difflib
from collections.abc import Iterable


class ToolkitError(Exception):
    """Any error this toolkit raises on purpose."""


class Refused(ToolkitError, ValueError):
    """The request is wrong: the message names what, where, and the cure."""


class PolicyViolation(Refused):
    """The data's label forbids every place that could do the work."""


class BudgetExceeded(Refused):
    """The work needs more money, time or memory than was granted."""


class ProviderUnreachable(ToolkitError):
    """A provider did not answer."""


class FailedJob(ToolkitError):
    """A backend accepted a job and could not finish it."""


class LostJob(ToolkitError):
    """A job was submitted and its fate is unknown."""


class RecordFailed(ToolkitError):
    """The record of a run could not be written: the disk is full, or the folder is gone."""


def unknown(what: str, word: str, known: Iterable[str]) -> Refused:
    """The error for a word that is not among the known ones, with the nearest right word.

    >>> print(unknown("optimizer", "lbgfs", ["adam", "lbfgs"]))
    unknown optimizer 'lbgfs'; did you mean 'lbfgs'? Known: adam, lbfgs
    """
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return Refused(f"unknown {what} '{word}'{hint} Known: {', '.join(names)}")
