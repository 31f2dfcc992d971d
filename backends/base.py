"""The seam between what is asked and who computes it.

A `Backend` says what it can do (`capabilities`), what work amounts to (`footprint`), and does it (`prepare`, `submit`).
What only some can do is an ability of its own: `Samples`, `States`, `Jobs`. Precision, seed and shots travel with each
call; nothing is remembered between calls but compiled programs.
"""

import reprlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from uuid import uuid4

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends.batch import Batch, Evaluate
from backends.checks import ObservableLike, ObservablesLike
from backends.cost import Cost, Footprint, Work, cost
from backends.forecast.forecast import Forecast
from backends.gradients.parameter_shift import ValueAndGradient, parameter_shift
from backends.job import FinishedJob, Job
from backends.providers.calibration import Calibration
from backends.speed import speed, speed_name
from circuits import tables
from circuits.secrets import HIDDEN, is_secret, redacted

if TYPE_CHECKING:
    from backends.providers.dispatch import Dispatch
    from backends.providers.hardware import Hardware

Precision = Literal["double", "single"]


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do.

    Attributes:
        name: As `backends.get` knows it.
        summary: One line for a table.
        max_qubits: Largest circuit, for reasons other than memory; None if memory is the only limit.
        exact: Values have neither a statistical error nor a bias when no shots are asked for.
        noise: A noise model or a device's noise is part of every answer.
        gradient: How `value_and_grad` works.
        precision: Of the floating-point numbers inside.
        place: Whether the data leave this machine.
        default_shots: Shots per measured circuit where a batch names neither them nor a precision; None: exact values.
        steady: The last bits do not depend on the number of threads that it may use.
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

    def rows(self) -> list[tuple[str, str]]:
        """The same as pairs of a name and a text, for tables."""
        shots = "" if self.default_shots is None else f", {self.default_shots:,} shots unless told otherwise"
        return [
            ("what", self.summary),
            ("most qubits", "as many as fit into memory" if self.max_qubits is None else f"{self.max_qubits}"),
            ("values", ("exact, or with shots" if self.exact else "estimated") + shots),
            ("noise", "in every answer" if self.noise else "none"),
            ("gradient", self.gradient),
            ("precision", self.precision),
            ("data", "stay on this machine" if self.place == "here" else "go to a provider"),
        ]

    def __str__(self) -> str:
        return tables.text(self.rows(), title=self.name)

    def _repr_html_(self) -> str:
        return tables.html(self.rows(), title=self.name)


@dataclass(frozen=True)
class Origin:
    """How to get a backend again: ``backends.get(name, **options)``; secrets are references or ``SecretStr``."""

    name: str
    options: dict[str, Any]


class Backend(ABC):
    """A place where expectation values come from.

    A new one writes `capabilities`, `footprint` and `prepare`; its options are the keyword-only arguments of its
    constructor, with types and descriptions (see `circuits.options`).
    """

    library: ClassVar[str | None] = None
    """Module of a heavy library that is imported on first use; its import time is part of a prediction."""

    automatic: ClassVar[bool] = True
    """Whether ``backend="auto"`` may choose it."""

    origin: Origin | None = None
    """Set by `backends.get` when a name made this backend; None for one that was made around an object."""

    around: "Backend | None" = None
    """The backend that this one asks for its numbers; None where it computes or sends by itself."""

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this backend can do."""

    def __repr__(self) -> str:
        if self.origin is None:
            return f"<{type(self).__name__} {self.capabilities().name}>"
        return f"backends.get({', '.join([repr(self.origin.name), *_words(self.origin.options)])})"

    def _repr_html_(self) -> str:
        can = self.capabilities()
        options = [] if self.origin is None else list(_words(self.origin.options))
        return tables.html([*can.rows(), *([("options", ", ".join(options))] if options else [])], title=can.name)

    @abstractmethod
    def footprint(self, work: Work) -> Footprint:
        """What the work amounts to, before anything is allocated or sent.

        Args:
            work: A `Batch`, or anything else that says the same of itself, such as a workload that is planned.

        Returns:
            Passes, steps, values and bytes, which a speed turns into seconds.

        Raises:
            Refused: if this backend cannot do the work at all (gates, qubits), and why; memory is not looked at here.
        """

    @abstractmethod
    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Evaluate:
        """A function for evaluating the same circuit and observables many times; what can be compiled is compiled once.

        Args:
            circuit: Must not be changed while the function is in use.
            observables: As in a `Batch`.

        Returns:
            ``evaluate(parameters, precision=None, shots=None, seed=None)``, which gives the `Expectations`.

        Raises:
            Refused: if this backend cannot do the circuit; nothing was started.
        """

    def submit(self, batch: Batch) -> Job:
        """Start computing every row of parameters against every observable; a simulator in this process ends it, too.

        Args:
            batch: What is asked.

        Returns:
            The job, whose result are the `Expectations`: values and standard errors of shape (rows, observables).

        Raises:
            Refused: if this backend cannot do the batch; nothing was started.
        """
        evaluate = self.prepare(batch.circuit, batch.observables)
        return FinishedJob(uuid4().hex, evaluate(batch.parameters, batch.precision, batch.shots, batch.seed))

    def value_and_grad(
        self,
        circuit: QuantumCircuit,
        observable: ObservableLike,
        *,
        precision: float | None = None,
        shots: int | None = None,
        seed: int | None = None,
    ) -> ValueAndGradient:
        """A function of the parameters that returns <H> and its gradient; by parameter shift, unless overridden.

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
        return parameter_shift(self.prepare, circuit, observable, precision=precision, shots=shots, seed=seed)

    def predict(self, work: Work) -> Cost:
        """What the work would cost on this machine; seconds are NaN where no speed is shipped and none was measured.

        Args:
            work: As for `footprint`.

        Returns:
            Seconds with their interval, and bytes.

        Raises:
            Refused: if this backend cannot do the work at all; the message says why.
        """
        footprint = self.footprint(work)
        name = speed_name(self.capabilities(), footprint.kind, derivative=work.derivative)
        return cost(work, footprint, speed(name), name=name)

    def forecast(self, work: Work) -> Forecast | None:
        """What the work would take on a device: gates, shots, time there, fidelity, money; nothing is run or sent.

        Args:
            work: As for `footprint`.

        Returns:
            The forecast, of a snapshot that of the device itself; None for a simulator of no device.

        Raises:
            Refused: if the device cannot do the work at all; the message says why.
        """
        del work
        return None


@dataclass(frozen=True, eq=False)
class Counted:
    """Counts of several circuits, and what it took to get them.

    Attributes:
        counts: Of each circuit, as `Samples.sample` gives them.
        seconds: Wall time by phase, as far as the backend tells the phases apart: "transpile", "compile", "execute",
            and "jobs" for sending jobs to a provider and waiting for them, their time in the queue among it. A backend
            that does not tell them apart has all of it in "execute".
    """

    counts: list[dict[str, int]]
    seconds: dict[str, float]


Draw = Callable[[ArrayLike, int, int | None], dict[str, int]]
"""Counts from a row of parameters, shape (params,), a number of shots and a seed; see `Samples`."""


class Samples(ABC):
    """The ability of a backend to hand out measured bit strings."""

    @abstractmethod
    def sample(
        self, circuit: QuantumCircuit, parameters: ArrayLike = (), *, shots: int = 1024, seed: int | None = None
    ) -> dict[str, int]:
        """Counts of bit strings from measuring every qubit, or, of a circuit that measures, its classical bits.

        Args:
            circuit: Measured anywhere or nowhere; what can only measure at the end refuses to measure on the way.
            parameters: Shape (params,), radians, in ``circuit.parameters`` order.
            shots: How many bit strings to draw.
            seed: The same seed gives the same counts.

        Returns:
            Bit string to count, as Qiskit writes them: qubit (or classical bit) 0 is the rightmost character, and
            several classical registers are words with spaces between, the first register the rightmost word.

        Raises:
            Refused: if the circuit, the parameters, the shots or the seed mean nothing, or this backend cannot do it.
        """

    def sample_rows(
        self, circuit: QuantumCircuit, rows: np.ndarray, *, shots: int, seeds: Sequence[int | None]
    ) -> list[dict[str, int]]:
        """As `sample`, for many rows of parameters, in jobs that wait together.

        Args:
            circuit: As for `sample`.
            rows: Shape (rows, params), radians.
            shots: How many bit strings to draw for each row.
            seeds: One for each row.

        Returns:
            The counts of each row.

        Raises:
            Refused: as `sample`.
        """
        return [self.sample(circuit, row, shots=shots, seed=seed) for row, seed in zip(rows, seeds, strict=True)]

    def sample_circuits(
        self, circuits: Sequence[QuantumCircuit], *, shots: int, seeds: Sequence[int | None]
    ) -> Counted:
        """As `sample`, for many circuits without free parameters, in jobs that wait together; with the time it took.

        Args:
            circuits: As for `sample`.
            shots: How many bit strings to draw for each circuit.
            seeds: One for each circuit.

        Returns:
            The counts of each circuit, and seconds by phase.

        Raises:
            Refused: as `sample`.
        """
        counts, compile_s, execute_s = [], 0.0, 0.0
        for circuit, seed in zip(circuits, seeds, strict=True):
            start = time.perf_counter()
            draw = self.prepare_samples(circuit)
            ready = time.perf_counter()
            counts.append(draw((), shots, seed))
            compile_s, execute_s = compile_s + ready - start, execute_s + time.perf_counter() - ready
        if type(self).prepare_samples is Samples.prepare_samples:  # then nothing was made ready before it ran
            return Counted(counts, {"execute": compile_s + execute_s})
        return Counted(counts, {"compile": compile_s, "execute": execute_s})

    def prepare_samples(self, circuit: QuantumCircuit) -> Draw:
        """`sample` for many rows of parameters; what can be made ready once is, where a backend overrides this.

        Args:
            circuit: As for `sample`; must not be changed while the function is in use.

        Returns:
            ``draw(parameters, shots, seed)``, which gives the counts.

        Raises:
            Refused: if the circuit means nothing, or this backend cannot do it.
        """
        return lambda row, shots, seed: self.sample(circuit, row, shots=shots, seed=seed)


class Jobs(ABC):
    """The ability of a backend to let a given `Dispatch` send its jobs, such as one that keeps a journal.

    Attributes:
        hardware: Where the jobs go; what runs in this process sends none.
    """

    hardware: "Hardware"

    @abstractmethod
    def through(self, dispatch: "Dispatch") -> "Backend":
        """The same backend, all of whose jobs are sent by the dispatch.

        Args:
            dispatch: Sends each job once, waits for it, and may write both down.

        Returns:
            A backend of its own; this one is not changed.
        """


class Calibrated(ABC):
    """The ability of a backend to say what was last measured of the device behind it."""

    @abstractmethod
    def calibration(self, circuit: QuantumCircuit) -> Calibration | None:
        """The newest calibration of the qubits that a circuit lies on; None where there is none.

        Args:
            circuit: As it would be run.
        """


class States(ABC):
    """The ability of a backend to hand out final states, so that fidelities and metrics are exact."""

    @abstractmethod
    def states(self, circuit: QuantumCircuit) -> Callable[[np.ndarray], np.ndarray]:
        """A function from parameters to the final state, up to a phase.

        Args:
            circuit: Without measurements; must not be changed while the function is in use.

        Returns:
            ``f(theta) -> psi``: theta of shape (params,), radians, in ``circuit.parameters`` order; psi of shape
            (2^n,), qubit 0 the least significant bit of the index.

        Raises:
            Refused: if this backend cannot do the circuit.
        """


class Tangents(States):
    """The ability of a backend to hand out the derivatives of its states."""

    @abstractmethod
    def tangents(self, circuit: QuantumCircuit) -> Callable[[ArrayLike], tuple[np.ndarray, np.ndarray]]:
        """The state and its derivatives as a function: theta (params,) -> (2^n,), (params, 2^n).

        The global phase is any smooth function of theta; what depends on it, such as <psi|d_j psi>, means nothing.

        Args:
            circuit: As for `states`.

        Raises:
            Refused: if this backend cannot do the circuit.
        """

    @abstractmethod
    def metric(self, circuit: QuantumCircuit) -> Callable[[ArrayLike], np.ndarray]:
        """The Fubini-Study metric Re <d_j psi|d_k psi> - <d_j psi|psi> <psi|d_k psi> as a function of the parameters.

        Args:
            circuit: As for `states`.

        Returns:
            ``f(theta) -> g``: theta of shape (params,), radians; g of shape (params, params), symmetric.

        Raises:
            Refused: if this backend cannot do the circuit.

        References:
            J. Stokes, J. Izaac, N. Killoran, G. Carleo, Quantum natural gradient, Quantum 4, 269 (2020).
        """


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    """Options as text; of a secret, only that it is one."""
    for name, value in options.items():
        yield f"{name}={HIDDEN if is_secret(name, value) else redacted(reprlib.repr(value))}"
