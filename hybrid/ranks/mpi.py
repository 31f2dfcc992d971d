"""Several processes that share one piece of work: the ranks of MPI, and nothing of MPI beyond this file.

Waiting is done by asking again and again, with naps that grow to a twentieth of the time waited: a rank that waits
leaves its core to others, and a signal is noticed at once.
"""

import fcntl
import os
import pickle
import stat
import sys
import termios
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import numpy as np

from circuits.errors import Refused, ToolkitError
from hybrid.ranks.launcher import Launch, bind, check_coordination, detect_launch

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from mpi4py import MPI

FIRST_BYTES = 4096
"""Size of the first message of a broadcast; most values fit into it."""

SPIN_S, LONGEST_NAP_S = 5e-4, 0.02
"""A rank that waits asks without a nap for the first half millisecond."""

LONGEST_HAND_OVER_S = 5.0
"""How long a rank that ends the program waits for the launcher to read its last words."""

INTERRUPTED = 130
"""Exit code of a program that the user broke off."""


@dataclass(frozen=True)
class End:
    """The leader's message that the program ends, with this exit code."""

    code: int


class Message(NamedTuple):
    """A value that one rank has sent to another.

    Attributes:
        value: What was sent.
        source: Number of the rank that sent it.
    """

    value: Any
    source: int


class Ranks:
    """Processes that work together, numbered from 0, the leader; made by `started` and `split`.

    Every method but `send`, `receive` and `abort` must be called by all of them, in the same order.

    Args:
        comm: An MPI communicator, or None for one process alone.
        local_size: How many ranks of the whole program this node has.
        executor: Of ``concurrent.futures``, whose workers help one process that is alone; None without such help.

    Attributes:
        rank: Number of this process, from 0.
        size: How many processes there are.
        local_size: As above.
        executor: As above.
        waited_s: Time that this process has spent in collective messages, waiting included, seconds.
    """

    def __init__(self, comm: "MPI.Comm | None" = None, local_size: int = 1, executor: "Executor | None" = None):
        self._comm, self.local_size, self.executor = comm, local_size, executor
        self.rank = 0 if comm is None else comm.Get_rank()
        self.size = 1 if comm is None else comm.Get_size()
        self.waited_s = 0.0
        self._sent: list[MPI.Request] = []

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    def broadcast(self, value: Any = None, *, meanwhile: Callable[[], object] = lambda: None) -> Any:
        """The leader's value, on every rank.

        Args:
            value: On the leader anything that can be pickled; ignored on the others.
            meanwhile: Called again and again while waiting.

        Returns:
            On the leader the value itself, on the others a copy.
        """
        if self._comm is None:
            return value
        first = np.zeros(FIRST_BYTES, dtype=np.uint8)
        text = np.frombuffer(pickle.dumps(value), dtype=np.uint8) if self.leads else None
        if text is not None:
            first[:8] = np.array([len(text)]).view(np.uint8)
            head = text[: FIRST_BYTES - 8]
            first[8 : 8 + len(head)] = head
        self._wait(self._comm.Ibcast(first), meanwhile)
        size = int(first[:8].view(np.int64)[0])
        rest = np.empty(max(size - (FIRST_BYTES - 8), 0), dtype=np.uint8)
        if len(rest):
            if text is not None:
                rest[:] = text[FIRST_BYTES - 8 :]
            self._wait(self._comm.Ibcast(rest), meanwhile)
        return value if self.leads else pickle.loads(first[8 : 8 + size].tobytes() + rest.tobytes())

    def gather(self, value: Any) -> list[Any]:
        """The values of all ranks, in the order of the ranks, on the leader; an empty list on the others.

        Args:
            value: This rank's, anything that can be pickled.
        """
        if self._comm is None:
            return [value]
        text = np.frombuffer(pickle.dumps(value), dtype=np.uint8)
        sizes = np.empty(self.size, dtype=np.int64)
        self._wait(self._comm.Igather(np.array([len(text)]), sizes))
        both = np.empty(int(sizes.sum()) if self.leads else 0, dtype=np.uint8)
        self._wait(self._comm.Igatherv(text, (both, sizes) if self.leads else None))
        ends = np.cumsum(sizes) if self.leads else []
        return [pickle.loads(both[end - size : end].tobytes()) for size, end in zip(sizes, ends, strict=False)]

    def gather_arrays(self, array: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
        """The arrays of all ranks, in the order of the ranks, on the leader; an empty list on the others.

        Args:
            array: This rank's, float64, shape (sizes[rank],).
            sizes: Length of each rank's array.
        """
        if self._comm is None:
            return [array]
        whole = np.empty(sum(sizes) if self.leads else 0)
        self._wait(self._comm.Igatherv(np.ascontiguousarray(array, dtype=np.float64), (whole, sizes)))
        return np.split(whole, np.cumsum(sizes)[:-1]) if self.leads else []

    def send(self, value: Any, to: int, tag: int) -> None:
        """Send a value to one rank, without waiting for it to be received.

        Args:
            value: Anything that can be pickled.
            to: Number of the rank.
            tag: By which the other rank asks for it.
        """
        assert self._comm is not None
        self._sent = [request for request in self._sent if not request.Test()]
        self._sent.append(self._comm.isend(value, to, tag))

    def receive(self, tag: int) -> Message | None:
        """The next message that was sent here under the tag; None if there is none now."""
        if self._comm is None:
            return None
        message = self._comm.improbe(tag=tag, status=(status := self._mpi().Status()))
        return None if message is None else Message(message.recv(), status.Get_source())

    def split(self, n_teams: int) -> tuple["Ranks", list[int]]:
        """Divide the ranks into teams of neighbours, nearly equal in size.

        Args:
            n_teams: At most as many as there are ranks.

        Returns:
            This rank's team, in which ranks are numbered anew, and for each team the number here of its leader.
        """
        leaders = [-(-team * self.size // n_teams) for team in range(n_teams)]
        if self._comm is None or n_teams == 1:
            return self, leaders
        return Ranks(self._comm.Split(self.rank * n_teams // self.size), self.local_size), leaders

    def pause(self, since: float) -> None:
        """Leave the core to other processes, for a twentieth of the time waited so far and at most 20 ms.

        Args:
            since: When the waiting began, by `time.perf_counter`.
        """
        waited = time.perf_counter() - since
        if waited < SPIN_S:
            os.sched_yield()
        else:
            time.sleep(min(0.05 * waited, LONGEST_NAP_S))

    def abort(self, code: int) -> None:
        """End every rank of the program at once, with this exit code."""
        if self._comm is not None:
            _hand_over(sys.stdout)
            _hand_over(sys.stderr)
            self._mpi().COMM_WORLD.Abort(code)

    def _wait(self, request: "MPI.Request", meanwhile: Callable[[], object] = lambda: None) -> None:
        start = time.perf_counter()
        while not request.Test():
            meanwhile()
            self.pause(start)
        self.waited_s += time.perf_counter() - start

    def _mpi(self) -> Any:
        from mpi4py import MPI

        return MPI


def _hand_over(stream: TextIO) -> None:
    """Wait until the launcher has read what was printed: an abort ends it, and what is in the pipe by then is lost."""
    stream.flush()
    try:
        pipe = stream.fileno()
        is_pipe = stat.S_ISFIFO(os.fstat(pipe).st_mode)
    except (OSError, ValueError):  # a stream without a file, or a closed one
        return
    end = time.perf_counter() + LONGEST_HAND_OVER_S
    while is_pipe and time.perf_counter() < end and any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))):
        time.sleep(LONGEST_NAP_S)


ALONE = Ranks()
"""One process."""


@contextmanager
def started(code_of: Callable[[ToolkitError], int]) -> Iterator[Ranks]:
    """A context with all ranks that a launcher started with this one, each bound to its part of its node.

    An error of this toolkit that leaves the context on the leader is raised there; the others, which wait for its next
    message, get its exit code. Any other error, or one on another rank, is printed and ends all ranks.

    Args:
        code_of: From an error to the exit code of the program.

    Raises:
        Refused: if the launcher started several ranks that do not find each other.
    """
    launch = detect_launch()
    if launch.size == 1:
        yield ALONE
        return
    ranks = _all_ranks(launch)
    try:
        yield ranks
    except ToolkitError as err:
        if ranks.leads:
            ranks.broadcast(End(code_of(err)))
            raise
        print(f"hybrid: rank {ranks.rank}: {err}", file=sys.stderr)
        ranks.abort(code_of(err))
    except BaseException as err:  # noqa: BLE001 - whatever it is, no rank is left waiting
        print(f"hybrid: rank {ranks.rank}: {traceback.format_exc()}", end="", file=sys.stderr)
        ranks.abort(INTERRUPTED if isinstance(err, KeyboardInterrupt) else 1)


def _all_ranks(launch: Launch) -> Ranks:
    """All ranks together.

    Raises:
        Refused: if they are not as many as the launcher says; one of them raises this, the others exit as it does.
    """
    try:
        check_coordination()
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as err:
            raise Refused(
                f"{launch.size} ranks were started ({launch.variable}), but mpi4py cannot be used ({err}), and each "
                "would run everything by itself; install it with its MPI library: pip install 'hybrid-codesign[mpi]'"
            ) from err
        world = MPI.COMM_WORLD
        launch.check(world.Get_size(), MPI.Get_library_version().splitlines()[0].split(",")[0])
    except Refused:
        if launch.rank == 0:
            raise
        sys.exit(2)
    node = world.Split_type(MPI.COMM_TYPE_SHARED)
    bind(node.Get_rank(), node.allgather(frozenset(os.sched_getaffinity(0))))
    return Ranks(world.Dup(), node.Get_size())
