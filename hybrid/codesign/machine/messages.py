"""Messages between ranks: what they take here, and what a run's evaluations would take on several ranks."""

import math
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from backends.kept import read, write
from backends.machine import machine
from circuits.errors import Refused

if TYPE_CHECKING:
    from hybrid.ranks.mpi import Ranks

LARGE = 2**20
"""Numbers of the large answer that bandwidth is measured with."""

NUMBER_BYTES = 8

KEPT = "messages.json"
"""Of the user's cache folder."""


@dataclass(frozen=True)
class Messages:
    """What messages between ranks take.

    Attributes:
        latency_s: Of a question to two ranks and their answer, with nothing in them.
        bandwidth_bytes_s: Bytes of an answer that arrive in a second.
    """

    latency_s: float
    bandwidth_bytes_s: float

    def __post_init__(self):
        for name in ("latency_s", "bandwidth_bytes_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise Refused(f"{name} must be a positive number; it is {getattr(self, name)!r}")

    def seconds(self, n_bytes: float, ranks: int) -> float:
        """Of one question and its answer.

        Args:
            n_bytes: That the leader sends and receives.
            ranks: That take part.
        """
        if ranks == 1:
            return 0.0
        return math.ceil(math.log2(ranks)) * self.latency_s + n_bytes / self.bandwidth_bytes_s


@dataclass(frozen=True)
class Shared:
    """What becomes of a run's evaluations on several ranks.

    Attributes:
        share: Time of the tiles of the slowest rank, as a share of that of all tiles.
        messages_s: Of all questions and answers.
        n_bytes: That these hold.
        asked: How many evaluations have more than one tile, and so are shared.
    """

    share: float
    messages_s: float
    n_bytes: float
    asked: int


def measure_messages(ranks: "Ranks", *, repeats: int = 200) -> Messages:
    """Latency of a question and its answer without work in them, and bytes in a second of a large answer; medians.

    Args:
        ranks: At least two; all call this.
        repeats: Questions of which the latency is the median.

    Returns:
        On the leader what was measured; the numbers of the others mean nothing.
    """
    times = {}
    for name, size, number in (("latency", 1, repeats), ("large", LARGE, 10)):
        seconds = []
        for _ in range(number):
            start = time.perf_counter()
            ranks.broadcast(name)
            ranks.gather_arrays(np.zeros(size), [size] * ranks.size)
            seconds.append(time.perf_counter() - start)
        times[name] = median(seconds)
    moved = NUMBER_BYTES * LARGE * (ranks.size - 1)
    return Messages(times["latency"], moved / max(times["large"] - times["latency"], 1e-9))


def keep(messages: Messages) -> None:
    """Write what messages take to the user's cache folder, for every later session on this machine.

    Raises:
        RecordFailed: if the folder cannot be written.
    """
    write(KEPT, {machine(): asdict(messages)})


def kept_messages() -> Messages | None:
    """What messages were measured to take on this machine; None if they were not."""
    entry = read(KEPT).get(machine())
    try:
        return Messages(**{name: float(number) for name, number in entry.items()}) if entry else None
    except (AttributeError, TypeError, ValueError, Refused):
        return None  # damaged from outside; it can be measured again


def shared_by(path: Path, ranks: int, messages: Messages) -> Shared:
    """What a run's evaluations would take on several ranks, tile by tile.

    Args:
        path: Of its folder.
        ranks: That share them.
        messages: What messages take.

    Raises:
        Refused: if the record cannot make its backend again.
    """
    from hybrid.loop.evaluator import Evaluator
    from hybrid.optimizers.optimizer import Points
    from hybrid.runs import folder, journal
    from hybrid.workload.spec import backend_of, problem_of, workload_of

    record = folder.read(path)
    spec = record.spec
    work = workload_of(spec.workload, record.circuit, problem_of(spec.problem, record.hamiltonian))
    evaluator = Evaluator(work, backend_of(spec.backend, call="hybrid.machine_model"))
    whole = alone = messages_s = n_bytes = 0.0
    asked = 0
    for evaluation in journal.read(record.journal).evaluations:
        points = Points(evaluation.theta, evaluation.told.gradients is not None)
        tiles, width = evaluator.tiles(points), evaluator.width(points)
        whole += evaluation.seconds
        if ranks == 1 or len(tiles) == 1:
            alone += evaluation.seconds
            continue
        rows = [tile.rows.stop - tile.rows.start for tile in tiles]
        cuts = [rank * len(tiles) // ranks for rank in range(ranks + 1)]
        slowest = max(sum(rows[start:end]) for start, end in pairwise(cuts)) / sum(rows)
        alone += evaluation.seconds * slowest
        answered = NUMBER_BYTES * (width * sum(rows[cuts[1] :]) + ranks - 1)
        moved = evaluation.theta.nbytes + answered
        n_bytes += moved
        messages_s += messages.seconds(moved, ranks)
        asked += 1
    return Shared(alone / whole if whole else 1.0, messages_s, n_bytes, asked)
