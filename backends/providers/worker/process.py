"""A child process in an environment of its own, and what is said over its pipes.

A request is one line of JSON with a number, the answer is one with the same number; whatever the vendor's libraries
print goes elsewhere (`there/serve.py`). The child ends when its standard input does, so it cannot outlive this process.
"""

import atexit
import base64
import fnmatch
import io
import itertools
import json
import os
import queue
import re
import select
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from qiskit import QuantumCircuit, qpy

from circuits.errors import FailedJob, LostJob, ProviderUnreachable, Refused, ToolkitError

SERVE = Path(__file__).parent / "there" / "serve.py"

COMMON = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "XDG_*", "OMP_*", "MKL_*", "OPENBLAS_*"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
"""Patterns of the environment variables that every child gets."""

OPEN = re.compile(r"(?i)(url|endpoint|computer|region|resources|types?|timeout(_seconds)?|delimiter)$")
"""Ends of names of variables that may be shown: addresses and names, if there is no password in them."""

FEWEST_SECRET = 4
"""Letters of a value that is hidden: a shorter one would hide parts of words."""

START_S, LAST_WORDS_S = 300.0, 2.0
"""How long a child may take to import its libraries, and how long it is listened to once it has ended, seconds."""

KEPT_LINES, KEPT_LETTERS = 40, 1500
"""Of what a child wrote on its standard error: lines in memory, and letters in a message."""

ERRORS: dict[str, type[ToolkitError]] = {
    "refused": Refused,
    "unreachable": ProviderUnreachable,
    "failed": FailedJob,
    "lost": LostJob,
}
"""Kinds of errors as the child names them."""


class Silence(Exception):
    """The child has ended, or did not answer in time; what that means depends on the question."""


class Worker:
    """Asks a child process, which is started with the first question, and started again if it has ended.

    Args:
        name: For messages.
        python: Interpreter of its environment.
        script: The vendor's file, which `there/serve.py` loads.
        variables: Patterns of the environment variables that it gets besides `COMMON`.
    """

    def __init__(self, name: str, python: Path, script: Path, variables: Sequence[str] = ()):
        self.name = name
        self._command = [str(python), "-I", "-X", "faulthandler", str(SERVE), str(script)]
        self._patterns = tuple(variables)
        self._child: _Child | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def hello(self) -> dict[str, Any]:
        """What the environment holds: "packages", name to version; "qpy", the newest version of QPY that it reads."""
        with self._lock:
            return self._ready().hello

    def ask(self, do: str, *, within_s: float, **content: Any) -> Any:
        """The answer to one request.

        Args:
            do: Name of the request.
            within_s: How long to wait for the answer, seconds; a child that is later is ended.
            content: JSON-able; circuits as `packed` gives them.

        Raises:
            Silence: if the child ended or did not answer in time.
            ToolkitError: as the child says.
        """
        with self._lock:
            child = self._ready()
            answer = child.answer({"number": next(self._numbers), "do": do, **content}, within_s)
        if "error" in answer:
            kind = ERRORS.get(answer["error"], FailedJob)
            raise kind(hidden(f"{self.name}: {answer['words']}", child.secrets))
        return without(answer["answer"], child.secrets)

    def packed(self, circuits: Sequence[QuantumCircuit]) -> str:
        """Circuits as text: QPY, in the newest version that both sides read.

        QPY keeps every bit of an angle and all registers, and needs no parser in the other environment, where
        OpenQASM 3 would need one that not every vendor's package brings.
        """
        version = min(qpy.common.QPY_VERSION, self.hello()["qpy"])
        if version < qpy.common.QPY_COMPATIBILITY_VERSION:
            raise Refused(
                f"the Qiskit of {self.name} reads QPY up to version {version}, and this one writes it from "
                f"{qpy.common.QPY_COMPATIBILITY_VERSION}; install it again: hybrid backends --install {self.name}"
            )
        file = io.BytesIO()
        qpy.dump(list(circuits), file, version=version)
        return base64.b64encode(file.getvalue()).decode()

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._drop()

    def _ready(self) -> "_Child":
        """The child that runs, or a new one: also after a fork, and when the variables it would get have changed."""
        variables = chosen(os.environ, (*COMMON, *self._patterns))
        old = self._child
        if old is not None and (old.ended() or old.owner != os.getpid() or old.variables != variables):
            self._drop()
        if self._child is None:
            secrets = secrets_of(chosen(os.environ, self._patterns), variables)
            self._child = _Child(self.name, self._command, variables, secrets)
            atexit.register(self.close)
        return self._child

    def _drop(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None
            atexit.unregister(self.close)


class _Child:
    """One child process, from its start to its end."""

    def __init__(self, name: str, command: Sequence[str], variables: Mapping[str, str], secrets: Sequence[str]):
        self.name, self.variables, self.secrets, self.owner = name, dict(variables), tuple(secrets), os.getpid()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self.variables,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for this process, which decides what becomes of the child
            )
        except OSError as err:
            raise Refused(
                f"{name}: {command[0]} cannot be run ({err.strerror}); hybrid backends --install {name}"
            ) from err
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._threads = [threading.Thread(target=read, daemon=True) for read in (self._listen, self._overhear)]
        for thread in self._threads:
            thread.start()
        self.hello: dict[str, Any] = {}
        try:
            first = self.answer({"number": 0, "do": "hello"}, START_S)
            if "error" in first:
                raise Silence(first["words"])
        except Silence as err:
            self.end()
            raise FailedJob(
                hidden(f"{name}: its process could not start: {err}", self.secrets)
                + f"; install it again: hybrid backends --install {name}"
            ) from err
        self.hello = first["answer"]

    def answer(self, request: Mapping[str, Any], within_s: float) -> dict[str, Any]:
        """Send a request and wait for its answer; answers to earlier ones, which nobody waits for, are dropped."""
        deadline = time.monotonic() + within_s
        try:
            self._send(json.dumps(request).encode() + b"\n", deadline)
        except TimeoutError as err:
            self.end()
            raise Silence(self._last_words(f"did not listen for {within_s:.0f} s, and was ended")) from err
        except OSError as err:
            raise Silence(self._last_words("has ended")) from err
        while True:
            try:
                line = self._answers.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty as err:
                self.end()
                raise Silence(self._last_words(f"did not answer in {within_s:.0f} s, and was ended")) from err
            if not line:
                raise Silence(self._last_words("has ended"))
            try:
                answer = json.loads(line)
            except ValueError as err:
                self.end()
                raise Silence(self._last_words("answered with what is no JSON")) from err
            if answer.get("number") == request["number"]:
                return answer

    def _send(self, data: bytes, deadline: float) -> None:
        """Write all of it; a child that does not read fills the pipe, and is not waited for without end."""
        assert self._process.stdin is not None
        pipe = self._process.stdin.fileno()
        os.set_blocking(pipe, False)
        rest = memoryview(data)
        while rest:
            if not select.select([], [pipe], [], max(deadline - time.monotonic(), 0))[1]:
                raise TimeoutError
            rest = rest[os.write(pipe, rest[: select.PIPE_BUF]) :]

    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End it at once: it holds nothing that is needed."""
        assert self._process.stdin is not None
        if self.owner != os.getpid():  # a fork of the process that started it: it is not ours to end
            self._process.stdin.close()
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for thread in self._threads:
            thread.join(LAST_WORDS_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(b"")

    def _overhear(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(line.decode(errors="replace").rstrip())

    def _last_words(self, what: str) -> str:
        """What happened, with the end of what it wrote on its standard error."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(LAST_WORDS_S)
            what += f" (signal {-code})" if code < 0 and what == "has ended" else ""
        self._threads[1].join(LAST_WORDS_S)
        said = hidden("\n".join(self._said), self.secrets)[-KEPT_LETTERS:].strip()
        return f"its process {what}" + (f"; its last words: {said}" if said else "")


def chosen(variables: Mapping[str, str], patterns: Sequence[str]) -> dict[str, str]:
    """The environment variables whose names match one of the patterns."""
    return {
        name: value
        for name, value in variables.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    }


def secrets_of(own: Mapping[str, str], others: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """The values of variables that are never shown, the longest first.

    Args:
        own: The vendor's variables: all are secret but addresses and names.
        others: Of these, addresses that hold a password are secret, such as a proxy's.

    >>> secrets_of({"IQM_TOKEN": "abcdef", "IQM_SERVER_URL": "https://iqm.example"}, {"HTTPS_PROXY": "http://me:pw@host"})
    ['http://me:pw@host', 'abcdef']
    """
    found = {value for name, value in own.items() if not OPEN.search(name)}
    found |= {value for value in (*own.values(), *others.values()) if "://" in value and "@" in value}
    return sorted((value for value in found if len(value) >= FEWEST_SECRET), key=len, reverse=True)


def hidden(text: str, secrets: Sequence[str]) -> str:
    """A text without secrets, also where they were escaped on their way.

    >>> hidden("401 for Bearer abcdef", ["abcdef"])
    '401 for Bearer ***'
    """
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
            text = text.replace(form, "***")
    return text


def without(value: Any, secrets: Sequence[str]) -> Any:
    """What a child answered, its texts without secrets; keys, such as bit strings, are as they were."""
    if isinstance(value, str):
        return hidden(value, secrets)
    if isinstance(value, list):
        return [without(one, secrets) for one in value]
    if isinstance(value, dict):
        return {key: without(one, secrets) for key, one in value.items()}
    return value
