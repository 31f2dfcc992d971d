"""The whole state, by what XLA compiles."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from backends.memory import total_bytes
from backends.statevector.accelerator import COPIES_ON_CARD, default_card
from backends.statevector.circuit.frame import turned_observable
from backends.statevector.footprint import Memory
from backends.statevector.representation import WHOLE, Amount, Question, Representation
from backends.statevector.runtime.rows import tile_rows
from backends.statevector.whole.costs import block_costs, is_stepwise
from backends.statevector.whole.fuse import Block, Diagonal, Wide, fuse, total_cost
from backends.statevector.whole.plan import Apply, Plan, Run, Turn, few_moves, looped_plan, moves, plan
from backends.statevector.whole.strings import MOST_PRECOMPUTED, by_x_mask, supports, windows

if TYPE_CHECKING:
    from backends.statevector.whole.program import XlaProgram

UNROLLED = 40
"""Blocks up to which each has a product of its own in one program; more run in a loop, amplitudes moved by gathers."""

COMPILER_BYTES, GRADIENT_BYTES, STEP_BYTES = 25 * 2**20, 75 * 2**20, 13 * 2**18
"""What XLA takes at most to compile a value or a gradient, and for each step in it, as measured."""

KERNEL_STATES = 3
"""States that the kernels of a gradient of a large state hold beside their buffers."""

SHARE = 0.25
"""Of the memory of the machine or card, that states may take which are kept only to save time.

What is free just now does not count: the two ways round differently, and the bits of a run must not depend on what else
runs.
"""


@dataclass(frozen=True, eq=False)
class XlaWhole(Representation):
    """The whole state, as few small matrices; each choice is made when it is first asked for, and once.

    Attributes:
        question: What is to be computed.
    """

    in_xla: ClassVar[bool] = True
    kind: ClassVar[str] = "whole state in XLA"

    question: Question

    @classmethod
    def of(cls, question: Question, otherwise: Callable[[], Representation | None]) -> Self | None:
        """See `Representation.of`."""
        return cls(question) if question.n_qubits <= WHOLE else None

    @cached_property
    def steps(self) -> list[Block | Wide | Diagonal]:
        """The factors as blocks, scans and turns."""
        return fuse(self.question.factors, block_costs(self.question.n_qubits))

    @cached_property
    def plan(self) -> Plan:
        """Their layouts: in loops for many blocks in one program, else unrolled."""
        n = self.question.n_qubits
        k = len(block_costs(n)) - 1
        if is_stepwise(n):
            return few_moves(self.steps, n, k)
        looped = sum(isinstance(step, Block) for step in self.steps) > UNROLLED
        return (looped_plan if looped else plan)(self.steps, n, k)

    @property
    def passes(self) -> float:
        """See `Representation.passes`."""
        return total_cost(self.steps, block_costs(self.question.n_qubits))

    @property
    def amplitudes(self) -> float:
        """All."""
        return 2.0**self.question.n_qubits

    def amount(self, *, derivative: bool) -> Amount:
        """See `Representation.amount`; each X mask of an observable is a pass."""
        masks = sum(len(by_x_mask(observable)) for observable in self.question.observables)
        passes = (1.0 if derivative else 1 / 3) * self.passes + masks
        return Amount(passes, self.amplitudes, float(len(self.steps)), float(len(self.steps)))

    def memory(self, *, derivative: bool, keep: bool | None) -> Memory:
        """See `Representation.memory`; None keeps where that takes at most a quarter of the memory there is."""
        n, real = self.question.n_qubits, self.question.real
        turned = self.question.factors.turned
        masks = [by_x_mask(turned_observable(one) if turned else one) for one in self.question.observables]
        tables = real.itemsize * 2**n * sum(map(self._diagonals, masks))
        tables += sum(2**n for step in self.plan.steps if isinstance(step, Turn))
        lean, kept = (self._states_bytes(masks, derivative, way) for way in (False, True))
        if keep is None:
            card = default_card()
            room = total_bytes() if card is None else card.total_bytes // COPIES_ON_CARD
            keep = derivative and kept <= SHARE * room
        states = kept if keep or not is_stepwise(n) else lean
        return Memory(states, tables, lean, bool(keep), self.question.state_bytes)

    def beside_bytes(self, *, derivative: bool, n_rows: int) -> int:
        """See `Representation.beside_bytes`.

        One program is compiled for all steps of a small state, and runs over a tile of rows at once. Large states go by
        small kernels: a product is made before it is moved into its buffer, and two overlaps of a gradient, which copy
        a state each, are computed meanwhile.
        """
        state = self.question.state_bytes
        if is_stepwise(self.question.n_qubits):
            return COMPILER_BYTES + (KERNEL_STATES if derivative else 1) * state
        first = COMPILER_BYTES if not derivative else GRADIENT_BYTES
        together = max(tile_rows(state) - 1, 0) if n_rows >= tile_rows(state) else 0
        kept = (8 + len(self.plan.steps) * derivative) * state
        return first + STEP_BYTES * len(self.plan.steps) + together * kept

    def work(self) -> dict[str, float]:
        """See `Representation.work`.

        Counted are blocks (forward, undone on lambda, cotangent), moves, and the observable's windows and diagonals;
        what does not touch whole states is left out.
        """
        (observable,) = self.question.observables
        n = self.question.n_qubits
        flops = numbers = 0.0
        for step in self.plan.steps:
            if isinstance(step, Apply):
                before, after = 2.0 ** len(step.front), 2.0 ** len(step.after)
                rows = 2.0 ** (step.width + (not step.real))
                columns = 2.0 ** (step.present + (not step.real))
                flops += 2 * rows * before + 2 * columns * after + 2 * columns * (after if before < after else before)
                numbers += 2 * (before + after) + 2 * max(before, after)
        numbers += sum(2 * 2.0 ** len(new) for _, new in moves(self.plan))
        products = len(windows(supports(by_x_mask(observable)), n, self.plan.width))
        flops += products * 2 * 2.0**self.plan.width * 2.0 ** (n + 1)
        numbers += (5 * products + 2.5 + 2) * 2.0 ** (n + 1)
        return {"flops": flops, "bytes": numbers * self.question.real.itemsize}

    def program(self, *, keep: bool = True) -> "XlaProgram":
        """See `Representation.program`."""
        from backends.statevector.whole.program import XlaProgram, arrays_of  # brings JAX

        factors, real = self.question.factors, self.question.real
        return XlaProgram(factors, real, arrays_of(factors, self.steps, self.plan, real), self.plan, keep)

    def _diagonals(self, masks: dict) -> int:
        """Diagonals of an observable that are computed once: of I and Z, and of each X mask that no window takes."""
        n = self.question.n_qubits
        inside = {x for own in windows(supports(masks), n, self.plan.width).values() for x in own}
        others = [weight for x, (_, weight) in masks.items() if x and x not in inside]
        parts = len(others) * (2 if any(np.any(np.imag(weight)) for weight in others) else 1)
        diagonal = 0 in masks and bool(np.any(masks[0][0]))
        return diagonal + (parts if parts * 2**n <= MOST_PRECOMPUTED else 0)

    def _states_bytes(self, masks: list, derivative: bool, keep: bool) -> int:
        plan, real = self.plan, self.question.real
        if is_stepwise(plan.n_qubits):
            from backends.statevector.whole.stepwise import state_bytes  # brings JAX

            own = tuple(bool(windows(supports(one), plan.n_qubits, plan.width)) for one in masks)
            return state_bytes(plan, real, derivative=derivative, keep=keep, windows=own or (False,))
        kept = sum(len(step.fronts) if isinstance(step, Run) else isinstance(step, Apply | Turn) for step in plan.steps)
        return (8 + kept * derivative) * self.question.state_bytes
