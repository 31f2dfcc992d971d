"""A circuit that few bonds join, in parts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from backends.statevector.footprint import Memory
from backends.statevector.native.program import NATIVE_PASS, PASS
from backends.statevector.parts.boundaries import Parts, parts_of
from backends.statevector.parts.program import PartsProgram
from backends.statevector.representation import Amount, Question, Representation

SMALLEST_CUT = 8
"""Qubits from which on a circuit may be cut; below, all that counts is how many operations there are."""


@dataclass(frozen=True, eq=False)
class InParts(Representation):
    """Parts, where few bonds join them and that costs less than the whole, or is all that fits.

    Attributes:
        question: What is to be computed.
        parts: The cheapest.
    """

    in_xla: ClassVar[bool] = False
    kind: ClassVar[str] = "parts in native kernels"

    question: Question
    parts: Parts

    @classmethod
    def of(cls, question: Question, otherwise: Callable[[], Representation | None]) -> Self | None:
        """See `Representation.of`."""
        if question.n_qubits < SMALLEST_CUT or not question.native:
            return None
        other = otherwise()
        limit = np.inf if other is None else other.passes * other.amplitudes * PASS / NATIVE_PASS
        parts = parts_of(question.lowered, question.observables, limit)
        return None if parts is None else cls(question, parts)

    @property
    def passes(self) -> float:
        """See `Representation.passes`."""
        return self.parts.cost * NATIVE_PASS / PASS / self.parts.amplitudes

    @property
    def amplitudes(self) -> float:
        """Of all parts together."""
        return float(self.parts.amplitudes)

    def amount(self, *, derivative: bool) -> Amount:
        """See `Representation.amount`; the cost of the parts is that of a gradient, of which a value is a share."""
        passes, n_parts = self.parts.cost / PASS / self.parts.amplitudes, len(self.parts.parts)
        return Amount(passes, self.amplitudes, float(n_parts), float(len(self.question.lowered)))

    def memory(self, *, derivative: bool, keep: bool | None) -> Memory:
        """See `Representation.memory`; states are never kept."""
        held, tables = self.program().memory_bytes(self.question.observables, derivative=derivative)
        return Memory(held, tables, held, False, self.question.state_bytes, len(self.parts.parts))

    def work(self) -> dict[str, float]:
        """See `PartsProgram.work`."""
        (observable,) = self.question.observables
        program = self.program()
        return program.work(program.terms(observable))

    def program(self, *, keep: bool = True) -> PartsProgram:
        """See `Representation.program`."""
        return PartsProgram(self.question.lowered, self.question.real, self.parts)
