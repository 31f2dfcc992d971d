"""What a circuit will hold in memory, before anything is allocated."""

from dataclasses import dataclass

from backends.memory import readable
from backends.statevector.accelerator import COPIES_ON_CARD


@dataclass(frozen=True)
class Memory:
    """Memory of a value, or of one with its gradient.

    Attributes:
        states_bytes: States held at once; to the byte from 17 qubits on, below that at most.
        tables_bytes: Diagonals of the observables and of diagonal layers.
        lean_bytes: States held at once if none were kept for the way back.
        keep: Whether states are kept for the way back.
        state_bytes: One state.
        parts: How many parts of the circuit are held instead of its state, 0 for none.
        copies_on_card: Times all of it that XLA may hold on a card.
    """

    states_bytes: int
    tables_bytes: int
    lean_bytes: int
    keep: bool
    state_bytes: int
    parts: int = 0
    copies_on_card: int = COPIES_ON_CARD

    @property
    def total_bytes(self) -> int:
        """Everything."""
        return self.states_bytes + self.tables_bytes

    def __str__(self) -> str:
        if self.parts:
            return f"{readable(self.total_bytes)}: the circuit runs as {self.parts} parts, which are small"
        held = f"{readable(self.total_bytes)}, {self.states_bytes / self.state_bytes:.1f} states at once"
        if self.keep and self.lean_bytes < self.states_bytes:
            return f"{held}: those before the steps are kept to save time; lean would hold {readable(self.lean_bytes)}"
        return f"{held}: none is kept for the way back"
