"""The machine at hand: tasks are processes, kept going by a driver that outlives the terminal."""

import fcntl
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from circuits.errors import ProviderUnreachable
from hybrid.runs.files import read_json, write_json
from hybrid.sites.site import ACTIVITIES, Activity, Batch, Site, walltime_s


class Local(Site):
    """Settings of this machine; without a throttle one task runs at a time."""

    kind: Literal["local"]

    def opening(self) -> list[str]:
        """The point is the script's argument."""
        limit = [f"export HYBRID_END_TIME=$(($(date +%s) + {walltime_s(self.time)}))"] if self.time else []
        return ["point=$1", *limit]

    def again(self) -> list[str]:
        """The driver sees the exit code."""
        return ["exit 75"]

    def submit(self, batch: Batch) -> Iterator[dict[str, Any]]:
        """Start a driver in a session of its own; it holds the lock from its first moment."""
        state, lock = _state(batch), _lock(batch)
        write_json(state, {"pending": list(batch.points), "running": []})
        command = [sys.executable, "-m", "hybrid.sites.driver", str(batch.script), str(state), str(_wish(batch))]
        command += ["--throttle", str(self.throttle or 1), "--requeue", str(self.requeue)]
        with lock.open("w") as held, (batch.folder / "driver.log").open("a") as log:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            subprocess.Popen(
                [*command, "--lock", str(held.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[held.fileno()],
            )
        yield {"host": socket.gethostname()}

    @classmethod
    def find(cls, batch: Batch) -> list[dict[str, Any]]:
        """By the lock that the driver and its tasks hold."""
        return [{"host": socket.gethostname()}] if _held(_lock(batch)) else []

    @classmethod
    def active(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> dict[int, Activity]:
        """What the driver wrote last, as long as it or one of its tasks lives."""
        if not jobs or not _held(_lock(batch)):
            return {}
        state = read_json(_state(batch))
        ended = set(cancelled(_wish(batch)))  # one that waits will not start, even if the driver has not read it yet
        return {
            point: activity
            for activity in ACTIVITIES
            for point in state[activity]
            if activity == "running" or point not in ended
        }

    @classmethod
    def cancel(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], points: Sequence[int]) -> None:
        """By a file that the driver reads, so that it works from any machine that shares the folder."""
        del jobs
        if not _held(_lock(batch)):
            return
        with _wish(batch).open("a") as file:
            file.write("".join(f"{point}\n" for point in points))


def _state(batch: Batch) -> Path:
    return batch.folder / f"local-{batch.number}.json"


def _lock(batch: Batch) -> Path:
    return batch.folder / f"local-{batch.number}.lock"


def _wish(batch: Batch) -> Path:
    """Where points that are to be cancelled are named."""
    return batch.folder / f"cancel-{batch.number}"


def cancelled(wish: Path) -> list[int]:
    """The points that the file names."""
    return [int(line) for line in wish.read_text().split()] if wish.exists() else []


def _held(lock: Path) -> bool:
    """Whether a living process holds the lock."""
    try:
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    except OSError as err:
        raise ProviderUnreachable(f"{lock} cannot be read: {err.strerror}") from err
    return False
