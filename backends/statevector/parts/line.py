"""The qubits of a circuit on a line, and the Clifford gates at its end."""

import itertools
from collections.abc import Callable, Iterable, Iterator
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
    """Orders of the qubits on the line: their own, and one in which those that gates join are near each other.

    References:
        Cuthill and McKee, Reducing the bandwidth of sparse symmetric matrices, Proc. 24th ACM Nat. Conf., 157 (1969).
    """
    own = list(range(n_qubits))
    yield own
    pairs = {pair for support in set(map(support_of, gates)) for pair in itertools.permutations(bits(support), 2)}
    if pairs:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        graph = coo_array((np.ones(len(pairs)), tuple(zip(*pairs, strict=True))), shape=(n_qubits, n_qubits)).tocsr()
        found = reverse_cuthill_mckee(graph, symmetric_mode=True).tolist()
        if found not in (own, own[::-1]):
            yield found


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
    move = mover(qubits)
    return [[rotation._replace(string=move(rotation.string)) for rotation in gate] for gate in gates]
