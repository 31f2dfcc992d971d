"""What a benchmark measured, as its record holds it: JSON with a version, readable by later versions."""

import math
from typing import Any, Literal

from pydantic import Field, FiniteFloat

from hybrid.runs.queue_time import OF_A_FORMER_VERSION, QueueTime, Source
from hybrid.terminal.words import duration
from hybrid.workload.spec import BackendSpec, RecordModel

FORMAT = "hybrid.bench"
VERSION = 3
"""The first one has no chain of its units, the second does not say how the time in queues is known."""

LABEL = "open"
"""Of the data: the circuits of a benchmark hold nobody's."""

Status = Literal["done", "refused", "failed"]
"""Of a unit: "refused" where a backend cannot do it, "failed" where it should have and did not."""


class Number(RecordModel):
    """A number with its standard error, in the same unit; 0 where it is exact."""

    value: FiniteFloat
    standard_error: FiniteFloat = 0.0


class Seconds(RecordModel):
    """Wall time of a unit by phase; None where the backend does not tell it, or there is none.

    Attributes:
        transpile: Bringing circuits to the gates and the coupling of a device.
        compile: Making circuits ready for a simulator.
        execute: Running them in this process; of a backend that does not tell its phases apart, preparing them, too. At
            a provider the time in which jobs ran by its own clock, where it tells that; part of the next one.
        jobs: At a provider: from sending the jobs to having their results, which the queue is part of.
        queue: The time in which jobs waited at a provider and none of them ran; 0 in this process. See `Queue`.
        classical: The application's own computation: making circuits, scoring, an optimizer.
        total: Of the whole unit, from start to end.
    """

    transpile: FiniteFloat | None = None
    compile: FiniteFloat | None = None
    execute: FiniteFloat | None = None
    jobs: FiniteFloat | None = None
    queue: FiniteFloat | None = None
    classical: FiniteFloat | None = None
    total: FiniteFloat


class Queue(RecordModel):
    """How the time in a provider's queue is known; see `hybrid.runs.queue_time`.

    Attributes:
        source: "here" where nothing waits, "vendor" for the provider's own times of its jobs, "asked" where the jobs
            were asked for until they did not wait any more, "unknown" where nothing tells.
        late_by_s: By so much the time is too long at most, seconds.
        predicted_s: What the provider had predicted for its jobs, seconds; None where it does not predict.
        reason: Why it is not known; empty where it is.
    """

    source: Source
    late_by_s: FiniteFloat = 0.0
    predicted_s: FiniteFloat | None = None
    reason: str = ""


class CircuitSize(RecordModel):
    """The largest circuit of a unit as the application writes it, before anything is transpiled.

    Attributes:
        n_qubits: Its width.
        depth: Its depth in gates.
        two_qubit_gates: Gates on two qubits or more.
        features: SupermarQ's, by name, of the circuit with its measurements; see `hybrid.codesign.suite.features`.
    """

    n_qubits: int
    depth: int
    two_qubit_gates: int
    features: dict[str, FiniteFloat] = Field(default_factory=dict)


class Unit(RecordModel):
    """One application at one size on one backend.

    Attributes:
        application: Name of the benchmark.
        title: For people.
        n_qubits: Of its size.
        depth: Of its size, in layers; None where it has none.
        backend: Its place in the record's list of backends, from 0.
        status: Whether it was done.
        reason: Why not; empty if it was.
        score: In the unit; None if it was not done.
        reference: What a perfect computer scores.
        unit: Of the score; empty for a number between 0 and 1.
        higher_is_better: Whether a higher score is the better one.
        details: Further numbers, by name.
        shots: Of each circuit.
        n_circuits: How many were run.
        circuit: The largest of them; None if none was made.
        seed: Of everything random in it.
        seconds: Wall time by phase.
        queue: How the time in the queue is known; None in records of versions before the third.
        finished_utc: When (ISO 8601, UTC).
    """

    application: str
    title: str
    n_qubits: int
    depth: int | None
    backend: int = Field(ge=0)
    status: Status
    reason: str = ""
    score: Number | None = None
    reference: FiniteFloat | None = None
    unit: str = ""
    higher_is_better: bool = True
    details: dict[str, Number] = Field(default_factory=dict)
    shots: int
    n_circuits: int = 0
    circuit: CircuitSize | None = None
    seed: int
    seconds: Seconds
    queue: Queue | None = None
    finished_utc: str

    @property
    def size(self) -> str:
        """As `hybrid.codesign.suite.benchmark.Size` writes it."""
        return f"{self.n_qubits}" if self.depth is None else f"{self.n_qubits}x{self.depth}"

    @property
    def queue_time(self) -> QueueTime:
        """How long it waited at a provider."""
        if self.queue is None:
            return QueueTime(self.seconds.queue, "unknown", reason=OF_A_FORMER_VERSION)
        return QueueTime(self.seconds.queue, **self.queue.model_dump())

    @property
    def place(self) -> tuple[str, int, int | None, int]:
        """Which unit of the record it is."""
        return self.application, self.n_qubits, self.depth, self.backend


class Measured(RecordModel):
    """A backend as the record holds it.

    Attributes:
        label: As it was asked for, such as ``"ibm:fake_torino"``.
        spec: Name and options.
        summary: One line on what it is.
        max_qubits: Largest circuit; None where only memory limits it.
        noise: Whether noise is in every answer.
        place: Whether circuits leave this machine.
    """

    label: str
    spec: BackendSpec
    summary: str = ""
    max_qubits: int | None = None
    noise: bool = False
    place: Literal["here", "provider"] = "here"


class BenchSpec(RecordModel):
    """What a benchmark was asked for, as bench.json in its folder holds it.

    Attributes:
        format: "hybrid.bench".
        version: Of the record's layout.
        suite: Name of the suite.
        shots: Of each circuit; None for each application's own.
        seed: Root of every random number.
        sizes: Of each application, in order, as text.
        backends: Asked, in order.
        circuits: Of applications from files, SHA-256 of the file of each name and size.
        provenance: Machine, versions and time of the first start; see `hybrid.runs.provenance`.
    """

    format: Literal["hybrid.bench"] = FORMAT
    version: int = Field(default=VERSION, ge=1, le=VERSION)
    suite: str
    shots: int | None
    seed: int
    sizes: dict[str, list[str]]
    backends: list[Measured]
    circuits: dict[str, str] = Field(default_factory=dict)
    provenance: dict[str, Any]


class BenchRecord(BenchSpec):
    """All that a benchmark was asked for and measured: one file, whole in itself.

    Attributes:
        units: What was measured so far, in the order of asking.
    """

    units: list[Unit]

    @property
    def n_units(self) -> int:
        """How many were asked for."""
        return sum(map(len, self.sizes.values())) * len(self.backends)


def queue_notes(record: BenchRecord) -> list[str]:
    """How the time in queues is known of the units that were sent to providers, or why not: a sentence for each way.

    Args:
        record: Of the benchmark.
    """
    said: dict[str, list[str]] = {}
    for unit in record.units:
        found = unit.queue_time
        if unit.status != "done" or record.backends[unit.backend].place == "here":
            continue
        predicted = "" if found.predicted_s is None else f"; the vendor predicted {duration(found.predicted_s)}"
        way = "queue (-) not known" if found.seconds is None else "queue"
        label = f"{unit.application} {unit.size} on {record.backends[unit.backend].label}"
        said.setdefault(f"{way}, {{}}: {found.words()}{predicted}", []).append(label)
    return [words.replace("{}", ", ".join(labels), 1) for words, labels in said.items()]


def number_text(number: Number, unit: str = "") -> str:
    """A number with its standard error, to two digits of the error, and its unit.

    >>> number_text(Number(value=0.91234, standard_error=0.0123)), number_text(Number(value=1200.0), "layers/s")
    ('0.912 ± 0.012', '1200 layers/s')
    """
    value, error = number.value, number.standard_error
    after = f" {unit}" if unit else ""
    if not error > 0:
        return f"{value:.6g}{after}"
    places = 1 - math.floor(math.log10(float(f"{error:.1e}")))
    if places > 7 or error >= 1e6:
        return f"{value:.6g} ± {error:.2g}{after}"
    return f"{round(value, places):.{max(places, 0)}f} ± {round(error, places):.{max(places, 0)}f}{after}"
