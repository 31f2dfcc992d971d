"""Circuits wider than any state: what "auto" answers, against closed forms, stabilizers and free fermions."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Clifford, Pauli, SparsePauliOp, random_clifford

import backends
import hybrid
from backends import Batch, registry
from backends.registry import METHODS
from circuits import Problem, hamiltonian_variational, tfim
from circuits.errors import Refused
from hybrid import Estimator, Sampler
from hybrid.primitives.asked import AskedValues
from hybrid.routing import methods
from hybrid.workload.workload import workload


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
    result = answer(circuit, observables, [np.pi / 2])
    expected = [pulled_back(bound, string) for string in strings]
    assert result.data.evs.ravel() == pytest.approx(expected, abs=1e-9)
    assert expected[1] == 1.0
    assert "stabilizers" in result.metadata.why


def test_an_estimator_does_not_ask_stabilizers_for_other_angles():
    circuit, estimator = kicked(1), Estimator()
    observable = SparsePauliOp.from_sparse_list([("Z", [62], 1.0)], 127)
    for angle in (np.pi, 0.3):
        pub: Any = (circuit, observable, [[angle]])
        (value,) = estimator.run([pub]).result()[0].data.evs
        assert value == pytest.approx(np.cos(angle))


def free_fermion_energy(circuit: QuantumCircuit, n: int) -> float:
    """<-sum Z Z - sum X> after rotations rzz of neighbours and rx, which start from |+>: Majorana modes are rotated.

    With g[2j] = X_0..X_{j-1} Z_j and g[2j+1] = X_0..X_{j-1} Y_j, X_j = i g[2j] g[2j+1] and Z_j Z_{j+1} = i g[2j+1]
    g[2j+2]; exp(-i t/2 i g[a] g[b]) turns g[a] to cos(t) g[a] + sin(t) g[b] (Lieb, Schultz and Mattis 1961).
    """
    covariance = np.zeros((2 * n, 2 * n))  # <i g[a] g[b]>
    for j in range(n):
        covariance[2 * j, 2 * j + 1], covariance[2 * j + 1, 2 * j] = 1.0, -1.0
    for instruction in circuit.data:
        first = min(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        if instruction.operation.name == "h":
            continue
        a = {"rzz": 2 * first + 1, "rx": 2 * first}[instruction.operation.name]
        angle = float(instruction.operation.params[0])
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        covariance[a : a + 2] = turn @ covariance[a : a + 2]
        covariance[:, a : a + 2] = covariance[:, a : a + 2] @ turn.T
    return -float(np.sum(np.diag(covariance, 1)))


def test_free_fermions_give_the_energy_of_a_small_chain():
    problem = tfim(6)
    circuit = hamiltonian_variational(problem, layers=3)
    theta = np.linspace(0.1, 0.9, 6)
    exact = backends.get("reference").submit(Batch(circuit, problem, theta)).result().values[0, 0]
    assert free_fermion_energy(circuit.assign_parameters(theta), 6) == pytest.approx(exact)


@pytest.mark.parametrize(("n", "layers"), [(100, 2), (50, 5)])
def test_a_long_chain_has_its_energy_and_gradient(n, layers):
    problem = tfim(n)
    circuit = hamiltonian_variational(problem, layers=layers)
    theta = np.linspace(0.1, 0.4, circuit.num_parameters)
    backend = hybrid.plan(circuit, problem).chosen.backend
    value, gradient = backend.value_and_grad(circuit, problem.hamiltonian)(theta)
    assert value == pytest.approx(free_fermion_energy(circuit.assign_parameters(theta), n), abs=1e-9)
    step = 1e-5 * np.eye(len(theta))[1]
    up, down = (free_fermion_energy(circuit.assign_parameters(theta + sign * step), n) for sign in (1, -1))
    assert gradient[1] == pytest.approx((up - down) / 2e-5, abs=1e-5)
    assert answer(circuit, problem.hamiltonian, theta).data.evs == pytest.approx(value)
    found, metadata = counts(circuit.assign_parameters(theta), shots=200)
    assert metadata.backend == "aer"
    mean = np.mean([[1 - 2 * int(bit) for bit in word] for word in found], axis=0)
    assert np.abs(mean).max() < 6 / np.sqrt(200)  # <Z> = 0 by symmetry
    pairs = sum(sum(a == b for a, b in pairwise(word)) * k for word, k in found.items())
    bonds = SparsePauliOp.from_sparse_list([("ZZ", [q, q + 1], 1.0) for q in range(n - 1)], n)
    expected = answer(circuit, bonds, theta).data.evs
    assert 2 * pairs / 200 - (n - 1) == pytest.approx(expected, abs=6 * n / np.sqrt(200) / 3)


def test_scattered_observables_and_circuits_that_fall_apart():
    n = 120
    circuit = QuantumCircuit(n)
    theta = [Parameter(f"t{k:03d}") for k in range(n // 2)]
    for k, angle in enumerate(theta):
        circuit.ry(angle, 2 * k)
        circuit.cx(2 * k, 2 * k + 1)
    H = SparsePauliOp.from_sparse_list([("ZZ", [1, 100], 1.0), ("Z", [51], 2.0), ("XX", [20, 21], 3.0)], n)
    row = np.linspace(0.2, 1.4, len(theta))
    expected = np.cos(row[0]) * np.cos(row[50]) + 2 * np.cos(row[25]) + 3 * np.sin(row[10])
    assert answer(circuit, H, row).data.evs == pytest.approx(expected)
    value, gradient = hybrid.plan(circuit, H).chosen.backend.value_and_grad(circuit, H)(row)
    assert value == pytest.approx(expected)
    assert gradient[10] == pytest.approx(3 * np.cos(row[10]))
    assert gradient[50] == pytest.approx(-np.cos(row[0]) * np.sin(row[50]))
    assert gradient[3] == pytest.approx(0)


@pytest.fixture
def only_methods(monkeypatch):
    """As where no exact way fits into the memory, and Pauli strings become too many."""
    monkeypatch.setattr(registry, "automatic", list)
    monkeypatch.setattr(registry, "automatic_on_cards", list)
    monkeypatch.setattr(registry, "METHODS", [method for method in METHODS if method.circuits != "local"])


def deep_chain(n: int = 40, layers: int = 14) -> tuple[Problem, QuantumCircuit, np.ndarray]:
    """The angles are those of a short evolution."""
    problem = tfim(n)
    circuit = hamiltonian_variational(problem, layers=layers)
    return problem, circuit, np.full(circuit.num_parameters, 0.08)


def test_cut_bonds_carry_a_measured_bias(only_methods, monkeypatch):
    problem, circuit, theta = deep_chain()
    monkeypatch.setattr(methods, "BONDS", (2, 4, 8, 16))
    exact = free_fermion_energy(circuit.assign_parameters(theta), problem.n_qubits)
    result = answer(circuit, problem.hamiltonian, theta, default_precision=0.05)
    assert result.metadata.backend == "aer"
    assert "moves values by about" in result.metadata.why
    assert 0 < result.data.bias <= 0.05
    assert abs(result.data.evs - exact) <= result.data.bias
    assert abs(result.data.evs - exact) > 1e-9


def test_bonds_that_cannot_meet_the_accuracy_are_refused_in_a_sentence(only_methods, monkeypatch):
    problem, circuit, theta = deep_chain()
    monkeypatch.setattr(methods, "BONDS", (2, 4))
    with pytest.raises(Refused, match=r"bonds of 4 move its values by about .*ask for less accuracy"):
        answer(circuit, problem.hamiltonian, theta, default_precision=1e-7)
    with pytest.raises(Refused, match="exact values"):
        answer(circuit, problem.hamiltonian, theta, default_precision=0)
    assert answer(circuit, problem.hamiltonian, theta).data.bias > 0  # nothing said how well it must be known


def test_the_bias_of_cut_bonds_is_in_the_record_of_a_run(only_methods, tmp_path, monkeypatch):
    monkeypatch.setattr(methods, "BONDS", (2, 4, 8, 16))
    problem, circuit, theta = deep_chain()
    bound = circuit.assign_parameters(theta)
    bound.metadata = {}
    result = hybrid.minimize(bound, problem, accuracy=0.05, folder=tmp_path / "run")
    exact = free_fermion_energy(bound, problem.n_qubits)
    assert 0 < result.bias <= 0.05
    assert abs(result.energy - exact) <= result.bias
    assert "as estimated, of truncation" in str(result)
    assert json.loads((tmp_path / "run" / "result.json").read_text())["bias"] == result.bias


def test_methods_are_not_looked_at_for_small_circuits(monkeypatch):
    looked = []
    monkeypatch.setattr("hybrid.routing.plan.with_options", lambda *args, **options: looked.append(args))
    problem = tfim(4)
    assert answer(hamiltonian_variational(problem, layers=1), problem.hamiltonian, [0.1, 0.2]).metadata.backend
    assert not looked


def test_a_noisy_circuit_has_the_noise_of_its_device():
    n = 6
    circuit = ghz(n)
    noisy = backends.get("aer", noise="fake_lagos")
    exact = noisy.submit(Batch(circuit, "I" * (n - 2) + "ZZ")).result()
    counted = noisy.submit(Batch(circuit, "I" * (n - 2) + "ZZ", shots=4000, seed=3)).result()
    assert 0.3 < exact.values[0, 0] < 0.99
    assert exact.standard_errors[0, 0] == 0
    assert counted.values[0, 0] == pytest.approx(exact.values[0, 0], abs=5 * counted.standard_errors[0, 0])


def test_stabilizers_take_given_angles_but_no_optimizer():
    asked = AskedValues(kicked(1), (SparsePauliOp("I" * 127),), np.array([[np.pi]]), None, None, 1.0, "open", False)
    origin = methods.with_options(METHODS[0], asked, alone=True, try_out=True).backend.origin
    assert origin is not None
    assert origin.options == {"method": "stabilizer"}
    with pytest.raises(Refused, match="an optimizer's angles are not all multiples of pi/2"):
        methods.with_options(METHODS[0], workload(kicked(1), SparsePauliOp("Z" * 127)), alone=True, try_out=True)
