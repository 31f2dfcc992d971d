"""The qubits of a circuit on a line, and the Clifford gates at its end."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.native.clifford import Frame, Pauli
from backends.statevector.native.rotations import Gate, clifford

Strings = list[tuple[Pauli, float]]
"""Pauli strings of X, Y and Z, each with its coefficient."""


def strings_of(observable: SparsePauliOp) -> Strings:
    """The strings of an observable, like ones together."""
    observable = observable.simplify(atol=0)
    x, z = (np.packbits(bits, axis=1, bitorder="little") for bits in (observable.paulis.x, observable.paulis.z))
    masks = [[int.from_bytes(row.tobytes(), "little") for row in packed] for packed in (x, z)]
    coefficients = np.real(np.asarray(observable.coeffs)).tolist()
    return [(Pauli.string(*both), c) for *both, c in zip(*masks, coefficients, strict=True)]


def without_end(gates: list[Gate]) -> tuple[list[Gate], Frame]:
    """A circuit without the Clifford gates that nothing else follows on their qubits, and these.

    The observable may be seen through them instead. Chains of CNOTs leave strings short that act on neighbours, and a
    layer of bonds is saved.
    """
    kept, end, taken = [], [], 0
    for gate in reversed(gates):
        support = support_of(gate)
        if support & taken or not (fixed := clifford(gate)):
            kept.append(gate)
            taken |= support
        else:
            end.append(fixed)
    frame = Frame()
    for fixed in reversed(end):
        for string, eighths in fixed:
            frame.turn(string, eighths)
    return kept[::-1], frame


def seen_through(frame: Frame, strings: Strings) -> Strings:
    """What strings are before the Clifford gates of a frame."""
    seen = ((frame.seen(string), c) for string, c in strings)
    return [(Pauli.string(string.x, string.z), string.sign * c) for string, c in seen]


def support_of(gate: Gate) -> int:
    """Mask of the qubits that a gate acts on."""
    support = 0
    for string, *_ in gate:
        support |= string.x | string.z
    return support


def orders(gates: list[Gate], n_qubits: int) -> Iterator[list[int]]:
    """Orders of the qubits on the line: their own, and one in which those that gates join are near each other."""
    own = list(range(n_qubits))
    yield own
    neighbours: list[set[int]] = [set() for _ in own]
    for support in {support_of(gate) for gate in gates}:
        joined = bits(support)
        for q in joined:
            neighbours[q].update(joined)
    if any(abs(p - q) > 1 for q in own for p in neighbours[q]):
        found = near_each_other(neighbours)
        if found not in (own, own[::-1]):
            yield found


def near_each_other(neighbours: Sequence[Collection[int]]) -> list[int]:
    """An order of a graph's nodes in which neighbours stand near each other: level by level from one of few neighbours.

    Args:
        neighbours: Numbers of each node's, with or without its own.

    References:
        Cuthill and McKee, Reducing the bandwidth of sparse symmetric matrices, Proc. 24th ACM Nat. Conf., 157 (1969).
        George and Liu, Computer Solution of Large Sparse Positive Definite Systems (1981), for the reversal.

    >>> near_each_other([{1, 3}, {0, 2}, {1, 3}, {2, 0}])  # a ring: the middle of each side is near its own end
    [2, 3, 1, 0]
    """

    def few_first(nodes: Iterable[int]) -> list[int]:
        return sorted(nodes, key=lambda node: (len(neighbours[node]), node))

    order: list[int] = []
    seen: set[int] = set()
    for start in few_first(range(len(neighbours))):
        level = [start] if start not in seen else []
        seen.update(level)
        while level:
            order += level
            following = []
            for node in level:
                following += few_first(set(neighbours[node]) - seen)
                seen.update(neighbours[node])
            level = following
    return order[::-1]


def bits(mask: int) -> list[int]:
    """Numbers of the bits of a mask, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def lowest(mask: int) -> int:
    """Number of the lowest bit of a mask."""
    return (mask & -mask).bit_length() - 1


def mover(qubits: Iterable[int]) -> Callable[[Pauli], Pauli]:
    """A function that moves strings of X, Y and Z to other bits: what acts on ``qubits[k]``, to bit k."""
    place = {q: 1 << k for k, q in enumerate(qubits)}

    @cache
    def mask(old: int) -> int:
        return sum(place[q] for q in bits(old))

    return lambda string: Pauli(mask(string.x), mask(string.z), string.phase)


def moved(gates: Iterable[Gate], qubits: Iterable[int]) -> list[Gate]:
    """The gates on other bits; see `mover`."""
    qubits = list(qubits)
    if qubits == list(range(len(qubits))):
        return list(gates)
    move = mover(qubits)
    return [[rotation._replace(string=move(rotation.string)) for rotation in gate] for gate in gates]
