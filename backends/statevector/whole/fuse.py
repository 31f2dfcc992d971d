"""Gathering the gates of a circuit into blocks on a few qubits, and into scans of wide factors between them.

A block on few qubits costs little more than one of its gates when the state is large, so its window should swallow as
many gates as it can: every gate that becomes executable within it is taken, layer after layer. Windows are grown from
the gates at the front of the circuit, by the gates in the way, and the one with most gates for its cost is taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backends.statevector.circuit.lower import Factors


@dataclass(frozen=True)
class Block:
    """Factors that act on few qubits: one small matrix.

    Attributes:
        window: Mask of the qubits.
        factors: Indices of the factors, in the order of their application.
        real: Whether every factor, and so the matrix, is real.
    """

    window: int
    factors: tuple[int, ...]
    real: bool = False


@dataclass(frozen=True)
class Wide:
    """Consecutive factors that are applied to the whole state one by one."""

    factors: tuple[int, ...]


@dataclass(frozen=True)
class Diagonal:
    """Diagonal factors whose angles are multiples of one parameter, as in the cost layer of QAOA: one diagonal.

    Attributes:
        factors: Indices of the factors.
        ratios: Angle of each over the angle of the first.
    """

    factors: tuple[int, ...]
    ratios: tuple[float, ...]


Costs = tuple[float, ...]
"""Time of a block on 0, 1, ..., k qubits, of which the last is the most that a block may have; a pass is 1.

A block of real factors takes half the operations, as one on a qubit less.
"""

DIAGONAL, WIDE = 1.0, 1.0
"""Time of a diagonal layer, and of a wide factor."""


def fuse(factors: Factors, costs: Costs) -> list[Block | Wide | Diagonal]:
    """Order all factors into steps.

    Diagonal layers are taken as one wherever that makes the circuit cheaper. A circuit in which wide factors prevail
    is left as it is, one scan.
    """
    layers = {f: layer for layer in diagonal_layers(factors, len(costs) - 1) for f in layer.factors}
    apart = _fused(factors, factors.gate, {}, costs)
    if not layers:
        return apart
    gate = factors.gate.copy()
    for f, layer in layers.items():
        gate[f] = gate[layer.factors[0]]
    together = _fused(factors, gate, layers, costs)
    return min((together, apart), key=lambda steps: total_cost(steps, costs))


def total_cost(steps: list[Block | Wide | Diagonal], costs: Costs) -> float:
    """Time of all steps, in passes over the state."""
    return sum(_cost(step, costs) for step in steps)


def _cost(step: Block | Wide | Diagonal, costs: Costs) -> float:
    if isinstance(step, Block):
        return costs[step.window.bit_count() - step.real]
    return WIDE * len(step.factors) if isinstance(step, Wide) else DIAGONAL


def diagonal_layers(factors: Factors, k: int) -> list[Diagonal]:
    """Runs of diagonal factors that follow one parameter and are too wide for one block."""
    matrix, offset = factors.angles.matrix, factors.angles.offset
    curved = {index for index, _, _ in factors.angles.curved}
    one = factors.angles.n_slopes == 1
    found: list[list[int]] = [[]]
    for f in range(len(factors)):
        follows = one[f] and not offset[f] and f not in curved and not factors.x[f] and matrix.data[matrix.indptr[f]]
        if found[-1] and not (follows and _column(matrix, f) == _column(matrix, found[-1][0])):
            found.append([])
        if follows:
            found[-1].append(f)
    layers = []
    for run in found:
        wide = int(np.bitwise_or.reduce(factors.support[run], initial=0)).bit_count() > k
        if len(run) > 2 and wide:
            slopes = matrix.data[matrix.indptr[run]]
            layers.append(Diagonal(tuple(run), tuple((slopes / slopes[0]).tolist())))
    return layers


def _column(matrix, row: int) -> int:
    return int(matrix.indices[matrix.indptr[row]])


def _fused(
    factors: Factors, gate: np.ndarray, layers: dict[int, Diagonal], costs: Costs
) -> list[Block | Wide | Diagonal]:
    n_wide = sum(1 for f in np.flatnonzero(np.bitwise_count(factors.support) >= len(costs)).tolist() if f not in layers)
    steps: list[Block | Wide | Diagonal] = []
    n_fused = len(layers)
    for step in _steps(factors, gate, layers, costs, at_least=3 if n_wide else 1):
        if isinstance(step, Wide) and steps and isinstance(steps[-1], Wide):
            steps[-1] = Wide(steps[-1].factors + step.factors)
        else:
            steps.append(step)
        n_fused += len(step.factors) if isinstance(step, Block) else 0
    if n_fused < len(factors) - n_fused:
        return [Wide(tuple(range(len(factors))))]
    return steps


def fuse_within(factors: Factors, block: Block, k: int) -> list[Block]:
    """The factors of one block as smaller blocks, on at most k qubits unless a gate acts on more."""
    chosen = np.array(block.factors, dtype=int)
    gates, supports = _gates(factors.x[chosen], factors.z[chosen], factors.gate[chosen])
    members = [tuple(chosen[list(gate)].tolist()) for gate in gates]
    place = {q: p for p, q in enumerate(bits(block.window))}
    local = [sum(1 << place[q] for q in bits(support)) for support in supports]
    front, found = _Front(local, len(place)), []
    while ready := front.ready():
        grown = [front.grow(local[g], (1.0,) * (1 + max(k, local[g].bit_count()))) for g in ready]
        window, taken, _ = max(grown, key=lambda found: found[2])
        front.take(taken)
        mask = sum(1 << q for q, p in place.items() if window >> p & 1)
        found.append(Block(mask, tuple(f for g in taken for f in members[g])))
    return found


def _steps(
    factors: Factors, gate: np.ndarray, layers: dict[int, Diagonal], costs: Costs, at_least: int
) -> Iterator[Block | Wide | Diagonal]:
    """Blocks of at least so many factors; whatever else is at the front goes by itself."""
    gates, supports = _gates(factors.x, factors.z, gate)
    real = factors.phase != 1
    front = _Front(supports, factors.n_qubits, [bool(real[list(members)].all()) for members in gates])
    grown: dict[int, tuple[int, list[int], float]] = {}
    while ready := front.ready():
        wide = [g for g in ready if supports[g].bit_count() >= len(costs)]
        if wide:
            window, taken = 0, wide[:1]
        else:
            for g in ready:
                if g not in grown:
                    grown[g] = front.grow(supports[g], costs)
            window, taken, _ = grown[max(ready, key=lambda g: grown[g][2])]
            if sum(len(gates[g]) for g in taken) < at_least:
                window, taken = 0, ready[:1]
        chosen = tuple(f for g in taken for f in gates[g])
        touched = front.take(taken)
        grown = {g: found for g, found in grown.items() if not found[0] & touched}
        if window:
            yield Block(window, chosen, bool(real[list(chosen)].all()))
        else:
            yield layers.get(chosen[0], Wide(chosen))


def _gates(x: np.ndarray, z: np.ndarray, gate: np.ndarray) -> tuple[list[tuple[int, ...]], list[int]]:
    """The factors of each gate, and the mask of its qubits."""
    support = (x | np.bitwise_or.reduce(z, axis=1, initial=0)).tolist()
    members: dict[int, list[int]] = {}
    for f, number in enumerate(gate.tolist()):
        members.setdefault(number, []).append(f)
    masks = []
    for part in members.values():
        mask = 0
        for f in part:
            mask |= support[f]
        masks.append(mask)
    return [tuple(part) for part in members.values()], masks


class _Front:
    """The gates that wait on each qubit."""

    def __init__(self, supports: list[int], n_qubits: int, real: list[bool] | None = None):
        self.supports = supports
        self.real = [False] * len(supports) if real is None else real
        self.queues: list[list[int]] = [[] for _ in range(n_qubits)]
        for gate, support in enumerate(supports):
            for q in bits(support):
                self.queues[q].append(gate)
        for queue in self.queues:
            queue.append(-1)  # nothing waits any more
        self.at = [0] * n_qubits

    def ready(self) -> list[int]:
        """Gates that stand first on all their qubits."""
        heads: dict[int, int] = {}
        for q, queue in enumerate(self.queues):
            gate = queue[self.at[q]]
            heads[gate] = heads.get(gate, 0) | 1 << q
        return [gate for gate, mask in heads.items() if gate >= 0 and mask == self.supports[gate]]

    def take(self, gates: list[int]) -> int:
        """Remove gates from the front; returns the mask of their qubits."""
        touched = 0
        for gate in gates:
            touched |= self.supports[gate]
            for q in bits(self.supports[gate]):
                self.at[q] += 1
        return touched

    def grow(self, window: int, costs: Costs) -> tuple[int, list[int], float]:
        """Widen a window step by step; returns the best one on the way, its gates, and their number for its cost."""
        at = {q: self.at[q] for q in bits(window)}
        taken = self._absorb(window, at, window)
        best = (window, list(taken), self._rate(window, taken, costs))
        while found := self._wider(window, at, len(costs) - 1):
            window, at, gain = found
            taken += gain
            rate = self._rate(window, taken, costs)
            if rate > best[2]:
                best = (window, list(taken), rate)
        return best

    def _rate(self, window: int, taken: list[int], costs: Costs) -> float:
        """Gates for their cost."""
        return len(taken) / costs[window.bit_count() - all(self.real[gate] for gate in taken)]

    def _wider(self, window: int, at: dict[int, int], k: int) -> tuple[int, dict[int, int], list[int]] | None:
        """The window with one of the gates in the way, or with those before it as well, that takes most gates in."""
        heads = {self.queues[q][at[q]] for q in bits(window)} - {-1}
        wider = {window | self.supports[gate] for gate in heads}
        for mask in list(wider):
            before = {self.queues[q][self.at[q]] for q in bits(mask & ~window)} - {-1}
            wider |= {mask | self.supports[gate] for gate in before}
        best, most = None, 0.0
        for candidate in sorted(mask for mask in wider if mask != window and mask.bit_count() <= k):
            new = candidate & ~window
            trial = at | {q: self.at[q] for q in bits(new)}
            gain = self._absorb(candidate, trial, candidate)
            if len(gain) / new.bit_count() > most:
                best, most = (candidate, trial, gain), len(gain) / new.bit_count()
        return best or self._joined(window, at, k)

    def _joined(self, window: int, at: dict[int, int], k: int) -> tuple[int, dict[int, int], list[int]] | None:
        """The window with the nearest gate elsewhere that fits: one product for two."""
        fitting = [
            self.supports[gate]
            for gate in self.ready()
            if not self.supports[gate] & window and (self.supports[gate] | window).bit_count() <= k
        ]
        if not fitting:
            return None
        own = bits(window)
        new = min(fitting, key=lambda mask: (min(abs(p - q) for p in bits(mask) for q in own), mask))
        trial = at | {q: self.at[q] for q in bits(new)}
        gain = self._absorb(window | new, trial, window | new)
        return window | new, trial, gain

    def _absorb(self, window: int, at: dict[int, int], touched: int) -> list[int]:
        """Take every gate that can be executed within the window; moves `at` on."""
        taken = []
        waiting = list(bits(touched))
        while waiting:
            q = waiting.pop()
            gate = self.queues[q][at[q]]
            if gate < 0:
                continue
            support = self.supports[gate]
            if support & ~window:
                continue
            places = bits(support)
            if all(self.queues[p][at[p]] == gate for p in places):
                taken.append(gate)
                for p in places:
                    at[p] += 1
                waiting += places
        return taken


def bits(mask: int) -> list[int]:
    """Positions of the ones, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
