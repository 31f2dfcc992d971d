"""How long jobs waited at a vendor, from what their vendor told and from when they were asked for.

A vendor's own times count where it gives them. Otherwise a job is known to have waited until the last question that
found it waiting, and to have stopped waiting by the first that did not: that one is taken, so that the time is too long
by at most what lies between the two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hybrid.runs.jobs import OPEN, JobRow
from hybrid.terminal.words import counted, duration

Source = Literal["here", "vendor", "asked", "unknown"]
"""Who knows it: nobody waits for a simulator "here"; the "vendor" by its own clock; whoever "asked" again and again."""

HERE_WORDS = "runs in this process, where nothing waits"

NOT_SENT = "no job was sent"

OF_A_FORMER_VERSION = "written by an earlier version of this toolkit, which noted no times of jobs"


@dataclass(frozen=True)
class QueueTime:
    """How long was waited, and how that is known.

    Attributes:
        seconds: None where it is not known.
        source: How it is known.
        late_by_s: By so much it is too long at most, seconds.
        predicted_s: What the vendor had predicted, seconds; None where it does not.
        reason: Why it is not known; empty where it is.
    """

    seconds: float | None
    source: Source
    late_by_s: float = 0.0
    predicted_s: float | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return dict(vars(self))

    def text(self, unknown: str = "-") -> str:
        """The time for a table, or what stands there where it is not known."""
        return unknown if self.seconds is None else "0 s" if self.seconds == 0 else duration(self.seconds)

    def words(self) -> str:
        """How it is known, or why not."""
        if self.source == "vendor":
            return "by the vendor's own times"
        if self.source == "asked":
            return f"until first seen not waiting, so too long by at most {duration(self.late_by_s)}"
        return HERE_WORDS if self.source == "here" else self.reason


HERE = QueueTime(0.0, "here")


@dataclass(frozen=True)
class _Stay:
    """A job's stay at its vendor, in seconds since 1970, by the clock of whoever knows it."""

    source: Source
    sent: float
    waiting: float
    started: float
    ended: float


def queue_of(job: JobRow) -> QueueTime:
    """How long a job waited.

    Args:
        job: As a journal keeps it.
    """
    return queue_of_all([job])


def ways_of(jobs: Sequence[JobRow]) -> list[str]:
    """How the queue times of listed jobs are known, or why not: a sentence for each way.

    Args:
        jobs: As a journal keeps them.
    """
    found = [queue_of(job) for job in jobs]
    late_by_s = max((one.late_by_s for one in found), default=0.0)
    words = [replace(one, late_by_s=late_by_s if one.source == "asked" else 0.0).words() for one in found]
    return [f"queue of {counted(words.count(way), 'jobs')}: {way}" for way in dict.fromkeys(words)]


def queue_of_all(jobs: Sequence[JobRow]) -> QueueTime:
    """How long jobs of one piece of work kept it waiting: the time in which at least one waited, and none ran.

    Args:
        jobs: Those that were sent for it; those that were given up, or surely not taken, do not count.
    """
    sent = _sent(jobs)
    if not sent:
        return QueueTime(None, "unknown", reason=NOT_SENT)
    predicted_s = _predicted_s(sent)
    stays = [_stay(job) for job in sent]
    known = [stay for stay in stays if isinstance(stay, _Stay)]
    if len(known) < len(sent):
        reasons = [stay for stay in stays if isinstance(stay, str)]
        of = f"{len(reasons)} of {counted(len(sent), 'jobs')}: " if len(sent) > 1 else ""
        return QueueTime(None, "unknown", predicted_s=predicted_s, reason=of + "; ".join(dict.fromkeys(reasons)))
    running = [(stay.started, stay.ended) for stay in known]
    seconds = _without([(stay.sent, stay.started) for stay in known], running)
    late_by_s = _without([(stay.waiting, stay.started) for stay in known], running)
    if any(stay.source == "asked" for stay in known):
        return QueueTime(seconds, "asked", late_by_s, predicted_s)
    return QueueTime(seconds, "vendor", 0.0, predicted_s)


def running_s(jobs: Sequence[JobRow]) -> float | None:
    """In how many seconds at least one of these jobs ran, by the vendor's own times; None where it does not tell them.

    Args:
        jobs: As for `queue_of_all`.
    """
    spans = [(job.told.started_at, job.told.ended_at) for job in _sent(jobs)]
    known = [(start, end) for start, end in spans if start is not None and end is not None]
    return _length(known) if known and len(known) == len(spans) else None


def _sent(jobs: Iterable[JobRow]) -> list[JobRow]:
    return [job for job in jobs if job.status not in ("unsent", "given up")]


def _stay(job: JobRow) -> _Stay | str:
    """When a job came, began and ended; a sentence where that is not known."""
    told, named = job.told, job.hardware
    if told.created_at is not None and told.started_at is not None:
        ended = max(told.ended_at or told.started_at, told.started_at)
        return _Stay("vendor", told.created_at, max(told.started_at, told.created_at), told.started_at, ended)
    if job.unknown or job.sent_at is None:
        return f"nobody knows what became of a job on {named}"
    if job.started_at is None:
        return f"waits on {named}" if job.status in OPEN else OF_A_FORMER_VERSION
    if job.waiting_at is None and job.ended_at is not None and job.started_at == job.ended_at:
        return f"had ended when {named} was first asked for it, and {named} does not tell when it began"
    ended = job.ended_at if job.ended_at is not None else job.started_at
    return _Stay("asked", job.sent_at, job.waiting_at or job.sent_at, job.started_at, max(ended, job.started_at))


def _predicted_s(jobs: Sequence[JobRow]) -> float | None:
    """What the vendor had predicted: jobs of one question wait together, questions one after the other."""
    longest: dict[tuple[str, int], float] = {}
    for job in jobs:
        if job.told.predicted_wait_s is None:
            return None
        question = (job.place.stage, job.place.evaluation)
        longest[question] = max(longest.get(question, 0.0), job.told.predicted_wait_s)
    return sum(longest.values())


def _without(spans: Iterable[tuple[float, float]], others: Sequence[tuple[float, float]]) -> float:
    """Length of what lies in at least one span, and in none of the others."""
    spans = list(spans)
    return _length([*spans, *others]) - _length(others)


def _length(spans: Iterable[tuple[float, float]]) -> float:
    """Length of the union of spans."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(end - max(start, reached), 0.0)
        reached = max(reached, end)
    return total
