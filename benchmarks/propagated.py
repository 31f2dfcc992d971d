"""Circuits that Pauli propagation is measured on."""

from itertools import pairwise

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

EAGLE = 127
"""Qubits of IBM's Eagle processors."""

KINDS = ("ising", "kicked", "hardware-efficient", "qaoa", "bricks", "heisenberg")


def eagle() -> list[tuple[int, int]]:
    """The 144 couplings of the 127 qubits: seven rows, joined by columns of four qubits; as ibm_sherbrooke's."""
    rows, bonds, following = [list(range(14))], [], 14
    for k in range(6):
        between = list(range(following, following + 4))
        size = 14 if k == 5 else 15
        row = list(range(following + 4, following + 4 + size))
        for qubit, column in zip(between, (2, 6, 10, 14) if k % 2 else (0, 4, 8, 12), strict=True):
            bonds += [(rows[-1][column], qubit), (qubit, row[column - (k == 5)])]
        rows.append(row)
        following = row[-1] + 1
    return sorted(bonds + [pair for row in rows for pair in pairwise(row)])


def kicked_ising(theta: float, steps: int) -> QuantumCircuit:
    """The circuit of Kim et al., Nature 618, 500 (2023): X rotations of theta, ZZ rotations of -pi/2 on all bonds."""
    circuit = QuantumCircuit(EAGLE)
    for _ in range(steps):
        circuit.rx(theta, range(EAGLE))
        for a, b in eagle():
            circuit.rzz(-np.pi / 2, a, b)
    return circuit


def z_on(qubits: list[int], n_qubits: int) -> SparsePauliOp:
    """The product of Z on some qubits."""
    return SparsePauliOp.from_sparse_list([("Z" * len(qubits), qubits, 1.0)], n_qubits)


def random_case(rng: np.random.Generator, n_qubits: int) -> tuple[str, QuantumCircuit, SparsePauliOp]:
    """A circuit of one of `KINDS` with random depth and angles; a random string, or a field and bonds, to observe."""
    n, kind, layers = n_qubits, str(rng.choice(KINDS)), int(rng.integers(2, 7))
    bonds = [(q, q + 1) for q in range(n - 1)] + [(0, n - 1)] * bool(rng.random() < 0.3)
    circuit = _MADE[kind](rng, n, layers, bonds)
    if rng.random() < 0.5:
        weight = int(rng.integers(1, 4))
        letters = "".join(rng.choice(list("XYZZZ"), weight))
        term = (letters, rng.choice(n, weight, replace=False).tolist(), 1.0)
        return kind, circuit, SparsePauliOp.from_sparse_list([term], n)
    terms = [("ZZ", list(bond), -1.0) for bond in bonds]
    terms += [("X", [q], -float(rng.uniform(0.3, 1.5))) for q in range(n)]
    return kind, circuit, SparsePauliOp.from_sparse_list(terms, n)


def _ising(rng, n, layers, bonds):
    circuit, dt, field = QuantumCircuit(n), rng.uniform(0.05, 0.5), rng.uniform(0.3, 2)
    for _ in range(2 * layers):
        for bond in bonds:
            circuit.rzz(-2 * dt, *bond)
        circuit.rx(-2 * field * dt, range(n))
    return circuit


def _kicked(rng, n, layers, bonds):
    circuit, theta = QuantumCircuit(n), rng.uniform(0.1, 1.5)
    for _ in range(2 * layers):
        circuit.rx(theta, range(n))
        for bond in bonds:
            circuit.rzz(-np.pi / 2, *bond)
    return circuit


def _hardware_efficient(rng, n, layers, bonds):
    circuit, spread = QuantumCircuit(n), rng.choice([0.2, 0.5, 1.0, 3.0])
    for _ in range(layers):
        for q in range(n):
            circuit.ry(rng.normal() * spread, q)
            circuit.rz(rng.normal() * spread, q)
        for bond in bonds:
            circuit.cx(*bond)
    return circuit


def _qaoa(rng, n, layers, bonds):
    del bonds
    edges = [(a, b) for a in range(n) for b in range(a) if rng.random() < 3 / n]
    weights = rng.choice([1.0, 1.0, 0.5], len(edges))
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for _ in range(layers):
        gamma, beta = rng.uniform(0.05, 0.8, 2)
        for edge, weight in zip(edges, weights, strict=True):
            circuit.rzz(gamma * weight, *edge)
        circuit.rx(2 * beta, range(n))
    return circuit


def _bricks(rng, n, layers, bonds):
    del bonds
    circuit, spread = QuantumCircuit(n), rng.uniform(0.1, 1)
    for layer in range(2 * layers):
        for q in range(layer % 2, n - 1, 2):
            for one in (q, q + 1):
                circuit.u(*(rng.normal(size=3) * spread), one)
            circuit.rxx(rng.normal() * spread, q, q + 1)
            circuit.rzz(rng.normal() * spread, q, q + 1)
    return circuit


def _heisenberg(rng, n, layers, bonds):
    circuit, dt = QuantumCircuit(n), rng.uniform(0.05, 0.3)
    circuit.x(range(0, n, 2))
    for _ in range(2 * layers):
        for bond in bonds:
            circuit.rxx(dt, *bond)
            circuit.ryy(dt, *bond)
            circuit.rzz(dt, *bond)
        for q in range(n):
            circuit.rz(rng.normal() * dt, q)
    return circuit


_MADE = dict(zip(KINDS, (_ising, _kicked, _hardware_efficient, _qaoa, _bricks, _heisenberg), strict=True))
