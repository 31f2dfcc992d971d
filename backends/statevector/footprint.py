"""What a circuit will hold in memory, before anything is allocated."""

from dataclasses import dataclass

import numpy as np

from backends.memory import readable, total_bytes
from backends.statevector.design import Design, is_stepwise
from backends.statevector.observe import MOST_PRECOMPUTED, by_x_mask, supports, windows
from backends.statevector.parts.program import PartsProgram
from backends.statevector.plan import Apply, Plan, Run, Turn
from backends.statevector.stepwise import state_bytes

SHARE = 0.25
"""Of the memory of the machine or card, that states may take which are kept only to save time.

What is free just now does not count: the two ways round differently, and the bits of a run must not depend on what else
runs.
"""


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
    """

    states_bytes: int
    tables_bytes: int
    lean_bytes: int
    keep: bool
    state_bytes: int
    parts: int = 0

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


def memory_of(design: Design, *, derivative: bool, keep: bool | None, card_bytes: int | None = None) -> Memory:
    """Predict the memory.

    Args:
        design: Of the circuit.
        derivative: Whether gradients are asked for.
        keep: Whether to keep states for the way back; None: where that takes at most a quarter of the memory there is.
        card_bytes: All memory of the card on which XLA computes; None for the processor.
    """
    n, real, observables = design.lowered.n_qubits, design.real, design.observables
    one = 2 * real.itemsize * 2**n
    if design.sector is not None:
        part = len(design.sector.states)
        states = 8 * 2 * real.itemsize * part
        tables = part * (real.itemsize + 4) * len(design.factors) + sum(
            min(part**2, part * len(by_x_mask(h))) * 2 * real.itemsize for h in observables
        )
        return Memory(states, tables, states, False, one)
    if design.parts is not None:
        held, tables = PartsProgram(design.lowered, design.parts, real).memory_bytes(observables, derivative=derivative)
        return Memory(held, tables, held, False, one, len(design.parts.parts))
    if design.native is not None:
        held = design.native.memory_bytes(n_observables=len(observables), derivative=derivative)
        return Memory(held, 0, held, False, one)
    plan = design.plan
    masks = [by_x_mask(observable) for observable in observables]
    entries = sum((len(m) - (0 in m)) * 2**n for m in masks)
    tables = real.itemsize * (2**n * len(masks) + 2 * min(entries, MOST_PRECOMPUTED))
    tables += sum(2**n for step in plan.steps if isinstance(step, Turn))
    lean, kept = (_states(plan, real, masks, derivative, way) for way in (False, True))
    if keep is None:
        keep = derivative and kept <= SHARE * (total_bytes() if card_bytes is None else card_bytes)
    return Memory(kept if keep or not is_stepwise(n) else lean, tables, lean, bool(keep), one)


def _states(plan: Plan, real: np.dtype, masks: list, derivative: bool, keep: bool) -> int:
    if is_stepwise(plan.n_qubits):
        own = tuple(bool(windows(supports(one), plan.n_qubits, plan.width)) for one in masks)
        return state_bytes(plan, real, derivative=derivative, keep=keep, windows=own or (False,))
    kept = sum(len(step.fronts) if isinstance(step, Run) else isinstance(step, Apply | Turn) for step in plan.steps)
    return (8 + kept * derivative) * 2 * real.itemsize * 2**plan.n_qubits
