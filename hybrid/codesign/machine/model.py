"""What faster parts would make of the time of a run: Amdahl's law, and messages by latency and bandwidth.

The time of a run is the sum of its parts; none overlaps with another, as the loop asks and waits. A part that becomes k
times faster takes a k-th of its time, the others what they took:

    T = sum_i T_i / k_i,    T >= T - T_i however fast part i becomes.

A question to N ranks and their answer are ceil(log2 N) messages of a latency each, and their bytes at a bandwidth; the
time of the slowest rank's tiles is that of one rank by its share of the tiles.

References:
    Amdahl, "Validity of the single processor approach to achieving large scale computing capabilities", AFIPS Spring
    Joint Computer Conference 30 (1967) 483;
    Hockney, "The communication challenge for MPP: Intel Paragon and Meiko CS-2", Parallel Computing 20 (1994) 389, for
    a message's time as its latency and its bytes by the bandwidth.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backends.forecast.prices import price_of
from circuits import tables
from circuits.errors import Refused, shown
from hybrid.codesign.machine.messages import Messages, Shared, kept_messages, shared_by
from hybrid.codesign.machine.split import Split, bottleneck, joined, measured_split, predicted_split
from hybrid.codesign.machine.work import Gpu, loop_work
from hybrid.routing.plan import Plan
from hybrid.runs.result import Result
from hybrid.terminal.words import duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hybrid.runs.account import Account

COLUMNS = ("part", "time", "share", "ten times faster", "at no time")
"""Of the table: the last two are the time of the whole, were this part alone so fast."""

SCALED = {
    "simulator": "simulator",
    "optimizer": "optimizer",
    "interconnect": "communication",
    "repetition_rate": "device",
    "compilation": "compilation",
    "record": "record",
}
"""What can be made faster by a factor, as `MachineModel.with_` calls it, and the part that this is."""


@dataclass(frozen=True)
class MachineModel:
    """The time of a run, part by part, and what it would be on another machine; made by `machine_model`.

    Attributes:
        split: As it was measured or predicted.
        seconds: Of each part now, on the machine that is meant.
        changes: What differs from the machine of the split, in words.
        fixed_device_s: The part of the device's time that does not depend on its repetition rate.
        messages: What messages between ranks take; None for what was measured on this machine.
        run: The run's folder, for a run; more ranks need its workload.
        ranks: That share the evaluations in place of the one that the run had; None for those of the split.
    """

    split: Split
    seconds: Mapping[str, float]
    changes: tuple[str, ...] = ()
    fixed_device_s: float = 0.0
    messages: Messages | None = None
    run: Path | None = None
    ranks: int | None = None

    @property
    def total_s(self) -> float:
        """Of the whole run, in seconds."""
        return sum(self.seconds.values())

    @property
    def speedup(self) -> float:
        """Of the whole run over the machine that it was measured or predicted on."""
        return self.split.total_s / self.total_s if self.total_s else math.inf

    @property
    def bottleneck(self) -> str:
        """Name of the part that takes longest."""
        return max(self.seconds, key=lambda part: self.seconds[part])

    def sentence(self) -> str:
        """The bottleneck, what it is worth to make it faster, and what comes next, in words."""
        return bottleneck(self.seconds)

    def with_(
        self,
        *,
        simulator: float = 1.0,
        optimizer: float = 1.0,
        interconnect: float = 1.0,
        repetition_rate: float = 1.0,
        compilation: float = 1.0,
        record: float = 1.0,
        queue_s: float | None = None,
        ranks: int | None = None,
        gpu: Gpu | None = None,
    ) -> "MachineModel":
        """The same run on another machine. Factors say how many times faster a part is; changes add up.

        Args:
            simulator: Evaluations on this machine, such as on a graphics card.
            optimizer: The optimizer's own work.
            interconnect: Latency and bandwidth of messages, and of sending jobs. What a run on several ranks has waited
                for the slowest of them stays, once messages were measured here.
            repetition_rate: Shots that the device runs in a second; what it spends on each job besides stays.
            compilation: Compiling and transpiling.
            record: Writing the record.
            queue_s: Seconds that each wait for jobs takes, in place of those of the run; 0 for a device of one's own.
            ranks: Processes that share the evaluations, each with as many cores as the run had; for a run on one rank,
                once messages between ranks were measured here.
            gpu: A card that computes the states instead, one for each rank: the time of its operations or of its
                bytes, whichever is longer, without what starting its kernels takes; so the least to be expected.

        Returns:
            The model of that machine.

        Raises:
            Refused: for a factor that is not positive, a negative wait, or ranks or a card where these cannot be
                predicted.
        """
        asked = {
            "simulator": simulator,
            "optimizer": optimizer,
            "interconnect": interconnect,
            "repetition_rate": repetition_rate,
            "compilation": compilation,
            "record": record,
        }
        for name, factor in asked.items():
            if not (_is_number(factor) and 0 < factor < math.inf):
                raise Refused(f"{name} must be how many times faster, a positive number; it is {factor!r}")
        seconds, changes, fixed_s = dict(self.seconds), list(self.changes), self.fixed_device_s
        if gpu is not None:
            seconds["simulator"] = self._on(gpu)
            changes.append(f"a card of {gpu.gflop_s:g} GFLOP/s and {gpu.gb_s:g} GB/s")
        if ranks is not None:
            shared = self._on_ranks(ranks)
            seconds["simulator"] *= shared.share
            seconds["communication"] += shared.messages_s
            changes.append(f"{ranks} ranks")
        for name, factor in asked.items():
            if factor != 1.0:
                part = SCALED[name]
                fixed = fixed_s if part == "device" else self._waiting_s() if part == "communication" else 0.0
                seconds[part] = fixed + (seconds[part] - fixed) / factor
                changes.append(f"{name.replace('_', ' ')} x {factor:g}")
        if queue_s is not None:
            if not (_is_number(queue_s) and 0 <= queue_s < math.inf):
                raise Refused(f"queue_s must be seconds, from 0; it is {queue_s!r}")
            if not self.split.waits:
                raise Refused(f"{self.split.title}: no job is sent to a device, so that nothing waits in a queue")
            seconds["queue"] = queue_s * self.split.waits
            changes.append(f"{duration(queue_s)} for each of {self.split.waits:,} waits")
        return replace(self, seconds=seconds, changes=tuple(changes), ranks=ranks or self.ranks)

    def limit_s(self, part: str) -> float:
        """What the run would take if one part took no time.

        Args:
            part: One of the parts.
        """
        return self.total_s - self.seconds[part]

    def rows(self) -> list[tuple[str, ...]]:
        """Part, time, share, and the time of the whole with this part ten times faster or at no time, as text."""
        total = self.total_s
        return [
            (
                part,
                duration(seconds),
                f"{seconds / total:.1%}",
                duration(total - 0.9 * seconds),
                duration(self.limit_s(part)),
            )
            for part, seconds in sorted(self.seconds.items(), key=lambda item: -item[1])
            if seconds > 0
        ] + [("total", duration(total), "100%", "", "")]

    @property
    def title(self) -> str:
        """What the model is of."""
        how = "measured" if self.split.measured else "predicted"
        changed = f", with {', '.join(self.changes)}" if self.changes else ""
        return f"{self.split.title}, {how}{changed}"

    def notes(self) -> list[str]:
        """The bottleneck, the change, and what the numbers leave out."""
        found = [self.sentence()]
        if self.changes:
            found.append(f"{duration(self.total_s)} instead of {duration(self.split.total_s)}: {_times(self.speedup)}.")
        return [*found, *self.split.notes]

    def to_dict(self) -> dict[str, object]:
        """JSON-able form."""
        return {
            "title": self.split.title,
            "measured": self.split.measured,
            "changes": list(self.changes),
            "seconds": dict(self.seconds),
            "before_s": dict(self.split.seconds),
            "total_s": self.total_s,
            "total_before_s": self.split.total_s,
            "limits_s": {part: self.limit_s(part) for part in self.seconds},
            "bottleneck": self.bottleneck,
            "sentence": self.sentence(),
            "notes": list(self.split.notes),
        }

    def plot(self) -> "Figure":
        """Time of the whole against how many times faster each part becomes, with its limit."""
        from hybrid.codesign.machine.pictures import speedups

        return speedups(self)

    def tables(self) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
        """Titles, columns and rows of what it prints."""
        return [(self.title, COLUMNS, self.rows())]

    def __str__(self) -> str:
        return "\n".join([tables.text(self.rows(), title=self.title, columns=COLUMNS), *self.notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return tables.html(self.rows(), title=self.title, columns=COLUMNS, notes=self.notes())

    def _on_ranks(self, ranks: int) -> Shared:
        if isinstance(ranks, bool) or not isinstance(ranks, int) or ranks < 1:
            raise Refused(f"ranks must be a whole number from 1, not {ranks!r}")
        if self.ranks is not None:
            raise Refused(f"the run was put on {self.ranks} ranks already; ask the model of the run itself")
        if self.run is None or self.split.ranks > 1 or self.split.waits:
            raise Refused(
                f"more ranks are predicted from one run, on one rank, that sent no jobs; {self.split.title} is no "
                "such run"
            )
        messages = self.messages or kept_messages()
        if messages is None:
            raise Refused(
                "more ranks need the latency and the bandwidth of messages: `mpiexec -n 2 hybrid machine` measures and "
                "keeps them"
            )
        return shared_by(self.run, ranks, messages)

    def _waiting_s(self) -> float:
        """The part of the communication that is waiting for the slowest rank, and no message; 0 where not known."""
        messages = self.messages or kept_messages()
        if self.run is None or self.split.ranks == 1 or messages is None:
            return 0.0
        sent_s = shared_by(self.run, self.split.ranks, messages).messages_s
        return max(self.split.seconds["communication"] - sent_s, 0.0)

    def _on(self, gpu: Gpu) -> float:
        from hybrid.runs.account import account

        if self.run is None:
            raise Refused(
                "a card needs the operations and bytes of one run; of a plan or of several runs say by how many times "
                "it is faster (simulator)"
            )
        return loop_work(account(self.run)).least_s(gpu)


def machine_model(of: "Result | Plan | str | Path", *, messages: Messages | None = None) -> MachineModel:
    """Where the time of a run went, or would go by its plan, as a model that answers what faster parts would change.

    Args:
        of: A run: its result, or its folder or name; the folder of an algorithm or a sweep, whose runs count together;
            or a plan of a run, as `hybrid.plan` makes it.
        messages: What messages between ranks take on the machine that is meant, for `MachineModel.with_`'s ranks; by
            default what ``mpiexec -n 2 hybrid machine`` has measured on this one.

    Returns:
        The model; it prints as a table, shows itself in a notebook, and draws itself with ``plot()``.

    Raises:
        Refused: if the folder holds no run that has ended, or nothing is known of a plan's time.

    Examples:
        >>> import tempfile, hybrid
        >>> from circuits import tfim, hardware_efficient
        >>> run = hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), folder=tempfile.mkdtemp())
        >>> model = hybrid.machine_model(run)
        >>> model.with_(record=10, optimizer=10).total_s < model.total_s
        True
    """
    from hybrid.runs.account import account, is_sweep
    from hybrid.runs.folder import is_algorithm
    from hybrid.runs.index import find

    if isinstance(of, Plan):
        split = predicted_split(of)
        return MachineModel(split, split.seconds, (), _fixed_s(split), messages)
    if not isinstance(of, Result | str | Path):
        raise Refused(f"a run is named by its result or its folder, or given as its plan, not as {shown(of)}")
    path = find(Path(of)) if isinstance(of, str | Path) else of.folder
    if is_sweep(path) or is_algorithm(path):
        split = _of_all(path)
        return MachineModel(split, split.seconds, (), _fixed_s(split), messages)
    return model_of(account(path), messages=messages)


def model_of(run: "Account", *, messages: Messages | None = None) -> MachineModel:
    """As `machine_model`, of a record that has been read.

    Args:
        run: What the record of a run says.
        messages: As there.
    """
    split = measured_split(run)
    return MachineModel(split, split.seconds, (), _fixed_s(split), messages, run.path)


def _of_all(path: Path) -> Split:
    """The time of all runs in a folder: points of a sweep, or stages of an algorithm."""
    from hybrid.runs.account import Account, AlgorithmAccount, algorithm_account, points
    from hybrid.runs.folder import is_algorithm

    parts = [algorithm_account(path)] if is_algorithm(path) else list(points(path))
    found = [run for part in parts for run in (part.runs if isinstance(part, AlgorithmAccount) else (part,))]
    ended = [run for run in found if isinstance(run, Account) and run.result is not None]
    if not ended:
        raise Refused(f"{path}: none of its runs has ended")
    return joined([measured_split(run) for run in ended], path.name, left_out=len(found) - len(ended))


def _times(speedup: float) -> str:
    """A speed-up in words.

    >>> _times(1.004), _times(2.5), _times(0.5)
    ('as fast as before, to 1 %', '2.5 times as fast', '0.5 times as fast')
    """
    return "as fast as before, to 1 %" if abs(speedup - 1) < 0.01 else f"{speedup:.3g} times as fast"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fixed_s(split: Split) -> float:
    """What a device spends on jobs whatever its repetition rate, by its vendor's rule; 0 where there is none."""
    price = price_of(split.device) if split.device else None
    fixed = None if price is None else price.qpu_s(jobs=split.jobs, executions=0, circuit_s=0.0)
    return min(fixed or 0.0, split.seconds["device"])
