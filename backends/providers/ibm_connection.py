"""Talking to IBM's service: with a deadline for every answer, nothing tried twice, and its errors in plain words.

IBM's client waits for ever for some answers, sends a failed submission again, and wraps errors until nobody can tell
whether a job was taken. So each question is asked on a thread of its own, which is left behind where no answer comes,
and the requests go through `Wire`, which notes how far they came.
"""

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from backends.providers.answers import busy, retry_after
from circuits.errors import LostJob, ProviderUnreachable, Refused, ToolkitError, printable, unknown
from circuits.secrets import HIDDEN, redacted

T = TypeVar("T")

CONNECT_S = 10.0
"""For so long a connection may take to come about, in seconds."""

WORK_S = 900.0
"""For so long this machine may be busy with a question between its requests, such as twirling circuits; in seconds."""

KEY_PAGE = "https://quantum.cloud.ibm.com"

CREDENTIALS = re.compile(r"(?i)\b(bearer|apikey)\s+\S+")

CURE = (
    f"make a new API key at {KEY_PAGE}, and give it in the environment variable QISKIT_IBM_TOKEN or save it once with "
    "QiskitRuntimeService.save_account(token=..., overwrite=True)"
)


@dataclass
class Record:
    """How far the requests of one question came.

    Attributes:
        lock: Held while a request begins, and while the question is given up.
        given_up: Whether nobody waits for the answer any more; then no further request is sent.
        since: When the request that is under way was sent; None between requests.
        posted: Whether a job was sent, and was taken or may have been.
        failed: What became of the last request that got no answer; empty if none did.
        status: Of the last answer; None before the first.
        wait_s: For how long the service asks to be left alone, in seconds; None where it does not say.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    given_up: bool = False
    since: float | None = None
    posted: bool = False
    failed: str = ""
    status: int | None = None
    wait_s: float | None = None


class Connection:
    """IBM's service, as an account reaches it.

    Args:
        name: Of the device, for messages.
        account: Name of a saved account; None for the environment's (QISKIT_IBM_TOKEN and more), else the default one.
        instance: CRN or name of the instance to use; None for the account's.
        deadline_s: For so long an answer is waited for, in seconds.

    Raises:
        Refused: without an account, or if its key or instance is not accepted.
        ProviderUnreachable: if nobody answers.
    """

    def __init__(self, name: str, *, account: str | None, instance: str | None, deadline_s: float):
        self._name = name
        self._account = account
        self._deadline_s = deadline_s
        self._here = threading.local()
        self._service: Any = None
        self._service = self.ask(lambda: self._connected(account, instance))
        self.ask(lambda service: service.usage())  # the client hides it if the key is not accepted

    def __repr__(self) -> str:
        return f"Connection({self._name!r})"

    def ask(self, question: Callable[..., T], *, sends: bool = False) -> T:
        """The answer to a question, or the reason why there is none.

        Args:
            question: Asked of the service; asked once. Given the service if there is one already.
            sends: Whether it submits a job.

        Raises:
            Refused: if the service does not take what is asked.
            ProviderUnreachable: if nobody answered, and no job was sent.
            LostJob: if a job was sent and nobody knows whether it was taken, or the service has no such job.
        """
        record, ended = Record(), threading.Event()
        answers: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            self._here.record = record
            try:
                answers.append(question() if self._service is None else question(self._with_wires()))
            except BaseException as err:  # noqa: BLE001 - is raised where the question was asked
                errors.append(err)
            ended.set()

        threading.Thread(target=work, name=f"ask {self._name}", daemon=True).start()
        start = time.monotonic()
        while not ended.wait(0.5):
            now = time.monotonic()
            waits = record.since is not None and now - record.since > self._deadline_s
            if waits or now - start > self._deadline_s + (WORK_S if sends else self._deadline_s):
                with record.lock:
                    record.given_up = True
                raise self._unanswered(record, sends, f"did not answer within {self._deadline_s:g} s")
        if not errors:
            return answers[0]
        told = self._translated(errors[0], record, sends)
        hides = self._without_keys(str(errors[0])) != str(errors[0])
        raise told from None if hides or told is errors[0] else errors[0]

    def _connected(self, account: str | None, instance: str | None) -> Any:
        from qiskit_ibm_runtime import QiskitRuntimeService

        return QiskitRuntimeService(name=account, instance=instance or os.environ.get("QISKIT_IBM_INSTANCE"))

    def _with_wires(self) -> Any:
        """The service, all of whose clients send their requests through a `Wire`."""
        service = self._service
        for client in (service._active_api_client, *service._api_clients.values()):
            session = client._session
            if not getattr(session, "is_wired", False):
                wire = _wire(self._here, self._deadline_s)
                session.mount("https://", wire)
                session.mount("http://", wire)
                session.is_wired = True
        return service

    def _unanswered(self, record: Record, sends: bool, words: str) -> ToolkitError:
        if sends and record.posted:
            return LostJob(
                f"a job was sent to {self._name} and IBM's service {words}: nobody knows whether it was taken; look "
                f"for it by its tag, or among the workloads at {KEY_PAGE}"
            )
        return ProviderUnreachable(f"IBM's service, asked for {self._name}, {words}; it may be asked again")

    def _translated(self, err: BaseException, record: Record, sends: bool) -> BaseException:
        """What became of a question, told by how far its requests came rather than by the client's own error."""
        from qiskit.exceptions import QiskitError
        from qiskit_ibm_runtime.accounts import AccountNotFoundError
        from qiskit_ibm_runtime.accounts.exceptions import InvalidAccountError
        from qiskit_ibm_runtime.exceptions import IBMInputValueError, RuntimeJobNotFound
        from requests import RequestException

        if isinstance(err, ToolkitError) or not isinstance(err, Exception):
            return err
        words = self._without_keys(printable(getattr(err, "message", None) or str(err)))
        status = record.status
        if sends and record.posted:
            what = record.failed or ("failed" if status and status >= 500 else "gave an answer that cannot be read")
            return self._unanswered(record, sends, f"{what} ({type(err).__name__}: {words})")
        if isinstance(err, AccountNotFoundError):
            which = "" if self._account is None else f" named {self._account!r}"
            return Refused(f"no IBM account{which} is known here, which {self._name} needs: {CURE}")
        if isinstance(err, InvalidAccountError) or status == 401:
            return Refused(f"IBM does not accept the API key: it is wrong, expired or revoked; {CURE}")
        if status == 403:
            return Refused(
                f"the account may not use {self._name} with this instance ({words}); give another one by the option "
                "'instance' or the environment variable QISKIT_IBM_INSTANCE"
            )
        if isinstance(err, RuntimeJobNotFound):
            return LostJob(f"IBM's service has no such job of {self._name}: {words}")
        if status == 429:
            return busy(self._name, record.wait_s)
        if status is not None and 400 <= status < 500:
            return Refused(f"IBM's service does not take what {self._name} is asked for: {words}")
        if record.failed or isinstance(err, RequestException):
            return self._unanswered(record, sends, record.failed or f"did not answer ({type(err).__name__})")
        if status is not None and not isinstance(err, IBMInputValueError):
            what = f"gave an answer that cannot be read ({type(err).__name__})" if status and status < 300 else "failed"
            return self._unanswered(record, sends, f"{what}: {words}")
        if isinstance(err, QiskitError | ValueError):
            return Refused(f"{self._name} cannot be asked for this: {words}")
        return err

    def _without_keys(self, text: str) -> str:
        """The text without the API key, should the service have repeated it."""
        saved = (self._service.active_account() or {}).get("token") if self._service is not None else None
        return CREDENTIALS.sub(rf"\1 {HIDDEN}", redacted(text, saved or ""))

    def device(self, name: str) -> Any:
        """The vendor's object of a device.

        Args:
            name: As the vendor knows it.

        Raises:
            Refused: for an unknown device, with the nearest right name.
        """
        from qiskit.providers.exceptions import QiskitBackendNotFoundError

        def found(service: Any) -> Any:
            try:
                return service.backend(name)
            except QiskitBackendNotFoundError as err:
                raise unknown("IBM device", name, [one.name for one in service.backends()]) from err

        return self.ask(found)

    def is_free(self) -> bool:
        """Whether the instance in use belongs to a plan that costs nothing."""

        def asked(service: Any) -> bool:
            active = service.active_instance()
            return any(one.get("pricing_type") == "free" for one in service.instances() if one["crn"] == active)

        return self.ask(asked)


def _wire(here: Any, deadline_s: float) -> Any:
    """An adapter for requests that fails at once, has a deadline, and notes how far each request came."""
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    class Wire(HTTPAdapter):
        """Notes in the record of the thread that asks."""

        def send(self, request: Any, **options: Any) -> Any:
            """Once."""
            record: Record = getattr(here, "record", None) or Record()
            sends_job = request.method == "POST" and request.url.split("?")[0].endswith("/jobs")
            with record.lock:
                if record.given_up:
                    raise TimeoutError("nobody waits for the answer any more")
                record.posted = record.posted or sends_job
                record.since = time.monotonic()
            record.status, record.wait_s, record.failed = None, None, ""
            try:
                answer = super().send(request, **{**options, "timeout": (CONNECT_S, deadline_s)})
                _ = answer.content  # all of it, within the deadline
            except Exception as err:
                record.failed = f"did not answer ({type(err).__name__})"
                cause: Any = err.args[0] if err.args else None
                if sends_job and isinstance(getattr(cause, "reason", None), NewConnectionError | ConnectTimeoutError):
                    record.posted = False  # nobody was there to take it
                raise
            finally:
                record.since = None
            record.status = answer.status_code
            record.wait_s = retry_after(answer.headers)
            if sends_job and 400 <= answer.status_code < 500 and answer.status_code != 408:  # 408: it waited for more
                record.posted = False  # it was refused
            return answer

    return Wire(max_retries=0)
