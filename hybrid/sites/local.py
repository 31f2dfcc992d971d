"""The machine at hand: tasks are processes, kept going by a driver that outlives the terminal."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from circuits.errors import FailedJob, ProviderUnreachable
from hybrid.sites import tasks as processes
from hybrid.sites.last_words import begun_at, last_line
from hybrid.sites.site import Active, Batch, Site, walltime_s
from hybrid.sites.state import State, lock_of, read_state, wish, wished, write_state

GRACE_S = 30.0
"""How long a cancelled task may take to save its work."""

ANSWER_S = 20.0
"""How long a driver on this machine may take to read what was cancelled; it looks ten times a second."""


class Local(Site):
    """Settings of this machine; without a throttle one task runs at a time."""

    kind: Literal["local"]

    def opening(self) -> list[str]:
        """The task is the script's argument."""
        limit = [f"export HYBRID_END_TIME=$(($(date +%s) + {walltime_s(self.time)}))"] if self.time else []
        return ["hybrid_point=$1", *limit]

    def again(self) -> list[str]:
        """The driver sees the exit code."""
        return ["exit 75"]

    def submit(self, batch: Batch) -> Iterator[dict[str, Any]]:
        """Start a driver in a session of its own, which holds its lock from its first moment.

        Raises:
            FailedJob: if the driver does not start.
        """
        host = socket.gethostname()
        write_state(batch.folder, batch.number, State(host, list(batch.tasks)))
        command = [sys.executable, "-P", "-m", "hybrid.sites.driver", str(batch.folder), "--number", str(batch.number)]
        command += ["--throttle", str(self.throttle or 1), "--requeue", str(self.requeue)]
        log = _log(batch)
        with _lock(batch).open("a+b") as held, log.open("ab") as said:
            processes.take_driver(held)
            ready, started = os.pipe()
            with open(ready, "rb") as answer:
                try:
                    subprocess.Popen(
                        [*command, "--ready", str(started)],
                        stdin=subprocess.DEVNULL,
                        stdout=said,
                        stderr=said,
                        start_new_session=True,
                        pass_fds=[held.fileno(), started],
                    )
                finally:
                    os.close(started)
                if not answer.read(1):  # it has ended, or it would have written
                    raise FailedJob(f"the driver of the tasks did not start: {last_line(log)} ({log})")
        yield {"host": host}

    @classmethod
    def find(cls, batch: Batch) -> list[dict[str, Any]]:
        """By the locks that the driver and its tasks hold."""
        driver, points = _living(batch)
        return [{"host": _state(batch).host}] if driver or points else []

    @classmethod
    def active(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> dict[int, Active]:
        """The tasks that hold their locks, and, as long as the driver lives, what it wrote last."""
        del jobs
        if not _lock(batch).exists():
            return {}
        state = _state(batch)
        driver, living = _living(batch)  # after the state: what starts meanwhile is seen in either
        found: dict[int, Active] = {}
        if driver:
            ended = {*state.cancelled, *wished(batch.folder, batch.number)}
            waits = Active("pending", reason="others run first")
            found |= dict.fromkeys((task for task in state.pending if task not in ended), waits)
            living |= set(state.running)  # one that has just ended may be about to come again
        return found | {task: Active("running", node=state.host, elapsed_s=_elapsed_s(batch, task)) for task in living}

    @classmethod
    def cancel(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], tasks: Sequence[int]) -> None:
        """By a file that the driver reads, so that it works from any machine that shares the folder.

        Tasks whose driver has gone are ended directly, which only works on their own machine.
        """
        del jobs
        wish(batch.folder, batch.number, list(tasks))
        deadline = time.monotonic() + ANSWER_S
        while (driver := _living(batch)[0]) and not set(tasks) <= set(_state(batch).cancelled):
            if _state(batch).host != socket.gethostname():
                return  # it reads the file when its machine sees it
            if time.monotonic() > deadline:
                raise ProviderUnreachable(f"the driver of the tasks has not answered in {ANSWER_S:.0f} s; cancel again")
            time.sleep(0.05)
        state = _state(batch)
        left = (_living(batch)[1] & set(tasks)) - set(state.running if driver else ())
        if left and (left - processes.end(_lock(batch), left, grace_s=GRACE_S)) & _living(batch)[1]:
            raise ProviderUnreachable(
                f"{batch.run}: the driver of the tasks on {state.host} has gone, and they run on; cancel them there"
            )

    @classmethod
    def output(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], task: int) -> Path | None:
        """What the driver complained of, if it did."""
        del jobs, task
        return _log(batch)

    @classmethod
    def remark(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], task: int) -> str:
        """Where the tasks ran, if not here; or that the driver ended before it came to this one."""
        if not any("host" in job for job in jobs) or not _lock(batch).exists():
            return ""
        state = _state(batch)
        if state.host != socket.gethostname():
            return f"its tasks were submitted on {state.host}; seen from {socket.gethostname()}, none of them lives"
        return "the driver of the tasks was ended before this one began; submit again" * (task in state.pending)


def _elapsed_s(batch: Batch, task: int) -> float | None:
    """Since a task has begun, as its log says."""
    begun = begun_at(batch.folder / f"{task}.log", batch.number)
    return None if begun is None else max(0.0, time.time() - begun)


def _log(batch: Batch) -> Path:
    return batch.folder / f"driver-{batch.number}.log"


def _lock(batch: Batch) -> Path:
    return lock_of(batch.folder, batch.number)


def _state(batch: Batch) -> State:
    return read_state(batch.folder, batch.number)


def _living(batch: Batch) -> tuple[bool, set[int]]:
    """Whether the driver lives, and the points whose tasks do."""
    try:
        return processes.living(_lock(batch))
    except OSError as err:
        raise ProviderUnreachable(f"{_lock(batch)} cannot be looked at: {err.strerror}") from err
