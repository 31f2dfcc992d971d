"""How much memory a matrix-product state can need."""

from itertools import pairwise

import numpy as np
from qiskit import QuantumCircuit

from backends.instructions import SILENT

DOUBLING = (
    "cx",
    "cz",
    "cy",
    "ch",
    "cp",
    "crx",
    "cry",
    "crz",
    "cu1",
    "cs",
    "csdg",
    "csx",
    "rzz",
    "rxx",
    "ryy",
    "rzx",
    "ecr",
)
"""Two-qubit gates of operator Schmidt rank 2: each at most doubles the bonds it crosses; others square that."""


def bond_bytes(circuit: QuantumCircuit, max_bond_dimension: int | None) -> int:
    """An upper bound on the bytes of the circuit's matrix-product state, in complex double precision.

    A bond between qubits k-1 and k has dimension at most 2^min(k, n - k), and at most the product of the operator
    Schmidt ranks of the gates that cross it. The tensors of neighbouring bonds D, D' take 2 D D' numbers each.

    References:
        Vidal, Phys. Rev. Lett. 91, 147902 (2003).
    """
    n_qubits = circuit.num_qubits
    log2 = np.zeros(n_qubits + 1)
    for instruction in circuit.data:
        if instruction.operation.name in SILENT or len(instruction.qubits) < 2:
            continue
        qubits = sorted(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        rank = 1 if instruction.operation.name in DOUBLING else 2 * (len(qubits) // 2)
        if instruction.operation.name == "PauliEvolution":
            rank = 2 * len(qubits)  # as many factors as its strings may have; the ends below cut it
        log2[qubits[0] + 1 : qubits[-1] + 1] += rank
    cut = np.arange(n_qubits + 1)
    log2 = np.minimum(log2, np.minimum(cut, n_qubits - cut))
    if max_bond_dimension is not None:
        log2 = np.minimum(log2, np.log2(max_bond_dimension))
    return int(16 * sum(2.0 ** (1 + left + right) for left, right in pairwise(log2)))
