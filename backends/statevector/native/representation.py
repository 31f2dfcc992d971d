"""The whole state, by native kernels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

from backends.statevector.accelerator import on_processor
from backends.statevector.footprint import Memory
from backends.statevector.native.program import LEAST_QUBITS, NATIVE_PASS, NativeProgram
from backends.statevector.representation import WHOLE, Amount, Question, Representation


@dataclass(frozen=True, eq=False)
class NativeWhole(Representation):
    """The whole state, where there are kernels and JAX would compute on the processor.

    Attributes:
        question: What is to be computed.
        made: The circuit made ready; it holds no state.
    """

    in_xla: ClassVar[bool] = False
    kind: ClassVar[str] = "whole state in native kernels"

    question: Question
    made: NativeProgram

    @classmethod
    def of(cls, question: Question, otherwise: Callable[[], Representation | None]) -> Self | None:
        """See `Representation.of`."""
        if question.n_qubits > WHOLE or not question.native or (question.executor == "auto" and not on_processor()):
            return None
        return cls(question, NativeProgram(question.lowered, question.real))

    @property
    def passes(self) -> float:
        """See `Representation.passes`."""
        return NATIVE_PASS * self.made.undone_passes(self.question.observables)

    @property
    def amplitudes(self) -> float:
        """All."""
        return 2.0**self.question.n_qubits

    def amount(self, *, derivative: bool) -> Amount:
        """See `Representation.amount`."""
        passes = self.made.passes(self.question.observables, derivative=derivative)
        amplitudes = 2.0 ** max(self.question.n_qubits, LEAST_QUBITS)
        n_factors = float(len(self.question.lowered))
        return Amount(passes, amplitudes, n_factors, n_factors)

    def memory(self, *, derivative: bool, keep: bool | None) -> Memory:
        """See `Representation.memory`; states are never kept."""
        held = self.made.memory_bytes(n_observables=len(self.question.observables), derivative=derivative)
        return Memory(held, 0, held, False, self.question.state_bytes)

    def work(self) -> dict[str, float]:
        """See `NativeProgram.work`."""
        return self.made.work(self.question.observables)

    def program(self, *, keep: bool = True) -> NativeProgram:
        """See `Representation.program`."""
        return self.made
