"""Where to cut a circuit: the order of its qubits, and the boundaries that make all parts together cheapest.

Costs are in units of one rotation of one amplitude, its share in a gradient included.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit.lower import Factors
from backends.statevector.native.clifford import Frame
from backends.statevector.native.rotations import Gate, gates
from backends.statevector.parts.bonds import Part, counts, cut
from backends.statevector.parts.line import Strings, moved, mover, orders, seen_through, strings_of, without_end
from backends.statevector.parts.operators import crossings

MOST_QUBITS = 30
"""Of a part, bonds included."""

CALL, CALL_SHARE = 3e5, 2.5e4
"""Of a part, and of a string that is told apart at one of its boundaries, whatever the part's size."""

STATE, SHARE, MASK = 20.0, 9.0, 18.0
"""Of an amplitude: whatever the circuit, for each such string, and for each X mask of strings that end in the part."""

PRODUCT = 1.1
"""Of an amplitude with one row of an environment."""


@dataclass(frozen=True, eq=False)
class Parts:
    """A circuit in parts.

    Attributes:
        order: The circuit's qubit at each place of the line.
        edges: First place of each part, and the number of qubits.
        parts: From left to right.
        end: Clifford gates that follow on the parts; observables are seen through them.
        cost: Of a value with its gradient.
    """

    order: list[int]
    edges: list[int]
    parts: list[Part]
    end: Frame
    cost: float

    @property
    def amplitudes(self) -> int:
        """Of all parts together."""
        return sum(2**part.n_qubits for part in self.parts)

    def strings(self, observable: SparsePauliOp) -> Strings:
        """The strings of an observable that the parts see, on the places of the line."""
        move = mover(self.order)
        return [(move(string), c) for string, c in seen_through(self.end, strings_of(observable))]


def parts_of(factors: Factors, observables: tuple[SparsePauliOp, ...], limit: float = np.inf) -> Parts | None:
    """The cheapest parts; None if there are none below a limit, or one part is the cheapest.

    Args:
        factors: The circuit.
        observables: To be taken; without any, the whole state is.
        limit: Of the cost.
    """
    found, n = list(gates(factors)), factors.n_qubits
    ends = [(found, Frame())]
    kept, end = without_end(found)
    if observables and len(kept) < len(found):  # a state needs them all
        ends.append((kept, end))
    best = None
    for circuit, end in ends:
        for order in orders(circuit, n):
            line = _Line(moved(circuit, order), n)
            if line.cheapest([])[0] >= limit:
                continue
            move = mover(order)
            seen = [seen_through(end, strings_of(observable)) for observable in observables]
            placed = [[(move(string), c) for string, c in own] for own in seen]
            cost, boundaries = line.cheapest(placed)
            if boundaries and cost < limit:
                cost = line.cost(boundaries, placed)
            if cost < limit:
                best, limit = (line, order, end, boundaries), cost
    if best is None or not best[-1]:
        return None
    line, order, end, boundaries = best
    return Parts(order, [0, *boundaries, n], cut(line.gates, n, boundaries), end, limit)


@dataclass(frozen=True, eq=False)
class _Line:
    """A circuit on a line."""

    gates: list[Gate]
    n_qubits: int

    @cached_property
    def counts(self) -> tuple[list[int], list[float]]:
        """Bonds and rotations if each qubit were a part."""
        n = self.n_qubits
        return counts(self.gates, n, list(range(1, n)), min(n, MOST_QUBITS))

    def cost(self, boundaries: list[int], observables: list[Strings]) -> float:
        """Of the parts that are made at some boundaries, which may hold more bonds than `cheapest` counts."""
        n, places = self.n_qubits, [0, *boundaries, self.n_qubits]
        found, rotations = counts(self.gates, n, boundaries)
        bonds, turns = np.zeros(n + 1), np.zeros(n + 1)
        bonds[boundaries] = found
        turns[places[1:]] = np.cumsum(rotations)
        price = _Price.of(observables, bonds, turns)
        cost = sum(float(price(np.array([p]), q)[0]) for p, q in pairwise(places))
        if not observables:  # they are joined at last
            cost += 2.0**n * (STATE + PRODUCT * 2.0 ** found[-1])
        return cost

    def cheapest(self, observables: list[Strings]) -> tuple[float, list[int]]:
        """Cost, and the boundaries that it is for: the best parts of the first q qubits, for one q after the other."""
        n = self.n_qubits
        found, rotations = self.counts
        price = _Price.of(observables, np.array([0.0, *found, 0.0]), np.cumsum([0, *rotations]))
        best, last = [0.0], [0]
        for q in range(1, n + 1):
            cost = price(np.arange(q), q) + best
            last.append(int(np.argmin(cost)))
            best.append(float(cost[last[-1]]))
        boundaries = []
        place = last[n]
        while place:
            boundaries.append(place)
            place = last[place]
        return best[n], boundaries[::-1]


@dataclass(frozen=True, eq=False)
class _Price:
    """What a part costs; all by the place on the line, shape (n_qubits + 1,).

    Attributes:
        bonds: At a boundary there.
        turns: Rotations left of it.
        told: Strings that are told apart there.
        masks: X masks of strings that end left of it.
    """

    bonds: np.ndarray
    turns: np.ndarray
    told: np.ndarray
    masks: np.ndarray

    @classmethod
    def of(cls, observables: list[Strings], bonds: np.ndarray, turns: np.ndarray) -> "_Price":
        """Of parts that observables are taken of."""
        n = len(bonds) - 1
        told = sum((crossings(own, n) for own in observables), np.zeros(n + 1))
        return cls(bonds, turns, told, np.cumsum([0, *_masks(observables, n)]))

    def __call__(self, p: np.ndarray, q: int) -> np.ndarray:
        """Of the parts from each place p to q; infinite where one has too many qubits."""
        bonds, turns, told, masks = self.bonds, self.turns, self.told, self.masks
        size = q - p + bonds[p] + bonds[q]
        products = told * 2.0**bonds
        each = STATE + turns[q] - turns[p] + SHARE * (told[p] + told[q]) + MASK * (masks[q] - masks[p])
        each = each + PRODUCT * (3 * products[p] + 2 * products[q])
        cost = CALL + CALL_SHARE * (told[p] + told[q]) + 2.0 ** np.minimum(size, 99) * each
        return np.where(size > MOST_QUBITS, np.inf, cost)


def _masks(observables: list[Strings], n_qubits: int) -> list[int]:
    """X masks of strings that end at each qubit, the diagonal ones together."""
    found = [1] * n_qubits
    for own in observables:
        for x in {string.x for string, _ in own if string.x}:
            found[x.bit_length() - 1] += 1
    return found
