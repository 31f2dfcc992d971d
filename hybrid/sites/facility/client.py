"""Requests to a facility over HTTP, and its answers as values or as our errors.

A request that changes nothing, or that may be made twice, is repeated where nobody answered. A job is sent once: where
the answer is lost, nobody knows whether it was taken.
"""

import http.client
import json
import secrets
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from backends.providers.answers import BUSY, UNAVAILABLE, busy, retry_after
from circuits.errors import FailedJob, LostJob, ProviderUnreachable, ToolkitError
from circuits.secrets import redacted

ANSWER_S = 60.0
"""How long the facility is given to answer, in seconds."""

TRIES, PAUSE_S, LONGEST_PAUSE_S = 4, 1.0, 60.0
"""How often a request that may be repeated is made, and the pause after the first try, which grows, seconds."""

POLL_S, TASK_S = 0.5, 600.0
"""Seconds between two looks at a task of the file system, and how long one may take."""

UNSENT = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
"""What goes wrong before a request is sent."""

LONGEST = 300
"""Letters of what the facility says, in a message."""


class Rejected(FailedJob):
    """The facility answered that it does not do what it was asked.

    Attributes:
        status: Of the answer over HTTP.
    """

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.status)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: the token is for one address alone."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Client:
    """Asks a facility.

    Args:
        url: Of its interface, up to the version, such as ``https://api.iri.nersc.gov/api/v1``.
        token: Which is sent with each request, and stands in no message.
    """

    def __init__(self, url: str, token: str):
        self._url, self._token = url.rstrip("/"), token
        self._opener = urllib.request.build_opener(_Stay)

    def get(self, path: str, **query: Any) -> Any:
        """What lies at a path.

        Raises:
            Rejected: if the facility says no.
            ProviderUnreachable: if it does not answer, or does not know the token.
        """
        return self._patiently("GET", path, query, None)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """The answer to a request that may be made again.

        Raises:
            Rejected: as `get`.
            ProviderUnreachable: as `get`.
        """
        return self._patiently("POST", path, query, body)

    def delete(self, path: str) -> None:
        """Take away what lies at a path; that it is gone already is no error.

        Raises:
            Rejected: as `get`.
            ProviderUnreachable: as `get`.
        """
        try:
            self._patiently("DELETE", path, {}, None)
        except Rejected as err:
            if err.status not in (404, 410):
                raise

    def send(self, path: str, body: Mapping[str, Any], *, key: str | None) -> Any:
        """The answer to a request that must not be made twice.

        It is repeated only where it was surely not taken, or the facility knows it again.

        Args:
            path: Where to.
            body: Of the request.
            key: By which the facility knows a request that it had before; None if it does not look at such.

        Raises:
            Rejected: if the facility says no.
            ProviderUnreachable: if it was surely not taken.
            LostJob: if nobody knows whether it was.
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        for k in range(TRIES):
            try:
                return self._once("POST", path, {}, body, headers)
            except _Unanswered as err:
                if err.taken is not False and (key is None or k == TRIES - 1):
                    raise LostJob(f"{err}, so nobody knows whether it took the job") from err
                if k == TRIES - 1:
                    raise err.error from err
                time.sleep(err.pause_s(k))
        raise AssertionError

    def task(self, path: str, body: Mapping[str, Any]) -> Any:
        """The result of a task of the file system, waited for.

        Raises:
            Rejected: if it failed.
            ProviderUnreachable: as `get`, or if it takes longer than ten minutes.
        """
        return self._result(self.post(path, body), path)

    def upload(self, path: str, content: bytes, to: str) -> None:
        """Write a small file there.

        Args:
            path: Of the request.
            content: Of the file.
            to: Its path at the facility.

        Raises:
            Rejected: as `task`.
            ProviderUnreachable: as `task`.
        """
        mark = secrets.token_hex(16)
        name = to.rpartition("/")[2]
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        form = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        self._result(self._patiently("POST", path, {"path": to}, form, headers), path)

    def _result(self, answer: Any, path: str) -> Any:
        number, deadline = _text(answer, "task_id"), time.monotonic() + TASK_S
        if number is None:
            raise Rejected(f"{self._url}{path}: the facility's answer names no task", 200)
        while True:
            task = self.get(f"/task/{urllib.parse.quote(number, safe='')}")
            state = _text(task, "status")
            if state == "completed":
                result = task.get("result")
                return result.get("output", result) if isinstance(result, dict) else result
            if state not in ("pending", "active"):
                said = redacted(" ".join(str(task.get("result") if isinstance(task, dict) else task).split()))
                raise Rejected(f"{self._url}{path}: {state}: {said[:LONGEST]}", 200)
            if time.monotonic() > deadline:
                raise ProviderUnreachable(f"{self._url}{path}: not done in {TASK_S:.0f} s; try again")
            time.sleep(POLL_S)

    def _patiently(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Mapping[str, Any] | bytes | None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        for k in range(TRIES):
            try:
                return self._once(method, path, query, body, headers or {})
            except _Unanswered as err:
                if k == TRIES - 1:
                    raise err.error from err
                time.sleep(err.pause_s(k))
        raise AssertionError

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Mapping[str, Any] | bytes | None,
        headers: Mapping[str, str],
    ) -> Any:
        address = self._url + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        given = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        content = json.dumps(body).encode() if isinstance(body, Mapping) else body
        if isinstance(body, Mapping):
            given["Content-Type"] = "application/json"
        request = urllib.request.Request(address, content, given | dict(headers), method=method)
        where = f"{method} {self._url}{path}"
        try:
            with self._opener.open(request, timeout=ANSWER_S) as answer:
                said = answer.read()
                return json.loads(said) if said else None
        except urllib.error.HTTPError as err:
            raise self._refusal(err, where) from err
        except urllib.error.URLError as err:
            taken = False if isinstance(err.reason, UNSENT) else None
            raise _Unanswered(self._hidden(f"{where}: {err.reason}"), taken=taken) from err
        except (OSError, http.client.HTTPException) as err:
            raise _Unanswered(self._hidden(f"{where}: {type(err).__name__}: {err}"), taken=None) from err
        except (ValueError, RecursionError) as err:
            raise _Unanswered(f"{where}: the answer is no JSON", taken=None) from err

    def _refusal(self, err: urllib.error.HTTPError, where: str) -> Exception:
        """What an answer that is no success means."""
        said = self._hidden(_detail(err))
        if err.code in (401, 403):
            cure = "it is wrong or has expired: get a new one" if err.code == 401 else "it does not allow this"
            return ProviderUnreachable(f"{where}: the facility answers {err.code} to the token; {cure}{said}")
        if err.code == BUSY:
            after = retry_after(err.headers)
            return _Unanswered(f"{where}: busy", taken=False, error=busy(self._url, after), after_s=after)
        if err.code in UNAVAILABLE or err.code == 408:
            return _Unanswered(f"{where}: HTTP status {err.code}{said}", taken=None, after_s=retry_after(err.headers))
        return Rejected(f"{where}: HTTP status {err.code}{said}", err.code)

    def _hidden(self, text: str) -> str:
        return redacted(text, self._token)


class _Unanswered(Exception):
    """There was no answer, or none that says what became of the request."""

    def __init__(
        self, words: str, *, taken: bool | None, error: ToolkitError | None = None, after_s: float | None = None
    ):
        super().__init__(words)
        self.taken, self._after_s = taken, after_s
        self.error = error or ProviderUnreachable(f"the facility does not answer: {words}")

    def pause_s(self, tries: int) -> float:
        """Seconds to wait before the next try, as long as it asks for where it does."""
        own = PAUSE_S * 2**tries
        return min(LONGEST_PAUSE_S, own if self._after_s is None else self._after_s)


def _text(answer: Any, key: str) -> str | None:
    value = answer.get(key) if isinstance(answer, dict) else None
    return value if isinstance(value, str) else None


def _detail(err: urllib.error.HTTPError) -> str:
    """What the facility says of an error: by RFC 9457, or as it stands."""
    try:
        said = err.read(4096).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""
    try:
        problem = json.loads(said)
        said = str(problem.get("detail") or problem.get("title") or "") if isinstance(problem, dict) else said
    except (ValueError, RecursionError):
        pass
    said = " ".join("".join(c for c in said if c.isprintable() or c.isspace()).split())[:LONGEST]
    return f": {said}" if said else ""
