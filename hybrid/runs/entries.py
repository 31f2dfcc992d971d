"""What records say of a run, as JSON: the keys of `Result.to_dict` and of the lists of runs, and their types."""

from typing import NotRequired, TypedDict

FailoverEntry = TypedDict(
    "FailoverEntry",
    {
        "evaluation": int,
        "from": str,
        "to": str,
        "reason": str,
        "when_utc": str,
    },
)
"""That a run went on at another backend; see `hybrid.runs.failovers.Failover`."""


class IntervalEntry(TypedDict):
    """A quantity that a plan expected; see `hybrid.runs.prediction.Interval`."""

    expected: float
    low: float
    high: float
    happened: float | None


class PredictionEntry(TypedDict):
    """What a plan expected; see `hybrid.runs.prediction.Prediction`."""

    evaluations: IntervalEntry
    seconds: IntervalEntry | None


class ChainEntry(TypedDict):
    """On how many rows of its journal's chain a result rests, and the head of the last; see `hybrid.runs.chain`."""

    rows: int
    head: str


class Outcome(TypedDict):
    """What a list of runs says of a result; None for what is not known, and in a run that has not ended."""

    problem: str
    energy: float | None
    exact_energy: float | None
    standard_error: float | None
    bias: float | None
    unit: str
    status: str
    message: str | None
    steps: int | None
    evaluations: int | None
    backend: str
    seconds: dict[str, float] | None
    folder: str
    failovers: list[FailoverEntry]
    prediction: PredictionEntry | None


class ResultEntry(Outcome):
    """The content of a run's result.json, and its folder."""

    ranks: int
    rounding: float | None
    validated: float | None
    error_budget: dict[str, object] | None
    uncertainty: dict[str, object] | None
    chain: ChainEntry | None
    theta: list[float]


class DriftEntry(TypedDict):
    """A resumption with another calibration; see `hybrid.runs.calibrations.told`."""

    resumed_utc: str
    calibrated: str
    changes: list[dict[str, object]]
    words: str


class RunEntry(Outcome):
    """What a list of runs says of a run; see `hybrid.runs.listing.entry_of`."""

    optimizer: dict[str, object]
    accuracy: float
    seed: int
    start: object
    created_utc: str
    machine: str
    calibrated: str | None
    drift: list[DriftEntry]
    name: NotRequired[str]
    imported: NotRequired[dict[str, str]]


class WayEntry(TypedDict, total=False):
    """A way of a plan; see `hybrid.routing.plan.Way`. The last four keys stand where it is a minimization."""

    backend: str
    reason: str
    cost: dict[str, object]
    prediction: PredictionEntry
    phases: list[dict[str, object]]
    expected: list[str]
    row_s: float | None


class RefusalEntry(TypedDict, total=False):
    """What cannot be a way of a plan; "hardware" stands where a device's forecast is known."""

    backend: str
    reason: str
    hardware: dict[str, object]


class PlanEntry(TypedDict):
    """A plan; see `hybrid.routing.plan.Plan`."""

    workload: str
    ways: list[WayEntry]
    refused: list[RefusalEntry]
