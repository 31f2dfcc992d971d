"""What a workload is expected to take on a backend: evaluations, phases and time, each with its interval."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backends.base import Backend, Capabilities
from backends.checks import MOST_SHOTS
from backends.cost import Cost
from hybrid.routing.learned import factor, size_class
from hybrid.routing.phases import final_rows, phases, seconds_a_row
from hybrid.runs.prediction import Interval, Phase, Prediction, counted, total
from hybrid.terminal.words import duration, with_unit
from hybrid.workload.beside import is_sampled
from hybrid.workload.workload import Workload


@dataclass(frozen=True)
class Outlook:
    """What is expected of a run.

    Attributes:
        prediction: Evaluations and seconds; a run's record compares them with what it took.
        phases: The parts of the time, in the order of the run.
        sentences: What there is to say about them and about shots.
        row_s: Predicted seconds of one row; NaN where the speed is not known.
    """

    prediction: Prediction
    phases: tuple[Phase, ...]
    sentences: tuple[str, ...]
    row_s: float = math.nan

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "prediction": self.prediction.model_dump(),
            "phases": [phase.to_dict() for phase in self.phases],
            "expected": list(self.sentences),
            "row_s": self.row_s if math.isfinite(self.row_s) else None,
        }


def outlook(work: Workload, backend: Backend, cost: Cost) -> Outlook:
    """What is expected of a workload on a backend, by what earlier runs on this machine have taught, too.

    Args:
        work: The workload.
        backend: Where it would run.
        cost: Predicted for it there.
    """
    can = backend.capabilities()
    learned = factor(remembered_as(work, can))
    rows = work.expected(shots=can.default_shots, factor=learned)
    parts, whole = phases(work, backend, cost, rows), rows.plus(final_rows(work, backend))
    evaluations = Interval(expected=whole.rows, low=whole.low, high=whole.high)
    seconds = None if math.isnan(cost.seconds) else total(parts)
    at_once = f", {rows.at_once} at a time" if rows.at_once > 1 else ""
    limit = f", no more than {work.max_steps:,} steps take" if rows.rows == rows.most else ""
    taught = f"; {learned:.2g} times the usual number, as earlier runs here took" if learned != 1.0 else ""
    accuracy = with_unit(f"{work.accuracy:g}", work.problem.unit)
    told = (
        f"{counted(evaluations, 'evaluations')}{at_once}{limit}: {work.optimizer.kind} on "
        f"{len(work.theta)} parameter{'s' * (len(work.theta) != 1)} to {accuracy}{taught}"
    )
    sentences = (told, *_split(parts, can.name), *_shots(work, can, cost))
    return Outlook(Prediction(evaluations=evaluations, seconds=seconds), parts, sentences, seconds_a_row(work, cost))


def remembered_as(work: Workload, can: Capabilities) -> str:
    """Under which name runs like this one are remembered.

    Args:
        work: The workload.
        can: What the backend can do where it runs.
    """
    return size_class(work.optimizer.kind, len(work.theta), sampled=is_sampled(can, work.shots))


def shots_for(accuracy: float, cost: Cost, shots: int) -> int:
    """Shots for each circuit with which the statistical error of a value is no larger than the accuracy.

    Args:
        accuracy: Wanted, in the problem's unit.
        cost: With the standard error of a value.
        shots: For each circuit, to which that belongs.
    """
    return max(math.ceil(shots * (cost.standard_error / accuracy) ** 2 * (1 - 1e-12)), 1)


def enough(accuracy: float, cost: Cost, shots: int, *, unit: str = "") -> str:
    """How many shots would reach an accuracy that those of a plan miss; where none may, what to ask for instead.

    Args:
        accuracy: As for `shots_for`.
        cost: As there.
        shots: As there.
        unit: What the number is followed by.
    """
    need = shots_for(accuracy, cost, shots)
    if need <= MOST_SHOTS:
        return f"{need:,}{unit} would do"
    return (
        f"not even {MOST_SHOTS:,} shots a circuit, the most that may be asked for, would do; ask for an accuracy no "
        f"finer than {cost.standard_error:.1e}, which these shots reach, or leave shots out and name an exact simulator"
    )


def _split(parts: tuple[Phase, ...], name: str) -> Iterator[str]:
    known = [part for part in parts if math.isfinite(part.seconds)]
    if known:
        yield f"time on {name}: " + ", ".join(f"{part.name} {duration(part.seconds, digits=2)}" for part in known)
    if unknown := [part.name for part in parts if not math.isfinite(part.seconds)]:
        yield f"not known here, and not in the time: {', '.join(unknown)}"


def _shots(work: Workload, can: Capabilities, cost: Cost) -> Iterator[str]:
    shots = work.shots or can.default_shots
    if shots is None or not cost.standard_error > 0:
        return
    width = with_unit(f"{cost.standard_error:.1e}", work.problem.unit)
    error = f"{shots:,} shots a circuit leave a statistical error of {width}"
    if (need := shots_for(work.accuracy, cost, shots)) > shots:
        yield f"{error}, more than the accuracy of {work.accuracy:g}: {enough(work.accuracy, cost, shots)}"
    else:
        yield f"{error}; the accuracy of {work.accuracy:g} takes {need:,}"
