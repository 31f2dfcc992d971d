"""Shift rules, gate by gate, against differences; refusals; error bars of gradients."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.circuit import library as gates
from qiskit.quantum_info import SparsePauliOp, random_hermitian, random_unitary

import backends
from backends import Batch
from backends.gradients.finite_difference import finite_difference
from backends.gradients.parameter_shift import parameter_shift
from backends.gradients.shift_rule import n_shifted, shift_rule
from circuits.errors import Refused

A, B, C = (Parameter(name) for name in "abc")
COEFFICIENTS = [0.6, -0.8, 0.3]

# gate, qubits, number of shifted values that its rule takes
CASES = [
    (gates.RXGate(A), 1, 2),
    (gates.RYGate(A), 1, 2),
    (gates.RZGate(A), 1, 2),
    (gates.PhaseGate(A), 1, 2),
    (gates.U1Gate(A), 1, 2),
    (gates.UGate(A, B, C), 1, 6),
    (gates.UGate(0.9, B, 0.4), 1, 2),
    (gates.U2Gate(A, B), 1, 4),
    (gates.RGate(A, B), 1, None),
    (gates.RXXGate(A), 2, 2),
    (gates.RYYGate(A), 2, 2),
    (gates.RZZGate(A), 2, 2),
    (gates.RZXGate(A), 2, 2),
    (gates.CPhaseGate(A), 2, 2),
    (gates.CRXGate(A), 2, 4),
    (gates.CRYGate(A), 2, 4),
    (gates.CRZGate(A), 2, 4),
    (gates.CRXGate(A, ctrl_state=0), 2, 4),
    (gates.CUGate(A, B, C, 0.3), 2, None),
    (gates.XXPlusYYGate(A, B), 2, None),
    (gates.MCPhaseGate(A, 2), 3, 2),
    (gates.RYGate(A).control(2, annotated=False), 3, None),
    (gates.RYGate(A).control(2, annotated=True), 3, None),
    (gates.RYGate(A * B), 1, 2),
    (gates.RYGate(A.sin() + B / 3), 1, 2),
    (gates.PauliEvolutionGate(SparsePauliOp(["XXY", "YYY", "IZZ"], COEFFICIENTS), time=A), 3, 6),
    (gates.PauliEvolutionGate(SparsePauliOp(["III", "ZZZ"], [0.3, 1.1]), time=2 * A - B), 3, 2),
    (gates.PauliEvolutionGate(SparsePauliOp(["XII", "ZZI", "IYX"], COEFFICIENTS), time=A), 3, None),
]


@pytest.mark.parametrize(("gate", "n_qubits", "shifts"), CASES, ids=[f"{k}-{c[0].name}" for k, c in enumerate(CASES)])
def test_rule_of_each_gate(gate, n_qubits, shifts):
    circuit = QuantumCircuit(3)
    circuit.append(gates.UnitaryGate(random_unitary(8, seed=5)), range(3))
    circuit.append(gate, range(n_qubits))
    observable = SparsePauliOp.from_operator(random_hermitian(8, seed=6))
    reference = backends.get("reference")
    theta = np.array([0.7, -1.2, 0.4])[: circuit.num_parameters]
    value, gradient = reference.value_and_grad(circuit, observable)(theta)
    wanted_value, wanted = finite_difference(reference, circuit, observable)(theta)
    assert value == pytest.approx(wanted_value, abs=1e-12)
    assert gradient == pytest.approx(wanted, abs=1e-7)  # the difference's own error, h^2 / 6 f''', with h = 1e-4
    assert np.abs(gradient).max() > 1e-2
    if shifts is not None:
        assert n_shifted(circuit) == shifts


def test_a_gate_without_rule_or_definition_is_refused_by_name():
    circuit = QuantumCircuit(1)
    circuit.append(Gate("mystery", 1, [A]), [0])
    with pytest.raises(Refused, match="mystery"):
        shift_rule(circuit)


def test_an_angle_without_value_is_refused():
    circuit = QuantumCircuit(1)
    circuit.ry(1 / A, 0)
    with pytest.raises(Refused, match="a = 0"):
        backends.get("lightning").value_and_grad(circuit, "Z")([0.0])


def test_everything_goes_out_in_one_batch(hamiltonian, shared):
    calls = []

    def prepare(circuit, observables):
        evaluate = backends.get("reference").prepare(circuit, observables)
        return lambda *arguments: calls.append(arguments) or evaluate(*arguments)

    values, gradients = parameter_shift(prepare, shared, hamiltonian)([[0.1, 0.2], [0.3, 0.4]])
    assert len(calls) == 1
    assert values.shape == (2,)
    assert gradients.shape == (2, 2)


def test_gradient_standard_errors_are_calibrated(shared, hamiltonian):
    rule, reference = shift_rule(shared), backends.get("reference")
    evaluate = reference.prepare(rule.circuit, hamiltonian)

    def derivative(theta, **request):
        told = evaluate(rule.rows(theta), **request)
        return rule.combine(theta, told.values[:, 0], told.standard_errors[:, 0])

    rows = np.repeat([[0.4, 0.9]], 80, axis=0)
    out, exact = derivative(rows, shots=100, seed=2), derivative(rows[:1])
    assert np.all(exact.gradient_standard_errors == 0)
    z = (out.gradients - exact.gradients) / out.gradient_standard_errors
    assert np.abs(z.mean(axis=0)).max() < 5 / np.sqrt(80)  # five sigma
    assert np.var(z, axis=0) == pytest.approx(1, abs=5 * np.sqrt(2 / 80))


def test_weights_of_controlled_rotations():
    """Against the coefficients (sqrt 2 +- 1) / (4 sqrt 2) of Anselmetti et al., New J. Phys. 23, 113010 (2021)."""
    circuit = QuantumCircuit(2)
    circuit.crx(A, 0, 1)
    rule = shift_rule(circuit)
    by_shift = dict(zip(np.round(rule.shifts / (np.pi / 2)).astype(int), rule.weights, strict=True))
    big, small = (np.sqrt(2) + 1) / (4 * np.sqrt(2)), (np.sqrt(2) - 1) / (4 * np.sqrt(2))
    assert by_shift == pytest.approx({1: big, -1: -big, 3: -small, -3: small})


def test_the_expanded_circuit_is_the_same_circuit(shared, hamiltonian):
    rule, reference = shift_rule(shared), backends.get("reference")
    theta = np.array([[0.3, -0.8]])
    direct = reference.submit(Batch(shared, hamiltonian, theta)).result().values
    expanded = reference.submit(Batch(rule.circuit, hamiltonian, rule.angles.values(theta))).result().values
    assert expanded == pytest.approx(direct, abs=1e-12)
