"""Where each qubit is stored, and what a pass does to the bits of the index.

Bit p of the index belongs to the qubit that was stored as number p: new qubits come to the front, and nothing is ever
moved.
"""

from dataclasses import dataclass
from math import prod

from backends.statevector.passes.schedule import MOST_QUBITS, Group
from backends.statevector.whole.fuse import Block, bits

COLUMN_QUBITS = 10
"""Bits of the index over which the products of two states are summed last: sums of a state are made of short ones."""

MATRICES = 6
"""Arrays as large as the matrices of all passes: themselves, their cotangents, and what both are made of."""


@dataclass(frozen=True)
class Pass:
    """One pass over a state.

    Attributes:
        place: Qubits of its matrix; the first belongs to the highest bit: those that it adds to the state, those that
            are stored, in descending order of their bits, and those that are |0>. Qubits above 31 do not exist: they
            make all matrices equally large.
        new: How many qubits it adds.
        positions: Bits of the index of the stored ones, descending.
        flips: What its X masks flip of these, as numbers of as many bits, the first position at the highest.
        size: Qubits stored before.
    """

    place: tuple[int, ...]
    new: int
    positions: tuple[int, ...]
    flips: tuple[int, ...]
    size: int

    @property
    def after(self) -> int:
        """Qubits stored after."""
        return self.size + self.new

    @property
    def column_numbers(self) -> int:
        """Complex numbers that sums over the state are made of."""
        low = min(COLUMN_QUBITS, self.size)
        high = sum(p >= low for p in self.positions)
        return 2 ** (self.new + high + low) * len(self.flips)


@dataclass(frozen=True)
class Plan:
    """All passes.

    Attributes:
        n_qubits: Of the circuit.
        passes: In their order.
        order: The qubit of each bit of the final index; those that no pass has stored come last.
    """

    n_qubits: int
    passes: tuple[Pass, ...]
    order: tuple[int, ...]

    @property
    def stored(self) -> int:
        """Qubits that passes have stored."""
        return self.passes[-1].after if self.passes else 0

    def keeps(self, k: int) -> bool:
        """Whether the state before a pass is kept for the way back: smaller ones, all together one state, and the last.

        That before the last takes the place of the final one, which is not needed once H is applied.
        """
        return self.passes[k].new > 0 or k == len(self.passes) - 1


def planned(n_qubits: int, groups: list[Group]) -> tuple[Plan, list[Block]]:
    """Layouts of the groups, and the groups as blocks of factors."""
    order: list[int] = []
    passes, blocks = [], []
    for group in groups:
        new = [q for q in bits(group.flipped) if q not in order]
        there = sorted((q for q in bits(group.support) if q in order), key=order.index, reverse=True)
        absent = [q for q in bits(group.support & ~group.flipped) if q not in order]
        pads = range(32, 32 + MOST_QUBITS - len(new) - len(there) - len(absent))
        flips = {0}
        for mask in group.basis:
            flips |= {flip ^ _local(mask, there) for flip in flips}
        positions = tuple(order.index(q) for q in there)
        place = (*new, *there, *absent, *pads)
        passes.append(Pass(place, len(new), positions, tuple(sorted(flips)), len(order)))
        blocks.append(Block(group.support, tuple(sorted(group.factors))))
        order += reversed(new)
    order += [q for q in range(n_qubits) if q not in order]
    return Plan(n_qubits, tuple(passes), tuple(order)), blocks


def _local(mask: int, qubits: list[int]) -> int:
    return sum((mask >> q & 1) << k for k, q in enumerate(reversed(qubits)))


def axes(n_bits: int, positions: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape of a state in which some bits, in descending order, have axes of their own; and these axes.

    >>> axes(5, (3, 0))
    ((2, 2, 4, 2, 1), (1, 3))
    """
    shape: list[int] = []
    for above, p in zip((n_bits, *positions), positions, strict=False):
        shape += [2 ** (above - p - 1), 2]
    shape.append(2 ** (positions[-1] if positions else n_bits))
    assert prod(shape) == 2**n_bits
    return tuple(shape), tuple(range(1, 2 * len(positions), 2))


def most_numbers(plan: Plan, *, derivative: bool, diagonal: int, observables: int) -> int:
    """The most complex numbers of states and sums that are held at once.

    Args:
        plan: Of the circuit.
        derivative: Whether the way back is walked.
        diagonal: Of an observable, where it is no table.
        observables: How many there are.
    """
    whole = 2**plan.n_qubits
    held, most = 0, whole
    for k, one in enumerate(plan.passes):
        most = max(most, held + 2**one.size + 2**one.after)
        held += 2**one.size if derivative and plan.keeps(k) else 0
    most = max(most, held + 2 * whole + diagonal)
    final = whole if observables > 1 else 0
    for k, one in reversed(list(enumerate(plan.passes))) if derivative else ():
        before, after = 2**one.size, 2**one.after
        if plan.keeps(k):
            at_once = [after + one.column_numbers, after + before]  # the state before it is among those that are held
        else:
            at_once = [2 * after + before, after + before + one.column_numbers, 2 * before + after]
        most = max(most, held + final + max(at_once))
        held -= before if plan.keeps(k) else 0
    return most + MATRICES * len(plan.passes) * 4**MOST_QUBITS
