"""When a job was taken, began and ended by its vendor's own clock."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime


@dataclass(frozen=True)
class VendorTimes:
    """What a vendor tells of the times of a job, in seconds since 1970; None where it does not tell.

    Attributes:
        created_at: When it took the job.
        started_at: When the job left the queue.
        ended_at: When the job had ended.
        predicted_wait_s: How long the vendor expected the job to wait, seconds, when it was first asked.
    """

    created_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    predicted_wait_s: float | None = None

    def then(self, later: "VendorTimes") -> "VendorTimes":
        """What is known after another answer: the first prediction, and otherwise the latest that was told.

        Args:
            later: Of the answer.
        """
        told = {name: value for name, value in vars(later).items() if value is not None}
        if self.predicted_wait_s is not None:
            told.pop("predicted_wait_s", None)
        return replace(self, **told)


UNTOLD = VendorTimes()
"""Those of a vendor that tells none."""


def moment_of(told: object) -> float | None:
    """A time in seconds since 1970; None where nothing that is one was told.

    Args:
        told: ISO 8601 text, UTC where it names no zone, or a datetime.

    >>> moment_of("2025-05-28T20:47:05.440Z"), moment_of(None), moment_of("soon")
    (1748465225.44, None, None)
    """
    if isinstance(told, str):
        try:
            told = datetime.fromisoformat(told)
        except ValueError:
            return None
    if not isinstance(told, datetime):
        return None
    return (told if told.tzinfo is not None else told.replace(tzinfo=UTC)).timestamp()
