"""How large the bonds of a matrix-product state can become, and what that costs.

The state of n qubits is a chain of tensors; the dimension of the bond between two neighbours is the Schmidt rank of the
state cut there. Aer applies a gate to neighbours only: it moves its qubits to the middle one of them by swaps, and
leaves them there. So what a bond cuts changes on the way.

References:
    Vidal, Phys. Rev. Lett. 91, 147902 (2003).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log2
from operator import mul

import numpy as np
from qiskit import QuantumCircuit

from backends.instructions import SILENT

RANK_TWO = {
    *("cx", "cy", "cz", "ch", "cp", "cs", "csdg", "csx", "cu", "cu1", "cu3", "crx", "cry", "crz"),
    *("rxx", "ryy", "rzz", "rzx", "ecr", "ccx", "ccz", "mcx", "mcphase"),
}
"""Gates of operator Schmidt rank 2, wherever they are cut: at most they double a bond. Others square that."""

NOISE = 2.0
"""Factors of two by which an error of a two-qubit gate may enlarge the bond that it crosses."""

TERM = 1 / 16
"""What one tensor costs when a whole chain is contracted, as measured, beside the 1 of a gate."""

INCONCEIVABLE = 300
"""Powers of two from which on a bond is counted as this large: its cube is still a number."""


@dataclass(frozen=True)
class Bonds:
    """Upper bounds for one circuit.

    Attributes:
        passes: Gates and swaps.
        work: Multiplications of all passes, in units of one gate on bonds of dimension 1: D^3 for bonds of dimension D.
        numbers: Complex numbers in the largest state on the way.
        largest: Dimension of the largest bond on the way, if nothing is cut.
        widest: The same where bonds are cut.
        final: Dimension of each bond at the end, shape (n + 1,); those of the two ends are 1.
    """

    passes: float
    work: float
    numbers: float
    largest: float
    widest: float
    final: np.ndarray

    @property
    def term(self) -> tuple[float, float]:
        """Passes and work of a Pauli string's value: it contracts the whole chain."""
        left, right = self.final[:-1], self.final[1:]
        return TERM * len(left), TERM * float(np.sum(left * right * np.maximum(left, right)))

    @property
    def sample(self) -> tuple[float, float]:
        """Passes and work of a bit string: it takes a vector along the whole chain."""
        left, right = self.final[:-1], self.final[1:]
        return TERM * len(left), float(np.sum(left * right)) / 2


def bonds(circuit: QuantumCircuit, limit: int | None, *, noise: bool = False) -> Bonds:
    """Bound the bonds of a circuit's matrix-product state.

    A bond has at most the dimension that the smaller side of the chain allows, at most the product of the operator
    Schmidt ranks of all gates across it, and at most twice its neighbours'.

    Args:
        circuit: Of gates on few qubits.
        limit: The dimension at which bonds are cut; None if they are not.
        noise: Whether two-qubit gates have errors, which entangle, too.
    """
    chain = _Chain(circuit.num_qubits, limit)
    _walk(circuit, range(circuit.num_qubits), chain, NOISE if noise else 0.0, 1)
    widest = min(chain.largest, chain.limit)
    return Bonds(chain.passes, chain.work, chain.numbers, 2.0**chain.largest, 2.0**widest, np.array(chain.cut))


def _walk(circuit: QuantumCircuit, outer: Sequence[int], chain: "_Chain", noise: float, times: int) -> None:
    """Apply the gates of a circuit or block, which may run so many times."""
    place = dict(zip(circuit.qubits, outer, strict=True))
    for instruction in circuit.data:
        name, on = instruction.name, [place[qubit] for qubit in instruction.qubits]
        if instruction.is_control_flow():
            once = name in ("if_else", "switch_case", "box")
            for block in instruction.operation.blocks:
                _walk(block, on, chain, noise, times if once else chain.n_qubits)
        elif name == "swap" and times == 1:
            chain.exchange(*on)
        elif name == "reset":
            chain.sort()
        elif len(on) > 1 and name not in SILENT:
            two = name in RANK_TWO
            chain.apply(on, times * ((1.0 if two else 2.0) + noise), everywhere=two)
        else:
            chain.passes += name not in SILENT


class _Chain:
    """The chain of tensors on its way through a circuit; `log2` holds its bonds' dimensions as powers of two."""

    def __init__(self, n_qubits: int, limit: int | None):
        self.n_qubits = n_qubits
        self.limit = inf if limit is None else log2(limit)
        self.ends = [float(min(cut, n_qubits - cut, INCONCEIVABLE)) for cut in range(n_qubits + 1)]
        self.tensors = list(range(n_qubits))  # each qubit's
        self.order = list(range(n_qubits))  # of the tensors in the chain
        self.shared = np.zeros((n_qubits, n_qubits))  # for each pair of tensors, the ranks of the gates on both
        self.across = [0.0] * (n_qubits + 1)  # the sum of those that a bond joins
        self.log2 = [0.0] * (n_qubits + 1)
        self.cut = [1.0] * (n_qubits + 1)  # dimensions where bonds are cut
        self.passes, self.work, self.numbers, self.largest = 0.0, 0.0, 2.0 * n_qubits, 0.0

    def apply(self, qubits: list[int], rank: float, *, everywhere: bool) -> None:
        """A gate whose rank is ``2^rank`` where one qubit is cut off, and for each more a factor unless everywhere."""
        size, tensors = len(qubits), [self.tensors[q] for q in qubits]
        places = sorted(map(self.order.index, tensors))
        middle = (size - 1) // 2
        for k in range(middle + 1, size):
            self._move(places[k], places[middle] + k - middle)
        for k in range(middle - 1, -1, -1):
            self._move(places[k], places[middle] + k - middle)
        pair = rank / (size - 1 if everywhere else (size + 1) // 2)
        for a, b in itertools.permutations(tensors, 2):
            self.shared[a, b] += pair
        first = places[middle] - middle
        for k in range(1, size):
            self.across[first + k] += pair * k * (size - k)
        by = [rank if everywhere else rank * min(k, size - k) for k in range(1, size)]
        self._grow(range(first + 1, first + size), by)

    def exchange(self, a: int, b: int) -> None:
        """A swap gate: two tensors change places, and the qubits stay where they are."""
        low, high = sorted(self.order.index(self.tensors[q]) for q in (a, b))
        self._move(low, high)
        self._move(high - 1, low)
        self.tensors[a], self.tensors[b] = self.tensors[b], self.tensors[a]

    def sort(self) -> None:
        """Bring the tensors to the order of the qubits, as Aer does before a reset."""
        for place, tensor in enumerate(self.tensors):
            self._move(self.order.index(tensor), place)

    def _move(self, place: int, to: int) -> None:
        for cut in range(place, to, -1) if place > to else range(place + 1, to + 1):
            a, b = self.order[cut - 1], self.order[cut]
            more = self.shared[a] - self.shared[b]
            self.across[cut] += float(more[self.order[: cut - 1]].sum() - more[self.order[cut + 1 :]].sum())
            self.order[cut - 1], self.order[cut] = b, a
            self._grow([cut], [2.0])

    def _grow(self, cuts: Sequence[int], by: Sequence[float]) -> None:
        """Bound the bonds that a gate or swap may have changed, from what they and their neighbours were before."""
        size, before = self.log2, [self.log2[cut] for cut in cuts]
        for cut, more in zip(cuts, by, strict=True):
            size[cut] = min(size[cut] + more, self.across[cut], self.ends[cut])
        for cut in cuts:
            size[cut] = min(size[cut], size[cut - 1] + 1)
        for cut in reversed(cuts):
            size[cut] = min(size[cut], size[cut + 1] + 1)
        for cut in cuts:
            self.largest = max(self.largest, size[cut])
            self.cut[cut] = 2.0 ** min(size[cut], self.limit)
        self.passes += len(cuts)
        for cut in cuts:
            left, middle, right = self.cut[cut - 1 : cut + 2]
            self.work += left * right * max(left, middle, right)
        if before != [size[cut] for cut in cuts]:
            self.numbers = max(self.numbers, 2 * sum(map(mul, self.cut, self.cut[1:])))
