"""How a lowered circuit will be run on one device, known before any array is made."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import jax
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector import native
from backends.statevector.frame import real_frame
from backends.statevector.fuse import Block, Costs, Diagonal, Wide, fuse, total_cost
from backends.statevector.lower import Factors
from backends.statevector.native.program import PASS, NativeProgram
from backends.statevector.parts.boundaries import Parts, parts_of
from backends.statevector.plan import Plan, few_moves, looped_plan, plan
from backends.statevector.sector import Reached, reached

UNROLLED = 40
"""Blocks up to which each has a product of its own in one program; more run in a loop, amplitudes moved by gathers."""

STEPWISE = 17
"""Qubits from which on states are large enough to be evolved kernel by kernel."""

WHOLE = 31
"""Qubits of the largest whole state: indices of amplitudes are 32-bit numbers."""

SMALLEST_CUT = 8
"""Qubits from which on a circuit may be cut; below, all that counts is how many operations there are."""

SMALL: Costs = (1.0, 1.0, 1.0, 1.1, 1.5)
LARGE: Costs = (7.0, 7.0, 7.0, 7.0, 8.2, 9.4)
"""Times of blocks on 0, 1, ... qubits, in passes over the state, a gradient's share included; in either precision."""

Executor = Literal["auto", "native", "xla"]
"""What computes: native kernels, XLA, or the first where they are there and serve."""

NATIVE_PASS = 0.3
"""Time of a pass of the native kernels, in passes of XLA's."""


@dataclass(frozen=True, eq=False)
class Design:
    """The choices for a circuit; each is made when it is first asked for, and once.

    Attributes:
        lowered: The circuit.
        real: Type of real numbers.
        observables: To be taken.
        whole: Whether the whole state has to be there, in steps, as for second derivatives.
        executor: What is to compute.
    """

    lowered: Factors
    real: np.dtype
    observables: tuple[SparsePauliOp, ...] = ()
    whole: bool = False
    executor: Executor = "auto"

    @cached_property
    def factors(self) -> Factors:
        """The circuit in the frame in which most of it is real."""
        return real_frame(self.lowered)

    @cached_property
    def sector(self) -> Reached | None:
        """The part of the state space that the circuit stays in, if that is small; the rest is then not needed."""
        return reached(self.factors) if self.lowered.n_qubits <= WHOLE else None

    @cached_property
    def native(self) -> NativeProgram | None:
        """The whole circuit for the native kernels, where these are there and JAX would compute on the processor."""
        there = self.executor != "xla" and native.available()
        if self.whole or not there or (self.executor == "auto" and jax.default_backend() != "cpu"):
            return None
        return NativeProgram(self.lowered, self.real)

    @cached_property
    def parts(self) -> Parts | None:
        """Parts to run instead, where few bonds join them and that costs less than the whole, or is all that fits."""
        n = self.lowered.n_qubits
        there = self.executor != "xla" and native.available()
        if self.whole or not there or n < SMALLEST_CUT or self.sector is not None:
            return None
        whole = self._whole_passes * 2.0**n * PASS / NATIVE_PASS if n <= WHOLE else np.inf
        return parts_of(self.lowered, self.observables, whole)

    @property
    def _whole_passes(self) -> float:
        """Time of a value on the whole state, in passes over it, a gradient's share included."""
        if self.native is not None:
            return NATIVE_PASS * self.native.passes(self.observables)
        return total_cost(self.steps, block_costs(self.factors.n_qubits))

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
        """Time of a value, in passes over the whole state, over the sector, or over all parts."""
        if self.sector is not None:
            return 2 * len(self.factors)
        if self.parts is not None:
            return self.parts.cost * NATIVE_PASS / PASS / self.parts.amplitudes
        return self._whole_passes

    @property
    def amplitudes(self) -> float:
        """Over which the passes go."""
        if self.sector is not None:
            return float(len(self.sector.states))
        return float(self.parts.amplitudes if self.parts is not None else 2**self.lowered.n_qubits)


def is_stepwise(n_qubits: int) -> bool:
    """Whether states are evolved kernel by kernel."""
    return n_qubits >= STEPWISE


def block_costs(n_qubits: int) -> Costs:
    """Times of blocks by their width."""
    return (LARGE if is_stepwise(n_qubits) else SMALL)[: n_qubits + 1]
