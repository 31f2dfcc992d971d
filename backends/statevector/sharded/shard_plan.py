"""Choosing which qubits are global, and when they are exchanged.

At the start those are global that blocks need latest. Whatever can be done without an exchange is done first: blocks
that share no qubit may change their order.
"""

import numpy as np

from backends.statevector.circuit.lower import Factors
from backends.statevector.sharded.exchange import (
    Exchange,
    ShardPlan,
    Sweep,
    digits_of,
    exchanged_amplitudes,
    global_qubits,
)
from backends.statevector.whole.fuse import Block, Diagonal, Wide, bits
from backends.statevector.whole.plan import Apply, C, Grow, Layout, Turn

NEVER = 2**62
"""The step at which a qubit is needed that no block needs any more."""

NO_QUBIT = 64
"""Numbers from here on belong to no qubit; they make all windows equally wide."""


def shard_plan(steps: list[Block | Wide | Diagonal], factors: Factors, n_devices: int, k: int) -> ShardPlan:
    """Choose global qubits, exchanges and layouts for blocks of at most k qubits.

    Two ways are tried, and the one that moves fewer bytes is taken: to exchange only what a block needs, or to make
    those qubits global that will be needed latest.

    Args:
        steps: What was fused.
        factors: Of the circuit.
        n_devices: A power of two.
        k: No more than there are local qubits.
    """
    g = global_qubits(n_devices, factors.n_qubits)
    plans = [_Planner(steps, factors, g, k, eager).plan() for eager in (False, True)]
    return min(plans, key=exchanged_amplitudes)


class _Planner:
    """One way through the steps; what is done so far."""

    def __init__(self, steps: list[Block | Wide | Diagonal], factors: Factors, g: int, k: int, eager: bool):
        self.fused, self.factors, self.k, self.eager = steps, factors, k, eager
        self.support = factors.support
        self.reach = [self._reach(step) for step in steps]
        self.waiting = list(range(len(steps)))
        self.number: dict[int, int] = {}  # of each step among those of its kind
        for kind in (Block, Wide, Diagonal):
            start = 0
            for s, step in enumerate(steps):
                if isinstance(step, kind):
                    self.number[s] = start
                    start += len(step.factors) if isinstance(step, Wide) else 1
        self.outer = self.start = self._first_outer(g)
        self.layout: Layout = (C,)
        self.steps, self.outers, self.order = [], [], []

    def plan(self) -> ShardPlan:
        while self.waiting:
            ready = self._ready()
            here = next((s for s in ready if not self._needs(s) & _mask(self.outer)), None)
            if here is None:
                self._exchange(self._needs(ready[0]))
            else:
                self._do(here)
                self.waiting.remove(here)
        self._grow()
        last = (C, *sorted((q for q in self.layout if q != C), reverse=True))
        n = self.factors.n_qubits
        return ShardPlan(n, self.start, tuple(self.steps), tuple(self.outers), tuple(self.order), last, self.k)

    def _reach(self, step: Block | Wide | Diagonal) -> int:
        if isinstance(step, Block):
            return step.window
        return int(np.bitwise_or.reduce(self.support[list(step.factors)], initial=0))

    def _needs(self, s: int) -> int:
        """Qubits that must be local."""
        step = self.fused[s]
        return step.window if isinstance(step, Block) else 0

    def _ready(self) -> list[int]:
        """Steps that share no qubit with an earlier one that waits."""
        found, blocked, everything = [], 0, (1 << self.factors.n_qubits) - 1
        for s in self.waiting:
            if not self.reach[s] & blocked:
                found.append(s)
            blocked |= self.reach[s]
            if blocked == everything:
                break
        return found

    def _next_use(self) -> list[int]:
        """The step that next needs each qubit to be local."""
        found = [NEVER] * self.factors.n_qubits
        for s in reversed(self.waiting):
            for q in bits(self._needs(s)):
                found[q] = s
        return found

    def _first_outer(self, g: int) -> Layout:
        """The qubits that blocks need latest; of those that none needs, the ones that fewest wide factors flip."""
        use = self._next_use()
        wide = [f for step in self.fused if isinstance(step, Wide) for f in step.factors]
        flips = [sum(int(x) >> q & 1 for x in self.factors.x[wide]) for q in range(len(use))]
        return tuple(sorted(range(len(use)), key=lambda q: (-use[q], flips[q], -q))[:g])

    def _exchange(self, needed: int) -> None:
        self._grow()
        use = self._next_use()
        latest = sorted(
            (q for q in range(len(use)) if not needed >> q & 1), key=lambda q: (-use[q], q in self.layout, q)
        )
        if self.eager:
            stay = set(latest[: len(self.outer)])
        else:
            stay = {q for q in self.outer if not needed >> q & 1}
            stay |= set([q for q in latest if q in self.layout][: len(self.outer) - len(stay)])
        comes = tuple(q for q in self.outer if q not in stay)
        leaves = tuple(sorted(stay - set(self.outer), reverse=True))
        rest = (C, *sorted((q for q in self.layout if q != C and q not in leaves), reverse=True))
        digits = tuple(len(self.outer) - 1 - self.outer.index(q) for q in comes)
        place = dict(zip(comes, leaves, strict=True))
        outer = tuple(place.get(q, q) for q in self.outer)
        self._add(Exchange(self.layout, (*leaves, *rest), (*comes, *rest), digits, outer), (*comes, *rest))
        self.outer = outer

    def _do(self, s: int) -> None:
        step, number = self.fused[s], self.number[s]
        if isinstance(step, Block):
            apply = self._apply(number, step)
            self._add(apply, apply.after, s)
            return
        self._grow()
        if isinstance(step, Diagonal):
            self._add(Turn(number, self.layout), self.layout, s)
            return
        after = (C, *(q for q in self.layout if q != C))
        partners = tuple(digits_of(int(x), self.outer) for x in self.factors.x[list(step.factors)])
        self._add(Sweep(number, number + len(step.factors), self.layout, after, partners), after, s)

    def _apply(self, number: int, step: Block) -> Apply:
        """The window in front, the others from the highest qubit to the lowest."""
        old = sorted((q for q in self.layout if q != C), reverse=True)
        stored = tuple(q for q in old if step.window >> q & 1)
        rest = tuple(q for q in old if not step.window >> q & 1)
        new = tuple(q for q in reversed(bits(step.window)) if q not in self.layout)
        real, width = step.real and not new, len(new) + len(stored)
        front = (*stored, C, *rest) if real else (C, *stored, *rest)
        return Apply(
            block=number,
            real=real,
            before=self.layout,
            front=front,
            present=len(stored),
            width=width,
            after=front if real else (C, *new, *stored, *rest),
            place=(*new, *stored, *range(NO_QUBIT, NO_QUBIT + self.k - width)),
        )

    def _grow(self) -> None:
        """Store all local qubits."""
        old = tuple(q for q in self.layout if q != C)
        new = [q for q in range(self.factors.n_qubits) if q not in self.outer and q not in old]
        if new:
            after = (C, *reversed(new), *old)
            self._add(Grow(self.layout, (C, *old), after), after)

    def _add(self, step, layout: Layout, fused: int | None = None) -> None:
        self.steps.append(step)
        self.outers.append(self.outer)
        self.order.append(fused)
        self.layout = layout


def _mask(qubits: Layout) -> int:
    return sum(1 << q for q in qubits)
