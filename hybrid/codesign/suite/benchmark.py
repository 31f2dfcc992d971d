"""The seam of the suite: an application, defined once, that any backend can be asked for.

An application says for a size and a seed which circuits it runs (`Benchmark.circuits`) and what the answers are worth
(`Benchmark.score`). One whose circuits depend on earlier answers, as those of a variational loop, overrides
`Benchmark.rounds`. It knows no backend: `hybrid.codesign.suite.measure` asks the backends, and measures the time.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused, shown

SuiteName = Literal["quick", "small", "full"]


@dataclass(frozen=True, order=True)
class Size:
    """How large an instance is.

    Attributes:
        n_qubits: Width of its circuits.
        depth: Layers of its circuits; None where the application has no depth of its own.

    >>> str(Size(4)), str(Size(4, 8)), Size.of("4x8")
    ('4', '4x8', Size(n_qubits=4, depth=8))
    """

    n_qubits: int
    depth: int | None = None

    def __str__(self) -> str:
        return f"{self.n_qubits}" if self.depth is None else f"{self.n_qubits}x{self.depth}"

    @classmethod
    def of(cls, text: str) -> "Size":
        """The size that a text names: ``"4"``, or ``"4x8"`` for 4 qubits and 8 layers.

        Raises:
            Refused: for any other text.
        """
        found = re.fullmatch(r"([1-9]\d{0,3})(?:x([1-9]\d{0,4}))?", text.strip())
        if found is None:
            raise Refused(f"size {shown(text)} is none: give qubits, such as 4, or qubits x layers, such as 4x8")
        return cls(int(found[1]), None if found[2] is None else int(found[2]))


@dataclass(frozen=True, eq=False)
class Task:
    """One circuit to run, and what is asked of it.

    Attributes:
        circuit: Without measurements where observables are given; else every qubit, or what it measures, is counted.
        observables: Hermitian operators whose expectation values are asked for; none: counts are.
        parameters: Values of the circuit's parameters, shape (params,), radians.
        shots: For counts, and for each measured circuit of observables.
        facts: JSON-able values that the score needs to know of this circuit, such as its right answer.
    """

    circuit: QuantumCircuit
    observables: tuple[SparsePauliOp, ...] = ()
    parameters: tuple[float, ...] = ()
    shots: int = 1000
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a backend answered to a task.

    Attributes:
        counts: Bit strings as Qiskit writes them, qubit 0 rightmost; empty where values were asked for.
        values: Expectation values, shape (observables,); empty where counts were asked for.
        standard_errors: Of the values, same shape; zeros where they are exact.
        seconds: Wall time of the whole round that the task was in, by phase, as far as the backend tells it; "total" is
            always there.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    values: np.ndarray = field(default_factory=lambda: np.empty(0))
    standard_errors: np.ndarray = field(default_factory=lambda: np.empty(0))
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error.

    Attributes:
        value: The number.
        standard_error: From shots and over random circuits, in the same unit; 0 where it is exact.
    """

    value: float
    standard_error: float = 0.0


@dataclass(frozen=True)
class Score:
    """What the answers to all tasks of an instance are worth.

    Attributes:
        value: In the application's unit; between 0 and 1 where it has none.
        standard_error: Of the value: from shots and over random circuits.
        details: Further numbers, by name, such as the parts of the score.
    """

    value: float
    standard_error: float
    details: Mapping[str, Estimate] = field(default_factory=dict)


Rounds = Generator[Sequence[Task], Sequence[Answer], Score]
"""Yields tasks, is sent their answers, and returns the score."""


class Benchmark(ABC):
    """An application of the suite.

    A class of its own in one file, and a line in `hybrid.codesign.suite.registry`. Instances carry no state.
    """

    name: ClassVar[str]
    """For commands and records, such as ``"ghz"``: letters, digits and hyphens."""

    title: ClassVar[str]
    """For tables and pictures, such as "GHZ fidelity"."""

    unit: ClassVar[str] = ""
    """Of the score; empty for a number between 0 and 1."""

    higher_is_better: ClassVar[bool] = True
    """Whether a higher score is the better one."""

    sizes: ClassVar[Mapping[SuiteName, tuple[Size, ...]]]
    """The sizes that each suite runs."""

    least: ClassVar[int] = 2
    """Fewest qubits of an instance."""

    most: ClassVar[int] = 1000
    """Most qubits of an instance, such as those that the reference can be computed for."""

    shots: ClassVar[int] = 1000
    """Of each circuit, unless told otherwise."""

    def check(self, size: Size) -> None:
        """Refuse a size of which there is no instance; by default, a depth and fewer than `least` qubits.

        Args:
            size: Asked for.

        Raises:
            Refused: if there is no such instance.
        """
        if size.depth is not None:
            raise Refused(f"{self.name} has sizes in qubits alone, such as {size.n_qubits}, not {size}")
        check_between(self.name, size, self.least, self.most)

    @abstractmethod
    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """What an instance runs; of one with several rounds, the first.

        Args:
            size: Of the instance.
            shots: Of each circuit.
            seed: Of everything random in the circuits; the same seed gives the same tasks.

        Returns:
            The tasks; the size has been checked with `check`.
        """

    @abstractmethod
    def reference(self, size: Size, *, seed: int) -> float | None:
        """The exact score of a perfect computer, from classical computation; None where there is none, as of a speed.

        Args:
            size: Of the instance.
            seed: As for `circuits`.
        """

    @abstractmethod
    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """What the answers are worth.

        Args:
            size: Of the instance.
            tasks: As `circuits` gave them.
            answers: One to each task.
        """

    def rounds(self, size: Size, *, shots: int, seed: int) -> Rounds:
        """The instance from start to score; override it where later circuits depend on earlier answers.

        Args:
            size: Of the instance.
            shots: Of each circuit.
            seed: As for `circuits`.

        Yields:
            The tasks of a round.

        Returns:
            The score.
        """
        tasks = self.circuits(size, shots=shots, seed=seed)
        answers = yield tasks
        return self.score(size, tasks, answers)


def check_between(name: str, size: Size, least: int, most: int) -> None:
    """Refuse a number of qubits that is out of range.

    Args:
        name: Of the application, for the message.
        size: Asked for.
        least: Fewest qubits.
        most: Most qubits.

    Raises:
        Refused: for fewer or more.
    """
    if size.n_qubits < least:
        raise Refused(f"{name} needs at least {least} qubits, not {size.n_qubits}")
    if size.n_qubits > most:
        raise Refused(f"{name} can be scored up to {most} qubits, not {size.n_qubits}")
