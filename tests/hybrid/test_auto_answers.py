"""Circuits wider than any state: what "auto" answers, against closed forms, stabilizers and free fermions."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Clifford, Pauli, SparsePauliOp, random_clifford

import backends
import hybrid
from backends import Batch
from backends.registry import METHODS
from circuits import Problem, hamiltonian_variational, tfim
from circuits.errors import Refused
from hybrid import Estimator, Sampler
from hybrid.primitives.asked import AskedValues
from hybrid.routing import methods


def ghz(n: int) -> QuantumCircuit:
    circuit = QuantumCircuit(n)
    circuit.h(0)
    for q in range(n - 1):
        circuit.cx(q, q + 1)
    return circuit


def answer(circuit, observable, theta=(), **options):
    return Estimator(**options).run([(circuit, observable, theta)]).result()[0]


def counts(circuit, shots=100, **options):
    measured = circuit.copy()
    measured.measure_all()
    result = Sampler(seed=1, **options).run([measured], shots=shots).result()[0]
    return result.data.meas.get_counts(), result.metadata


@pytest.mark.parametrize("n", [60, 500])
def test_states_of_all_zeros_and_all_ones(n):
    H = SparsePauliOp.from_sparse_list([("X" * n, list(range(n)), 1.0), ("ZZ", [0, n - 1], 2.0), ("Z", [3], 4.0)], n)
    assert answer(ghz(n), H).data.evs == pytest.approx(3.0)
    found, metadata = counts(ghz(n))
    assert set(found) == {"0" * n, "1" * n}
    assert metadata.backend == "aer"
    assert "stabilizers" in metadata.why


def test_a_random_clifford_circuit_of_sixty_qubits():
    circuit = random_clifford(60, seed=7).to_circuit()
    tableau = Clifford(circuit)
    stabilizers = [Pauli(label) for label in tableau.to_labels(mode="S")[:3]]
    observables = [SparsePauliOp(p) for p in stabilizers] + [SparsePauliOp(tableau.to_labels(mode="D")[0].lstrip("+-"))]
    data = Estimator().run([(circuit, observables)]).result()[0].data
    assert data.evs == pytest.approx([1, 1, 1, 0])  # a destabilizer anticommutes with a stabilizer
    assert not data.stds.any()
    found, _ = counts(circuit, shots=20)
    assert sum(found.values()) == 20


HEAVY_SQUARE = [(q, q + 1) for q in range(126)] + [(q, q + 14) for q in range(0, 112, 4)]


def kicked(steps: int) -> QuantumCircuit:
    """The kicked Ising model on 127 qubits, whose kicks have a free angle."""
    angle = Parameter("kick")
    circuit = QuantumCircuit(127)
    for _ in range(steps):
        circuit.rx(angle, range(127))
        for pair in HEAVY_SQUARE:
            circuit.rzz(-np.pi / 2, *pair)
    return circuit


def pulled_back(circuit: QuantumCircuit, observable: Pauli) -> float:
    """The value of a Pauli string after a Clifford circuit, by its tableau."""
    back = observable.evolve(Clifford(circuit), frame="h")
    return 0.0 if back.x.any() else float((-1) ** (back.phase // 2))


def test_the_kicked_ising_model_at_clifford_angles():
    circuit = kicked(4)
    bound = circuit.assign_parameters([np.pi / 2])
    middle = Pauli("I" * 64 + "Z" + "I" * 62)
    strings = [middle, middle.evolve(Clifford(bound), frame="s")]  # the second one was Z before the circuit
    observables = [[SparsePauliOp(string)] for string in strings]
    result = Estimator().run([(circuit, observables, [np.pi / 2])]).result()[0]
    expected = [pulled_back(bound, string) for string in strings]
    assert result.data.evs.ravel() == pytest.approx(expected, abs=1e-9)
    assert expected[1] == 1.0
    assert "stabilizers" in result.metadata.why


def test_an_estimator_does_not_ask_stabilizers_for_other_angles():
    circuit, estimator = kicked(1), Estimator()
    observable = SparsePauliOp.from_sparse_list([("Z", [62], 1.0)], 127)
    for angle in (np.pi, 0.3):
        (value,) = estimator.run([(circuit, observable, [[angle]])]).result()[0].data.evs
        assert value == pytest.approx(np.cos(angle))
