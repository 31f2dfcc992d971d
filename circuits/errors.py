"""What can go wrong, as one small tree.

    ToolkitError
    ├── Refused               the request itself is wrong; nothing was started or written
    │   ├── NotInstalled      it needs packages that are not here
    │   ├── PolicyViolation   allowed nowhere by the data's label
    │   └── BudgetExceeded    possible, but not within the money, time or memory granted
    │       └── OutOfMemory   memory does not suffice
    ├── ProviderUnreachable   nobody answered; the request may be made again
    │   └── ProviderBusy      it answered that it takes no more for now, perhaps with a time to wait
    ├── FailedJob             a backend took the job and could not do it
    ├── LostJob               a job whose fate is unknown; it must be looked for before it is sent again
    └── RecordFailed          the run's folder could not be written; what was on disk before is kept

A run that does not converge is not an error: it is a status on the result.
"""

import difflib
import linecache
import math
import sys
import traceback
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any

from circuits.secrets import redacted

PACKAGES = ("circuits", "backends", "hybrid")

LONGEST_SHOWN = 100
"""Characters of a value, in a message."""


class ToolkitError(Exception):
    """Any error this toolkit raises on purpose; its message holds no credential, whoever's words it repeats."""

    def __init__(self, *args: object):
        super().__init__(*(redacted(arg) if isinstance(arg, str) else arg for arg in args))


class Refused(ToolkitError, ValueError):
    """The request is wrong: the message names what, where, and the cure.

    A notebook shows the line that asked and the message; ``%tb`` then shows the whole traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback; when it is shown again, as ``%tb`` does, all of it."""
        again, self._shown = self._shown, True
        if not again:
            return short_traceback(self)
        shell = _shell()
        if shell is None:
            return traceback.format_exception(self)
        return shell.InteractiveTB.structured_traceback(type(self), self, self.__traceback__)

    _shown = False


class NotInstalled(Refused):
    """The work needs packages that are not here: the message says the command that installs them."""


class PolicyViolation(Refused):
    """The data's label forbids every place that could do the work."""


class BudgetExceeded(Refused):
    """The work needs more money, time or memory than was granted."""


class OutOfMemory(BudgetExceeded):
    """Memory does not suffice, of this machine or of a card."""


class ProviderUnreachable(ToolkitError):
    """A provider did not answer."""


class ProviderBusy(ProviderUnreachable):
    """A provider takes no more requests for now; this one was not taken.

    Attributes:
        retry_after_s: When the provider asks to be asked again, in seconds from now; None where it does not say.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None):
        super().__init__(message)
        self.retry_after_s = retry_after_s


class FailedJob(ToolkitError):
    """A backend accepted a job and could not finish it."""


class LostJob(ToolkitError):
    """A job was submitted and its fate is unknown."""


class RecordFailed(ToolkitError):
    """The record of a run could not be written: the disk is full, or the folder is gone."""


def short_traceback(error: BaseException) -> list[str]:
    """The line outside of this toolkit that led to an error, and its message, as lines of text.

    >>> short_traceback(Refused("layers must be at least 1"))
    ['Refused: layers must be at least 1']
    """
    said = [line.rstrip("\n") for line in traceback.format_exception_only(error)]
    said[0] = said[0].removeprefix(f"{type(error).__module__}.")
    frames = list(traceback.walk_tb(error.__traceback__))
    ours = next((k for k, (frame, _) in enumerate(frames) if _is_ours(frame)), len(frames))
    if not ours:
        return said
    frame, number = frames[ours - 1]
    line = linecache.getline(frame.f_code.co_filename, number).rstrip()
    return [f"{_place(frame.f_code)}, line {number} (%tb shows the whole traceback)", f"----> {line}", "", *said]


def _is_ours(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").partition(".")[0] in PACKAGES


def _place(code: CodeType) -> str:
    """Of a notebook's cell its number, of other code its file."""
    shell = _shell()
    label = None if shell is None else shell.compile.format_code_name(code.co_filename)
    return " ".join(label) if label else code.co_filename


def _shell() -> Any:
    """The session of IPython that this runs in; None outside of one."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


MANY = 20
"""Known words, of which a message is full."""


def unknown(what: str, word: str, known: Iterable[str]) -> Refused:
    """The error for a word that is not among the known ones, with the nearest right word.

    Where one is suggested, a list of more than `MANY` known ones is left out.

    A known word that differs only in spaces or in upper and lower case is suggested with what differs; the word that
    was typed never is.

    >>> print(unknown("optimizer", "lbgfs", ["adam", "lbfgs"]))
    unknown optimizer 'lbgfs'; did you mean 'lbfgs'? Known: adam, lbfgs
    >>> print(unknown("gate", "H ", ["h", "x"]))
    unknown gate 'H '; did you mean 'h' (spaces and upper and lower case differ)? Known: h, x
    """
    names = sorted(known)
    meant = suggestion(word, names) if isinstance(word, str) else ""
    listed = "" if meant and len(names) > MANY else f" Known: {', '.join(names)}"
    return Refused(f"unknown {what} {shown(word)}{meant or '.'}{listed}")


def suggestion(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The words ``; did you mean 'x'?`` for the known word nearest to a mistyped one, or nothing where none is near.

    Args:
        word: What was typed.
        known: The right words; the typed one is left out if it is among them.
        cutoff: Least similarity, between 0 and 1, as in `difflib.get_close_matches`.
    """
    names = [name for name in known if name != word]
    for name in names:
        if _bare(word).casefold() == _bare(name).casefold():
            spaces, case = word.casefold() != name.casefold(), _bare(word) != _bare(name)
            differ = " and ".join(["spaces"] * spaces + ["upper and lower case"] * case)
            return f"; did you mean '{name}' ({differ} differ)?"
    near = difflib.get_close_matches(word[:LONGEST_SHOWN], names, n=1, cutoff=cutoff)
    return f"; did you mean '{near[0]}'?" if near else ""


def shown(value: object) -> str:
    """A value as a message shows it: on one line, in printable characters, cut where it is long.

    >>> shown(10**5000)
    'about 10^5000'
    >>> shown("a" * 200) == repr("a" * 97)[:-1] + "...'"
    True
    """
    if isinstance(value, int) and value.bit_length() > 4 * LONGEST_SHOWN:
        return f"about {'-' if value < 0 else ''}10^{round(value.bit_length() * math.log10(2))}"
    if isinstance(value, str):
        value = value if len(value) <= LONGEST_SHOWN else value[: LONGEST_SHOWN - 3] + "..."
    try:
        words = repr(value)
    except Exception:  # noqa: BLE001 - whatever a foreign class does, the message must still be said
        words = f"a {type(value).__name__}"
    words = printable(" ".join(words.split()) if "\n" in words else words)
    return words if len(words) <= 2 * LONGEST_SHOWN else words[: 2 * LONGEST_SHOWN - 3] + "..."


def printable(text: object) -> str:
    """The text with what cannot be encoded, such as the bytes of an undecodable file name, written as escapes."""
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


def _bare(word: str) -> str:
    return "".join(word.split())
