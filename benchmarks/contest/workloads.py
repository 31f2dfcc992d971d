"""The circuits of the contest, each a function of its size and seed, and the ratios that the engine must reach."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

GEOMETRY = {
    "H4": "H 0 0 0; H 0 0 1; H 0 0 2; H 0 0 3",
    "LiH": "Li 0 0 0; H 0 0 1.6",
    "H2O": "O 0 0 0; H 0 0.757 0.587; H 0 -0.757 0.587",
}
"""Molecules, angstrom."""

N_STRINGS = 50
"""Pauli strings in the observable of the random pairs."""

TURNING = ("rxx", "ryy", "rzz", "rzx", "crx", "cry", "crz", "cp")
FIXED = ("cx", "cz", "swap", "iswap")


@dataclass(frozen=True)
class Workload:
    """What is asked of every contestant; plain values, so that it travels to other processes.

    Attributes:
        kind: A key of `KINDS`.
        n_qubits: Ignored for a molecule, which has its own.
        depth: Layers; for "pairs", gates.
        molecule: For "uccsd", a key of `GEOMETRY`.
        precision: Of the amplitudes.
        rows: Rows of parameters in one call; None for one vector.
        seed: Of the circuit, the observable and the parameters.
        device: Where JAX computes.
    """

    kind: str
    n_qubits: int = 0
    depth: int = 0
    molecule: str = ""
    precision: Literal["double", "single"] = "double"
    rows: int | None = None
    seed: int = 1
    device: Literal["cpu", "gpu"] = "cpu"

    @property
    def title(self) -> str:
        """A line of a table."""
        size = f"{self.n_qubits} qubits, {self.depth} {'gates' if self.kind == 'pairs' else 'layers'}"
        what = f"UCCSD {self.molecule}" if self.kind == "uccsd" else f"{KINDS[self.kind][0]} {size}"
        rows = "" if self.rows is None else f"{self.rows} rows, "
        return f"{rows}{what}, {self.precision}" + (", GPU" if self.device == "gpu" else "")


@dataclass(frozen=True, eq=False)
class Case:
    """A workload with its objects built.

    Attributes:
        workload: What it was built from.
        circuit: In Qiskit's gates.
        observable: Hermitian sum of Pauli strings.
        theta: Shape (params,), or (rows, params); radians.
        problem: Where the circuit came from, None for the random pairs.
    """

    workload: Workload
    circuit: Any
    observable: Any
    theta: np.ndarray
    problem: Any = None

    @property
    def scale(self) -> float:
        """Sum of the absolute coefficients: no expectation value is larger."""
        return float(np.sum(np.abs(self.observable.coeffs)))


def build(workload: Workload) -> Case:
    """The circuit, the observable and random parameters; the same workload gives the same."""
    circuit, observable, problem = KINDS[workload.kind][1](workload)
    shape = (circuit.num_parameters,) if workload.rows is None else (workload.rows, circuit.num_parameters)
    theta = 0.3 * np.random.default_rng(workload.seed).normal(size=shape)
    return Case(workload, circuit, observable, theta, problem)


def _tfim(workload: Workload):
    """Open Ising chain in a transverse field, with ry and rz on every qubit and cx along the chain in each layer."""
    from circuits import hardware_efficient, tfim

    problem = tfim(workload.n_qubits)
    return hardware_efficient(workload.n_qubits, layers=workload.depth), problem.hamiltonian, problem


def _published(workload: Workload):
    """The chain as TensorCircuit-NG publishes it: from |+...+>, layers of rzz on neighbours and rx on every qubit."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    from circuits import tfim

    n, problem = workload.n_qubits, tfim(workload.n_qubits)
    angles = iter(ParameterVector("theta", workload.depth * (2 * n - 1)))
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for _ in range(workload.depth):
        for q in range(n - 1):
            circuit.rzz(next(angles), q, q + 1)
        for q in range(n):
            circuit.rx(next(angles), q)
    return circuit, problem.hamiltonian, problem


def _pairs(workload: Workload):
    """Random two-qubit gates on random pairs, measured by random strings without an identity in them."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector
    from qiskit.quantum_info import SparsePauliOp

    n, rng = workload.n_qubits, np.random.default_rng([workload.seed, 1])
    gates = rng.choice(TURNING + FIXED, size=workload.depth)
    angles = iter(ParameterVector("theta", int(np.isin(gates, TURNING).sum())))
    circuit = QuantumCircuit(n)
    for gate in gates:
        pair = [int(q) for q in rng.choice(n, size=2, replace=False)]
        angle = [next(angles)] if gate in TURNING else []
        getattr(circuit, str(gate))(*angle, *pair)
    labels = ["".join(rng.choice(list("XYZ"), size=n)) for _ in range(N_STRINGS)]
    return circuit, SparsePauliOp(labels, rng.normal(size=N_STRINGS)), None


def _ring(workload: Workload):
    """XXZ ring, with rx and rz on every qubit and cz around the ring in each layer."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector
    from qiskit.quantum_info import SparsePauliOp

    n = workload.n_qubits
    angles = iter(ParameterVector("theta", 2 * n * workload.depth))
    circuit = QuantumCircuit(n)
    for _ in range(workload.depth):
        for q in range(n):
            circuit.rx(next(angles), q)
            circuit.rz(next(angles), q)
        for q in range(n):
            circuit.cz(q, (q + 1) % n)
    bonds = [(letters, [q, (q + 1) % n], c) for q in range(n) for letters, c in (("XX", 1.0), ("YY", 1.0), ("ZZ", 0.5))]
    return circuit, SparsePauliOp.from_sparse_list(bonds, n), None


def _scattered(workload: Workload):
    """Layers of ry on every qubit and rzz on as many random pairs, measured by 30 random strings on three qubits."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector
    from qiskit.quantum_info import SparsePauliOp

    n, rng = workload.n_qubits, np.random.default_rng([workload.seed, 2])
    angles = iter(ParameterVector("theta", 2 * n * workload.depth))
    circuit = QuantumCircuit(n)
    for _ in range(workload.depth):
        for q in range(n):
            circuit.ry(next(angles), q)
        for _ in range(n):
            circuit.rzz(next(angles), *(int(q) for q in rng.choice(n, size=2, replace=False)))
    strings = [
        ("".join(rng.choice(list("XYZ"), size=3)), rng.choice(n, size=3, replace=False).tolist(), rng.normal())
        for _ in range(30)
    ]
    return circuit, SparsePauliOp.from_sparse_list(strings, n), None


def _brickwork(workload: Workload):
    """A brickwork of two-qubit unitaries, each by its own 15 angles, for the Heisenberg chain.

    Any unitary is one-qubit gates before and after exp(-i (a XX + b YY + c ZZ)): Vatan and Williams, Optimal quantum
    circuits for general two-qubit gates, Phys. Rev. A 69, 032315 (2004).
    """
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    from circuits import heisenberg

    n, problem = workload.n_qubits, heisenberg(workload.n_qubits)
    gates = [(d, q) for d in range(workload.depth) for q in range(d % 2, n - 1, 2)]
    angles = iter(ParameterVector("theta", 15 * len(gates)))
    circuit = QuantumCircuit(n)
    for _, q in gates:
        for side in ("before", "after"):
            for k in (q, q + 1):
                circuit.rz(next(angles), k)
                circuit.ry(next(angles), k)
                circuit.rz(next(angles), k)
            if side == "before":
                circuit.rxx(next(angles), q, q + 1)
                circuit.ryy(next(angles), q, q + 1)
                circuit.rzz(next(angles), q, q + 1)
    return circuit, problem.hamiltonian, problem


def _trotter(workload: Workload):
    """Trotter steps of the Heisenberg chain from the Neel state, three angles each."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    from circuits import heisenberg

    n, problem = workload.n_qubits, heisenberg(workload.n_qubits)
    theta = ParameterVector("theta", 3 * workload.depth)
    circuit = QuantumCircuit(n)
    circuit.x(range(0, n, 2))
    for step in range(workload.depth):
        for q in (*range(0, n - 1, 2), *range(1, n - 1, 2)):
            circuit.rxx(theta[3 * step], q, q + 1)
            circuit.ryy(theta[3 * step + 1], q, q + 1)
            circuit.rzz(theta[3 * step + 2], q, q + 1)
    return circuit, problem.hamiltonian, problem


def _qaoa(workload: Workload):
    """QAOA for the maximum cut of a random graph with three edges at every node."""
    import networkx as nx

    from circuits import maxcut, qaoa

    problem = maxcut(nx.random_regular_graph(3, workload.n_qubits, seed=workload.seed))
    return qaoa(problem, layers=workload.depth), problem.hamiltonian, problem


def _uccsd(workload: Workload):
    """Unitary coupled cluster for a molecule in its smallest basis."""
    from circuits import molecule, uccsd

    problem = molecule(GEOMETRY[workload.molecule], basis="sto-3g")
    return uccsd(problem), problem.hamiltonian, problem


KINDS = {
    "tfim": ("TFIM", _tfim),
    "published": ("TFIM, RZZ and RX,", _published),
    "pairs": ("random pairs", _pairs),
    "ring": ("ring", _ring),
    "scattered": ("scattered", _scattered),
    "brickwork": ("brickwork", _brickwork),
    "trotter": ("Trotter", _trotter),
    "qaoa": ("QAOA", _qaoa),
    "uccsd": ("UCCSD", _uccsd),
}
"""Name in tables, and what builds it."""

LAYERED = ("tfim", "published", "qaoa")
"""Kinds whose layers are equal but for the angles."""

TABLE: dict[Workload, float | None] = {
    **{
        Workload(kind, n, depth, precision=precision): wanted
        for precision in ("double", "single")
        for kind, sizes, depth, wanted in (
            ("ring", (14, 18, 22), 5, 6.0),
            ("scattered", (16, 20), 5, 5.0),
            ("brickwork", (18,), 10, 4.0),
            ("trotter", (16,), 20, 5.0),
            ("qaoa", (20,), 8, 10.0),
        )
        for n in sizes
    },
    Workload("tfim", 12, 4): 3.0,
    Workload("tfim", 16, 4): 4.0,
    Workload("tfim", 20, 4): 5.0,
    Workload("tfim", 24, 4): 5.0,
    Workload("tfim", 12, 4, precision="single"): 3.0,
    Workload("tfim", 16, 4, precision="single"): 4.0,
    Workload("tfim", 20, 4, precision="single"): 4.0,
    Workload("tfim", 24, 4, precision="single"): 4.0,
    Workload("pairs", 20, 200): 2.0,
    Workload("uccsd", molecule="LiH"): 6.0,
    Workload("uccsd", molecule="H2O"): 6.0,
    Workload("tfim", 10, 6, rows=256): 10.0,
}
"""The table, with the ratio to the best rival that is wanted at least."""

FIRST_CALLS = {Workload("tfim", 20, 4): 2.0, Workload("tfim", 20, 40): 6.0}
"""Seconds that a first call may take, compiling included."""

GPU = (
    Workload("published", 20, 10, precision="single", device="gpu"),
    *(Workload("tfim", n, 4, precision="single", device="gpu") for n in (28, 30, 32)),
)
"""What a GPU adds."""
