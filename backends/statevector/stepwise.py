"""The state through all steps of a plan and back, one kernel after the other, in buffers that outlast the call.

For states that are too large for one program: a call allocates nothing but what is small, kernels are compiled once
for all steps of the same shape, and memory is known to the byte beforehand. There are two ways back: one keeps the
state before each step, the lean one undoes the steps on psi as well, and never holds more than four states.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector import kernels, wide
from backends.statevector.blocks import matrices, slopes
from backends.statevector.buffers import Sizes
from backends.statevector.compiled import executable
from backends.statevector.evolve import Arrays
from backends.statevector.observe import Part, Terms, apart, applied
from backends.statevector.plan import Apply, C, Grow, Layout, Plan, Scan, Step, Turn


@dataclass(frozen=True)
class Operands:
    """The small arrays of each step; nothing of them is needed only to count bytes.

    Attributes:
        steps: For each step what its kernels take besides states: of a block its product's matrix, the same of the way
            back, and U; of a scan the factors and angles, one by one; of a turn the angle and the diagonal.
    """

    steps: tuple

    @classmethod
    def of(cls, plan: Plan, arrays: Arrays, angles: np.ndarray) -> "Operands":
        """For the angles of all factors, shape (factors,)."""
        forms = executable(_forms, (arrays.local, angles), static=(_blocks(plan),))(arrays.local, angles)
        found = []
        for step in plan.steps:
            if isinstance(step, Apply):
                found.append(forms[step.block])
            elif isinstance(step, Scan):
                found.append(arrays.masks.apart(step.start, step.stop, angles))
            elif isinstance(step, Turn):
                found.append(arrays.diagonals.at(step.diagonal, angles))
            else:
                found.append(None)
        return cls(tuple(found))


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
            found.append(self.memory.read(kernels.overlap, psi, lam))
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
            energies.append(self.memory.read(kernels.overlap, psi, lam))
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
                before, x = x, self._stepped(step, own, x, forward=True)
                if not keep:
                    memory.give(before)
                    before = None
            kept.append(before)
        return x, kept

    def _stepped(self, step: Apply | Turn, own: Any, x: Any, *, forward: bool) -> Any:
        """A block or a turn, or its inverse, into another buffer."""
        if isinstance(step, Apply):
            size = 2 ** len(step.after if forward else step.front)
            return self.memory.write(kernels.written_product, size, own[0 if forward else 1], x)
        place = (step.layout.index(C),)
        angle, levels, level = own
        arrays = (x, angle if forward or angle is None else -angle, levels, level)
        return self.memory.write(kernels.written_turn, x.size, *arrays, static=place)

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
                    found.append(memory.read(wide.slope, here, lam, *mask))
                    here, lam = (
                        self._replace(x, wide.turned, x.size, x, *mask, angle, static=(-1,)) for x in (here, lam)
                    )
                lam = self._move(lam, step.after, step.before)
                if psi is None:
                    memory.give(here)
                else:
                    psi = self._move(here, step.after, step.before)
            else:
                below = self._stepped(step, own, lam, forward=False)
                if psi is not None:
                    undone = self._stepped(step, own, psi, forward=False)
                    memory.give(psi)
                    psi = undone
                here = before if psi is None else psi
                if isinstance(step, Apply):
                    static = (step.real, step.present)
                    after = lam if step.present < self.plan.width else below  # what is not read may be overwritten
                    options = kernels.LONG_SUMS if memory.dtype.itemsize == 8 else ()
                    cotangents[step.block] = memory.read(
                        kernels.cotangent, own[2], here, after, below, static=static, options=options
                    )
                else:
                    static = (step.layout.index(C),)
                    found.append(memory.read(kernels.turn_slope, here, below, *own[1:], static=static))
                memory.give(lam)
                lam = self._move(below, _front(step), _before(step))
                psi = None if psi is None else self._move(psi, _front(step), _before(step))
        memory.give(lam)
        if psi is not None:
            memory.give(psi)
        return cotangents, found

    def _replace(self, x: Any, function, size: int, *arrays: Any, static: tuple = ()) -> Any:
        """What a kernel makes of x, which is given back."""
        new = self.memory.write(function, size, *arrays, static=static)
        self.memory.give(x)
        return new

    def _move(self, x: Any, old: Layout, new: Layout) -> Any:
        if old == new:
            return x
        return self._replace(x, kernels.written_transpose, x.size, x, static=(kernels.transposition(old, new),))

    def _shrunk(self, x: Any, step: Grow) -> Any:
        x = self._replace(x, _cut, 2 ** len(step.before), x)
        return self._move(x, step.front, step.before)


def slopes_of(
    plan: Plan, arrays: Arrays, angles: np.ndarray, operands: Operands, found: tuple[list, list]
) -> np.ndarray:
    """Derivatives by the angles of all factors, shape (factors,), from what `Walk.energies_and_slopes` found."""
    cotangents, others = found
    total = np.zeros(len(angles), angles.dtype)
    if cotangents:
        u = [own[2] for step, own in zip(plan.steps, operands.steps, strict=True) if isinstance(step, Apply)]
        arguments = (arrays.local, angles, tuple(u), tuple(cotangents))
        total += np.asarray(executable(_slopes, arguments)(*arguments))
    slots: list[int] = []
    for step in reversed(plan.steps):
        if isinstance(step, Scan):
            slots += np.asarray(arrays.masks.slot[step.start : step.stop]).tolist()[::-1]
        elif isinstance(step, Turn):
            slots.append(int(arrays.diagonals.slot[step.diagonal]))
    for slot, slope in zip(slots, others, strict=True):
        total[slot] += np.asarray(slope)
    return total


def memory_bytes(plan: Plan, terms: tuple[Observed, ...], dtype: np.dtype, *, derivative: bool, keep: bool) -> int:
    """Bytes of all states that a value, or one with its gradient, will hold."""
    sizes = Sizes(dtype)
    nothing = Operands(tuple(_nothing(step) for step in plan.steps))
    walk = Walk(plan, keep, sizes)
    if derivative:
        walk.energies_and_slopes(nothing, terms)
    else:
        walk.energies(nothing, terms)
    return sizes.made_bytes


def _nothing(step: Step) -> Any:
    """Operands of which nothing but their number counts."""
    if isinstance(step, Scan):
        return [((None,) * 4, None)] * (step.stop - step.start)
    return (None, None, None)


def _blocks(plan: Plan) -> tuple[tuple[bool, int], ...]:
    """Of each block whether it is real, and how many of its qubits are stored before it."""
    return tuple((step.real, step.present) for step in plan.steps if isinstance(step, Apply))


def _before(step: Apply | Turn) -> Layout:
    return step.before if isinstance(step, Apply) else step.layout


def _front(step: Apply | Turn) -> Layout:
    return step.front if isinstance(step, Apply) else step.layout


def _forms(blocks: tuple[tuple[bool, int], ...], local, angles) -> list[tuple[jax.Array, jax.Array, jax.Array]]:
    u, _ = matrices(local, angles)
    forms = [kernels.matrix(one, real, present) for one, (real, present) in zip(u, blocks, strict=True)]
    return [(m, m.T, one) for m, one in zip(forms, u, strict=True)]


def _slopes(local, angles, u, cotangents) -> jax.Array:
    _, small = matrices(local, angles)
    return slopes(local, angles, jnp.stack(u), small, jnp.stack(cotangents))


def _first(out):
    return jnp.zeros_like(out).at[0].set(1)


def _copied(out, x):
    return x


def _grown(out, x):
    x = x.reshape(2, -1)
    return jnp.pad(x, ((0, 0), (0, out.size // 2 - x.shape[1]))).reshape(-1)


def _cut(out, x):
    return x.reshape(2, -1)[:, : out.size // 2].reshape(-1)
