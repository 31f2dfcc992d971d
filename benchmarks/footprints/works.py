"""The works whose memory is measured: each way of each backend, at sizes where it is of some use."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.random import random_clifford_circuit
from qiskit.quantum_info import SparsePauliOp

from circuits import hardware_efficient, molecule, tfim, uccsd

Asked = Literal["values", "gradient"]


@dataclass(frozen=True)
class Piece:
    """One piece of work for one backend; plain values, so that it is a row of a table.

    Attributes:
        backend: Its name, for `backends.get`.
        circuit: A key of `CIRCUITS`.
        size: Qubits.
        asked: Of it.
        depth: Layers of the circuit.
        rows: Of parameters, in one call.
        shots: For each measured circuit.
        calls: One after another.
        options: For `backends.get`.
    """

    backend: str
    circuit: str
    size: int
    asked: Asked = "values"
    depth: int = 1
    rows: int = 1
    shots: int | None = None
    calls: int = 2
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """A line of a table."""
        words = [self.backend, *(f"{key}={value}" for key, value in sorted(self.options.items()))]
        many = f", {self.rows} rows" if self.rows > 1 else ""
        shots = f", {self.shots} shots" if self.shots else ""
        return f"{' '.join(words)}: {self.asked} of {self.circuit} {self.size}, depth {self.depth}{many}{shots}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)


def pairs(n_qubits: int, depth: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    """Rotations about ZZ of random pairs, which no cut divides, between layers of rotations about X and Y."""
    rng, circuit = np.random.default_rng(5), QuantumCircuit(n_qubits)
    theta = iter(ParameterVector("theta", 3 * n_qubits * depth))
    for _ in range(depth):
        for q in range(n_qubits):
            circuit.rx(next(theta), q)
            circuit.ry(next(theta), q)
        for _ in range(n_qubits):
            a, b = rng.choice(n_qubits, 2, replace=False)
            circuit.rzz(next(theta), int(a), int(b))
    return circuit, tfim(n_qubits).hamiltonian


def chain(n_qubits: int, depth: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    """The transverse-field Ising chain with an ansatz of neighbours, which few bonds join."""
    return hardware_efficient(n_qubits, layers=depth), tfim(n_qubits).hamiltonian


def electrons(n_qubits: int, depth: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    """Lithium hydride with all singles and doubles, on 12 qubits: a small sector of the state space."""
    assert (n_qubits, depth) == (12, 1)
    problem = molecule("Li 0 0 0; H 0 0 1.6")
    return uccsd(problem), problem.hamiltonian


def clifford(n_qubits: int, depth: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    """Random Clifford gates."""
    return random_clifford_circuit(n_qubits, depth * n_qubits, seed=3), tfim(n_qubits).hamiltonian


CIRCUITS: dict[str, Callable[[int, int], tuple[QuantumCircuit, SparsePauliOp]]] = {
    "pairs": pairs,
    "chain": chain,
    "electrons": electrons,
    "clifford": clifford,
}

XLA = {"executor": "xla"}
MPS = {"method": "matrix_product_state"}
STABILIZER = {"method": "stabilizer"}

PIECES = (
    Piece("statevector", "pairs", 4),
    Piece("statevector", "pairs", 4, "gradient"),
    Piece("statevector", "pairs", 12, "gradient", rows=5000, calls=1),
    Piece("statevector", "pairs", 20, depth=3),
    Piece("statevector", "pairs", 20, shots=1000),
    Piece("statevector", "pairs", 20, "gradient", depth=3, options={"precision": "single"}),
    Piece("statevector", "pairs", 22, "gradient", depth=3),
    Piece("statevector", "pairs", 24, "gradient", depth=3, calls=1),
    Piece("statevector", "chain", 22, depth=8),
    Piece("statevector", "chain", 30, "gradient", depth=8),
    Piece("statevector", "electrons", 12, "gradient", options=XLA),
    Piece("statevector", "pairs", 4, options=XLA),
    Piece("statevector", "pairs", 12, "gradient", depth=4, options=XLA),
    Piece("statevector", "pairs", 12, "gradient", rows=64, options=XLA),
    Piece("statevector", "pairs", 16, depth=3, options=XLA),
    Piece("statevector", "pairs", 16, "gradient", depth=3, options=XLA),
    Piece("statevector", "pairs", 20, depth=3, options=XLA),
    Piece("statevector", "pairs", 20, "gradient", options=XLA),
    Piece("statevector", "pairs", 20, "gradient", depth=4, options=XLA | {"memory": "lean"}),
    Piece("statevector", "pairs", 22, "gradient", depth=3, options=XLA),
    Piece("statevector", "pairs", 20, shots=1000, options=XLA),
    Piece("lightning", "pairs", 4),
    Piece("lightning", "pairs", 20),
    Piece("lightning", "chain", 18, calls=30),
    Piece("lightning", "pairs", 20, "gradient"),
    Piece("lightning", "pairs", 22),
    Piece("lightning", "chain", 22, "gradient"),
    Piece("lightning", "chain", 22, shots=1000),
    Piece("aer", "pairs", 4, "gradient"),
    Piece("aer", "pairs", 20),
    Piece("aer", "pairs", 22),
    Piece("aer", "pairs", 22, shots=1000),
    Piece("aer", "pairs", 22, options={"precision": "single"}),
    Piece("aer", "pairs", 11, options={"method": "density_matrix"}),
    Piece("aer", "pairs", 11, shots=1000, options={"method": "density_matrix"}),
    Piece("aer", "pairs", 4, options={"noise": "fake_manila"}),
    Piece("aer", "pairs", 4, shots=100, options={"noise": "fake_manila", "method": "statevector"}),
    Piece("aer", "chain", 16, depth=8, options=MPS, calls=1),
    Piece("aer", "chain", 24, depth=8, options=MPS | {"max_bond_dimension": 64}, calls=1),
    Piece("aer", "clifford", 600, options=STABILIZER, calls=1),
    Piece("aer", "clifford", 1000, shots=100, options=STABILIZER, calls=1),
    Piece("pauli", "chain", 9, "gradient"),
    Piece("pauli", "chain", 24, "gradient", depth=2, options={"threshold": 1e-3}, calls=1),
    Piece("pauli", "chain", 24, depth=2, options={"threshold": 1e-4}, calls=1),
    Piece("reference", "pairs", 18),
    Piece("reference", "pairs", 20),
    Piece("reference", "pairs", 20, shots=100),
)

UNSEEN = (
    Piece("statevector", "pairs", 21, "gradient", depth=2),
    Piece("statevector", "pairs", 23, depth=2),
    Piece("statevector", "chain", 26, "gradient", depth=9),
    Piece("statevector", "pairs", 10, "gradient", rows=20_000, calls=1),
    Piece("statevector", "pairs", 21, shots=500),
    Piece("statevector", "pairs", 19, depth=2, options=XLA),
    Piece("statevector", "pairs", 18, "gradient", depth=2, options=XLA),
    Piece("lightning", "pairs", 21),
    Piece("lightning", "pairs", 21, "gradient", depth=2),
    Piece("lightning", "chain", 19, calls=10),
    Piece("aer", "pairs", 21, depth=2),
    Piece("aer", "pairs", 23),
    Piece("aer", "pairs", 10, options={"method": "density_matrix"}),
    Piece("aer", "chain", 20, depth=10, options=MPS | {"max_bond_dimension": 32}, calls=1),
    Piece("aer", "clifford", 400, options=STABILIZER, calls=1),
    Piece("pauli", "chain", 16, "gradient", depth=2, options={"threshold": 1e-3}, calls=1),
    Piece("reference", "pairs", 19),
)
"""To which nothing in the account was fitted."""

LOADING = {
    "": (
        Piece("statevector", "pairs", 4, shots=100),
        Piece("statevector", "pairs", 9, "gradient"),
        Piece("statevector", "pairs", 9, shots=100),
        Piece("statevector", "chain", 26, "gradient", depth=3),
        Piece("statevector", "pairs", 20, "gradient", depth=3, options={"precision": "single"}),
    ),
    "scipy.sparse": (Piece("statevector", "pairs", 4, rows=3),),
    "qiskit_aer": (
        Piece("aer", "pairs", 4, shots=100),
        Piece("aer", "clifford", 4, options=STABILIZER),
        Piece("aer", "pairs", 4, options={"noise": "fake_manila"}),
    ),
    "jax": (Piece("statevector", "pairs", 4, options=XLA),),
    "pennylane": (Piece("lightning", "pairs", 4, "gradient"),),
}
"""The least works that load a library."""
