"""The plan: where a workload would run, what it would cost there, and why."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from qiskit import QuantumCircuit
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

import backends
from backends import memory
from backends.base import Backend, Cost
from backends.speed import measure, stored
from circuits.errors import PolicyViolation, Refused
from hybrid.progress import Progress
from hybrid.workload import Workload
from hybrid.workload import workload as make_workload


@dataclass(frozen=True)
class Way:
    """One way to run a workload.

    Attributes:
        name: Of the backend.
        cost: Predicted cost; None if the way is refused before anything could be predicted.
        reason: Why it stands where it stands, or why it is refused.
        refused: Whether it cannot be taken.
        backend: The backend itself; not part of the record.
    """

    name: str
    cost: Cost | None
    reason: str
    refused: bool
    backend: Backend | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Plan:
    """Ways to run a workload: the best first, the refused ones last.

    Attributes:
        workload: The workload in words.
        ways: In order of preference.
    """

    workload: str
    ways: tuple[Way, ...]

    @property
    def chosen(self) -> Way:
        """The way to take.

        Raises:
            Refused: if there is none; the message gives every reason.
        """
        if not self.ways or self.ways[0].refused:
            reasons = "; ".join(f"{way.name}: {way.reason}" for way in self.ways)
            raise Refused(f"no backend can run {self.workload}. {reasons}")
        return self.ways[0]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, for the record."""
        ways = [
            {
                "backend": way.name,
                "refused": way.refused,
                "reason": way.reason,
                "cost": None if way.cost is None else {k: _finite(v) for k, v in asdict(way.cost).items()},
            }
            for way in self.ways
        ]
        return {"workload": self.workload, "ways": ways}

    def table(self) -> Table:
        """As a table for a terminal."""
        table = Table(title=f"Plan for {self.workload}", title_justify="left", title_style="bold", expand=False)
        table.add_column("backend", no_wrap=True)
        table.add_column("time", justify="right", no_wrap=True)
        table.add_column("memory", justify="right", no_wrap=True)
        table.add_column("std. error", justify="right", no_wrap=True)
        table.add_column("why", overflow="fold")
        for rank, way in enumerate(self.ways):
            style = "dim" if way.refused else "bold green" if rank == 0 else None
            cells = ("-", "-", "-") if way.cost is None else _cells(way.cost)
            table.add_row(way.name, *cells, ("refused: " if way.refused else "") + way.reason, style=style)
        return table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.table()

    def __str__(self) -> str:
        console = Console(width=110, color_system=None)
        with console.capture() as capture:
            console.print(self.table())
        return capture.get().rstrip()

    def _repr_html_(self) -> str:
        from html import escape

        head = "".join(f"<th>{name}</th>" for name in ("backend", "time", "memory", "std. error", "why"))
        rows = ""
        for way in self.ways:
            cells = ("-", "-", "-") if way.cost is None else _cells(way.cost)
            why = ("refused: " if way.refused else "") + way.reason
            rows += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in (way.name, *cells, why)) + "</tr>"
        return f"<p><b>Plan for {escape(self.workload)}</b></p><table><tr>{head}</tr>{rows}</table>"


def plan(
    circuit: QuantumCircuit,
    problem: Any,
    *,
    backend: Any = "auto",
    optimizer: Any = "lbfgs",
    accuracy: float = 1e-6,
    max_steps: int = 200,
    shots: int | None = None,
    label: str = "open",
) -> Plan:
    """Where a workload would run, how long, with how much memory, and why; nothing is started.

    Args:
        circuit: Ansatz with parameters.
        problem: A `circuits.Problem`, or a Hermitian operator.
        backend: "auto" for every simulator that is here, or one name or object.
        optimizer: Name or `Optimizer`.
        accuracy: Wanted accuracy of the minimum, in the problem's unit.
        max_steps: Most steps of the optimizer.
        shots: Shots for each measured circuit.
        label: Classification of the data.

    Returns:
        A `Plan`, which prints as a table and shows itself in a notebook.
    """
    work = make_workload(
        circuit, problem, optimizer=optimizer, accuracy=accuracy, max_steps=max_steps, shots=shots, label=label
    )
    return rank(work, candidates(backend))


def candidates(backend: Any) -> list[Any]:
    """The backends that a request allows: all simulators that leave the data here for "auto", else the one named."""
    if isinstance(backend, str) and backend == "auto":
        return [name for name in backends.names() if name != "ibm"]
    return [backend]


def rank(workload: Workload, candidates: Sequence[Any], *, calibrate: bool = True) -> Plan:
    """Predict what the workload costs on every candidate, and rank.

    Args:
        workload: What is to be run.
        candidates: Backends or their names.
        calibrate: Measure the speed of a backend that was never measured on this machine (some seconds, once).

    Returns:
        The ways, fastest first.
    """
    ways = []
    with Progress("planning; backends new to this machine are measured once", len(candidates)) as progress:
        for done, candidate in enumerate(candidates):
            progress.update(done, str(candidate))
            ways.append(_way(workload, candidate, calibrate))
    open_ways = sorted((way for way in ways if not way.refused), key=_seconds)
    refused = [way for way in ways if way.refused]
    return Plan(describe(workload), (*_explain(workload, open_ways), *refused))


def describe(workload: Workload) -> str:
    """A workload in a few words."""
    circuit, problem = workload.circuit, workload.problem
    return (
        f"{problem.name}: {circuit.num_qubits} qubits, {circuit.num_parameters} parameters, "
        f"{len(problem.hamiltonian)} terms, {type(workload.optimizer).__name__}, "
        f"accuracy {workload.accuracy:g} {problem.unit}"
    )


def _way(workload: Workload, candidate: Any, calibrate: bool) -> Way:
    name = candidate if isinstance(candidate, str) else None
    try:
        backend = backends.get(candidate)
        can = backend.capabilities()
        name = can.name
        if can.place == "provider" and workload.label != "open":
            raise PolicyViolation(f"data labelled '{workload.label}' may not leave this machine")
        if can.precision == "single" and workload.accuracy < 1e-5:
            raise Refused(f"single precision cannot resolve an accuracy of {workload.accuracy:g}")
        cost = backend.predict(workload)
        if cost.memory_bytes > memory.free_bytes():
            raise Refused(
                f"needs {cost.memory_bytes} bytes ({memory.readable(cost.memory_bytes)}), "
                f"{memory.readable(memory.free_bytes())} are free"
            )
        if calibrate and math.isnan(cost.seconds) and can.place == "here":
            derivative = workload.derivative and can.gradient != "parameter-shift"
            if stored(backend, derivative=derivative) is None:
                measure(backend, derivative=derivative)
            cost = backend.predict(workload)
    except ImportError as err:
        return Way(name or type(candidate).__name__, None, f"{err.name} is not installed", refused=True)
    except Refused as err:
        return Way(name or type(candidate).__name__, None, str(err), refused=True)
    return Way(name, cost, "", refused=False, backend=backend)


def _explain(workload: Workload, ways: list[Way]) -> list[Way]:
    explained = []
    for rank, way in enumerate(ways):
        can, cost = way.backend.capabilities(), way.cost
        facts = [f"gradients by {can.gradient}" if workload.derivative else "values only"]
        if cost.standard_error > workload.accuracy:
            facts.append(f"its statistical error exceeds the accuracy of {workload.accuracy:g}")
        if math.isnan(cost.seconds):
            facts.append("speed not measured here")
        elif rank == 0 and len(ways) > 1 and not math.isnan(ways[1].cost.seconds):
            factor = ways[1].cost.seconds / max(cost.seconds, 1e-9)
            facts.insert(0, f"fastest here, {factor:.1f} times ahead of {ways[1].name}")
        elif rank > 0 and not math.isnan(ways[0].cost.seconds):
            facts.insert(0, f"{cost.seconds / max(ways[0].cost.seconds, 1e-9):.1f} times the time of {ways[0].name}")
        explained.append(Way(way.name, cost, "; ".join(facts), refused=False, backend=way.backend))
    return explained


def _seconds(way: Way) -> float:
    return math.inf if math.isnan(way.cost.seconds) else way.cost.seconds


def _cells(cost: Cost) -> tuple[str, str, str]:
    error = "0" if cost.standard_error == 0 else f"{cost.standard_error:.1e}"
    return duration(cost.seconds), memory.readable(cost.memory_bytes), error


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(0.0042), duration(75), duration(float("nan"))
    ('4.2 ms', '1.2 min', 'unknown')
    """
    if math.isnan(seconds):
        return "unknown"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1000:.3g} ms"


def _finite(value: float) -> float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
