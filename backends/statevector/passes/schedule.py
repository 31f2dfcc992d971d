"""Which gates go together in one pass over the state, and in which order.

A pass flips few qubits and looks at some more: its cost grows with the X masks that its gates span, and hardly with the
qubits that they only turn by phases. Gates that act on all their common qubits by the same letter commute and may
overtake each other, as the controlled Z gates of a ring do. A qubit is stored with the first gate that flips it, and
what can be done before is done on a state half as large.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from backends.statevector.circuit.lower import Factors
from backends.statevector.whole.fuse import bits

MOST_QUBITS = 5
"""Of a pass; its matrix is small beside any state that is worth a pass."""

COSTS = (1.0, 1.0, 1.2, 1.4)
"""Time of a pass by the dimension of its X masks, the last of which is the most that it may have."""

GROWTH = 4.0
"""By how much a pass is put off for each qubit that it adds to the state."""

LEAST_QUBITS = 12
"""Of a state below which another qubit costs nothing."""

SEEDS = 24
"""Gates at the front from which passes are tried."""


@dataclass(frozen=True)
class Gate:
    """Factors that stay together.

    Attributes:
        factors: Their indices.
        support: Mask of the qubits.
        x: Their X masks but 0.
        letters: By qubit: 1 for X, 2 for Z, 3 for Y, where all of its strings agree, else 4.
    """

    factors: tuple[int, ...]
    support: int
    x: tuple[int, ...]
    letters: dict[int, int]


@dataclass(frozen=True)
class Group:
    """Gates of one pass.

    Attributes:
        factors: Indices in the order of their application.
        support: Mask of the qubits.
        flipped: Mask of those that the X masks have.
        basis: Independent X masks that span those of the gates.
    """

    factors: tuple[int, ...]
    support: int = 0
    flipped: int = 0
    basis: tuple[int, ...] = ()

    def joined(self, gate: Gate) -> "Group":
        """With one more gate."""
        basis = self.basis
        for x in gate.x:
            if rest := _rest(x, basis):
                basis = tuple(sorted((*basis, rest), reverse=True))
        flipped = self.flipped
        for x in gate.x:
            flipped |= x
        return Group(self.factors + gate.factors, self.support | gate.support, flipped, basis)

    def fits(self) -> bool:
        """Whether a pass can do it."""
        return self.support.bit_count() <= MOST_QUBITS and len(self.basis) < len(COSTS)


def schedule(factors: Factors) -> list[Group] | None:
    """All gates in passes; None where one has too many qubits for any."""
    gates = _gates(factors)
    if not all(Group(()).joined(gate).fits() for gate in gates):
        return None
    front = _Front(gates, factors.n_qubits)
    stored, groups = 0, []
    while front.ready:
        found = [front.grow(seed, stored) for seed in front.ready[:SEEDS]]
        _, taken, group = max(found, key=lambda one: one[0])
        for g in taken:
            front.take(g)
        front.ready.sort()
        stored |= group.flipped
        groups.append(group)
    return groups


def _gates(factors: Factors) -> list[Gate]:
    members: dict[int, list[int]] = {}
    for f, number in enumerate(factors.gate.tolist()):
        members.setdefault(number, []).append(f)
    gates = []
    for own in members.values():
        support, letters = 0, {}
        for f in own:
            x = int(factors.x[f])
            support |= int(factors.support[f])
            for z, weight in zip(factors.z[f].tolist(), factors.weight[f].tolist(), strict=True):
                for q in bits(x | z) if weight else ():
                    letter = (x >> q & 1) + 2 * (z >> q & 1)
                    letters[q] = letter if letters.get(q, letter) == letter else 4
        masks = dict.fromkeys(int(factors.x[f]) for f in own)
        gates.append(Gate(tuple(own), support, tuple(x for x in masks if x), letters))
    return gates


def _rest(x: int, basis: Sequence[int]) -> int:
    """What is left of a mask once those of a basis in descending order are taken out."""
    for b in basis:
        x = min(x, x ^ b)
    return x


class _Front:
    """Gates that may go next. On each qubit they stand in layers of gates with one letter, which commute there.

    Attributes:
        ready: Gates that nothing keeps, in the order in which they came to be so.
    """

    def __init__(self, gates: list[Gate], n_qubits: int):
        self.gates = gates
        self._layers: list[list[list[int]]] = [[] for _ in range(n_qubits)]
        self._place: list[dict[int, int]] = [{} for _ in gates]
        last = [0] * n_qubits
        for g, gate in enumerate(gates):
            for q, letter in gate.letters.items():
                if letter != last[q] or letter == 4:
                    self._layers[q].append([])
                    last[q] = letter
                self._layers[q][-1].append(g)
                self._place[g][q] = len(self._layers[q]) - 1
        self._left = [[len(layer) for layer in layers] for layers in self._layers]
        self._waits = [sum(layer > 0 for layer in place.values()) for place in self._place]
        self.ready = [g for g, waits in enumerate(self._waits) if not waits]

    def take(self, g: int) -> None:
        """Remove a gate that is ready."""
        self.ready.remove(g)
        for q, layer in self._place[g].items():
            self._left[q][layer] -= 1
            if not self._left[q][layer]:
                for other in self._after(q, layer):
                    self._waits[other] -= 1
                    if not self._waits[other]:
                        self.ready.append(other)

    def grow(self, seed: int, stored: int) -> tuple[float, list[int], Group]:
        """A group from one gate on, by the cheapest gate that is ready beside it: the best one on the way.

        Returns:
            Its gates for their cost, its gates, and itself.
        """
        ready, taken = list(self.ready), [seed]
        self.take(seed)
        group = Group(()).joined(self.gates[seed])
        best = (len(taken) / _cost(group, stored), list(taken), group)
        while found := self._cheapest(group, stored):
            g, group = found
            self.take(g)
            taken.append(g)
            rate = len(taken) / _cost(group, stored)
            if rate >= best[0]:
                best = (rate, list(taken), group)
        for g in reversed(taken):
            self._put_back(g)
        self.ready = ready
        return best

    def _cheapest(self, group: Group, stored: int) -> tuple[int, Group] | None:
        joined = [(g, group.joined(self.gates[g])) for g in self.ready if self.gates[g].support & group.support]
        fitting = [(g, one) for g, one in joined if one.fits()]
        return min(fitting, key=lambda one: (_cost(one[1], stored), one[1].support.bit_count(), one[0]), default=None)

    def _put_back(self, g: int) -> None:
        for q, layer in self._place[g].items():
            if not self._left[q][layer]:
                for other in self._after(q, layer):
                    self._waits[other] += 1
            self._left[q][layer] += 1

    def _after(self, q: int, layer: int) -> list[int]:
        return self._layers[q][layer + 1] if layer + 1 < len(self._layers[q]) else []


def _cost(group: Group, stored: int) -> float:
    before, after = (max(mask.bit_count(), LEAST_QUBITS) for mask in (stored, stored | group.flipped))
    return COSTS[len(group.basis)] * GROWTH ** (after - before)
