"""The seam between what is asked and who computes it.

A `Backend` answers four questions: what can you do (`capabilities`), what would this cost (`predict`), please do it
(`submit`), and what is the derivative (`value_and_grad`, by parameter shift unless the backend has a better way).
Precision, seed and shots travel with each call; nothing is remembered between calls but compiled programs.
"""

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, get_args
from uuid import uuid4

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.batch import Batch
from circuits.errors import Refused, unknown

Precision = Literal["double", "single"]


def check_precision(precision: Any, backend: str) -> None:
    """Refuse a precision that no backend has, naming the backend it was asked of."""
    if precision not in get_args(Precision):
        raise unknown(f"precision of {backend}:", str(precision), get_args(Precision))


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do.

    Attributes:
        name: As `backends.get` knows it.
        summary: One line for a table.
        max_qubits: Largest circuit, for reasons other than memory; None if memory is the only limit.
        exact: Expectation values come without statistical error when no shots are asked for.
        noise: A noise model or a device's noise is part of every answer.
        gradient: How `value_and_grad` works.
        precision: Of the floating-point numbers inside.
        place: Whether the data leave this machine.
        default_shots: Shots per measured circuit when the batch names neither shots nor precision; None if exact.
        steady: The last bits do not depend on the number of threads that it may use.
        states: Whether `states` hands out final states, so that fidelities and metrics are exact.
    """

    name: str
    summary: str
    max_qubits: int | None
    exact: bool
    noise: bool
    gradient: Literal["adjoint", "backprop", "parameter-shift"]
    precision: Precision = "double"
    place: Literal["here", "provider"] = "here"
    default_shots: int | None = None
    steady: bool = False
    states: bool = False


@dataclass(frozen=True)
class Expectations:
    """Result of a batch.

    Attributes:
        values: Expectation values, shape (rows, observables), in the observables' unit.
        standard_errors: Statistical errors of the values, same shape; zeros where the values are exact.
        shots: Shots taken for each measured circuit, 0 where none were.
        seconds: Time by phase: "compile", "execute", "queue", whichever there were.
    """

    values: np.ndarray
    standard_errors: np.ndarray
    shots: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


class Job(ABC):
    """A submitted batch. It outlives the process: a provider's job can be found again by its id."""

    id: str

    @abstractmethod
    def status(self) -> Literal["queued", "running", "done", "failed", "cancelled"]:
        """Where the job stands."""

    @abstractmethod
    def result(self) -> Expectations:
        """The expectation values; waits for them.

        Raises:
            FailedJob: if the backend could not finish.
            LostJob: if nobody knows what became of it.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Stop the job if it has not ended; a finished one stays as it is."""


class FinishedJob(Job):
    """A job that a simulator in this process finished at submission."""

    def __init__(self, id: str, expectations: Expectations):  # noqa: A002 - the field's word
        self.id = id
        self._expectations = expectations

    def status(self):
        """Always done."""
        return "done"

    def result(self) -> Expectations:
        """The expectation values."""
        return self._expectations

    def cancel(self) -> None:
        """Nothing is left to stop."""


@dataclass(frozen=True)
class Cost:
    """What a piece of work is predicted to take.

    Attributes:
        seconds: Wall time, compilation included; NaN while the backend's speed is not measured on this machine.
        compile_s: The part of it that is spent once, before the first value: importing, compiling.
        memory_bytes: Peak memory beyond the interpreter's own.
        money_usd: What a provider would charge.
        standard_error: Statistical error of one value, in the observable's unit; 0 where values are exact.
    """

    seconds: float
    compile_s: float
    memory_bytes: int
    money_usd: float = 0.0
    standard_error: float = 0.0


@dataclass(frozen=True)
class Footprint:
    """What a piece of work amounts to, whatever the speed of the machine.

    Attributes:
        passes: Sweeps over the state for one value: gates, as this backend counts them, and terms of the observables.
        amplitudes: Numbers in the state: 2^n, or 4^n for a density matrix.
        memory_bytes: Peak memory.
        values: Values computed for each row: 1, or 1 and all the shifted ones for a parameter-shift gradient.
        standard_error: Statistical error of one value, 0 where values are exact.
        money_usd: What a provider would charge.
    """

    passes: float
    amplitudes: float
    memory_bytes: int
    values: int = 1
    standard_error: float = 0.0
    money_usd: float = 0.0


class Work(Protocol):
    """What `footprint` needs to know; both a `Batch` and a workload of the loop are such work."""

    @property
    def circuit(self) -> QuantumCircuit: ...  # noqa: D102
    @property
    def observables(self) -> tuple[SparsePauliOp, ...]: ...  # noqa: D102
    @property
    def n_rows(self) -> int:
        """Parameter rows in one evaluation."""
        ...

    @property
    def n_evaluations(self) -> int:
        """How often the rows are evaluated."""
        ...

    @property
    def derivative(self) -> bool:
        """Whether each evaluation asks for the gradient, too."""
        ...

    @property
    def precision(self) -> float | None: ...  # noqa: D102
    @property
    def shots(self) -> int | None: ...  # noqa: D102


@dataclass(frozen=True)
class Origin:
    """How to get a backend again: ``backends.get(name, **options)``."""

    name: str
    options: dict[str, Any]


class Backend(ABC):
    """A place where expectation values come from."""

    library: ClassVar[str | None] = None
    """Module of a heavy library that is imported on first use; its import time is part of a prediction."""

    origin: Origin | None = None
    """Set by `backends.get` when a name made this backend; None for one that was made around an object."""

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this backend can do."""

    @abstractmethod
    def footprint(self, work: Work) -> Footprint:
        """What the work amounts to, before anything is allocated or sent.

        Raises:
            Refused: if this backend cannot do the work at all (gates, number of qubits); the message says why. Memory
                is not judged here.
        """

    def predict(self, work: Work) -> Cost:
        """What the work would cost on this machine; seconds are NaN while the speed was never measured here.

        Raises:
            Refused: if this backend cannot do the work at all; the message says why.
        """
        from backends.speed import stored

        footprint = self.footprint(work)
        native = self.capabilities().gradient != "parameter-shift"
        speed = stored(self, derivative=work.derivative and native)
        row_s = compile_s = math.nan
        if speed is not None:
            row_s = speed.row_s(footprint.passes, footprint.amplitudes)
            loaded = self.library is None or self.library in sys.modules
            compile_s = speed.compile_s(footprint.passes) + (0.0 if loaded else speed.load)
        return Cost(
            seconds=compile_s + work.n_evaluations * work.n_rows * footprint.values * row_s,
            compile_s=compile_s,
            memory_bytes=footprint.memory_bytes,
            money_usd=footprint.money_usd,
            standard_error=footprint.standard_error,
        )

    @abstractmethod
    def prepare(self, circuit: QuantumCircuit, observables: Any) -> Callable[..., Expectations]:
        """A function for evaluating the same circuit and observables many times; what can be compiled is compiled once.

        Args:
            circuit: Must not be changed while the function is in use.
            observables: As in a `Batch`.

        Returns:
            ``f(parameters, precision=None, shots=None, seed=None) -> Expectations``, with the meaning of a `Batch`.

        Raises:
            Refused: if this backend cannot do the circuit; nothing was started.
        """

    def submit(self, batch: Batch) -> Job:
        """Start computing every row of parameters against every observable; a simulator in this process ends it, too.

        Raises:
            Refused: if this backend cannot do the batch; nothing was started.
        """
        evaluate = self.prepare(batch.circuit, batch.observables)
        return FinishedJob(uuid4().hex, evaluate(batch.parameters, batch.precision, batch.shots, batch.seed))

    @abstractmethod
    def sample(
        self, circuit: QuantumCircuit, parameters=(), *, shots: int = 1024, seed: int | None = None
    ) -> dict[str, int]:
        """Counts of bit strings from measuring every qubit of the circuit.

        Args:
            circuit: Without measurements, or measured at its very end.
            parameters: Shape (params,), radians, in ``circuit.parameters`` order.
            shots: How many bit strings to draw.
            seed: The same seed gives the same counts.

        Returns:
            Bit string to count; qubit 0 is the rightmost character.
        """

    def value_and_grad(
        self,
        circuit: QuantumCircuit,
        observable: SparsePauliOp,
        *,
        precision: float | None = None,
        shots: int | None = None,
        seed: int | None = None,
    ) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
        """A function of the parameters that returns <H> and its gradient.

        Args:
            circuit: With parameters, without measurements.
            observable: Hermitian operator on the circuit's qubits.
            precision: Wanted standard error of each expectation value.
            shots: Shots for each measured circuit, instead of a precision.
            seed: Root of the random numbers of every call.

        Returns:
            ``f(theta, seed=None) -> (value, gradient)``: for theta of shape (params,) a float and an array of shape
            (params,); for (rows, params) arrays of shapes (rows,) and (rows, params). Parameters are in radians, in
            ``circuit.parameters`` order. Without a seed of its own, each call takes the next child of the root.
        """
        from backends.gradients import parameter_shift

        return parameter_shift(self, circuit, observable, precision=precision, shots=shots, seed=seed)

    def states(self, circuit: QuantumCircuit) -> Callable[[np.ndarray], np.ndarray]:
        """A function from a row of parameters, shape (params,), to the final state, shape (2^n,), up to a global phase.

        Raises:
            Refused: by a backend whose capabilities name no ``states``.
        """
        del circuit
        raise Refused(f"'{self.capabilities().name}' hands out no states")

    def metric(self, circuit: QuantumCircuit) -> Callable[[Any], np.ndarray]:
        """The exact Fubini-Study metric of the circuit's states as a function: theta (params,) -> (params, params).

            g_jk = Re <d_j psi | d_k psi> - <d_j psi | psi> <psi | d_k psi>

        Raises:
            Refused: by a backend that hands out no states; `backends.fidelity.metric` takes one from shots there.
        """
        from backends.fidelity import metric

        evaluate = metric(self, circuit)
        return lambda theta: evaluate(np.asarray(theta, dtype=float), 0)
