"""Ways to send jobs that lose, repeat or do not pay them, faults that somebody might make; for this process alone."""

from dataclasses import replace

from hybrid.loop.dispatch import Journaled
from hybrid.runs.budget import Spending


def forgets_the_intention() -> None:
    """Nothing is written down before a job is sent."""
    write = Journaled._write

    def later(self, row, **changes):
        return replace(row, **changes) if changes.get("status") == "intended" else write(self, row, **changes)

    Journaled._write = later


def sends_again_without_looking() -> None:
    """A job whose answer was lost is taken for unsent."""
    Journaled._found = lambda self, hardware, row: self._write(row, status="unsent")


def forgets_what_is_spent() -> None:
    """The budget learns of no job."""
    Spending.reserve = Spending.record = lambda *given: None


def forgets_what_was_measured() -> None:
    """A result is used, and not written down."""
    write = Journaled._write

    def other(self, row, **changes):
        return replace(row, **changes) if "measured" in changes else write(self, row, **changes)

    Journaled._write = other
