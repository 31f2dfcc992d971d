"""A small sector of the state space that the circuit never leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from backends.statevector.footprint import Memory
from backends.statevector.representation import WHOLE, Amount, Question, Representation
from backends.statevector.sector.reached import DENSE, Reached, reached
from backends.statevector.whole.strings import by_x_mask

if TYPE_CHECKING:
    from backends.statevector.sector.program import SectorProgram


@dataclass(frozen=True, eq=False)
class Sector(Representation):
    """The part of the state space that the circuit stays in, if that is small; the rest is then not needed.

    Attributes:
        question: What is to be computed.
        part: What the circuit reaches.
        otherwise: What would be taken without it.
    """

    in_xla: ClassVar[bool] = True
    kind: ClassVar[str] = "sector in XLA"

    question: Question
    part: Reached
    otherwise: Callable[[], Representation | None]

    @classmethod
    def of(cls, question: Question, otherwise: Callable[[], Representation | None]) -> Self | None:
        """See `Representation.of`."""
        part = reached(question.factors) if question.n_qubits <= WHOLE else None
        return None if part is None else cls(question, part, otherwise)

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
        """See `Representation.memory`; states are never kept."""
        size, real = len(self.part.states), self.question.real
        states = 8 * 2 * real.itemsize * size
        tables = size * (real.itemsize + 4) * len(self.question.factors) + sum(
            min(size**2, size * len(by_x_mask(h))) * 2 * real.itemsize for h in self.question.observables
        )
        return Memory(states, tables, states, False, self.question.state_bytes)

    def work(self) -> dict[str, float]:
        """As without the sector, so that the achieved rate says what it saves."""
        other = self.otherwise()
        assert other is not None  # a state small enough for a sector fits as a whole
        return other.work()

    def program(self, *, keep: bool = True) -> "SectorProgram":
        """See `Representation.program`."""
        from backends.statevector.sector.program import sector_program  # brings JAX

        return sector_program(self.question.factors, self.part, self.question.real)
