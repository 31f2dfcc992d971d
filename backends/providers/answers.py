"""What a vendor's library says went wrong, as our errors: by the answer over HTTP that its exception carries.

Whether a job was taken is the one question that counts after a failed submission. It was surely not taken where nothing
could be connected to, and where the vendor answered that it does not take it; in all other cases nobody knows.
"""

import email.utils
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any

from circuits.errors import LostJob, ProviderBusy, ProviderUnreachable, Refused, ToolkitError

NOT_FOUND, BUSY = 404, 429
"""Not Found; Too Many Requests."""

UNAVAILABLE = (500, 502, 503, 504)
"""The vendor, or what stands before it, could not answer now."""


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP.

    Attributes:
        status: Its number.
        retry_after_s: When the vendor asks to be asked again, in seconds from now; None where it does not say.
    """

    status: int
    retry_after_s: float | None = None


@contextmanager
def submitting(name: str) -> Iterator[None]:
    """Send a job with a vendor's library, in a ``with`` block.

    Args:
        name: Of the device, for messages.

    Raises:
        Refused: if the vendor answered that it does not take such a job.
        ProviderUnreachable: if it was surely not taken and may be sent again; `ProviderBusy` where the vendor said so.
        LostJob: if nobody knows whether it was taken.
    """
    try:
        yield
    except ToolkitError:
        raise
    except Exception as err:
        answer = answer_of(err)
        if answer is not None and answer.status == BUSY:
            raise busy(name, answer.retry_after_s) from err
        if answer is not None and 400 <= answer.status < 500 and answer.status != 408:  # 408: it waited for more of it
            raise Refused(f"{name} does not take the job (HTTP status {answer.status}): {_words(err)}") from err
        if any(isinstance(one, ConnectionRefusedError) for one in _chain(err)):
            raise ProviderUnreachable(f"{name} cannot be connected to: {_words(err)}") from err
        raise LostJob(f"{name} may have taken the job or not: {type(err).__name__}: {_words(err)}") from err


@contextmanager
def asking(name: str) -> Iterator[None]:
    """Ask about a job with a vendor's library, in a ``with`` block; what is no matter of reaching it passes unchanged.

    Args:
        name: Of the device, for messages.

    Raises:
        ProviderUnreachable: if nobody answered, or the vendor could not answer now; `ProviderBusy` where it said so.
    """
    try:
        yield
    except ToolkitError:
        raise
    except Exception as err:
        answer = answer_of(err)
        if answer is not None and answer.status == BUSY:
            raise busy(name, answer.retry_after_s) from err
        if answer is not None and answer.status in UNAVAILABLE:
            raise ProviderUnreachable(f"{name} could not answer (HTTP status {answer.status}): {_words(err)}") from err
        if any(isinstance(one, ConnectionError | TimeoutError) for one in _chain(err)):
            raise ProviderUnreachable(f"{name} did not answer: {_words(err)}") from err
        raise


def answer_of(err: BaseException) -> Answer | None:
    """The answer over HTTP that an exception, or one that caused it, carries; None where there is none."""
    for one in _chain(err):
        for carrier in (getattr(one, "response", None), one):
            status = getattr(carrier, "status_code", None)
            if isinstance(status, int):
                return Answer(status, retry_after(getattr(carrier, "headers", None)))
    return None


def retry_after(headers: Any) -> float | None:
    """Seconds until a vendor may be asked again, by its header Retry-After: a number of them, or a date.

    Args:
        headers: A mapping, or what Python's own library for HTTP has; anything else holds none.
    """
    if not isinstance(headers, Mapping | Message):
        return None
    text = next((str(value) for name, value in headers.items() if str(name).lower() == "retry-after"), "")
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):  # no date, or one of no year
        return None


def busy(name: str, retry_after_s: float | None) -> ProviderBusy:
    """The error for an answer that no more is taken for now.

    Args:
        name: Of the device, for messages.
        retry_after_s: As `retry_after` gives it.
    """
    when = "later" if retry_after_s is None else f"in {retry_after_s:.0f} s, as it says"
    said = f"{name} takes no more requests for now; start or resume it again {when}"
    return ProviderBusy(said, retry_after_s=retry_after_s)


def _chain(err: BaseException | None) -> Iterator[BaseException]:
    """The exception, what caused it, and so on."""
    seen: set[int] = set()
    while err is not None and id(err) not in seen:
        seen.add(id(err))
        yield err
        err = err.__cause__ or err.__context__


def _words(err: BaseException) -> str:
    """What the exception says, on one line."""
    return " ".join(str(getattr(err, "message", None) or err).split())[:500]
