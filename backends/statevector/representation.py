"""What all representations of a circuit's state have in common: how they are asked for, counted and run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.angles import Angles
from backends.statevector import native
from backends.statevector.circuit.frame import real_frame
from backends.statevector.circuit.lower import Factors
from backends.statevector.footprint import Memory

WHOLE = 31
"""Qubits of the largest whole state: indices of amplitudes are 32-bit numbers."""

Executor = Literal["auto", "native", "xla"]
"""What computes: native kernels, XLA, or the first where they are there and serve."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is to be computed, and with what.

    Attributes:
        lowered: The circuit.
        real: Type of real numbers.
        observables: To be taken; without any, the whole state is.
        executor: What is to compute.
        traced: Whether JAX has to differentiate through the program, as for second derivatives.
    """

    lowered: Factors
    real: np.dtype
    observables: tuple[SparsePauliOp, ...] = ()
    executor: Executor = "auto"
    traced: bool = False

    @property
    def n_qubits(self) -> int:
        """Of the circuit."""
        return self.lowered.n_qubits

    @property
    def state_bytes(self) -> int:
        """Of one whole state."""
        return 2 * self.real.itemsize * 2**self.n_qubits

    @property
    def native(self) -> bool:
        """Whether native kernels are there and may compute."""
        return not self.traced and self.executor != "xla" and native.available()

    @cached_property
    def factors(self) -> Factors:
        """The circuit in the frame in which most of it is real."""
        return real_frame(self.lowered)


@dataclass(frozen=True, eq=False)
class Program(ABC):
    """A circuit made ready to run, any number of times.

    Attributes:
        factors: The lowered circuit, in the frame that the program computes in.
        real: Type of real numbers.
    """

    in_xla: ClassVar[bool]
    """Whether XLA computes it, in a precision that has to be set."""

    factors: Factors
    real: np.dtype

    @property
    def angles(self) -> Angles:
        """From the circuit's parameters to the angles of the factors."""
        return self.factors.angles

    @abstractmethod
    def terms(self, observable: SparsePauliOp) -> Any:
        """The observable in the form that the other methods take."""

    @abstractmethod
    def energies(self, terms: tuple) -> Callable[[np.ndarray], np.ndarray]:
        """Expectation values as a function of rows: (rows, params) -> (rows, observables)."""

    @abstractmethod
    def energies_and_slopes(self, terms: tuple) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """The same with derivatives by the factors' angles, shape (rows, observables, factors)."""

    @abstractmethod
    def state(self, row: np.ndarray) -> np.ndarray:
        """The final state of parameters (params,), complex, shape (2^n,)."""


@dataclass(frozen=True, eq=False)
class TracedProgram(Program):
    """A program that JAX can differentiate: functions ``f(*static, arrays, angles, terms)`` of one row's angles.

    Attributes:
        functions: "state", "energies" and "slopes", each of which returns a tuple.
        arrays: What the circuit is made of.
    """

    in_xla: ClassVar[bool] = True

    functions: ClassVar[Mapping[str, Callable[..., tuple]]]
    arrays: Any

    @property
    @abstractmethod
    def static(self) -> tuple:
        """Static arguments of the functions, hashable and with a faithful repr."""

    @abstractmethod
    def vector(self, x: np.ndarray) -> np.ndarray:
        """Complex, shape (2^n,), in the frame of the circuit, from what "state" returns."""

    @property
    def state_bytes(self) -> int:
        """Bytes of one state."""
        return 2 * self.real.itemsize * 2**self.factors.n_qubits

    def energies(self, terms: tuple) -> Callable[[np.ndarray], np.ndarray]:
        """See `Program.energies`."""
        run = self.of_rows("energies", terms)
        return lambda rows: run(rows)[0]

    def energies_and_slopes(self, terms: tuple) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """See `Program.energies_and_slopes`."""
        return self.of_rows("slopes", terms)

    def state(self, row: np.ndarray) -> np.ndarray:
        """See `Program.state`."""
        (x,) = self.of_rows("state", ())(row[None])
        return self.vector(x[0])

    def of_rows(self, what: str, terms: tuple) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """One of `functions` as a function of rows of parameters.

        Args:
            what: Its name.
            terms: Observables, as `terms` gives them.
        """
        from backends.statevector.runtime.tiles import tiled  # brings JAX

        return tiled(self.functions[what], self.static, self.arrays, terms, self.to_angles, self.state_bytes)

    def to_angles(self, rows: np.ndarray) -> np.ndarray:
        """The factors' angles of rows of parameters, in the program's precision."""
        return self.angles.values(rows).astype(self.real)


@dataclass(frozen=True)
class Amount:
    """What a row amounts to, as a footprint counts it.

    Attributes:
        passes: Over the amplitudes, those of the observables among them.
        amplitudes: Over which they go.
        steps: Gone through one by one, whatever the number of amplitudes.
        prepared: The same, once for a circuit.
    """

    passes: float
    amplitudes: float
    steps: float
    prepared: float


class Representation(ABC):
    """How a question will be answered, known before any array is made."""

    kind: ClassVar[str]
    """Under which its speed is kept."""

    in_xla: ClassVar[bool]
    """Whether XLA computes it, on the device and in the memory that it takes by default."""

    question: Question

    @classmethod
    @abstractmethod
    def of(cls, question: Question, otherwise: Callable[[], "Representation | None"]) -> Self | None:
        """The representation, or None where it is not possible or not the cheapest.

        Args:
            question: What is to be computed.
            otherwise: What would be taken in its place; None where nothing would fit.
        """

    @property
    @abstractmethod
    def passes(self) -> float:
        """Time of a value, in passes of XLA over the amplitudes, a gradient's share included."""

    @property
    @abstractmethod
    def amplitudes(self) -> float:
        """Over which the passes go."""

    @abstractmethod
    def amount(self, *, derivative: bool) -> Amount:
        """What one row takes.

        Args:
            derivative: Whether gradients are asked for.
        """

    @abstractmethod
    def memory(self, *, derivative: bool, keep: bool | None) -> Memory:
        """What will be held.

        Args:
            derivative: Whether gradients are asked for.
            keep: Whether to keep states for the way back; None: where that takes little of the machine's memory.
        """

    def beside_bytes(self, *, derivative: bool, n_rows: int) -> int:
        """What is taken of this machine's memory beside, where no card computes: by compilers, and within kernels.

        Args:
            derivative: Whether gradients are asked for.
            n_rows: Of parameters, in one call.
        """
        del derivative, n_rows
        return 0

    @abstractmethod
    def work(self) -> dict[str, float]:
        """Operations and bytes of states of one value of the one observable with its gradient: ``flops``, ``bytes``."""

    @abstractmethod
    def program(self, *, keep: bool = True) -> Program:
        """The circuit made ready, in the precision that it is to run in; a traced question's is a `TracedProgram`.

        Args:
            keep: Whether to keep states for the way back, as `memory` says.
        """
