"""What the loop of a run moves and computes: operations and bytes of states, of messages, of jobs and of the record."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backends.memory import readable
from circuits import tables
from circuits.errors import Refused
from hybrid.codesign.machine.split import measured_split

if TYPE_CHECKING:
    from hybrid.runs.account import Account


@dataclass(frozen=True)
class Gpu:
    """What a graphics card reaches, by its data sheet or better by measurement.

    Attributes:
        gflop_s: 10^9 additions and multiplications a second, in the precision of the run.
        gb_s: 10^9 bytes a second of its memory, read or written.
    """

    gflop_s: float
    gb_s: float

    def __post_init__(self):
        for name in ("gflop_s", "gb_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise Refused(f"{name} of a card must be a positive number; it is {getattr(self, name)!r}")


@dataclass(frozen=True)
class LoopWork:
    """Amounts of a whole run.

    Attributes:
        title: Of the run.
        rows: Of parameters, whose values were asked for.
        flops: Additions and multiplications on states, as the engine counts them; None for other simulators.
        state_bytes: Of states, read and written, as the engine counts them; None for other simulators.
        simulator_s: Time of the simulator, in seconds.
        asked_bytes: Of the parameters that the optimizer asked for.
        answered_bytes: Of values, standard errors, gradients and metrics that it was told.
        measured_bytes: Of what jobs measured, as the record keeps it.
        record_bytes: Of the journal.
    """

    title: str
    rows: int
    flops: float | None
    state_bytes: float | None
    simulator_s: float
    asked_bytes: int
    answered_bytes: int
    measured_bytes: int
    record_bytes: int

    def least_s(self, gpu: Gpu) -> float:
        """What a card takes at least for the states of the run: by its operations or by its bytes, in seconds.

        Args:
            gpu: The card.

        Raises:
            Refused: if operations and bytes were not counted.
        """
        if self.flops is None or self.state_bytes is None:
            raise Refused(
                f"{self.title}: operations are counted for runs on the statevector engine; say by how many times a "
                "card is faster (simulator) instead"
            )
        return max(self.flops / (1e9 * gpu.gflop_s), self.state_bytes / (1e9 * gpu.gb_s))

    def table_rows(self) -> list[tuple[str, str]]:
        """Names and amounts as text for tables."""
        return list(self._rows())

    def to_dict(self) -> dict[str, object]:
        """JSON-able form."""
        return dict(vars(self))

    def __str__(self) -> str:
        return tables.text(self.table_rows(), title=self.title)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return tables.html(self.table_rows(), title=self.title)

    def _rows(self) -> Iterator[tuple[str, str]]:
        yield "rows of parameters", f"{self.rows:,}"
        if self.flops is not None and self.state_bytes is not None:
            rate = f", {self.flops / self.simulator_s / 1e9:.3g} GFLOP/s" if self.simulator_s else ""
            moved = f", {self.state_bytes / self.simulator_s / 1e9:.3g} GB/s" if self.simulator_s else ""
            yield "operations on states", f"{self.flops / 1e9:.4g} GFLOP{rate}"
            yield "states read and written", f"{readable(self.state_bytes)}{moved}"
            yield "intensity", f"{self.flops / self.state_bytes:.2f} flop/byte"
        yield "parameters asked for", readable(self.asked_bytes)
        yield "values and gradients told", readable(self.answered_bytes)
        if self.measured_bytes:
            yield "measured by jobs", readable(self.measured_bytes)
        yield "journal", readable(self.record_bytes)


def loop_work(run: "Account") -> LoopWork:
    """What the loop of a run moved and computed.

    Args:
        run: What its record says.

    Raises:
        Refused: if it has not ended.
    """
    split = measured_split(run)
    rows = flops = state_bytes = 0.0
    asked = answered = 0
    each = {gradient: _of_a_row(run, derivative=gradient) for gradient in (False, True)}
    for evaluation in run.content.evaluations:
        told, n_rows = evaluation.told, len(evaluation.theta)
        rows += n_rows
        asked += evaluation.theta.nbytes
        arrays = (told.values, told.standard_errors, told.gradients, told.metrics, told.fidelities, told.biases)
        answered += sum(array.nbytes for array in arrays if array is not None)
        amount = each[told.gradients is not None]
        if amount is not None:
            flops, state_bytes = flops + n_rows * amount["flops"], state_bytes + n_rows * amount["bytes"]
    counted = flops > 0
    return LoopWork(
        title=split.title,
        rows=int(rows),
        flops=flops if counted else None,
        state_bytes=state_bytes if counted else None,
        simulator_s=split.seconds["simulator"],
        asked_bytes=asked,
        answered_bytes=answered,
        measured_bytes=sum(len(job.measured or b"") for job in run.content.jobs),
        record_bytes=run.record.journal.stat().st_size,
    )


def _of_a_row(run: "Account", *, derivative: bool) -> dict[str, float] | None:
    """Operations and bytes of states of one row; None where they are not counted: other simulators, other kernels."""
    from backends.statevector.choose import choose
    from backends.statevector.circuit.lower import lower
    from backends.statevector.native.program import work_of_energy
    from backends.statevector.native.representation import NativeWhole
    from backends.statevector.representation import Question

    backend = run.record.spec.backend
    if backend.name != "statevector" or run.content.failovers:
        return None
    real = np.dtype(np.float32 if backend.options.get("precision") == "single" else np.float64)
    H = run.record.hamiltonian
    chosen = choose(Question(lower(run.record.circuit), real, (H,)))
    if derivative:
        return chosen.work()
    if not isinstance(chosen, NativeWhole):
        return None
    return work_of_energy(chosen.made.kernel((H,), undone=False), run.record.circuit.num_qubits, real)
