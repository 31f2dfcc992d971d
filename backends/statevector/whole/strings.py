"""The strings of an observable, sorted: by their X masks, and by windows of neighbouring qubits that hold several."""

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit.lower import mask_type

MOST_PRECOMPUTED = 2**24
"""Diagonals are computed once if all of them have no more entries than this, else each time."""


def by_x_mask(observable: SparsePauliOp) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """X mask to the Z masks of its strings and their weights: (P psi)[i] = weight (-1)^parity(i & z) psi[i ^ x]."""
    observable = observable.simplify(atol=0)
    powers = 1 << np.arange(observable.paulis.x.shape[1], dtype=np.uint64)
    mask = mask_type(len(powers))
    x = (observable.paulis.x.astype(np.uint64) @ powers).astype(mask)
    z = (observable.paulis.z.astype(np.uint64) @ powers).astype(mask)
    n_y = np.sum(observable.paulis.x & observable.paulis.z, axis=1)
    weight = np.real(np.array(observable.coeffs)) * np.array([1, -1j, -1, 1j])[n_y % 4]
    return {int(mask): (z[x == mask], weight[x == mask]) for mask in np.unique(x)}


def supports(groups: dict[int, tuple[np.ndarray, np.ndarray]]) -> dict[int, int]:
    """Qubits on which the strings of each X mask act, but for the diagonal ones."""
    return {x: int(x | np.bitwise_or.reduce(z)) for x, (z, _) in groups.items() if x}


def windows(acting: dict[int, int], n_qubits: int, k: int) -> dict[int, list[int]]:
    """Lowest qubit of each window to the X masks that it takes; a window that would take only one is left out."""
    taken: dict[int, list[int]] = {}
    left = dict(acting)
    for low in range(max(n_qubits - k, 0) + 1):
        reach = (2 ** min(k, n_qubits) - 1) << low
        first = [x for x, support in left.items() if support >> low & 1]
        inside = [x for x, support in left.items() if not support & ~reach]
        last = low == max(n_qubits - k, 0)
        if len(inside) > 1 and (last or any(x in first for x in inside)):
            taken[low] = inside
            left = {x: support for x, support in left.items() if x not in inside}
    return taken
