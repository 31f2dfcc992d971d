"""Operators of Qiskit's kinds and PennyLane's, wherever a Hamiltonian or an observable is taken."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, PauliList, ScalarOp, SparsePauliOp

import backends
import hybrid
from circuits import Problem, hamiltonian_variational, hardware_efficient, qaoa
from circuits.errors import Refused
from circuits.problems.operators import as_hermitian

qml = pytest.importorskip("pennylane")

MATRIX = np.array([[1.0, 2.0 - 1.0j], [2.0 + 1.0j, -0.5]])

OPERATORS = {
    "Hamiltonian": lambda: qml.Hamiltonian([0.5, -2.0], [qml.Z(0) @ qml.Z(1), qml.X(2)]),
    "Sum": lambda: qml.Z(0) @ qml.Z(1) + 3.0 * qml.Y(2),
    "Prod": lambda: qml.Z(0) @ qml.Y(1) @ qml.X(2),
    "SProd": lambda: 0.3 * (qml.X(0) @ qml.Z(2) @ qml.Z(1)),
    "PauliWord": lambda: qml.pauli.PauliWord({0: "X", 1: "Y", 2: "Z"}),
    "PauliSentence": lambda: qml.pauli.PauliSentence({qml.pauli.PauliWord({0: "X", 1: "Z", 2: "Z"}): -0.7}),
    "Hermitian": lambda: qml.Hermitian(np.kron(np.kron(MATRIX, np.eye(2)), MATRIX), wires=[0, 1, 2]),
    "Projector": lambda: qml.Projector([1, 0, 1], wires=[0, 1, 2]),
    "of other operators": lambda: qml.Hermitian(MATRIX, wires=1) @ qml.Z(0) + 2.0 * qml.Projector([1], wires=2),
}


@pytest.mark.parametrize("kind", OPERATORS)
def test_an_operator_of_pennylane_has_the_matrix_that_pennylane_gives_it(kind):
    operator = OPERATORS[kind]()
    expected = qml.matrix(operator, wire_order=[2, 1, 0]) if kind not in ("PauliWord", "PauliSentence") else None
    if expected is None:
        expected = operator.to_mat(wire_order=[2, 1, 0])
    assert np.allclose(Problem(operator).hamiltonian.to_matrix(), expected, atol=1e-12)


def test_a_sum_is_taken_apart_so_that_only_its_parts_need_be_small():
    operator = qml.sum(*(qml.Hermitian(MATRIX, wires=k) for k in range(12)))
    single = np.linalg.eigvalsh(MATRIX)[0]
    assert Problem(operator).exact_energy() == pytest.approx(12 * single, abs=1e-9)


@pytest.mark.parametrize(
    ("operator", "n_qubits", "label"),
    [
        (lambda: qml.Z(1), 3, "IZI"),
        (lambda: qml.X(2) @ qml.Z(0), 3, "XIZ"),
        (lambda: qml.X(5) @ qml.Z(3), None, "XZ"),
        (lambda: qml.X("b") @ qml.Z("a"), 2, "ZX"),
        (lambda: qml.X(7) @ qml.Z(3), 2, "XZ"),
        (lambda: qml.X(np.int64(1)) @ qml.Z(np.int64(0)), None, "XZ"),
    ],
)
def test_wires_become_qubits_by_one_rule(operator, n_qubits, label):
    assert as_hermitian(operator(), "H", n_qubits).to_list() == [(label, 1.0)]


def test_operators_of_pennylane_wherever_an_observable_is_taken():
    circuit, theta = hardware_efficient(3, layers=1), np.linspace(0.1, 0.9, 6)
    given = 0.5 * qml.X(0) @ qml.Z(2) + 2.0 * qml.Y(1)
    same = SparsePauliOp(["ZIX", "IYI"], [0.5, 2.0])
    b = backends.get("reference")
    values = b.submit(backends.Batch(circuit, [given, same], theta)).result().values
    assert values[0, 0] == pytest.approx(values[0, 1], abs=1e-12)
    value, gradient = b.value_and_grad(circuit, given)(theta)
    assert value == pytest.approx(values[0, 1], abs=1e-12)
    assert gradient == pytest.approx(b.value_and_grad(circuit, same)(theta)[1], abs=1e-12)
    assert backends.get("statevector").function(circuit, given)(theta) == pytest.approx(values[0, 1], abs=1e-6)
    estimated = hybrid.Estimator(backend="reference").run([(circuit, [given, same], theta)]).result()[0].data.evs
    assert estimated == pytest.approx(values[0], abs=1e-12)
    alone = hybrid.Estimator(backend="reference").run([(circuit, given, theta)]).result()[0].data.evs
    assert float(alone) == pytest.approx(values[0, 1], abs=1e-12)


def test_an_operator_of_pennylane_is_minimized(tmp_path):
    H = qml.spin.transverse_ising("chain", [3], coupling=1.0, h=1.0)
    result = hybrid.minimize(hardware_efficient(3, layers=2), H, backend="reference", folder=tmp_path / "run")
    assert result.energy == pytest.approx(np.linalg.eigvalsh(qml.matrix(H))[0], abs=1e-5)
    assert hamiltonian_variational(H, layers=3).num_parameters == 6
    assert qaoa(qml.Z(0) @ qml.Z(1), layers=2).num_parameters == 4


def test_operators_of_qiskit():
    assert np.allclose(Problem(Operator(MATRIX)).hamiltonian.to_matrix(), MATRIX)
    assert Problem(ScalarOp((2, 2), 3.0)).hamiltonian.to_list() == [("II", 3.0)]
    batch = backends.Batch(QuantumCircuit(1), [Problem("Z"), Operator(MATRIX)], [])
    assert np.allclose(batch.observables[1].to_matrix(), MATRIX)


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        (lambda: qml.FermiC(0) * qml.FermiA(0), "acts on fermions.*circuits.fermionic"),
        (lambda: qml.BoseWord({(0, 0): "+", (1, 0): "-"}), "acts on bosons"),
        (lambda: 1j * qml.X(0), "H is not Hermitian"),
        (lambda: qml.RX(0.3, 0), "H is not Hermitian"),
        (lambda: PauliList(["XX", "ZZ"]), "is a PauliList.*is the sum"),
        (lambda: Operator(np.eye(3)), "must act on qubits"),
        (lambda: ScalarOp((2,) * 12), "12 qubits.*at most 10"),
        (lambda: MATRIX, "must be a SparsePauliOp.*an operator of PennyLane's, not"),
    ],
)
def test_what_is_refused_says_why(operator, words):
    with pytest.raises(Refused, match=words):
        as_hermitian(operator(), "H")
