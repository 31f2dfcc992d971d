"""What a circuit will hold in memory, before anything is allocated."""

from dataclasses import dataclass

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.memory import free_bytes, readable
from backends.statevector.fuse import fuse
from backends.statevector.lower import Factors
from backends.statevector.observe import MOST_PRECOMPUTED, by_x_mask, supports, windows
from backends.statevector.plan import Apply, Plan, Run, Turn
from backends.statevector.program import STEPWISE, block_costs, laid_out
from backends.statevector.sector import sector_size
from backends.statevector.stepwise import state_bytes

SHARE = 0.5
"""Of the free memory, that states may take which are kept only to save time."""


@dataclass(frozen=True)
class Memory:
    """Memory of a value, or of one with its gradient.

    Attributes:
        states_bytes: States held at once; to the byte from 17 qubits on, below that at most.
        tables_bytes: Diagonals of the observables and of diagonal layers.
        lean_bytes: States held at once if none were kept for the way back.
        keep: Whether states are kept for the way back.
        state_bytes: One state.
    """

    states_bytes: int
    tables_bytes: int
    lean_bytes: int
    keep: bool
    state_bytes: int

    @property
    def total_bytes(self) -> int:
        """Everything."""
        return self.states_bytes + self.tables_bytes

    def __str__(self) -> str:
        held = f"{readable(self.total_bytes)}, {self.states_bytes / self.state_bytes:.1f} states at once"
        if self.keep and self.lean_bytes < self.states_bytes:
            return f"{held}: those before the steps are kept to save time; lean would hold {readable(self.lean_bytes)}"
        return f"{held}: none is kept for the way back"


def memory_of(
    factors: Factors, observables: tuple[SparsePauliOp, ...], real: np.dtype, *, derivative: bool, keep: bool | None
) -> Memory:
    """Predict the memory.

    Args:
        factors: A lowered circuit.
        observables: On its qubits.
        real: Type of real numbers.
        derivative: Whether gradients are asked for.
        keep: Whether to keep states for the way back; None: where that takes at most half of the free memory.
    """
    n = factors.n_qubits
    one = 2 * real.itemsize * 2**n
    part = sector_size(factors)
    if part is not None:
        states = 8 * 2 * real.itemsize * part
        tables = part * (real.itemsize + 4) * len(factors) + sum(
            min(part**2, part * len(by_x_mask(h))) * 2 * real.itemsize for h in observables
        )
        return Memory(states, tables, states, False, one)
    costs = block_costs(n, real)
    plan = laid_out(fuse(factors, costs), n, len(costs) - 1)
    masks = [by_x_mask(observable) for observable in observables]
    entries = sum((len(m) - (0 in m)) * 2**n for m in masks)
    tables = real.itemsize * (2**n * len(masks) + 2 * min(entries, MOST_PRECOMPUTED))
    tables += sum(2**n for step in plan.steps if isinstance(step, Turn))
    lean, kept = (_states(plan, real, masks, derivative, way) for way in (False, True))
    if keep is None:
        keep = derivative and kept <= SHARE * free_bytes()
    return Memory(kept if keep or n < STEPWISE else lean, tables, lean, bool(keep), one)


def _states(plan: Plan, real: np.dtype, masks: list, derivative: bool, keep: bool) -> int:
    if plan.n_qubits >= STEPWISE:
        own = tuple(bool(windows(supports(one), plan.n_qubits, plan.width)) for one in masks)
        return state_bytes(plan, real, derivative=derivative, keep=keep, windows=own or (False,))
    kept = sum(len(step.fronts) if isinstance(step, Run) else isinstance(step, Apply | Turn) for step in plan.steps)
    return (8 + kept * derivative) * 2 * real.itemsize * 2**plan.n_qubits
