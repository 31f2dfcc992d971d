"""A worker as its coordinator sees it: a process that answers in time and within memory, or leaves."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from contest.rivals import CONTESTANTS
from contest.workloads import Workload

SCRIPT = Path(__file__).parent.parent / "statevector.py"

POLL_S = 0.2
"""Between two looks at a busy worker's memory."""

SPARE = 0.04
"""Share of the machine's memory that must stay free."""


class Left(Exception):
    """A contestant is out; the message says why."""


class Worker:
    """One contestant's process, started and asked to build the workload."""

    def __init__(self, name: str, workload: Workload, *, limit_s: float, memory_share: float, cache: str):
        self.limit_s = limit_s
        self.memory_bytes = int(memory_share * psutil.virtual_memory().total)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), "--worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(name, workload, cache),
        )
        self._unread = b""
        self.loaded = self.ask("load", workload=asdict(workload))

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send a request and wait for the answer.

        Raises:
            Left: if there is none within the limits of time and memory, or it is a failure; the process has ended.
        """
        try:
            return self._ask({"do": do, **fields})
        except Left:
            self.close()
            raise

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Left(self._last_words()) from None
        answer = json.loads(self._line(time.monotonic() + self.limit_s))
        if "failed" in answer:
            raise Left(answer["failed"])
        return answer

    def _line(self, deadline: float) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            if time.monotonic() > deadline:
                raise Left(f"over {self.limit_s:g} s")
            self._check_memory()
            if select.select([pipe], [], [], POLL_S)[0]:
                part = os.read(pipe, 1 << 20)
                if not part:
                    raise Left(self._last_words())
                self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _check_memory(self) -> None:
        try:
            held = psutil.Process(self._process.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return
        if held > self.memory_bytes:
            raise Left(f"over {self.memory_bytes / 1e9:.1f} GB of memory")
        memory = psutil.virtual_memory()
        if memory.available < SPARE * memory.total:
            raise Left(f"the machine's memory was full; it held {held / 1e9:.1f} GB")

    def _last_words(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"ended with code {code}: {lines[-1][:300] if lines else 'without a word'}"

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            if file is not None:
                file.close()


def _environment(name: str, workload: Workload, cache: str) -> dict[str, str]:
    """That of the coordinator, with threads left to the libraries, an engine's cache of its own, and no other cache."""
    ignored = ("OMP_NUM_THREADS", "JAX_COMPILATION_CACHE_DIR")
    kept = {key: value for key, value in os.environ.items() if key not in ignored}
    jax = {"JAX_PLATFORMS": "cpu"} if workload.device == "cpu" else {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    return kept | jax | {"HYBRID_CACHE": cache} | CONTESTANTS[name].environment
