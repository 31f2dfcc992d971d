"""What vendors' libraries raise, as this toolkit's errors, and how a vendor is asked again."""

import email.utils
import time

import pytest

from backends.providers.answers import answer_of, asking, retry_after, submitting
from backends.providers.dispatch import Patience, answered
from circuits.errors import LostJob, ProviderBusy, ProviderUnreachable, Refused


class Response:
    def __init__(self, status, **headers):
        self.status_code, self.headers = status, {name.replace("_", "-"): text for name, text in headers.items()}


class HttpError(Exception):
    def __init__(self, response):
        super().__init__(f"HTTP {response.status_code}")
        self.response = response


class Wrapped(Exception):
    """As of libraries that hide what their HTTP library raised."""


def wrapped(cause):
    try:
        raise Wrapped("it did not work") from cause
    except Wrapped as err:
        return err


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (HttpError(Response(429)), ProviderBusy),
        (HttpError(Response(400)), Refused),
        (HttpError(Response(403)), Refused),
        (HttpError(Response(408)), LostJob),
        (HttpError(Response(500)), LostJob),
        (HttpError(Response(504)), LostJob),
        (ConnectionRefusedError("nobody"), ProviderUnreachable),
        (wrapped(ConnectionRefusedError("nobody")), ProviderUnreachable),
        (ConnectionResetError("gone"), LostJob),
        (TimeoutError("late"), LostJob),
        (RuntimeError("?"), LostJob),
        (wrapped(HttpError(Response(400))), Refused),
    ],
)
def test_whether_a_job_was_taken(raised, kind):
    with pytest.raises(kind) as caught, submitting("the device"):
        raise raised
    assert type(caught.value) is kind
    assert "the device" in str(caught.value)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (HttpError(Response(429)), ProviderBusy),
        (HttpError(Response(503)), ProviderUnreachable),
        (wrapped(ConnectionResetError("gone")), ProviderUnreachable),
        (TimeoutError("late"), ProviderUnreachable),
        (HttpError(Response(404)), HttpError),
        (KeyError("x"), KeyError),
    ],
)
def test_what_may_be_asked_again(raised, kind):
    with pytest.raises(kind) as caught, asking("the device"):
        raise raised
    assert type(caught.value) is kind


def test_when_a_vendor_wants_to_be_asked_again():
    assert retry_after({"Retry-After": "120"}) == 120
    assert retry_after({"retry-after": email.utils.formatdate(time.time() + 60)}) == pytest.approx(60, abs=5)
    assert retry_after({"Retry-After": email.utils.formatdate(time.time() - 60)}) == 0
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({}) is None
    assert retry_after(None) is None
    answer = answer_of(wrapped(HttpError(Response(429, Retry_After="7"))))
    assert answer is not None
    assert (answer.status, answer.retry_after_s) == (429, 7)


def test_a_busy_vendor_is_given_the_time_that_it_asks_for():
    pauses, answers = [], iter([ProviderBusy("busy", retry_after_s=30.0), ProviderUnreachable("silent"), 5])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert answered(ask, Patience(first_s=1.0), pause=pauses.append) == 5
    assert pauses == [30.0, 1.5]


def test_a_vendor_that_asks_for_more_time_than_there_is_is_not_waited_for():
    def ask():
        raise ProviderBusy("busy", retry_after_s=1000.0)

    with pytest.raises(ProviderBusy):
        answered(ask, Patience(silent_s=900.0), pause=lambda seconds: pytest.fail("it waited"))
