"""Another frame of every qubit, in which rotations about X are real.

With V = S on every qubit, V X V+ = Y, V Y V+ = -X and V Z V+ = Z. Since V |0> = |0>, a circuit U and an observable H
may be replaced by V U V+ and V H V+. Rotations about Y are real matrices, those about X are not: the frame of a circuit
with more of the latter, as in QAOA, is turned, and its mixers take half the operations.
"""

from dataclasses import replace

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit.lower import Factors


def real_frame(factors: Factors) -> Factors:
    """The factors in the frame in which more of those that are free and act on one qubit are real."""
    alone = factors.free & (factors.x != 0) & (np.bitwise_count(factors.support) == 1)
    alone &= np.count_nonzero(factors.weight, axis=1) == 1
    about_y = factors.phase[alone] != 1
    return _turned(factors) if 2 * np.count_nonzero(about_y) < len(about_y) else factors


def _turned(factors: Factors) -> Factors:
    """V G V+ of each factor."""
    x = factors.x[:, None]
    n_y = np.bitwise_count(x & factors.z).astype(int)
    coefficient = factors.weight * (1 - n_y // 2 % 2 * 2)  # of the string, without the i of its Y
    after = np.bitwise_count(x).astype(int) - n_y
    weight = coefficient * (1 - n_y % 2 * 2) * (1 - after // 2 % 2 * 2)
    phase = np.where(np.bitwise_count(factors.x) % 2, np.where(factors.phase == 1, -1j, 1), factors.phase)
    return replace(factors, z=factors.z ^ x, weight=weight, phase=phase, turned=True)


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
