"""An algorithm of several stages, as its folder holds it: what was asked, and what came out.

algorithm.json      what was asked: the arguments, the backend, the plan, versions, machine
problem.json, ...   what was given, besides: see `hybrid.algorithms.inputs`
NAME/               a stage that is a minimization: the folder of a run
NAME.json           a stage that is computed once, such as the counts of a sample
NAME.jsonl          a stage of many small steps, a line for each
NAME.sqlite         a stage that minimizes something else than an energy: its journal
stages.sqlite       the chain of all that was asked and all stages: see `hybrid.runs.stages`
failovers.jsonl     where stages that are no runs went on after their backend had failed; only if one has
jobs.sqlite         the jobs at a vendor that stages sent, besides those of the runs; only where there is one
budget.sqlite       what all stages together may spend at vendors, and have spent; in a sweep's folder for its points
result.json         what came out
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, FiniteFloat

from circuits.errors import Refused
from hybrid.runs import folder as folders
from hybrid.runs.files import checked, read_json
from hybrid.runs.prediction import Prediction
from hybrid.workload.spec import BackendSpec, RecordModel

TRAINING = "training.sqlite"
"""The journal of a classifier, whose values are losses."""

TRAJECTORY = "trajectory.jsonl"
"""The points of a time evolution."""

FORMAT = 3
"""The first one has no files of what was given, the first two have no chain of their stages."""

Status = Literal[
    "converged", "finished", "max_steps", "stalled", "stopped", "below_exact", "mixed", "max_operators", "unfinished"
]
"""How an algorithm ended; "finished" where nothing converges, "unfinished" before its end."""


def worst(statuses: Iterable[Status]) -> Status:
    """The first that is not "converged", else "converged"."""
    for status in statuses:
        if status != "converged":
            return status
    return "converged"


class AlgorithmSpec(RecordModel):
    """What was asked of an algorithm, as algorithm.json holds it.

    Attributes:
        format: Version of the folder's layout, from 1 to `FORMAT`.
        kind: The algorithm's name.
        asked: Its workload, as `hybrid.workload.question.question` describes it, and its own arguments.
        backend: Where it was begun.
        unit: Of its energies.
        failover: Where it may go on, in order, if that fails.
        plan: What it was expected to take, as `hybrid.routing.plan.Plan.to_dict` says it.
        provenance: Versions and machine.
        notes: What the caller wants kept; of a study file its sections under "study".
        inputs: SHA-256 of each file of what was given, by its name.
    """

    format: int = Field(ge=1, le=FORMAT)
    kind: str
    asked: dict[str, Any]
    backend: BackendSpec
    unit: str = ""
    failover: list[BackendSpec] = Field(default_factory=list)
    plan: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)
    notes: dict[str, Any] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict)


class StoredOutcome(RecordModel):
    """What came of an algorithm, as result.json holds it; beside these keys stand the algorithm's own.

    Attributes:
        energy: The algorithm's last, in the unit; None where it has none, as a classifier.
        standard_error: Of the energy; 0 where it is exact.
        exact_energy: The lowest energy of the problem; None where it is not known.
        status: How it ended.
        message: One sentence on the status where there is more to say.
        steps: Of all its minimizations together, or of a trajectory.
        evaluations: Rows of parameters that were evaluated, in all minimizations together.
        backend: Name of the backend; after failovers of the last.
        seconds: Wall time by phase, of the runs whenever they ran, and of the other stages in the last process.
        ranks: Processes that shared the work.
        failovers: How it went on at other backends; see `hybrid.runs.failovers.Failover.to_dict`.
        prediction: What its plan expected, beside what happened.
    """

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    energy: FiniteFloat | None = None
    standard_error: FiniteFloat | None = None
    exact_energy: FiniteFloat | None = None
    status: Status = "finished"
    message: str = ""
    steps: int | None = None
    evaluations: int | None = None
    backend: str = ""
    seconds: dict[str, FiniteFloat] = Field(default_factory=dict)
    ranks: int = 1
    failovers: list[dict[str, Any]] = Field(default_factory=list)
    prediction: Prediction | None = None


def read_spec(path: Path) -> AlgorithmSpec:
    """What was asked of the algorithm in a folder.

    Raises:
        Refused: if the folder holds none, or a damaged one.
    """
    file = path / folders.ALGORITHM
    return checked(AlgorithmSpec, read_json(file), file)


def read_outcome(path: Path) -> StoredOutcome | None:
    """What came of the algorithm in a folder; None before its end.

    Raises:
        Refused: if the result is damaged.
    """
    file = path / folders.RESULT
    return checked(StoredOutcome, read_json(file), file) if file.exists() else None


def runs_of(path: Path) -> list[Path]:
    """The folders of an algorithm's runs, in the order in which they were begun."""
    return sorted((spec.parent for spec in path.glob(f"*/{folders.SPEC}")), key=lambda run: _begun(run / folders.SPEC))


def check_free(path: Path) -> None:
    """Refuse a path where no new algorithm can be recorded; it need not exist.

    Raises:
        Refused: if it holds a run or an algorithm already, or is no folder.
    """
    if folders.is_algorithm(path):
        raise Refused(f"{path} holds an algorithm already; resume it, or choose another folder")
    folders.check_free(path)


def _begun(file: Path) -> tuple[float, str]:
    return file.stat().st_mtime, file.parent.name
