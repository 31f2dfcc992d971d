"""Sending jobs to a vendor and waiting for what they measured.

How jobs are sent is one object, so that a run can put a journal around it: whatever a device is asked for, expectation
values, samples or fidelities, goes through its `Dispatch`, and no job is sent beside it.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar
from uuid import uuid4

from backends.measurement.outcomes import Outcomes
from backends.providers.hardware import Elsewhere, JobRequest, JobState
from circuits.errors import FailedJob, LostJob, ProviderBusy, ProviderUnreachable

T = TypeVar("T")

TAG_LETTERS = 40
"""Of a tag: enough that no two jobs ever share one."""


@dataclass(frozen=True)
class Patience:
    """How a vendor is asked again and again.

    Attributes:
        first_s: Between the first two questions, seconds; each later pause is half as long again.
        most_s: The longest pause, seconds.
        silent_s: For so long a vendor that does not answer is asked again, seconds.
        deadline_s: For so long a job is waited for, seconds; None for as long as it takes.
        listed_s: After so long, in seconds, a job that was taken is in the vendor's list: only then is it believed that
            one which is not found there was never sent. No vendor says how long it takes.
    """

    first_s: float = 0.5
    most_s: float = 60.0
    silent_s: float = 900.0
    deadline_s: float | None = None
    listed_s: float = 60.0


class Dispatch(ABC):
    """Sends jobs and gives back what they measured."""

    @abstractmethod
    def __call__(self, hardware: Elsewhere, requests: Sequence[JobRequest]) -> list[list[Outcomes]]:
        """What each request measured; all are sent before any is waited for.

        Args:
            hardware: Where they go.
            requests: In order.

        Raises:
            Refused: if the vendor does not take a job.
            BudgetExceeded: if a job would cost more than is left; it was not sent.
            ProviderUnreachable: if the vendor does not answer.
            FailedJob: if a job failed or was cancelled.
            LostJob: if nobody knows what became of a job.
        """


class Direct(Dispatch):
    """Sends each job at once, and remembers nothing: for one question outside of any run."""

    def __init__(self, patience: Patience = Patience()):
        self._patience = patience

    def __call__(self, hardware: Elsewhere, requests: Sequence[JobRequest]) -> list[list[Outcomes]]:
        """See `Dispatch`."""
        sent = [self._sent(hardware, request, tag_of(uuid4().hex, request)) for request in requests]
        return [
            fetched(hardware, job_id, request, self._patience) for job_id, request in zip(sent, requests, strict=True)
        ]

    def _sent(self, hardware: Elsewhere, request: JobRequest, tag: str) -> str:
        """Send one; again only where the vendor surely has not taken it, or makes one job of the two."""
        start = time.monotonic()
        while True:
            try:
                return answered(lambda: hardware.submit(request, tag), self._patience)
            except LostJob as err:
                found = self._found(hardware, tag, err)
                if len(found) == 1:
                    return found[0]
                if found or not hardware.idempotent or time.monotonic() - start > self._patience.silent_s:
                    raise
            time.sleep(self._patience.first_s)

    def _found(self, hardware: Elsewhere, tag: str, err: LostJob) -> tuple[str, ...]:
        """The jobs of a tag, as far as the vendor says."""
        try:
            return answered(lambda: hardware.find(tag), self._patience) or ()
        except ProviderUnreachable:
            raise err from None


def tag_of(purpose: str, request: JobRequest) -> str:
    """The tag of a job: the same for the same purpose and content, and no other job's.

    Args:
        purpose: What it is sent for, such as a run's digest with the number of the evaluation.
        request: What is sent.
    """
    return sha256(f"{purpose}\n{request.digest}".encode()).hexdigest()[:TAG_LETTERS]


def fetched(
    hardware: Elsewhere,
    job_id: str,
    request: JobRequest,
    patience: Patience,
    *,
    told: Callable[[JobState], None] = lambda state: None,
    pause: Callable[[float], None] = time.sleep,
) -> list[Outcomes]:
    """Wait for a job and get what it measured.

    Args:
        hardware: Where it runs.
        job_id: The vendor's.
        request: What it runs.
        patience: How often and for how long to ask.
        told: Gets every state that the vendor reports.
        pause: Waits for so many seconds; what it raises ends the waiting, and the job goes on.

    Raises:
        FailedJob: if the job failed or was cancelled, or did not end before the deadline.
        ProviderUnreachable: if the vendor was silent for too long.
        LostJob: if the vendor has no such job.
    """
    finished(hardware, job_id, patience, told=told, pause=pause)
    return answered(lambda: hardware.outcomes(job_id, request), patience, pause=pause)


def finished(
    hardware: Elsewhere,
    job_id: str,
    patience: Patience,
    *,
    told: Callable[[JobState], None] = lambda state: None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until a job is done; as `fetched`."""
    start, pause_s = time.monotonic(), patience.first_s
    while True:
        state = answered(lambda: hardware.state(job_id), patience, pause=pause)
        told(state)
        if state.status == "done":
            return
        if state.status in ("failed", "cancelled"):
            why = f": {state.reason}" if state.reason else ""
            raise FailedJob(f"job {job_id} on {hardware.name} was {state.status}{why}".replace("was failed", "failed"))
        waited = time.monotonic() - start
        if patience.deadline_s is not None and waited > patience.deadline_s:
            raise FailedJob(
                f"job {job_id} on {hardware.name} was still {state.status} after {waited:.0f} s; it goes on there, and "
                "resuming the run waits for it again"
            )
        pause(pause_s)
        pause_s = min(1.5 * pause_s, patience.most_s)


def answered(ask: Callable[[], T], patience: Patience, *, pause: Callable[[float], None] = time.sleep) -> T:
    """The answer to a question that may be asked again without harm, from a vendor that may be silent or busy.

    Args:
        ask: The question; never the sending of a job whose fate is unknown.
        patience: How often and for how long to ask.
        pause: Waits for so many seconds.

    Raises:
        ProviderUnreachable: if the vendor was silent for too long, or asks for more time than that.
    """
    start, pause_s = time.monotonic(), patience.first_s
    while True:
        try:
            return ask()
        except ProviderUnreachable as err:
            asked_s = err.retry_after_s or 0.0 if isinstance(err, ProviderBusy) else 0.0
            if time.monotonic() - start + asked_s > patience.silent_s:
                raise
        pause(max(pause_s, asked_s))
        pause_s = min(1.5 * pause_s, patience.most_s)
