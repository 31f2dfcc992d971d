"""Runs the tasks of one submission on this machine, some at a time: ``python -m hybrid.sites.driver``.

It ends when every task has; SIGTERM cancels them all.
"""

import argparse
import os
import signal
import subprocess
import time
from collections import Counter, deque
from pathlib import Path

from hybrid.runs.files import read_json, write_json
from hybrid.sites.local import cancelled
from hybrid.sites.script import STOPPED

POLL_S = 0.1

GRACE_S = 30.0
"""How long a cancelled task may take to save its work."""


class Driver:
    """Starts tasks, and writes down which wait and which run.

    Args:
        script: What a task runs, with its point as the argument.
        state: JSON file with ``pending`` and ``running``; it says at the start which points there are.
        wish: File that names points to cancel, one a line; it need not exist.
        throttle: How many tasks run at the same time.
        requeue: How often a task that stopped with its work saved is started again.
        lock: File descriptor whose lock every task shares, so that it is held as long as one of them lives.
    """

    def __init__(self, script: Path, state: Path, wish: Path, *, throttle: int, requeue: int, lock: int):
        self._script, self._state, self._wish = script, state, wish
        self._throttle, self._requeue, self._lock = throttle, requeue, lock
        self._pending = deque(read_json(state)["pending"])
        self._running: dict[int, subprocess.Popen] = {}
        self._restarts: Counter[int] = Counter()
        self._ended_at: dict[int, float] = {}
        self._all_cancelled = False

    def __call__(self) -> None:
        """Work until nothing is left."""
        signal.signal(signal.SIGTERM, self._cancel_all)
        while self._pending or self._running:
            before = (list(self._pending), list(self._running))
            self._cancel()
            self._reap()
            while self._pending and len(self._running) < self._throttle:
                self._start(self._pending.popleft())
            if (list(self._pending), list(self._running)) != before:
                write_json(self._state, {"pending": list(self._pending), "running": list(self._running)})
            time.sleep(POLL_S)

    def _start(self, point: int) -> None:
        self._running[point] = subprocess.Popen(
            ["bash", str(self._script), str(point)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=[self._lock],
        )

    def _cancel(self) -> None:
        wished = set(cancelled(self._wish))
        if self._all_cancelled:
            wished = {*self._pending, *self._running}
        self._pending = deque(point for point in self._pending if point not in wished)
        for point in wished & set(self._running):
            if point not in self._ended_at:
                self._ended_at[point] = time.monotonic()
                self._running[point].terminate()
            elif time.monotonic() > self._ended_at[point] + GRACE_S:
                os.killpg(self._running[point].pid, signal.SIGKILL)

    def _reap(self) -> None:
        for point, process in list(self._running.items()):
            code = process.poll()
            if code is None:
                continue
            del self._running[point]
            if code == STOPPED and point not in self._ended_at and self._restarts[point] < self._requeue:
                self._restarts[point] += 1
                self._pending.append(point)

    def _cancel_all(self, *_: object) -> None:
        self._all_cancelled = True


def main() -> None:
    """Read the arguments that `hybrid.sites.local.Local` gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("script", "state", "wish"):
        parser.add_argument(name, type=Path)
    for name in ("throttle", "requeue", "lock"):
        parser.add_argument(f"--{name}", type=int, required=True)
    arguments = parser.parse_args()
    Driver(
        arguments.script,
        arguments.state,
        arguments.wish,
        throttle=arguments.throttle,
        requeue=arguments.requeue,
        lock=arguments.lock,
    )()


if __name__ == "__main__":
    main()
