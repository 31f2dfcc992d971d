"""Several processes that share one piece of work: the ranks of MPI, and nothing of MPI beyond this file.

Waiting is done by asking again and again, with naps that grow to a twentieth of the time waited: a rank that waits
leaves its core to others, and a signal is noticed at once.
"""

import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.errors import Refused, ToolkitError
from hybrid.ranks.launcher import Promise, check_coordination, promised, settle

if TYPE_CHECKING:
    from mpi4py import MPI

FIRST_BYTES = 4096
"""Size of the message with which a shared value begins; most values end in it."""

SPIN_S, LONGEST_NAP_S = 5e-4, 0.02
"""A rank that waits asks without a nap for the first half millisecond."""

INTERRUPTED = 130
"""Exit code of a program that the user broke off."""


@dataclass(frozen=True)
class End:
    """The leader's message that the program ends, with this exit code."""

    code: int


class Ranks:
    """Processes that work together, numbered from 0, the leader; made by `started` and `split`.

    Every method but `send`, `receive` and `abort` must be called by all of them, in the same order.

    Args:
        comm: An MPI communicator, or None for one process alone.
        here: How many ranks of the whole program this node has.

    Attributes:
        rank: Number of this process.
        size: How many there are.
        here: As above.
        waited_s: Time that this process has spent in messages and waiting for them, seconds.
    """

    def __init__(self, comm: "MPI.Comm | None" = None, here: int = 1):
        self._comm, self.here = comm, here
        self.rank = 0 if comm is None else comm.Get_rank()
        self.size = 1 if comm is None else comm.Get_size()
        self.waited_s = 0.0
        self._sent: list[MPI.Request] = []

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    def share(self, value: Any = None, *, meanwhile: Callable[[], object] = lambda: None) -> Any:
        """The leader's value, on every rank.

        Args:
            value: Anything that can be pickled; what the others give is not looked at.
            meanwhile: Called again and again while waiting.
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
        """The values of all ranks, in their order, on the leader; an empty list on the others."""
        if self._comm is None:
            return [value]
        text = np.frombuffer(pickle.dumps(value), dtype=np.uint8)
        sizes = np.empty(self.size, dtype=np.int64)
        self._wait(self._comm.Igather(np.array([len(text)]), sizes))
        both = np.empty(int(sizes.sum()) if self.leads else 0, dtype=np.uint8)
        self._wait(self._comm.Igatherv(text, (both, sizes) if self.leads else None))
        ends = np.cumsum(sizes) if self.leads else []
        return [pickle.loads(both[end - size : end].tobytes()) for size, end in zip(sizes, ends, strict=False)]

    def gather_numbers(self, own: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
        """Rows of numbers of known lengths, in the order of the ranks, on the leader; an empty list on the others."""
        if self._comm is None:
            return [own]
        whole = np.empty(sum(sizes) if self.leads else 0)
        self._wait(self._comm.Igatherv(np.ascontiguousarray(own, dtype=np.float64), (whole, sizes)))
        return np.split(whole, np.cumsum(sizes)[:-1]) if self.leads else []

    def send(self, value: Any, to: int, tag: int) -> None:
        """Send a value to one rank, without waiting for it to be received."""
        assert self._comm is not None
        self._sent = [request for request in self._sent if not request.Test()]
        self._sent.append(self._comm.isend(value, to, tag))

    def receive(self, tag: int) -> tuple[Any, int] | None:
        """A value that was sent here under the tag, and by whom; None if there is none."""
        if self._comm is None:
            return None
        message = self._comm.improbe(tag=tag, status=(status := self._mpi().Status()))
        return None if message is None else (message.recv(), status.Get_source())

    def split(self, n_teams: int) -> tuple["Ranks", list[int]]:
        """Teams of neighbours, nearly equal in size: this rank's own, and the number here of each team's leader."""
        leaders = [-(-team * self.size // n_teams) for team in range(n_teams)]
        if self._comm is None or n_teams == 1:
            return self, leaders
        return Ranks(self._comm.Split(self.rank * n_teams // self.size), self.here), leaders

    def pause(self, since: float) -> None:
        """Leave the core to others for a while that fits what was waited since then, a `time.perf_counter`."""
        waited = time.perf_counter() - since
        if waited < SPIN_S:
            os.sched_yield()
        else:
            time.sleep(min(0.05 * waited, LONGEST_NAP_S))

    def abort(self, code: int) -> None:
        """End every rank at once with this exit code."""
        sys.stdout.flush()
        sys.stderr.flush()
        if self._comm is not None:
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


ALONE = Ranks()
"""One process."""


@contextmanager
def started(code_of: Callable[[ToolkitError], int]) -> Iterator[Ranks]:
    """All ranks that a launcher started with this one, each with its share of its node.

    An error of this toolkit that leaves the context on the leader is the leader's own affair; the others, which wait
    for its next message, get the exit code. Any other error, or one on another rank, is printed and ends all ranks.

    Args:
        code_of: Exit code for an error.

    Raises:
        Refused: if the launcher started several ranks that do not find each other.
    """
    promise = promised()
    if promise.size == 1:
        yield ALONE
        return
    ranks = _found(promise)
    try:
        yield ranks
    except ToolkitError as err:
        if ranks.leads:
            ranks.share(End(code_of(err)))
            raise
        print(f"hybrid: rank {ranks.rank}: {err}", file=sys.stderr)
        ranks.abort(code_of(err))
    except BaseException as err:  # noqa: BLE001 - whatever it is, no rank is left waiting
        print(f"hybrid: rank {ranks.rank}:", file=sys.stderr)
        traceback.print_exc()
        ranks.abort(INTERRUPTED if isinstance(err, KeyboardInterrupt) else 1)


def _found(promise: Promise) -> Ranks:
    """All ranks together.

    Raises:
        Refused: if they are not as many as were promised; one of them says so, the others exit as it does.
    """
    try:
        check_coordination()
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as err:
            raise Refused(
                f"{promise.size} ranks were started ({promise.variable}), but mpi4py cannot be used ({err}), and each "
                "would run everything by itself; install it with its MPI library: pip install 'hybrid-codesign[mpi]'"
            ) from err
        world = MPI.COMM_WORLD
        promise.check(world.Get_size(), MPI.Get_library_version().splitlines()[0].split(",")[0])
    except Refused:
        if promise.rank == 0:
            raise
        sys.exit(2)
    node = world.Split_type(MPI.COMM_TYPE_SHARED)
    settle(node.Get_rank(), node.allgather(frozenset(os.sched_getaffinity(0))))
    return Ranks(world.Dup(), node.Get_size())
