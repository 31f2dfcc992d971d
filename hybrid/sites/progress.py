"""How far a run at work has come, by its journal and its plan."""

from dataclasses import dataclass
from pathlib import Path

from circuits.errors import RecordFailed, Refused
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.prediction import Prediction, predicted


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        energy: The lowest of its latest evaluations, in the problem's unit; None before the first one.
        standard_error: Of the energy, in the same unit; None without an energy.
        evaluations: Rows of parameters so far; None where nothing is known.
        left_s: Predicted seconds until the end; None where nothing is known.
    """

    energy: float | None = None
    standard_error: float | None = None
    evaluations: int | None = None
    left_s: float | None = None


def progress_of(place: Path) -> Progress:
    """How far the run in a folder has come.

    Args:
        place: Of the run, which may not have begun yet; it is read and not changed.
    """
    try:
        prediction = predicted(folders.read_spec(place).plan)
        latest = journal.read_latest(place / folders.JOURNAL)
    except (Refused, RecordFailed):
        return Progress()  # it has just begun, or is damaged, which its end will say
    left = None if prediction is None else left_s(prediction, latest.rows, latest.seconds)
    return Progress(latest.energy, latest.standard_error, latest.rows, left)


def left_s(prediction: Prediction, rows: int, seconds: float) -> float | None:
    """Seconds until the end of a run: the rows that its plan still expects, at the pace so far.

    Beyond the expected number half of those are counted that may still come; beyond nine of ten cases nothing is known.

    Args:
        prediction: Of its plan.
        rows: Evaluated so far.
        seconds: That they took.

    >>> from hybrid.runs.prediction import Interval
    >>> plan = Prediction(evaluations=Interval(expected=100, low=50, high=200))
    >>> left_s(plan, 25, 5.0), left_s(plan, 120, 24.0), left_s(plan, 300, 60.0)
    (15.0, 8.0, None)
    """
    expected = prediction.evaluations
    if rows == 0:
        return None if prediction.seconds is None else prediction.seconds.expected
    if rows > expected.high:
        return None
    more = expected.expected - rows if rows < expected.expected else (expected.high - rows) / 2
    return more * seconds / rows
