"""Groups of terms that commute, and the Clifford circuits after which they are measured in Z.

Terms that commute as wholes, though not letter by letter, can be measured together after a Clifford circuit C with C P
C^dagger = +-Z...Z for each of them. C follows from the terms as rows (x | z) of bits: a Hadamard on some qubits makes
the x part of k independent ones full rank, row operations make it (1 | B), CNOTs clear B, CZ and S clear z, and k
Hadamards end it.

References:
    Gokhale et al., arXiv:1907.13623 (2019); van den Berg and Temme, Quantum 4, 322 (2020);
    Aaronson and Gottesman, Phys. Rev. A 70, 052328 (2004), for the rows of bits.
"""

from collections.abc import Sequence

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Clifford, PauliList


def commuting_sets(labels: Sequence[str]) -> list[list[int]]:
    """Sort terms into sets that commute, each term into the first set that it fits.

    Args:
        labels: Pauli letters, rightmost qubit 0, heaviest term first.

    Returns:
        For each set the positions of its terms.
    """
    paulis = PauliList(list(labels))
    x, z = paulis.x.astype(np.uint8), paulis.z.astype(np.uint8)
    sets: list[list[int]] = []
    for k in range(len(labels)):
        for members in sets:
            clash = (x[members] @ z[k] + z[members] @ x[k]) % 2
            if not clash.any():
                members.append(k)
                break
        else:
            sets.append([k])
    return sets


def diagonalized(labels: Sequence[str]) -> tuple[QuantumCircuit, np.ndarray, np.ndarray]:
    """A Clifford circuit that turns commuting terms into products of Z.

    Args:
        labels: Pauli letters of terms that commute, rightmost qubit 0.

    Returns:
        The circuit; where each term acts after it, shape (terms, qubits), column q for qubit q; and the sign of each.
    """
    paulis = PauliList(list(labels))
    circuit = _circuit(paulis.x.copy(), paulis.z.copy())
    turned = paulis.evolve(Clifford(circuit), frame="s")
    assert not turned.x.any()
    return circuit, turned.z.copy(), np.where(turned.phase == 2, -1.0, 1.0)


def _circuit(x: np.ndarray, z: np.ndarray) -> QuantumCircuit:
    circuit = QuantumCircuit(x.shape[1])
    rows = np.concatenate([x, z], axis=1)
    n = x.shape[1]
    first = _reduce(rows, range(n))  # qubits whose x part is independent
    rank = len(first)
    second = _reduce(rows[rank:], [n + q for q in range(n) if q not in first])
    second = [column - n for column in second]
    rows = rows[: rank + len(second)]
    for q in second:  # the rest is Z alone; there Z becomes X
        circuit.h(q)
        rows[:, [q, n + q]] = rows[:, [n + q, q]]
    pivots = _reduce(rows, [*first, *second])
    x, z = rows[:, :n], rows[:, n:]
    others = [q for q in range(n) if q not in pivots]
    for i, p in enumerate(pivots):
        for q in others:
            if x[i, q]:
                circuit.cx(p, q)
                x[:, q] ^= x[:, p]
                z[:, p] ^= z[:, q]
    for i, p in enumerate(pivots):
        for q in [*pivots[i + 1 :], *others]:
            if z[i, q]:
                circuit.cz(p, q)
                z[:, q] ^= x[:, p]
                z[:, p] ^= x[:, q]
    for i, p in enumerate(pivots):
        if z[i, p]:
            circuit.s(p)
        circuit.h(p)
    return circuit


def _reduce(rows: np.ndarray, columns: Sequence[int] | range) -> list[int]:
    """Gauss-Jordan elimination in place, modulo 2, on some columns; returns the pivots' columns, of the first rows."""
    pivots: list[int] = []
    for column in columns:
        at = len(pivots)
        below = np.flatnonzero(rows[at:, column])
        if not len(below):
            continue
        rows[[at, at + below[0]]] = rows[[at + below[0], at]]
        others = rows[:, column].copy()
        others[at] = False
        rows[others] ^= rows[at]
        pivots.append(column)
    return pivots
