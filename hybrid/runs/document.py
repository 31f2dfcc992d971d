"""The form of a run or a sweep that is handed to other programs; docs/export.schema.json is its JSON schema."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT, VERSION = "hybrid-export", 1
"""What a document says of itself; the version is raised when a name changes its meaning or goes."""


class Row(BaseModel):
    """One row of parameters that was evaluated."""

    row: int = Field(description="Number of the row in the run, from 0; the index of history.to_pandas().")
    evaluation: int = Field(description="Number of the evaluation in the run, from 0; it has one row or several.")
    step: int = Field(description="Step of the optimizer that asked.")
    energy: float = Field(description="In the run's unit.")
    standard_error: float = Field(description="Statistical error of the energy, in the run's unit; 0 if exact.")
    bias: float | None = Field(description="Estimated size of its systematic error, in the run's unit; null if none.")
    gradient_norm: float | None = Field(description="Euclidean norm, in the unit per radian; null if not asked.")
    gradient_max: float | None = Field(description="Largest component by size, in the unit per radian; null as above.")
    seconds: float = Field(description="Wall time of the evaluation divided by its rows.")
    backend: str = Field(description="Name of the backend that gave it.")
    finished_utc: str | None = Field(description="When it was written into the journal, ISO 8601, UTC.")
    theta: list[float] = Field(description="Parameters in the order of the run's list of them, radians.")


class Summary(BaseModel):
    """What was asked of a run, and what came out."""

    problem: str = Field(description="Its name.")
    source: dict[str, Any] = Field(description="The arguments that make the problem again.")
    unit: str = Field(description="Of all energies.")
    n_qubits: int | None = Field(description="Of the circuit; null of a stage that is no run.")
    parameters: list[str] = Field(description="Names of the circuit's parameters, in the order of theta.")
    optimizer: dict[str, Any] = Field(description="Its kind and settings; empty of a time evolution.")
    accuracy: float | None = Field(description="That was asked for, in the unit; null of a time evolution.")
    seed: int
    shots: int | None = Field(description="Of each measured circuit; null for exact values or a device's default.")
    label: str = Field(description="Classification of the data.")
    backend: str = Field(description="Name of the one that gave the last evaluations.")
    status: str = Field(description="converged, max_steps, stalled, stopped, below_exact, finished or unfinished.")
    message: str = Field(description="One sentence on the status where there is more to say.")
    energy: float | None = Field(description="At theta, in the unit; null before the first value.")
    standard_error: float | None = Field(description="Of the energy, in the unit.")
    bias: float = Field(description="Estimated size of the energy's systematic error, in the unit.")
    exact_energy: float | None = Field(description="In the unit; null where it is not known.")
    theta: list[float] | None = Field(description="Best parameters, radians.")
    steps: int | None
    evaluations: int = Field(description="Rows of parameters that were evaluated.")
    seconds: dict[str, float] | None = Field(description="Wall time by phase, and in total.")
    ranks: int | None = Field(description="Processes that shared the work.")
    jobs: int = Field(description="Jobs that were sent to vendors.")
    money_usd: float | None = Field(description="What vendors charged, in US dollars; null where it is not known.")
    failovers: list[dict[str, Any]] = Field(description="How the run went on at other backends.")
    prediction: dict[str, Any] | None = Field(description="What the plan expected, beside what it came to.")
    uncertainty: dict[str, Any] | None = Field(
        default=None,
        description="Intervals of the energies of the final state and of the ground state, with their parts and risks; "
        "null of a run without an end, and of older ones.",
    )
    provenance: dict[str, Any] = Field(description="Versions, machine and time of its beginning.")


class Run(BaseModel):
    """One run: a whole one, a point of a sweep, or a stage of an algorithm.

    Of a classifier the training is one, whose energies are losses; of a time evolution the trajectory, whose rows are
    its points.
    """

    folder: str = Field(description="Name of its folder, or of a stage without one.")
    values: dict[str, Any] = Field(
        description="Of the sweep's variables, and of an algorithm's the name of the stage; else empty."
    )
    summary: Summary
    rows: list[Row] = Field(description="Every row of parameters that was evaluated, in order.")


class Algorithm(BaseModel):
    """An algorithm of several stages: what was asked, and what came out."""

    folder: str = Field(description="Name of its folder.")
    values: dict[str, Any] = Field(description="Of the sweep's variables; empty for one that belongs to no sweep.")
    kind: str = Field(description="qaoa, vqd, adapt, classifier, real-time or imaginary-time.")
    problem: str = Field(description="Its name.")
    unit: str = Field(description="Of all energies.")
    asked: dict[str, Any] = Field(description="Its arguments.")
    backend: str = Field(description="Name of the last one.")
    status: str = Field(description="As of a run, or mixed, max_operators, finished or unfinished.")
    message: str = Field(description="One sentence on the status where there is more to say.")
    energy: float | None = Field(description="The last, in the unit; null where there is none, as of a classifier.")
    standard_error: float | None = Field(description="Of the energy, in the unit.")
    exact_energy: float | None = Field(description="In the unit; null where it is not known.")
    steps: int | None = Field(description="Of all its stages.")
    evaluations: int | None = Field(description="Rows of parameters that were evaluated, in all stages.")
    seconds: dict[str, float] | None = Field(description="Wall time by phase, and in total.")
    ranks: int | None = Field(description="Processes that shared the work.")
    failovers: list[dict[str, Any]] = Field(description="How it went on at other backends.")
    prediction: dict[str, Any] | None = Field(description="What the plan expected, beside what it came to.")
    result: dict[str, Any] = Field(
        description="What is the kind's own. qaoa: ratio, bits, value, cut, hits, samples. vqd: energies, exact, "
        "overlaps. adapt: operators, gradient_norms. classifier: accuracy, train_accuracy, baseline, chance, loss, "
        "classes, rows. Evolutions: times, energies, residuals, fidelities, drift, distance_bound. Empty before an end."
    )
    provenance: dict[str, Any] = Field(description="Versions, machine and time of its beginning.")


class Failure(BaseModel):
    """A point of a sweep that has no run."""

    values: dict[str, Any] = Field(description="Of the sweep's variables.")
    message: str = Field(description="Why it has none.")


class Document(BaseModel):
    """A run, an algorithm or a sweep."""

    model_config = ConfigDict(title="hybrid export")

    format: Literal["hybrid-export"] = Field(description="What this document is.")
    version: Literal[1] = Field(description="Of its form.")
    folder: str = Field(description="Name of the folder of the run, the algorithm or the sweep.")
    sweep: bool = Field(description="Whether it is a sweep.")
    runs: list[Run] = Field(description="The run, the points of the sweep, or the stages of its algorithms.")
    algorithms: list[Algorithm] = Field(
        default_factory=list, description="The algorithm, or those of the sweep; empty where there is none."
    )
    failures: list[Failure] = Field(description="Points of the sweep without a run.")
