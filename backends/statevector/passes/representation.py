"""The whole state on an accelerator, by passes that XLA fuses."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

from backends.statevector.accelerator import on_processor
from backends.statevector.footprint import Memory
from backends.statevector.passes.plan import Pass, Plan, most_numbers, planned
from backends.statevector.passes.schedule import COSTS, schedule
from backends.statevector.passes.strings import Strings, sorted_strings
from backends.statevector.representation import WHOLE, Amount, Question, Representation
from backends.statevector.whole.fuse import Block

if TYPE_CHECKING:
    from backends.statevector.passes.program import PassProgram

MOST_PASSES = 64
"""Each is compiled; circuits of more go as blocks, whose kernels are shared."""

MOST_TERMS = 96
"""Tables and other diagonals of all observables, which are compiled too."""

WITH_GRADIENT = 4.0
"""Passes of a value with its gradient, for each pass of a value."""


@dataclass(frozen=True, eq=False)
class XlaPasses(Representation):
    """The whole state, where JAX would compute on an accelerator.

    Attributes:
        question: What is to be computed.
        plan: Of the circuit.
        blocks: The factors of each pass.
    """

    in_xla: ClassVar[bool] = True
    kind: ClassVar[str] = "whole state in XLA"

    question: Question
    plan: Plan
    blocks: list[Block]

    @classmethod
    def of(cls, question: Question, otherwise: Callable[[], Representation | None]) -> Self | None:
        """See `Representation.of`; not for wide gates, nor for more passes or terms than are worth compiling."""
        if question.n_qubits > WHOLE or on_processor():
            return None
        return cls.made(question)

    @classmethod
    def made(cls, question: Question) -> Self | None:
        """The same on any device."""
        if sum(map(len, _strings(question))) > MOST_TERMS:
            return None
        groups = schedule(question.lowered)
        if not groups or len(groups) > MOST_PASSES:
            return None
        return cls(question, *planned(question.n_qubits, groups))

    @property
    def passes(self) -> float:
        """See `Representation.passes`."""
        return WITH_GRADIENT * sum(map(self._weight, self.plan.passes))

    @property
    def amplitudes(self) -> float:
        """All."""
        return 2.0**self.question.n_qubits

    def amount(self, *, derivative: bool) -> Amount:
        """See `Representation.amount`."""
        passes = self.passes / (1.0 if derivative else WITH_GRADIENT) + len(self.question.observables)
        steps = float(len(self.plan.passes))
        return Amount(passes, self.amplitudes, steps, steps)

    def memory(self, *, derivative: bool, keep: bool | None) -> Memory:
        """See `Representation.memory`; what is kept is the same in either way."""
        numbers = most_numbers(
            self.plan,
            derivative=derivative,
            diagonal=self._diagonal_numbers,
            observables=len(self.question.observables),
        )
        states = 2 * self.question.real.itemsize * numbers
        return Memory(states, 0, states, False, self.question.state_bytes, copies_on_card=1)

    def work(self) -> dict[str, float]:
        """See `Representation.work`; counted are the passes, there and back, and one over the observable."""
        (observable,) = self.question.observables
        numbers, flops = 4.0 * self.amplitudes, 0.0
        flops += 8 * len(sorted_strings(observable, self.plan.order)) * self.amplitudes
        for k, one in enumerate(self.plan.passes):
            before, after = 2.0**one.size, 2.0**one.after
            numbers += (3 if self.plan.keeps(k) else 4) * (before + after)
            flops += 8 * len(one.flips) * (2 * after + (1 if self.plan.keeps(k) else 2) * before)
        return {"flops": flops, "bytes": numbers * 2 * self.question.real.itemsize}

    def program(self, *, keep: bool = True) -> "PassProgram":
        """See `Representation.program`."""
        from backends.statevector.passes.program import PassProgram  # brings JAX
        from backends.statevector.whole.blocks import Local

        factors, real = self.question.lowered, self.question.real
        local = Local.of(factors, self.blocks, [one.place for one in self.plan.passes], real)
        return PassProgram(factors, real, local, self.plan)

    @cached_property
    def _diagonal_numbers(self) -> int:
        """Complex numbers that the largest diagonal takes that is no table."""
        wide = [one for own in _strings(self.question) for one in own if not one.near]
        return max((1 + any(w.imag for w in one.weight) for one in wide), default=0) * 2**self.question.n_qubits // 2

    def _weight(self, one: Pass) -> float:
        """Time, in passes over the whole state."""
        return COSTS[len(one.flips).bit_length() - 1] * 2.0 ** (one.after - self.plan.n_qubits)


def _strings(question: Question) -> list[list[Strings]]:
    """Of each observable."""
    return [sorted_strings(one, tuple(range(question.n_qubits))) for one in question.observables]
