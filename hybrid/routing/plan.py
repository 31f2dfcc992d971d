"""The plan: where a workload would run, what it would cost there, and why."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from qiskit import QuantumCircuit
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

import backends
from backends import memory, registry
from backends.base import Backend
from backends.cost import Cost
from backends.forecast.forecast import Forecast
from backends.forecast.work import forecast_by_name, forecast_of_shots
from backends.registry import Method
from circuits import tables
from circuits.errors import FailedJob, NotInstalled, PolicyViolation, Refused
from hybrid.routing import explanation
from hybrid.routing.measuring import measure_all
from hybrid.routing.methods import SOON_S, Fitted, with_options
from hybrid.routing.order import NEAR, known_s, order
from hybrid.routing.outlook import Outlook, enough, outlook
from hybrid.routing.policy import check_may_go
from hybrid.routing.prediction import fitting, planned, possible
from hybrid.routing.routed import Routed
from hybrid.runs.entries import PlanEntry
from hybrid.runs.prediction import timed
from hybrid.terminal.progress import Progress
from hybrid.terminal.words import duration, rounded
from hybrid.workload.arguments import BackendLike, OptimizerLike, ProblemLike
from hybrid.workload.workload import Workload
from hybrid.workload.workload import workload as make_workload

TABLE_WIDTH = 88
"""Columns of a terminal below which a plan is a list instead of a table."""

COLUMNS = ("backend", "time", "memory", "std. error", "why")

HARDWARE = ("device", "shots", "depth", "2q gates", "fidelity", "QPU time", "price", "queue")
"""Columns of what is expected on devices."""

HARDWARE_TITLE = "On the device, estimated before anything is sent"


@dataclass(frozen=True)
class Way:
    """One way to run a workload.

    Attributes:
        backend: Where it would run.
        cost: Predicted time, memory, money and standard error.
        reason: Why it is ranked where it is.
        outlook: What a minimization is expected to take there; None for other work.
        bias: What a truncation moves the values by, in the observables' unit, as it was estimated for the choice.
    """

    backend: Backend
    cost: Cost
    reason: str = ""
    outlook: Outlook | None = None
    bias: float = 0.0

    @property
    def name(self) -> str:
        """Name of the backend."""
        return self.backend.capabilities().name

    @property
    def seconds(self) -> float:
        """Predicted wall time, of the whole run where the work is a minimization; NaN where it is not known."""
        whole = None if self.outlook is None else self.outlook.prediction.seconds
        return self.cost.seconds if whole is None else whole.expected


@dataclass(frozen=True)
class Refusal:
    """A backend that cannot run a workload.

    Attributes:
        name: Of the backend.
        reason: Why it cannot.
        by_policy: Whether the reason is the label of the data.
        hardware: What the work would take on the device nevertheless, such as on the one that a snapshot was taken of.
    """

    name: str
    reason: str
    by_policy: bool = False
    hardware: Forecast | None = None


@dataclass(frozen=True)
class Plan:
    """The ways to run a workload, ranked.

    Attributes:
        workload: Description of the workload, on one line.
        ways: The chosen one first, then the others, fastest first.
        refusals: The backends that cannot run it.
    """

    workload: str
    ways: tuple[Way, ...]
    refusals: tuple[Refusal, ...]

    @property
    def chosen(self) -> Way:
        """The first way.

        Raises:
            Refused: if there is none; the message gives the reason of every backend.
            PolicyViolation: if there is none, and the data's label forbids one of them.
        """
        if not self.ways:
            reasons = "; ".join(f"{refusal.name}: {refusal.reason}" for refusal in self.refusals)
            kind = PolicyViolation if any(refusal.by_policy for refusal in self.refusals) else Refused
            raise kind(f"no backend can run {self.workload}. {reasons}")
        return self.ways[0]

    def to_dict(self) -> PlanEntry:
        """JSON-able form, for the record of a run."""
        ways = [
            {"backend": way.name, "reason": way.reason, "cost": _cost_entries(way.cost)}
            | ({} if way.outlook is None else way.outlook.to_dict())
            for way in self.ways
        ]
        refused = [
            {"backend": refusal.name, "reason": refusal.reason}
            | ({} if refusal.hardware is None else {"hardware": asdict(refusal.hardware)})
            for refusal in self.refusals
        ]
        return cast("PlanEntry", {"workload": self.workload, "ways": ways, "refused": refused})

    @property
    def forecasts(self) -> tuple[Forecast, ...]:
        """What is expected on devices: of each way and each refusal of which it is known."""
        found = [way.cost.hardware for way in self.ways] + [refusal.hardware for refusal in self.refusals]
        return tuple(forecast for forecast in found if forecast is not None)

    def hardware_rows(self) -> list[tuple[str, ...]]:
        """Device, shots, depth, two-qubit gates, fidelity, time, price and queue of each forecast, as text."""
        return [_hardware_cells(forecast) for forecast in self.forecasts]

    def notes(self) -> list[str]:
        """What is expected of the first way, and what the forecasts rest on and leave out, a line for each device."""
        first = self.ways[0].outlook if self.ways else None
        expected = [] if first is None else list(first.sentences)
        devices = [forecast for forecast in self.forecasts if forecast.notes]
        return expected + [f"{forecast.device}: {'; '.join(forecast.notes)}" for forecast in devices]

    def rows(self) -> list[tuple[str, ...]]:
        """Backend, time, memory, standard error and reason of each way, then of each refusal, as text for tables."""
        rows = [(way.name, *_cells(way), way.reason) for way in self.ways]
        return rows + [(refusal.name, "-", "-", "-", f"refused: {refusal.reason}") for refusal in self.refusals]

    def table(self) -> Table:
        """The plan as a table for a terminal."""
        table = Table(title=f"Plan for {self.workload}", title_justify="left", title_style="bold", expand=False)
        for column in COLUMNS[:-1]:
            table.add_column(column, justify="left" if column == "backend" else "right", no_wrap=True)
        table.add_column(COLUMNS[-1], overflow="fold")
        for rank, row in enumerate(self.rows()):
            style = "bold green" if rank == 0 and self.ways else "dim" if rank >= len(self.ways) else None
            table.add_row(*row, style=style)
        return table

    def hardware_table(self) -> Table:
        """What is expected on devices, as a table for a terminal."""
        table = Table(title=HARDWARE_TITLE, title_justify="left", title_style="bold", expand=False)
        for column in HARDWARE:
            table.add_column(column, justify="left" if column == "device" else "right", overflow="fold")
        for row in self.hardware_rows():
            table.add_row(*row)
        return table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width >= TABLE_WIDTH:
            yield self.table()
            if self.forecasts:
                yield self.hardware_table()
        else:
            yield Text(f"Plan for {self.workload}", style="bold")
            for name, time, memory_, error, why in self.rows():
                yield Text(f"{name}: {why}" if time == "-" else f"{name}: {time}, {memory_}, std. error {error}; {why}")
            for row in self.hardware_rows():
                yield Text(", ".join(f"{name} {cell}" for name, cell in zip(HARDWARE, row, strict=True)))
        yield from map(Text, self.notes())

    def __str__(self) -> str:
        console = Console(width=110, color_system=None, markup=False, force_jupyter=False)
        with console.capture() as capture:
            console.print(self)
        return capture.get().rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title, notes = f"Plan for {self.workload}", self.notes()
        if not self.forecasts:
            return tables.html(self.rows(), title=title, columns=COLUMNS, notes=notes)
        device = tables.html(self.hardware_rows(), title=HARDWARE_TITLE, columns=HARDWARE, notes=notes)
        return tables.html(self.rows(), title=title, columns=COLUMNS) + device


def plan(
    circuit: QuantumCircuit,
    problem: ProblemLike,
    *,
    backend: BackendLike = "auto",
    optimizer: OptimizerLike = "lbfgs",
    accuracy: float = 1e-6,
    max_steps: int = 200,
    shots: int | None = None,
    label: str = "open",
    exact: bool = True,
) -> Plan:
    """Where a workload would run, how long, with how much memory, and why; nothing is started.

    Args:
        circuit: Ansatz with parameters.
        problem: A `circuits.Problem`, or a Hermitian operator on the circuit's qubits.
        backend: "auto" for every simulator that is here, or one name or object.
        optimizer: Name or `Optimizer`.
        accuracy: Wanted accuracy of the minimum, in the problem's unit.
        max_steps: Most steps of the optimizer.
        shots: Shots for each measured circuit; None for exact values, or a device's default.
        label: Classification of the data: "open", "internal" or "restricted".
        exact: Whether the run may compute the problem's exact energy, too, where that takes some seconds at most.

    Returns:
        A `Plan`, which prints as a table and shows itself in a notebook.

    Raises:
        Refused: if the parts do not fit each other. That no backend can run it is not an error before the plan's
            `chosen` is asked for.
    """
    work = make_workload(
        circuit,
        problem,
        optimizer=optimizer,
        accuracy=accuracy,
        max_steps=max_steps,
        shots=shots,
        label=label,
        exact=exact,
    )
    return rank(work, candidates(backend))


def candidates(backend: BackendLike) -> "list[BackendLike | Method]":
    """The backends that a request allows: for "auto" all that may be chosen, methods last, else the one given."""
    if isinstance(backend, str) and backend == "auto":
        return [*registry.automatic(), *registry.automatic_on_cards(), *registry.METHODS]
    return [backend]


def rank(workload: Routed, candidates: "Sequence[BackendLike | Method]") -> Plan:
    """The plan of a workload: its predicted cost on every candidate, ranked by time.

    Backends are measured for some seconds where that could change the choice and save more; see `measuring`.

    Args:
        workload: What is to be run.
        candidates: Backends or their names; of those that are about as fast as the fastest, the first is chosen.
            Methods for circuits of one kind are looked at only where all before them are slow.
    """
    looked: list[Way | Refusal] = []
    with Progress("planning", len(candidates)) as progress:
        for done, candidate in enumerate(candidates):
            progress.update(done, str(candidate))
            if isinstance(candidate, Method) and _soon(looked):
                continue
            alone = not any(isinstance(other, Way) and not other.bias for other in looked)
            found = _look_at(workload, candidate, planned, alone=alone)
            if isinstance(found, Refusal) and not found.by_policy and not isinstance(candidate, Method):
                found = _with_hardware(workload, candidate, found)
            looked.append(found)
    ways = _measured(workload, _truest(workload, [way for way in looked if isinstance(way, Way)]))
    refusals = tuple(refusal for refusal in looked if isinstance(refusal, Refusal))
    return Plan(
        workload.description,
        tuple(_explained(workload, [ways[k] for k in order([way.cost for way in ways])])),
        refusals,
    )


def _soon(looked: Sequence[Way | Refusal]) -> bool:
    """Whether a way that was found is so fast that no method for circuits of one kind is worth a look."""
    return any(isinstance(found, Way) and known_s(found.cost) < SOON_S for found in looked)


def _truest(workload: Routed, ways: list[Way]) -> list[Way]:
    """Where no accuracy was named: those that drop nothing, or else the one whose values are moved least."""
    least = min((way.bias for way in ways), default=0.0)
    return [way for way in ways if workload.accuracy or way.bias == least]


def _measured(workload: Routed, ways: list[Way]) -> list[Way]:
    """With what a measurement says of those whose predicted times leave the choice open."""
    places = measure_all([way.backend for way in ways], [way.cost for way in ways], derivative=workload.derivative)
    return [replace(way, cost=planned(workload, way.backend)) if k in places else way for k, way in enumerate(ways)]


def unreachable(workload: Routed, name: str, err: Refused) -> Plan:
    """The plan of a workload for a backend that cannot be made here: why, and what is known of it nevertheless.

    Args:
        workload: What would be run.
        name: Of the backend.
        err: Why it cannot be made.
    """
    refusal = _elsewhere(workload, name, Refusal(name, str(err)))
    if isinstance(err, NotInstalled) and refusal.hardware is None and not refusal.by_policy:
        refusal = replace(refusal, hardware=forecast_of_shots(name, workload))
    return Plan(workload.description, (), (refusal,))


def _elsewhere(workload: Routed, name: str, refusal: Refusal) -> Refusal:
    """What is known of a device that cannot be asked: whether data may go there, and then its size and price."""
    try:
        forecast = forecast_by_name(name, workload)
        if forecast is not None:
            check_may_go(workload.label, name, purpose="plan")
        return replace(refusal, hardware=forecast)
    except Refused as err:
        return Refusal(name, str(err), by_policy=isinstance(err, PolicyViolation))


def _with_hardware(workload: Routed, candidate: BackendLike, refusal: Refusal) -> Refusal:
    """With what the work would take on a device that cannot do it here, or cannot be asked."""
    try:
        backend = backends.get(candidate)
    except (Refused, ImportError):
        return _elsewhere(workload, candidate, refusal) if isinstance(candidate, str) else refusal
    with suppress(Refused):
        return replace(refusal, hardware=backend.forecast(workload))
    return refusal


def check_possible(workload: Routed, candidates: "Sequence[BackendLike | Method]", *, elsewhere: bool = False) -> None:
    """Refuse a workload that no candidate can do; nothing is measured.

    Args:
        workload: What is to be run.
        candidates: Backends or their names.
        elsewhere: Whether it is to run on another machine, whose memory is not known here.

    Raises:
        Refused: if none can; the message gives the reason of each.
        PolicyViolation: if none can, and the data's label forbids one of them.
    """
    refusals = []
    for candidate in candidates:
        looked = _look_at(workload, candidate, possible if elsewhere else fitting, try_out=False)
        if isinstance(looked, Way):
            return
        refusals.append(looked)
    Plan(workload.description, (), tuple(refusals)).chosen  # noqa: B018 - raises what there is to say


def _look_at(
    workload: Routed,
    candidate: "BackendLike | Method",
    cost: Callable[[Routed, Backend], Cost],
    *,
    alone: bool = True,
    try_out: bool = True,
) -> Way | Refusal:
    name = str(candidate) if isinstance(candidate, str | Method) else type(candidate).__name__
    try:
        if isinstance(candidate, Method):
            fitted = with_options(candidate, workload, alone=alone, try_out=try_out)
        else:
            fitted = Fitted(backends.get(candidate))
            name = fitted.backend.capabilities().name
        return Way(fitted.backend, cost(workload, fitted.backend), fitted.note, bias=fitted.bias)
    except ImportError as err:
        return Refusal(name, f"{err.name} is not installed")
    except FailedJob as err:
        return Refusal(name, f"it failed when its speed was measured: {err}")
    except Refused as err:
        return Refusal(name, str(err), by_policy=isinstance(err, PolicyViolation))


def _explained(workload: Routed, ways: list[Way]) -> Iterator[Way]:
    if isinstance(workload, Workload):
        ways = [replace(way, outlook=outlook(workload, way.backend, way.cost)) for way in ways]
    for rank, way in enumerate(ways):
        first, other = ways[0], ways[1] if rank == 0 and len(ways) > 1 else ways[0]
        facts = explanation.facts(workload, way.backend, way.cost)
        if way.cost.circuits:
            facts.append(
                f"a value takes {_count(way.cost.circuits, 'circuit')}, {_count(way.cost.shots, 'shot')} in all"
            )
        if way.cost.standard_error > workload.accuracy:
            facts.append(f"its statistical error exceeds the accuracy of {workload.accuracy:g}")
            shots = workload.shots or way.backend.capabilities().default_shots
            if shots is not None and math.isfinite(workload.accuracy):
                facts[-1] += ": " + enough(workload.accuracy, way.cost, shots, unit=" shots a circuit")
        if way.backend.capabilities().place == "provider":
            facts.append("its time is that on the device, without queue and network")
        if math.isnan(way.cost.seconds):
            facts.append("speed not known here")
        elif rank == 0 and other is not way and known_s(way.cost) <= known_s(other.cost) < math.inf:
            facts.insert(0, f"fastest here: {other.name} takes {_ratio(other, way)} times as long")
        elif rank == 0 and other is not way and known_s(other.cost) < math.inf:
            facts.insert(0, f"within a factor of {NEAR:g} of {other.name}, and before it in the order of preference")
        elif rank > 0:
            facts.insert(0, f"takes {_ratio(way, first)} times as long as {first.name}")
        facts += [way.reason] if way.reason else []
        yield replace(way, reason="; ".join(facts))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _ratio(slow: Way, fast: Way) -> str:
    return rounded(slow.seconds / max(fast.seconds, 1e-9))


def _cells(way: Way) -> tuple[str, str, str]:
    cost, seconds = way.cost, way.outlook and way.outlook.prediction.seconds
    error = "0" if cost.standard_error == 0 else f"{cost.standard_error:.1e}"
    held = memory.readable(cost.memory_bytes)
    if cost.on_card is not None:
        held = f"{held} and {memory.readable(cost.on_card.memory_bytes)} on the GPU"
    return duration(cost.seconds, digits=2) if seconds is None else timed(seconds), held, error


def _hardware_cells(forecast: Forecast) -> tuple[str, ...]:
    def text(value: float | None, form: str) -> str:
        return "not known" if value is None else format(value, form)

    return (
        forecast.device,
        f"{forecast.shots:,}",
        text(forecast.depth, ",d"),
        text(forecast.two_qubit_gates, ",d"),
        text(forecast.fidelity, ".2g"),
        "not known" if forecast.qpu_s is None else duration(forecast.qpu_s, digits=2),
        "not known" if forecast.money_usd is None else f"${forecast.money_usd:,.2f}",
        "not known" if forecast.queue is None else f"{forecast.queue} jobs",
    )


def _cost_entries(cost: Cost) -> dict[str, Any]:
    """JSON-able: the attributes, and the interval."""
    interval = {"seconds_low": cost.seconds_low, "seconds_high": cost.seconds_high}
    return {name: _finite(value) for name, value in (asdict(cost) | interval).items()}


def _finite(value: float) -> float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
