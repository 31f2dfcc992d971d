"""The workloads among which the router chooses a backend, made from one seed.

Each family has its sizes; depth, accuracy, and what is asked (values or gradients, how many, counted or exact, or a
whole optimization) are drawn for each. Every third is held out: no model of time or memory is fitted to it.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from contest import workloads as contest
from qiskit import QuantumCircuit
from qiskit.circuit.random import random_clifford_circuit
from qiskit.quantum_info import SparsePauliOp

from circuits import hamiltonian_variational, hardware_efficient, heisenberg, molecule, tfim, uccsd

SEED = 13

HELD_OUT = 3
"""Every how many workloads one is held out."""

MOLECULES = {
    "H2": {"geometry": "H 0 0 0; H 0 0 0.74"},
    "H4": {"geometry": "H 0 0 0; H 0 0 1; H 0 0 2; H 0 0 3"},
    "LiH (2, 3)": {"geometry": "Li 0 0 0; H 0 0 1.6", "active_space": (2, 3)},
    "LiH (2, 5)": {"geometry": "Li 0 0 0; H 0 0 1.6", "active_space": (2, 5)},
    "LiH": {"geometry": "Li 0 0 0; H 0 0 1.6"},
}
"""Arguments of `circuits.molecule`; (electrons, orbitals) of an active space."""

SNAPSHOTS = {5: "fake_manila", 16: "fake_guadalupe"}
"""Noise by the qubits of its device."""


@dataclass(frozen=True)
class Workload:
    """What is asked of every backend; plain values, so that it is a row of a table.

    Attributes:
        number: Place in the table.
        family: A key of `FAMILIES`.
        size: Qubits, or a key of `MOLECULES`.
        depth: Layers, gates for each qubit of random pairs, or nothing for what has no depth.
        accuracy: Wanted, in the observable's unit.
        gradient: Whether each evaluation is of the gradient, too.
        evaluations: How many; of a whole optimization, 0.
        shots: For each measured circuit; None for exact values.
        optimizer: Of a whole optimization, else empty.
        max_steps: Of a whole optimization.
        noise: Snapshot of a device whose noise is imitated, or empty.
    """

    number: int
    family: str
    size: int | str
    depth: int
    accuracy: float
    gradient: bool
    evaluations: int
    shots: int | None = None
    optimizer: str = ""
    max_steps: int = 0
    noise: str = ""

    @property
    def held_out(self) -> bool:
        """Whether no model may be fitted to it."""
        return self.number % HELD_OUT == HELD_OUT - 1

    @property
    def title(self) -> str:
        """A line of a table."""
        size = f"{self.size} qubits" if isinstance(self.size, int) else self.size
        depth = f", depth {self.depth}" if self.depth else ""
        kind = "gradient" if self.gradient else "value"
        asked = f"{self.optimizer}, {self.max_steps} steps" if self.optimizer else f"{self.evaluations} x {kind}"
        how = (f", {self.shots} shots" if self.shots else "") + (f", {self.noise}" if self.noise else "")
        return f"{self.number} {self.family} {size}{depth}: {asked}{how}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self) | {"title": self.title, "held_out": self.held_out}


@dataclass(frozen=True, eq=False)
class Case:
    """A workload with its objects built.

    Attributes:
        circuit: With or without parameters.
        observable: Hermitian.
        theta: Shape (params,), radians.
    """

    circuit: QuantumCircuit
    observable: SparsePauliOp
    theta: np.ndarray


def build(workload: Workload) -> Case:
    """The circuit, the observable and random parameters; the same workload gives the same."""
    circuit, observable = FAMILIES[workload.family][1](workload)
    theta = 0.3 * np.random.default_rng(workload.number).normal(size=circuit.num_parameters)
    return Case(circuit, observable, theta)


def least() -> Case:
    """Two qubits, for those who must be asked something."""
    circuit = hardware_efficient(2, layers=1)
    return Case(circuit, tfim(2).hamiltonian, np.full(circuit.num_parameters, 0.1))


def workloads() -> list[Workload]:
    """All workloads, in an order that mixes families and sizes."""
    rng = np.random.default_rng(SEED)
    places = [(family, size) for family, (sizes, _) in FAMILIES.items() for size in sizes]
    return [_drawn(number, *places[k], rng) for number, k in enumerate(rng.permutation(len(places)))]


def _drawn(number: int, family: str, size: int | str, rng: np.random.Generator) -> Workload:
    n = size if isinstance(size, int) else 8
    depth = 0 if family in ("ghz", "uccsd") else int(rng.integers(1, 3 if n > 24 else 7))
    accuracy = float(rng.choice([1e-3, 1e-6, 1e-8]))
    evaluations = int(rng.choice([1, 1, 10, 100, 1000]))
    words = ["value", "gradient", "gradient", "shots", "optimize"]
    if family in ("ghz", "clifford") or family == "noisy":
        words = ["value", "shots"]
    elif n > 24:
        words = ["value", "value", "gradient"]
    word = str(rng.choice(words))
    shots = int(rng.choice([1024, 4096])) if word == "shots" or family == "noisy" else None
    if shots:
        accuracy, evaluations = 0.1, min(evaluations, 10)
    common = {"number": number, "family": family, "size": size, "depth": depth, "accuracy": accuracy, "shots": shots}
    if word == "optimize":
        optimizer = str(rng.choice(["lbfgs", "adam", "spsa"]))
        steps = int(rng.choice([10, 30, 100]))
        return Workload(**common, gradient=optimizer != "spsa", evaluations=0, optimizer=optimizer, max_steps=steps)
    noise = next(name for most, name in SNAPSHOTS.items() if n <= most) if family == "noisy" else ""
    return Workload(**common, gradient=word == "gradient", evaluations=evaluations, noise=noise)


def _from_contest(kind: str, *, gates_per_qubit: int = 1):
    def make(workload: Workload) -> tuple[QuantumCircuit, SparsePauliOp]:
        n = int(workload.size)
        case = contest.build(contest.Workload(kind, n, workload.depth * gates_per_qubit, seed=workload.number))
        return case.circuit, case.observable

    return make


def _pairs(workload: Workload) -> tuple[QuantumCircuit, SparsePauliOp]:
    return _from_contest("pairs", gates_per_qubit=int(workload.size))(workload)


def _xxz(workload: Workload) -> tuple[QuantumCircuit, SparsePauliOp]:
    """The open XXZ chain with its own ansatz."""
    problem = heisenberg(int(workload.size), coupling=(1.0, 1.0, 0.5))
    return hamiltonian_variational(problem, layers=workload.depth), problem.hamiltonian


def _uccsd(workload: Workload) -> tuple[QuantumCircuit, SparsePauliOp]:
    problem = molecule(**MOLECULES[str(workload.size)])
    return uccsd(problem), problem.hamiltonian


def _molecule(workload: Workload) -> tuple[QuantumCircuit, SparsePauliOp]:
    """A molecule with an ansatz that knows nothing of it."""
    hamiltonian = molecule(**MOLECULES[str(workload.size)]).hamiltonian
    return hardware_efficient(hamiltonian.num_qubits or 0, layers=workload.depth), hamiltonian


def _ghz(workload: Workload) -> tuple[QuantumCircuit, SparsePauliOp]:
    """A GHZ state and, so that its phase counts, the string of X on every qubit beside the bonds."""
    n = int(workload.size)
    circuit = QuantumCircuit(n)
    circuit.h(0)
    for q in range(n - 1):
        circuit.cx(q, q + 1)
    bonds = [("ZZ", [q, q + 1], 1.0) for q in range(n - 1)]
    return circuit, SparsePauliOp.from_sparse_list([*bonds, ("X" * n, list(range(n)), 1.0)], n)


def _clifford(workload: Workload) -> tuple[QuantumCircuit, SparsePauliOp]:
    """Random Clifford gates, measured by the Ising chain, of which each term is -1, 0 or 1."""
    n = int(workload.size)
    gates = ["h", "s", "x", "cx", "cz"]
    circuit = random_clifford_circuit(n, workload.depth * n, gates, seed=workload.number)
    return circuit, tfim(n).hamiltonian


def _noisy(workload: Workload) -> tuple[QuantumCircuit, SparsePauliOp]:
    n = int(workload.size)
    return hardware_efficient(n, layers=workload.depth), tfim(n).hamiltonian


FAMILIES: dict[str, tuple[tuple[int | str, ...], Any]] = {
    "tfim": ((2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 30, 40, 60, 80, 100), _from_contest("tfim")),
    "published": ((4, 6, 8, 10, 12, 14, 16, 18, 20, 22), _from_contest("published")),
    "xxz": ((2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 40), _xxz),
    "ring": ((4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 60), _from_contest("ring")),
    "scattered": ((4, 6, 8, 10, 12, 14, 16, 18, 20), _from_contest("scattered")),
    "pairs": ((4, 6, 8, 10, 12, 14, 16, 18), _pairs),
    "brickwork": ((4, 6, 8, 10, 12, 14, 16, 18, 30, 50), _from_contest("brickwork")),
    "trotter": ((4, 6, 8, 10, 12, 14, 16, 18, 20, 40), _from_contest("trotter")),
    "qaoa": ((4, 6, 8, 10, 12, 14, 16, 18, 20, 40), _from_contest("qaoa")),
    "uccsd": (("H2", "H2", "H4", "LiH (2, 3)", "LiH (2, 3)", "LiH (2, 5)", "LiH"), _uccsd),
    "molecule": (("H2", "H2", "H4", "H4", "LiH (2, 3)", "LiH (2, 3)", "LiH (2, 5)", "LiH"), _molecule),
    "ghz": ((2, 4, 8, 12, 16, 18, 20, 22, 25, 30, 40, 60, 80, 100), _ghz),
    "clifford": ((3, 5, 8, 10, 12, 14, 16, 18, 20, 22, 26, 30, 40, 50, 70, 100), _clifford),
    "noisy": ((2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 10), _noisy),
}
"""Sizes of a family, and what builds circuit and observable."""
