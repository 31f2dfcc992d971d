"""The state through all steps of a plan and back, one kernel after the other, in buffers that outlast the call.

For states that are too large for one program: a call allocates nothing but what is small, kernels are compiled once
for all steps of the same shape, and memory is known to the byte beforehand. There are two ways back: one keeps the
state before each step, the lean one undoes the steps on psi as well, and never holds more than four states.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.runtime.compiled import Request, executable
from backends.statevector.runtime.namespace import namespace
from backends.statevector.whole import kernels, wide
from backends.statevector.whole.blocks import matrices, shapes, slopes
from backends.statevector.whole.buffers import Sizes, on_host
from backends.statevector.whole.diagonals import Diagonals
from backends.statevector.whole.evolve import Arrays
from backends.statevector.whole.observe import Part, Terms, apart, applied
from backends.statevector.whole.plan import (
    Apply,
    C,
    Grow,
    Layout,
    Plan,
    Scan,
    Step,
    Transposition,
    Turn,
    moves,
    transposition,
)

MOST_MOVES, OFTEN = 48, 8
"""Distinct moves from which on those that occur less often share one kernel."""

SHORT_RUN, LONG_RUN = 4, 6
"""Bits at the end of the index that must stay where they are for that, and how many make no difference any more."""


@dataclass(frozen=True, eq=False)
class Operands:
    """The small arrays of the steps; nothing of them is needed only to count bytes.

    Attributes:
        u: Matrices of the blocks, shape (blocks, K, K).
        forms: Their real forms and those of the inverses.
        small: Matrices of their pieces.
        steps: Of a block its number, of a scan the factors and angles, of a turn what `_of_turn` gives.
    """

    u: Any
    forms: tuple
    small: Any
    steps: tuple

    @classmethod
    def of(cls, plan: Plan, arrays: Arrays, angles: np.ndarray) -> "Operands":
        """For the angles of all factors, shape (factors,)."""
        if on_host():
            u, forms, small = _matrices(arrays.local.on_host, angles)
            u, forms = jax.device_put((u, forms))
        else:
            u, forms, small = executable(_matrices, (arrays.local, angles))(arrays.local, angles)
        return cls(u, forms, small, _of_steps(plan, arrays, angles))

    @classmethod
    def shapes(cls, plan: Plan, arrays: Arrays, angles: np.ndarray) -> "Operands":
        """The same with shapes instead of matrices."""
        u, small = shapes(arrays.local)
        form = jax.ShapeDtypeStruct((u.shape[0], *(2 * size for size in u.shape[1:])), angles.dtype)
        return cls(u, (form, form), small, _of_steps(plan, arrays, angles))


def _of_steps(plan: Plan, arrays: Arrays, angles: np.ndarray) -> tuple:
    found: list[Any] = []
    for step in plan.steps:
        if isinstance(step, Apply):
            found.append(np.int32(step.block))
        elif isinstance(step, Scan):
            found.append(arrays.masks.apart(step.start, step.stop, angles))
        else:
            found.append(_of_turn(arrays.diagonals, step.diagonal, angles) if isinstance(step, Turn) else None)
    return tuple(found)


def _of_turn(diagonals: Diagonals, number: int, angles: np.ndarray) -> tuple:
    """Phases, those of the inverse, and the diagonal."""
    there, back = (diagonals.phases(number, angles, back=way, xp=np) for way in (False, True))
    return there, back, diagonals.values(number)


@dataclass(frozen=True, eq=False)
class Observed:
    """An observable as the kernels that apply it."""

    diagonal: jax.Array
    parts: list[Part]

    @classmethod
    def of(cls, terms: Terms) -> "Observed":
        """Take it apart."""
        return cls(terms.diagonal, apart(terms))


@dataclass(frozen=True, eq=False)
class Walk:
    """A way through the steps.

    Attributes:
        plan: Without loops.
        keep: Whether the states before the steps are kept for the way back.
        memory: Where the states live: `Buffers`, or `Sizes` to only count.
    """

    plan: Plan
    keep: bool
    memory: Any

    @cached_property
    def rare(self) -> frozenset[Transposition]:
        """Moves that share one kernel instead of being compiled each, because there are too many."""
        counts = Counter(transposition(*move) for move in moves(self.plan))
        return frozenset(move for move, count in counts.items() if len(counts) > MOST_MOVES and count < OFTEN)

    def state(self, operands: Operands) -> Any:
        """The final state in the natural layout; to be given back."""
        x, _ = self._forward(operands, keep=False)
        return self._move(x, self.plan.last, self.plan.natural)

    def energies(self, operands: Operands, terms: tuple[Observed, ...]) -> list:
        """Expectation values, one for each observable."""
        psi = self.state(operands)
        found = []
        for part in terms:
            lam = applied(part.diagonal, part.parts, psi, self.memory)
            found.append(self.memory.read(kernels.overlap, psi, lam, size=psi.size))
            self.memory.give(lam)
        self.memory.give(psi)
        return found

    def energies_and_slopes(self, operands: Operands, terms: tuple[Observed, ...]) -> tuple[list, list]:
        """The same, and for each observable what `Slopes` needs: cotangents of the blocks, slopes of other steps."""
        energies, found = [], []
        psi, kept = self._forward(operands, self.keep)
        psi = self._move(psi, self.plan.last, self.plan.natural)
        for number, part in enumerate(terms):
            lam = applied(part.diagonal, part.parts, psi, self.memory)
            energies.append(self.memory.read(kernels.overlap, psi, lam, size=psi.size))
            last = number == len(terms) - 1
            start = None
            if self.keep and last:
                self.memory.give(psi)
            elif not self.keep:
                start = psi if last else self.memory.write(_copied, psi.size, psi)
                start = self._move(start, self.plan.natural, self.plan.last)
            found.append(self._backward(operands, start, kept, self._move(lam, self.plan.natural, self.plan.last)))
        for x in kept:
            if x is not None:
                self.memory.give(x)
        return energies, found

    def _forward(self, operands: Operands, keep: bool) -> tuple[Any, list]:
        """The final state, and for each step the state before its kernels (of a scan after them), where kept."""
        memory = self.memory
        x = memory.write(_first, 2)
        kept: list = []
        for step, own in zip(self.plan.steps, operands.steps, strict=True):
            before = None
            if isinstance(step, Grow):
                x = self._move(x, step.before, step.front)
                x = self._replace(x, _grown, x.size << (len(step.after) - len(step.before)), x)
            elif isinstance(step, Scan):
                x = self._move(x, step.before, step.after)
                for mask, angle in own:
                    x = self._replace(x, wide.turned, x.size, x, *mask, angle, static=(1,))
                before = memory.write(_copied, x.size, x) if keep else None
            else:
                x = self._move(x, _before(step), _front(step))
                before, x = x, self._stepped(operands, step, own, x, back=False)
                if not keep:
                    memory.give(before)
                    before = None
            kept.append(before)
        return x, kept

    def _stepped(self, operands: Operands, step: Step, own: Any, x: Any, *, back: bool) -> Any:
        """A block or a turn, or its inverse, into another buffer."""
        if isinstance(step, Apply):
            size, arrays = 2 ** len(step.front if back else step.after), (operands.forms[back], own, x)
            shrinks = back and step.present < step.width
            return self.memory.write(kernels.written_product, size, *arrays, static=(step.shape, shrinks))
        return self.memory.write(kernels.written_turn, x.size, x, *own[back], static=(_front(step).index(C),))

    def _backward(self, operands: Operands, psi: Any, kept: list, lam: Any) -> tuple[list, list]:
        """What the slopes need; psi and lambda are given back. psi is None where the states were kept."""
        memory = self.memory
        cotangents: list = [None] * sum(isinstance(step, Apply) for step in self.plan.steps)
        found: list = []
        for step, own, before in zip(*map(reversed, (self.plan.steps, operands.steps, kept)), strict=True):
            if isinstance(step, Grow):
                lam = self._shrunk(lam, step)
                psi = None if psi is None else self._shrunk(psi, step)
            elif isinstance(step, Scan):
                here = memory.write(_copied, before.size, before) if psi is None else psi
                for mask, angle in reversed(own):
                    found.append(memory.read(wide.slope, here, lam, *mask, size=here.size))
                    here, lam = (
                        self._replace(x, wide.turned, x.size, x, *mask, angle, static=(-1,)) for x in (here, lam)
                    )
                lam = self._move(lam, step.after, step.before)
                if psi is None:
                    memory.give(here)
                else:
                    psi = self._move(here, step.after, step.before)
            else:
                below = self._stepped(operands, step, own, lam, back=True)
                if psi is not None:
                    undone = self._stepped(operands, step, own, psi, back=True)
                    memory.give(psi)
                    psi = undone
                here = before if psi is None else psi
                if isinstance(step, Apply):
                    after = lam if step.present < step.width else below  # what is not read may be overwritten
                    read = memory.read_beside if self.keep else memory.read
                    cotangents[step.block] = read(
                        kernels.block_cotangent,
                        *(operands.u, own, here, after, below),
                        size=here.size,
                        static=(step.shape,),
                    )
                else:
                    place = (step.layout.index(C),)
                    generated = memory.write(kernels.generated, here.size, here, *own[2], static=place)
                    found.append(memory.read(kernels.overlap, below, generated, size=below.size))
                    memory.give(generated)
                memory.give(lam)
                lam = self._move(below, _front(step), _before(step))
                psi = None if psi is None else self._move(psi, _front(step), _before(step))
        memory.settle()
        memory.give(lam)
        if psi is not None:
            memory.give(psi)
        return [wait() for wait in cotangents] if self.keep else cotangents, found

    def _replace(self, x: Any, function, size: int, *arrays: Any, static: tuple = ()) -> Any:
        """What a kernel makes of x, which is given back."""
        new = self.memory.write(function, size, *arrays, static=static)
        self.memory.give(x)
        return new

    def _move(self, x: Any, old: Layout, new: Layout) -> Any:
        if old == new:
            return x
        move = transposition(old, new)
        run = min(kernels.run(move), LONG_RUN)
        if move in self.rare and run >= SHORT_RUN:
            return self._replace(x, kernels.written_gather, x.size, x, _source(old, new, run), static=(run,))
        return self._replace(x, kernels.written_transpose, x.size, x, static=(move,))

    def _shrunk(self, x: Any, step: Grow) -> Any:
        x = self._replace(x, _cut, 2 ** len(step.before), x)
        return self._move(x, step.front, step.before)


def slopes_of(
    plan: Plan, arrays: Arrays, angles: np.ndarray, operands: Operands, found: tuple[list, list]
) -> np.ndarray:
    """Derivatives by the angles of all factors, shape (factors,), from what `Walk.energies_and_slopes` found."""
    cotangents, others = found
    total = np.zeros(len(angles), angles.dtype)
    if cotangents and on_host():
        u, *stacked = map(np.asarray, (operands.u, *cotangents))
        total += slopes(arrays.local.on_host, angles, u, operands.small, np.stack(stacked))
    elif cotangents:
        arguments = (arrays.local, angles, operands.u, operands.small, tuple(cotangents))
        total += np.asarray(executable(_slopes, arguments)(*arguments))
    slots: list[int] = []
    for step in reversed(plan.steps):
        if isinstance(step, Scan):
            slots += np.asarray(arrays.masks.slot[step.start : step.stop]).tolist()[::-1]
        elif isinstance(step, Turn):
            slots.append(int(arrays.diagonals.slot[step.diagonal]))
    for slot, overlap in zip(slots, others, strict=True):
        total[slot] += 2 * np.asarray(overlap)
    return total


def state_bytes(plan: Plan, real: np.dtype, *, derivative: bool, keep: bool, windows: tuple[bool, ...]) -> int:
    """Bytes of all states that a value, or one with its gradient, holds at once; nothing else needs to be known.

    Args:
        plan: The steps.
        real: Type of real numbers.
        derivative: Whether a gradient is asked for.
        keep: Whether states are kept for the way back.
        windows: For each observable whether it has products of its own.
    """
    sizes = Sizes(real)
    blank = [
        [((None,) * 4, None)] * (step.stop - step.start) if isinstance(step, Scan) else ((), (), ())
        for step in plan.steps
    ]
    operands = Operands(None, (None, None), None, tuple(blank))
    product: Part = ("write", kernels.product, (), (0, 0))
    terms = tuple(Observed(None, [product] * one) for one in windows)  # type: ignore[arg-type]
    walk = Walk(plan, keep, sizes)
    (walk.energies_and_slopes if derivative else walk.energies)(operands, terms)
    return sizes.made_bytes


def rehearsed(
    plan: Plan, arrays: Arrays, terms: tuple[Observed, ...], angles: np.ndarray, *, derivative: bool, keep: bool
) -> Sizes:
    """A walk that only counts: the bytes that its states will hold, and its kernels.

    Args:
        plan: The steps.
        arrays: What they are made of.
        terms: Observables.
        angles: Any, of all factors, in the precision of the walk.
        derivative: Whether gradients are asked for.
        keep: Whether states are kept for the way back.
    """
    sizes = Sizes(angles.dtype)
    walk, operands = Walk(plan, keep, sizes), Operands.shapes(plan, arrays, angles)
    (walk.energies_and_slopes if derivative else walk.energies)(operands, terms)
    if not on_host():
        sizes.requests[:0] = _requests(arrays, angles, operands, derivative)
    return sizes


def _requests(arrays: Arrays, angles: np.ndarray, operands: Operands, derivative: bool) -> list[Request]:
    """The programs for all blocks together, which take longest to compile."""
    found = [Request(_matrices, (arrays.local, angles))]
    if derivative and operands.u.shape[0]:
        one = jax.ShapeDtypeStruct(operands.u.shape[1:], operands.u.dtype)
        found.append(Request(_slopes, (arrays.local, angles, operands.u, operands.small, (one,) * operands.u.shape[0])))
    return found


def _source(old: Layout, new: Layout, run: int) -> np.ndarray:
    """See `kernels.written_gather`."""
    return np.array([len(old) - 1 - old.index(q) - run for q in reversed(new)][run:], dtype=np.int32)


def _before(step: Step) -> Layout:
    return step.layout if isinstance(step, Turn) else step.before


def _front(step: Step) -> Layout:
    assert isinstance(step, Apply | Turn), "a walk has no loops"
    return step.front if isinstance(step, Apply) else step.layout


def _matrices(local, angles):
    u, small = matrices(local, angles)
    return u, kernels.forms(u), small


def _slopes(local, angles, u, small, cotangents) -> jax.Array:
    return slopes(local, angles, u, small, jnp.stack(cotangents))


def _first(out):
    return (namespace(out).arange(out.size) == 0).astype(out.dtype)


def _copied(out, x):
    return x


def _grown(out, x):
    x = x.reshape(2, -1)
    return namespace(out).pad(x, ((0, 0), (0, out.size // 2 - x.shape[1]))).reshape(-1)


def _cut(out, x):
    return x.reshape(2, -1)[:, : out.size // 2].reshape(-1)
