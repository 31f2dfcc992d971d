"""Another frame of every qubit, in which rotations about X are real.

With V = S on every qubit, V X V+ = Y, V Y V+ = -X and V Z V+ = Z. Since V |0> = |0>, a circuit U and an observable H
may be replaced by V U V+ and V H V+. Rotations about Y are real matrices, those about X are not: the frame of a circuit
with more of the latter, as in QAOA, is turned, and its mixers take half the operations.
"""

import numpy as np
from qiskit.quantum_info import SparsePauliOp


def turned_masks(x: int, z: int, n_y: int, coefficient: float) -> tuple[int, int, int, float]:
    """V P V+ of a string with the given masks, number of Y and coefficient.

    >>> turned_masks(0b01, 0b10, 0, 1.0)  # ZX -> ZY
    (1, 3, 1, 1.0)
    """
    return x, z ^ x, x.bit_count() - n_y, coefficient * (-1) ** n_y


def turned_observable(observable: SparsePauliOp) -> SparsePauliOp:
    """V H V+.

    >>> turned_observable(SparsePauliOp(["X", "Y", "Z"], [1, 2, 3])).to_list()
    [('Y', (1+0j)), ('X', (-2+0j)), ('Z', (3+0j))]
    """
    x, z = observable.paulis.x, observable.paulis.z
    signs = (-1.0) ** np.sum(x & z, axis=1)
    return SparsePauliOp.from_list(
        [
            ("".join("IXZY"[a + 2 * b] for a, b in zip(row_x[::-1], (row_z ^ row_x)[::-1], strict=True)), sign * c)
            for row_x, row_z, sign, c in zip(x, z, signs, np.asarray(observable.coeffs), strict=True)
        ],
        num_qubits=observable.num_qubits,
    )


def returned_state(psi: np.ndarray) -> np.ndarray:
    """V+ psi: -i for each 1 in the index."""
    ones = np.bitwise_count(np.arange(len(psi), dtype=np.uint32)) % 4
    return psi * np.array([1, -1j, -1, 1j], psi.dtype)[ones]
