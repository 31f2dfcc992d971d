"""A small sector of the state space that the circuit never leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from backends.statevector.footprint import Memory
from backends.statevector.representation import WHOLE, Amount, Question, Representation
from backends.statevector.runtime.rows import tile_rows
from backends.statevector.sector.reached import DENSE, Reached, reached
from backends.statevector.whole.strings import by_x_mask

if TYPE_CHECKING:
    from backends.statevector.sector.program import SectorProgram

VALUE_BYTES, SLOPES_BYTES = 25 * 2**20, 50 * 2**20
"""What XLA takes at most to compile a value or a gradient, as measured."""


@dataclass(frozen=True, eq=False)
class Sector(Representation):
    """The part of the state space that the circuit stays in, if that is small; the rest is then not needed.

    Attributes:
        question: What is to be computed.
        part: What the circuit reaches.
    """

    in_xla: ClassVar[bool] = True
    kind: ClassVar[str] = "sector in XLA"

    question: Question
    part: Reached

    @classmethod
    def of(cls, question: Question, otherwise: Callable[[], Representation | None]) -> Self | None:
        """See `Representation.of`; a circuit without gates is not worth that XLA is loaded."""
        if question.native and not len(question.factors):
            return None
        part = reached(question.factors) if question.n_qubits <= WHOLE else None
        return None if part is None else cls(question, part)

    @property
    def passes(self) -> float:
        """Two for each factor."""
        return 2 * len(self.question.factors)

    @property
    def amplitudes(self) -> float:
        """Of the sector."""
        return float(len(self.part.states))

    def amount(self, *, derivative: bool) -> Amount:
        """See `Representation.amount`; an observable is a matrix on a small part, and else a pass for each X mask."""
        size, n_factors = len(self.part.states), float(len(self.question.factors))
        observed = sum(size if size <= DENSE else len(by_x_mask(h)) for h in self.question.observables)
        return Amount((3 if derivative else 1) * n_factors + observed, float(size), n_factors, n_factors)

    def memory(self, *, derivative: bool, keep: bool | None) -> Memory:
        """See `Representation.memory`; states are never kept, and tables are made in NumPy, then copied for XLA."""
        size, real = len(self.part.states), self.question.real
        states = 8 * 2 * real.itemsize * size
        tables = size * (8 + 2 * real.itemsize + 2 * 4) * len(self.question.factors) + sum(
            size**2 * (16 + 2 * real.itemsize)
            if size <= DENSE
            else size * len(by_x_mask(h)) * (16 + 4 * real.itemsize + 2 * 4)
            for h in self.question.observables
        )
        return Memory(states, tables, states, False, self.question.state_bytes)

    def beside_bytes(self, *, derivative: bool, n_rows: int) -> int:
        """See `Representation.beside_bytes`; the program is one loop, over a tile of rows at once."""
        state = 2 * self.question.real.itemsize * len(self.part.states)
        together = tile_rows(state) - 1 if n_rows >= tile_rows(state) else 0
        return (SLOPES_BYTES if derivative else VALUE_BYTES) + 8 * together * state

    def work(self) -> dict[str, float]:
        """See `Representation.work`; of the sector alone, whose factors each read and write it once.

        A real amplitude is turned in seven operations, either part of a complex one in nine; the gradient undoes that
        on two states, and multiplies them.
        """
        _, states, first = self.part
        factors, size = self.question.factors, len(states)
        n_factors, parts = len(factors) - first, 1 if np.all(factors.phase[first:] != 1) else 2
        generated = 1 if parts == 1 else 3
        turned = 6 + generated
        one_factor = turned + 2 * turned + generated + 2
        products = sum(size if size <= DENSE else len(by_x_mask(h)) for h in self.question.observables)
        return {
            "flops": float(parts * size * (n_factors * one_factor + 2 * products + 2)),
            "bytes": float(parts * size * self.question.real.itemsize * 6 * n_factors),
        }

    def program(self, *, keep: bool = True) -> "SectorProgram":
        """See `Representation.program`."""
        from backends.statevector.sector.program import sector_program  # brings JAX

        return sector_program(self.question.factors, self.part, self.question.real)
