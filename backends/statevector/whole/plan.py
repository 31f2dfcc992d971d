"""Where every bit of the state's index lies, from step to step.

The state is real: one more bit, C, tells real (0) from imaginary parts (1). A layout is the order of the bits, the
slowest first. A block is a matrix product once its window stands in front, with C before it unless the block's matrix
is real. Moving is as expensive as the product when only short runs of neighbouring amplitudes stay together.

Qubits that no step has touched are |0>, and are not stored: the state grows with the first block on a qubit.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from backends.statevector.whole.fuse import Block, Diagonal, Wide, bits

C = -1
"""The bit between real and imaginary part."""

Layout = tuple[int, ...]

Transposition = tuple[tuple[int, ...], tuple[int, ...]]
"""Shape and order of axes."""


@dataclass(frozen=True)
class Apply:
    """Bring a block's window to the front, multiply.

    Attributes:
        block: Number of the block.
        real: Whether its matrix is real: C then stays with the others.
        before: Layout that is found.
        front: Layout after the move: C, the qubits of the window that are stored already, the others.
        present: How many qubits of the window are stored already.
        width: How many the window has.
        after: Layout after the product.
        place: Qubits of the window; the first belongs to the highest bit of the block's index. Those above 31 do not
            exist: they make all windows equally wide.
    """

    block: int
    real: bool
    before: Layout
    front: Layout
    present: int
    width: int
    after: Layout
    place: Layout

    @property
    def shape(self) -> tuple[bool, int, int]:
        """What its kernels depend on."""
        return self.real, self.present, self.width


@dataclass(frozen=True)
class Scan:
    """Apply wide factors one by one.

    Attributes:
        start: Of the factors among all wide ones.
        stop: One past the last.
        before: Layout that is found, all qubits stored.
        after: The same with C in front.
    """

    start: int
    stop: int
    before: Layout
    after: Layout


@dataclass(frozen=True)
class Turn:
    """Turn every amplitude by its entry of a diagonal.

    Attributes:
        diagonal: Number among the circuit's.
        layout: Layout that is found and left, all qubits stored.
    """

    diagonal: int
    layout: Layout


@dataclass(frozen=True)
class Grow:
    """Store qubits that no step has touched.

    Attributes:
        before: Layout that is found.
        front: The same with C in front.
        after: C, the new qubits, the others.
    """

    before: Layout
    front: Layout
    after: Layout


@dataclass(frozen=True)
class Run:
    """Consecutive blocks on a small state in one compiled loop, moves by gathers: compiling takes no longer for more.

    Attributes:
        start: First block.
        stop: One past the last.
        before: Layout that is found, all qubits stored.
        fronts: For each block the layout after its move, which its product leaves; C in front.
    """

    start: int
    stop: int
    before: Layout
    fronts: tuple[Layout, ...]

    @property
    def after(self) -> Layout:
        """Layout after the last block."""
        return self.fronts[-1]


Step = Apply | Run | Scan | Turn | Grow


@dataclass(frozen=True)
class Plan:
    """All steps from |0...0>; the last layout holds all qubits.

    Attributes:
        n_qubits: Width.
        steps: In the order of their application.
        last: Layout after the last step.
        width: Qubits of the widest block.
    """

    n_qubits: int
    steps: tuple[Step, ...]
    last: Layout
    width: int

    @property
    def natural(self) -> Layout:
        """C, then the qubits from the highest to the lowest: the order of Qiskit's index."""
        return (C, *reversed(range(self.n_qubits)))


LEAST = 3
"""Qubits that every window has at least, where so many are stored."""


def few_moves(steps: list[Block | Wide | Diagonal], n_qubits: int, k: int) -> Plan:
    """The plan, cyclic where that at least halves the number of different moves, each of which needs a kernel."""
    natural, cyclic = (plan(steps, n_qubits, k, cyclic=way) for way in (False, True))
    different = [len({transposition(*move) for move in moves(one)}) for one in (natural, cyclic)]
    return cyclic if 2 * different[1] <= different[0] else natural


def plan(steps: list[Block | Wide | Diagonal], n_qubits: int, k: int, *, cyclic: bool = False) -> Plan:
    """Choose layouts for steps whose blocks have at most k qubits.

    Args:
        steps: What was fused.
        n_qubits: Width.
        k: Qubits of the widest block.
        cyclic: Whether the qubits outside a window stand in descending order from the window's lowest on, and around,
            instead of from the highest: windows that slide along a chain are then moved by rotations, most of them
            equal. The other way longer runs of amplitudes stay together.
    """
    k = min(k, n_qubits)
    done: list[Step] = []
    layout: Layout = (C,)
    block = wide = turn = 0
    for step in steps:
        if isinstance(step, Block):
            applied = _apply(block, step, layout, k, cyclic)
            done.append(applied)
            block, layout = block + 1, applied.after
            continue
        layout = _grown(done, layout, n_qubits)
        if isinstance(step, Wide):
            after = (C, *(q for q in layout if q != C))
            done.append(Scan(wide, wide + len(step.factors), layout, after))
            wide, layout = wide + len(step.factors), after
        else:
            done.append(Turn(turn, layout))
            turn += 1
    layout = _grown(done, layout, n_qubits)
    return Plan(n_qubits, tuple(done), layout, k)


def looped_plan(steps: list[Block | Wide | Diagonal], n_qubits: int, k: int) -> Plan:
    """The same for states so small that all qubits are stored from the start, and blocks run in loops."""
    k = min(k, n_qubits)
    windows = _filled(steps, n_qubits, k)
    done: list[Step] = []
    layout = _grown(done, (C,), n_qubits)
    block = wide = turn = 0
    for kind, part in itertools.groupby(zip(steps, windows, strict=True), key=lambda pair: type(pair[0])):
        if kind is Block:
            before, fronts = layout, []
            for _, window in part:
                inside = [q for q in layout[1:] if window >> q & 1]
                layout = (C, *inside, *(q for q in layout[1:] if q not in inside))
                fronts.append(layout)
            done.append(Run(block, block + len(fronts), before, tuple(fronts)))
            block += len(fronts)
            continue
        for step, _ in part:
            if isinstance(step, Wide):
                done.append(Scan(wide, wide + len(step.factors), layout, layout))
                wide += len(step.factors)
            else:
                done.append(Turn(turn, layout))
                turn += 1
    return Plan(n_qubits, tuple(done), layout, k)


def moves(plan: Plan) -> list[tuple[Layout, Layout]]:
    """All changes of layout on the way through a plan without loops, and back."""
    found = []
    for step in plan.steps:
        if isinstance(step, Apply):
            found += [(step.before, step.front), (step.front, step.before)]
    return [(old, new) for old, new in found if old != new]


def places(plan: Plan) -> list[Layout]:
    """The qubits of each block; the first belongs to the highest bit of its index."""
    found: list[Layout] = []
    for step in plan.steps:
        if isinstance(step, Apply):
            found.append(step.place)
        elif isinstance(step, Run):
            found += [front[1 : 1 + plan.width] for front in step.fronts]
    return found


def _apply(number: int, block: Block, layout: Layout, k: int, cyclic: bool) -> Apply:
    """The window in front, the others in descending order: long runs stay together, moves recur.

    A window on one or two qubits costs what one on three does, and is made one, so that fewer kernels are needed.
    """
    old = sorted((q for q in layout if q != C), reverse=True)
    own = bits(block.window)
    spare = sorted((q for q in old if q not in own), key=lambda q: (min(abs(q - p) for p in own), q))
    window = {*own, *spare[: max(min(LEAST, k) - len(own), 0)]}
    stored = tuple(q for q in old if q in window)
    rest = tuple(q for q in old if q not in window)
    if cyclic:
        rest = tuple(sorted(rest, key=lambda q: (q > min(window), -q)))
    new = tuple(q for q in reversed(own) if q not in layout)
    width = len(new) + len(stored)
    place = (*new, *stored, *range(32, 32 + k - width))
    if block.real and not new:
        front = (*stored, C, *rest)
        return Apply(number, True, layout, front, width, width, front, place)
    after = (C, *new, *stored, *rest)
    return Apply(number, False, layout, (C, *stored, *rest), len(stored), width, after, place)


def _filled(steps: list[Block | Wide | Diagonal], n_qubits: int, k: int) -> list[int]:
    """Give every window k qubits: the nearest of those that are touched already, so that none is stored too early."""
    touched, filled = 0, []
    for step in steps:
        if not isinstance(step, Block):
            touched = (1 << n_qubits) - 1
            filled.append(0)
            continue
        window = step.window
        spare = bits(touched & ~window) + bits(~(touched | window) & (1 << n_qubits) - 1)
        own = bits(window)
        rank = {q: (not touched >> q & 1, min(abs(q - p) for p in own), q) for q in spare}
        for q in sorted(spare, key=rank.__getitem__)[: k - len(own)]:
            window |= 1 << q
        touched |= window
        filled.append(window)
    return filled


def _grown(done: list[Step], layout: Layout, n_qubits: int) -> Layout:
    new = tuple(q for q in reversed(range(n_qubits)) if q not in layout)
    if not new:
        return layout
    old = tuple(q for q in layout if q != C)
    grown = Grow(layout, (C, *old), (C, *new, *old))
    done.append(grown)
    return grown.after


def transposition(old: Layout, new: Layout) -> Transposition:
    """The move between two layouts; bits that stay neighbours move as one axis.

    >>> transposition((-1, 3, 2, 1, 0), (-1, 1, 0, 3, 2))
    ((2, 4, 4), (0, 2, 1))
    """
    runs: list[list[int]] = []
    place = {q: k for k, q in enumerate(old)}
    for q in new:
        if runs and place[q] == place[runs[-1][-1]] + 1:
            runs[-1].append(q)
        else:
            runs.append([q])
    order = sorted(range(len(runs)), key=lambda k: place[runs[k][0]])
    axis = {k: a for a, k in enumerate(order)}
    return tuple(2 ** len(runs[k]) for k in order), tuple(axis[k] for k in range(len(runs)))


def relabelled(masks: np.ndarray, layout: tuple[int, ...]) -> np.ndarray:
    """Masks over qubits as masks over the index of a layout that starts with C."""
    new = np.zeros_like(masks)
    for k, q in enumerate(reversed(layout[1:])):
        new |= (masks >> np.uint32(q) & np.uint32(1)) << np.uint32(k)
    return new
