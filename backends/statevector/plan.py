"""Where every bit of the state's index lies, from step to step.

The state is real: one more bit, C, tells real (0) from imaginary parts (1). A layout is the order of the bits, the
slowest first. A block is a matrix product once its window and C stand in front; the product may leave them there or
turn them to the back, whichever makes the next move cheaper: moving is as expensive as the product when only
short runs of neighbouring amplitudes stay together.

Qubits that no step has touched are |0>, and are not stored: the state grows with the first block on a qubit.
"""

import itertools
from dataclasses import dataclass

from backends.statevector.fuse import Block, Wide, bits

C = -1
"""The bit between real and imaginary part."""

Layout = tuple[int, ...]

LONG = 5
"""Runs of 2^5 amplitudes are moved nearly as fast as any longer ones."""


@dataclass(frozen=True)
class Apply:
    """Bring a block's window to the front, multiply, leave the window there or at the back.

    Attributes:
        block: Number of the block.
        before: Layout that is found.
        front: Layout after the move: C, the qubits of the window that are stored already, the others.
        present: How many qubits of the window are stored already.
        behind: Whether the product leaves the window at the back.
        after: Layout after the product.
        place: Qubits of the window; the first belongs to the highest bit of the block's index.
    """

    block: int
    before: Layout
    front: Layout
    present: int
    behind: bool
    after: Layout
    place: Layout


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


Step = Apply | Run | Scan | Grow


@dataclass(frozen=True)
class Plan:
    """All steps from |0...0>; the last layout holds all qubits.

    Attributes:
        n_qubits: Width.
        steps: In the order of their application.
        last: Layout after the last step.
        width: Qubits of each block.
    """

    n_qubits: int
    steps: tuple[Step, ...]
    last: Layout
    width: int

    @property
    def natural(self) -> Layout:
        """C, then the qubits from the highest to the lowest: the order of Qiskit's index."""
        return (C, *reversed(range(self.n_qubits)))


def plan(steps: list[Block | Wide], n_qubits: int, k: int) -> Plan:
    """Choose layouts for steps whose blocks have at most k qubits."""
    k = min(k, n_qubits)
    windows = _filled([step.window if isinstance(step, Block) else None for step in steps], n_qubits, k)
    done: list[Step] = []
    layout: Layout = (C,)
    block = wide = 0
    for at, (step, window) in enumerate(zip(steps, windows, strict=True)):
        if window is None:
            layout = _grown(done, layout, n_qubits)
            after = (C, *(q for q in layout if q != C))
            done.append(Scan(wide, wide + len(step.factors), layout, after))
            wide, layout = wide + len(step.factors), after
            continue
        following = windows[at + 1] if at + 1 < len(windows) else None
        stored = [q for q in layout if q != C and window >> q & 1]
        new = [q for q in reversed(bits(window)) if q not in layout]
        if following is not None:  # what the next window shares goes first: what it leaves then stays together
            shared = bits(following)
            stored.sort(key=lambda q, shared=shared: q not in shared)
        rest = tuple(q for q in layout if q != C and not window >> q & 1)
        front = (C, *stored, *rest)
        place = (*new, *stored)
        kept, turned = (C, *place, *rest), (*rest, C, *place)
        behind = not new and following is not None and _run(turned, following) > _run(kept, following) < LONG
        after = turned if behind else kept
        done.append(Apply(block, layout, front, len(stored), behind, after, place))
        block, layout = block + 1, after
    layout = _grown(done, layout, n_qubits)
    return Plan(n_qubits, tuple(done), layout, k)


def small_plan(steps: list[Block | Wide], n_qubits: int, k: int) -> Plan:
    """The same for states so small that all qubits are stored from the start, and blocks run in loops."""
    k = min(k, n_qubits)
    windows = _filled([step.window if isinstance(step, Block) else None for step in steps], n_qubits, k)
    done: list[Step] = []
    layout = _grown(done, (C,), n_qubits)
    block = wide = 0
    for wide_ones, part in itertools.groupby(zip(steps, windows, strict=True), key=lambda pair: pair[1] is None):
        if wide_ones:
            for step, _ in part:
                done.append(Scan(wide, wide + len(step.factors), layout, layout))
                wide += len(step.factors)
            continue
        before, fronts = layout, []
        for _, window in part:
            inside = [q for q in layout[1:] if window >> q & 1]
            layout = (C, *inside, *(q for q in layout[1:] if q not in inside))
            fronts.append(layout)
        done.append(Run(block, block + len(fronts), before, tuple(fronts)))
        block += len(fronts)
    return Plan(n_qubits, tuple(done), layout, k)


def places(plan: Plan) -> list[Layout]:
    """The qubits of each block; the first belongs to the highest bit of its index."""
    found: list[Layout] = []
    for step in plan.steps:
        if isinstance(step, Apply):
            found.append(step.place)
        elif isinstance(step, Run):
            found += [front[1 : 1 + plan.width] for front in step.fronts]
    return found


def _filled(windows: list[int | None], n_qubits: int, k: int) -> list:
    """Give every window k qubits: the nearest of those that are touched already, so that none is stored too early."""
    touched, filled = 0, []
    for window in windows:
        if window is not None:
            spare = bits(touched & ~window) + bits(~(touched | window) & (1 << n_qubits) - 1)
            own = bits(window)
            rank = {q: (not touched >> q & 1, min(abs(q - p) for p in own), q) for q in spare}
            for q in sorted(spare, key=rank.__getitem__)[: k - len(own)]:
                window |= 1 << q
        touched = (1 << n_qubits) - 1 if window is None else touched | window
        filled.append(window)
    return filled


def _run(layout: Layout, window: int) -> int:
    """How many bits at the back stay where they are when the window and C move to the front."""
    count = 0
    for q in reversed(layout):
        if q == C or window >> q & 1:
            break
        count += 1
    return count


def _grown(done: list[Step], layout: Layout, n_qubits: int) -> Layout:
    new = tuple(q for q in reversed(range(n_qubits)) if q not in layout)
    if not new:
        return layout
    old = tuple(q for q in layout if q != C)
    done.append(Grow(layout, (C, *old), (C, *new, *old)))
    return done[-1].after
