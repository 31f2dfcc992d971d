"""Runs the tasks of one submission on this machine, some at a time: ``python -m hybrid.sites.driver``.

It ends when every task has; SIGTERM cancels them all.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from pathlib import Path

from circuits.errors import RecordFailed, Refused
from hybrid.sites import tasks
from hybrid.sites.local import GRACE_S
from hybrid.sites.script import STOPPED
from hybrid.sites.state import State, lock_of, read_state, wished, write_state

POLL_S = 0.1


class Driver:
    """Starts tasks, and writes down which wait and which run.

    Args:
        folder: Where the script lies, and the files that tell what to do.
        number: Of the submission.
        throttle: How many tasks run at the same time.
        requeue: How often a task that stopped with its work saved is started again.
    """

    def __init__(self, folder: Path, number: int, *, throttle: int, requeue: int):
        self._folder, self._number = folder, number
        self._throttle, self._requeue = throttle, requeue
        self._written = read_state(folder, number)
        self._pending = deque(self._written.pending)
        self._running: dict[int, subprocess.Popen] = {}
        self._cancelled: set[int] = set()
        self._restarts: Counter[int] = Counter()
        self._ended_at: dict[int, float] = {}
        self._all_cancelled = False
        self._said = ""

    def __call__(self) -> None:
        """Work until nothing is left."""
        signal.signal(signal.SIGTERM, self._cancel_all)
        while self._pending or self._running:
            self._cancel()
            self._reap()
            while self._pending and len(self._running) < self._throttle:
                self._start(self._pending.popleft())
            self._write()
            time.sleep(POLL_S)

    def _write(self) -> None:
        state = State(socket.gethostname(), list(self._pending), list(self._running), sorted(self._cancelled))
        if state == self._written:
            return
        try:
            write_state(self._folder, self._number, state)
            self._written = state
        except RecordFailed as err:  # the tasks go on, and it is tried again
            self._say(str(err))

    def _start(self, point: int) -> None:
        """Start a task that holds its lock, and nothing else of the driver's, from its first moment."""
        log = self._folder / f"{point}.log"
        try:
            with lock_of(self._folder, self._number).open("a+b") as lock, log.open("ab") as said:
                tasks.take_task(lock, point)
                self._running[point] = subprocess.Popen(
                    ["bash", str(self._folder / f"job-{self._number}.sh"), str(point)],
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    start_new_session=True,
                    pass_fds=[lock.fileno()],
                )
        except BlockingIOError:  # what its last task left behind has not ended yet
            self._pending.append(point)
        except OSError as err:
            self._say(f"point {point} cannot be started: {err}")

    def _cancel(self) -> None:
        try:
            self._cancelled |= set(wished(self._folder, self._number))
        except Refused as err:
            self._say(str(err))
        if self._all_cancelled:
            self._cancelled |= {*self._pending, *self._running}
        self._pending = deque(point for point in self._pending if point not in self._cancelled)
        for point in self._cancelled & set(self._running):
            if point not in self._ended_at:
                self._ended_at[point] = time.monotonic()
                self._running[point].terminate()
            elif time.monotonic() > self._ended_at[point] + GRACE_S:
                os.killpg(self._running[point].pid, signal.SIGKILL)

    def _reap(self) -> None:
        for point, process in list(self._running.items()):
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            # What the task has left behind ends with it. Until it is waited for, nobody else can have its number.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            code = process.wait()
            del self._running[point]
            if code == STOPPED and point not in self._cancelled and self._restarts[point] < self._requeue:
                self._restarts[point] += 1
                self._pending.append(point)

    def _cancel_all(self, *_: object) -> None:
        self._all_cancelled = True

    def _say(self, message: str) -> None:
        """To the driver's log, but not the same thing ten times a second."""
        if message != self._said:
            print(message, file=sys.stderr, flush=True)
        self._said = message


def main() -> None:
    """Read the arguments that `hybrid.sites.local.Local` gives; it has also handed on the lock, open and taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for name in ("number", "throttle", "requeue", "ready"):
        parser.add_argument(f"--{name}", type=int, required=True)
    asked = parser.parse_args()
    driver = Driver(asked.folder, asked.number, throttle=asked.throttle, requeue=asked.requeue)
    with contextlib.suppress(BrokenPipeError):  # who submitted has been killed, and the work goes on
        os.write(asked.ready, b"1")
    os.close(asked.ready)
    driver()


if __name__ == "__main__":
    main()
