"""How a lowered circuit will be run on one device, known before any array is made."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backends.statevector.fuse import Block, Costs, Diagonal, Wide, fuse, total_cost
from backends.statevector.lower import Factors
from backends.statevector.plan import Plan, few_moves, looped_plan, plan
from backends.statevector.sector import Reached, reached

UNROLLED = 40
"""Blocks up to which each has a product of its own in one program; more run in a loop, amplitudes moved by gathers."""

STEPWISE = 17
"""Qubits from which on states are large enough to be evolved kernel by kernel."""

SMALL: Costs = (1.0, 1.0, 1.0, 1.1, 1.5)
LARGE: Costs = (7.0, 7.0, 7.0, 7.0, 8.2, 9.4)
"""Times of blocks on 0, 1, ... qubits, in passes over the state, a gradient's share included; in either precision."""


@dataclass(frozen=True, eq=False)
class Design:
    """The choices for a circuit; each is made when it is first asked for, and once.

    Attributes:
        factors: The lowered circuit.
        real: Type of real numbers.
    """

    factors: Factors
    real: np.dtype

    @cached_property
    def part(self) -> Reached | None:
        """The part of the state space that the circuit stays in, if that is small; the rest is then not needed."""
        return reached(self.factors)

    @cached_property
    def steps(self) -> list[Block | Wide | Diagonal]:
        """The factors as blocks, scans and turns."""
        return fuse(self.factors, block_costs(self.factors.n_qubits))

    @cached_property
    def plan(self) -> Plan:
        """Their layouts: in loops for many blocks in one program, else unrolled."""
        n = self.factors.n_qubits
        k = len(block_costs(n)) - 1
        if is_stepwise(n):
            return few_moves(self.steps, n, k)
        looped = sum(isinstance(step, Block) for step in self.steps) > UNROLLED
        return (looped_plan if looped else plan)(self.steps, n, k)

    @property
    def passes(self) -> float:
        """Time of a value, in passes over the whole state, or over the part."""
        if self.part is not None:
            return 2 * len(self.factors)
        return total_cost(self.steps, block_costs(self.factors.n_qubits))


def is_stepwise(n_qubits: int) -> bool:
    """Whether states are evolved kernel by kernel."""
    return n_qubits >= STEPWISE


def block_costs(n_qubits: int) -> Costs:
    """Times of blocks by their width."""
    return (LARGE if is_stepwise(n_qubits) else SMALL)[: n_qubits + 1]
