"""Asking a backend for an application of the suite, and measuring the time it takes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby

import numpy as np
from qiskit import QuantumCircuit

from backends.base import Backend, Jobs, Samples
from backends.batch import Batch
from backends.mitigation.words import as_mitigation
from backends.providers.device import Device
from backends.seeds import child_seed
from circuits.errors import Refused
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Score, Size, Task
from hybrid.codesign.suite.features import features, measured
from hybrid.runs.benchmark.record import CircuitSize

ASKED = 1
"""Branch of a unit's tree of seeds that backends draw shots from; its circuits take the root itself."""

PHASES = ("transpile", "compile", "execute", "jobs")
"""Of the time of a backend; see `backends.base.Counted`."""


@dataclass
class Account:
    """What a unit took so far.

    Attributes:
        seconds: Wall time by phase.
        n_circuits: Circuits that were run.
        resumed: Whether jobs of it were sent by an earlier process, so that nobody knows how long they took.
        circuit: The largest of them by its gates on two qubits, then by its depth.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    n_circuits: int = 0
    resumed: bool = False
    circuit: CircuitSize | None = None

    def spend(self, seconds: dict[str, float]) -> None:
        """Add seconds by phase."""
        for phase, spent in seconds.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + spent

    def note(self, tasks: Sequence[Task]) -> None:
        """Count the circuits of a round."""
        self.n_circuits += len(tasks)
        sized = [(_size_of(task.circuit), task) for task in tasks]
        size, largest = max(sized, key=lambda pair: _rank(pair[0]))
        if self.circuit is None or _rank(size) > _rank(self.circuit):
            self.circuit = size.model_copy(update={"features": asdict(features(measured(largest)))})


def measure(
    benchmark: Benchmark,
    size: Size,
    backend: Backend,
    *,
    shots: int,
    seed: int,
    account: Account,
    on_round: Callable[[int], None] = lambda number: None,
    check_stop: Callable[[], None] = lambda: None,
) -> Score:
    """Run an instance of an application on a backend.

    Args:
        benchmark: The application.
        size: Of the instance.
        backend: Where its circuits run.
        shots: Of each circuit.
        seed: Of everything random in it.
        account: Where circuits and seconds are noted, also of an instance that does not come to its end.
        on_round: Called with the number of each round, from 0, before its circuits are sent.
        check_stop: Called before each round; what it raises ends the work.

    Raises:
        Refused: if there is no such instance, or the backend cannot do it.
    """
    start = time.perf_counter()
    spent_before = sum(account.seconds.values())
    rounds = benchmark.rounds(size, shots=shots, seed=seed)
    answers: Sequence[Answer] | None = None
    number = 0
    try:
        while True:
            tasks = next(rounds) if answers is None else rounds.send(answers)
            check_stop()
            on_round(number)
            account.note(tasks)
            answers = answered(backend, tasks, seed=child_seed(seed, ASKED, number), account=account)
            number += 1
    except StopIteration as end:
        return end.value
    finally:
        elsewhere = sum(account.seconds.values()) - spent_before
        account.spend({"classical": max(time.perf_counter() - start - elsewhere, 0.0)})


def answered(backend: Backend, tasks: Sequence[Task], *, seed: int, account: Account) -> list[Answer]:
    """The answers of a backend to the tasks of a round, those that count in as few jobs as may be.

    Args:
        backend: Where they run.
        tasks: At least one.
        seed: Of the shots.
        account: Where the seconds go.

    Raises:
        Refused: if the backend cannot do one of them.
    """
    start = time.perf_counter()
    answers: list[Answer] = []
    spent: dict[str, float] = {}

    def spend(seconds: dict[str, float]) -> None:
        for phase in PHASES:
            if phase in seconds:
                spent[phase] = spent.get(phase, 0.0) + seconds[phase]

    for (counted, shots), group in groupby(tasks, key=lambda task: (not task.observables, task.shots)):
        alike = list(group)
        if counted:
            if not isinstance(backend, Samples):
                raise Refused(f"'{backend.capabilities().name}' gives no counts, only expectation values")
            if _mitigates(backend):
                raise Refused(
                    f"'{backend.capabilities().name}' mitigates expectation values, and this application counts: its "
                    "counts would be raw ones; leave mitigation out"
                )
            bound = [task.circuit.assign_parameters(list(task.parameters)) for task in alike]
            seeds = [child_seed(seed, len(answers) + k) for k in range(len(alike))]
            found = backend.sample_circuits(bound, shots=shots, seeds=seeds)
            spend(found.seconds)
            answers += [Answer(counts=one) for one in found.counts]
        else:
            for task in alike:
                place = child_seed(seed, len(answers))
                batch = Batch(task.circuit, task.observables, task.parameters, shots=shots, seed=place)
                values = backend.submit(batch).result()
                spend(_phases(backend, values.seconds))
                answers.append(Answer(values=values.values[0], standard_errors=values.standard_errors[0]))
    account.spend(spent)
    seconds = {**spent, "total": time.perf_counter() - start}
    if account.resumed:
        seconds = {phase: taken for phase, taken in seconds.items() if phase not in ("jobs", "total")}
    return [Answer(one.counts, one.values, one.standard_errors, seconds) for one in answers]


def warm_up(backend: Backend) -> None:
    """Run a small circuit where that costs nothing, so that no later time holds the loading of libraries.

    Args:
        backend: A simulator in this process; at a provider nothing is sent.
    """
    if backend.capabilities().place == "here" and isinstance(backend, Samples):
        circuit = QuantumCircuit(2)
        circuit.h(0)
        circuit.cx(0, 1)
        backend.sample_circuits([circuit], shots=10, seeds=[0])


def _mitigates(backend: Backend) -> bool:
    """Whether its values, but not its counts, are corrected for noise."""
    asked = backend.origin.options.get("mitigation") if backend.origin is not None else None
    return bool(as_mitigation(asked).words or (isinstance(backend, Device) and backend.mitigation.words))


def _phases(backend: Backend, seconds: dict[str, float]) -> dict[str, float]:
    """Times of expectation values: a device's preparation is transpilation, a provider's execution has waited."""
    names = {"compile": "transpile"} if isinstance(backend, Jobs) else {}
    if backend.capabilities().place == "provider":
        names["execute"] = "jobs"
    return {names.get(phase, phase): spent for phase, spent in seconds.items()}


def _rank(size: CircuitSize) -> tuple[int, int]:
    return size.two_qubit_gates, size.depth


def _size_of(circuit: QuantumCircuit) -> CircuitSize:
    return CircuitSize(
        n_qubits=circuit.num_qubits,
        depth=int(np.int64(circuit.depth(lambda one: one.operation.name not in ("barrier", "measure")))),
        two_qubit_gates=sum(len(one.qubits) > 1 for one in circuit.data if one.operation.name != "barrier"),
    )
