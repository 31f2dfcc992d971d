"""A user's own gate under a standard gate's name means its definition; what hides inside an instruction is seen."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

import backends
from circuits import Refused, from_qasm

EXACT = ["reference", "statevector", "lightning", "aer"]
OBSERVABLE = SparsePauliOp(["ZX", "IZ", "YI"], np.array([1.0, 0.5, -0.3]))


def named(name: str, n_qubits: int, angle) -> Gate:
    """A gate that no standard gate of this name equals."""
    inside = QuantumCircuit(n_qubits, name=name)
    inside.ry(angle, 0)
    inside.s(n_qubits - 1)
    if n_qubits == 2:
        inside.cx(1, 0)
    return inside.to_gate()


@pytest.mark.parametrize("backend", EXACT)
@pytest.mark.parametrize(("name", "n_qubits"), [("h", 1), ("rx", 1), ("id", 1), ("cx", 2), ("rzz", 2), ("unitary", 2)])
def test_the_definition_counts(backend, name, n_qubits):
    a = Parameter("a")
    circuit = QuantumCircuit(2)
    circuit.rx(0.4, 1)
    circuit.append(named(name, n_qubits, a), range(n_qubits))
    outer = QuantumCircuit(2, name="outer")
    outer.append(named(name, n_qubits, 0.7), range(n_qubits))
    circuit.append(outer.to_gate(), [1, 0])

    def exact(x):
        return np.real(Statevector(circuit.assign_parameters([x])).expectation_value(OBSERVABLE))

    value, gradient = backends.get(backend).value_and_grad(circuit, OBSERVABLE)([0.9])
    assert value == pytest.approx(exact(0.9), abs=1e-9)
    slope = (exact(0.9 + 1e-5) - exact(0.9 - 1e-5)) / 2e-5
    assert abs(slope) > 0.1
    assert gradient[0] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("backend", EXACT)
def test_a_gate_that_openqasm_text_defines_itself(backend):
    circuit, _ = from_qasm(
        'OPENQASM 2.0; include "qelib1.inc"; gate rzz(t) a,b { cx a,b; u1(2*t) b; cx a,b; } '
        "gate ryy(t) a,b { rx(t) a; cx a,b; } qreg q[2]; h q; rzz(0.3) q[0],q[1]; ryy(0.4) q[0],q[1];"
    )
    written_out = QuantumCircuit(2)
    written_out.h([0, 1])
    written_out.rzz(0.6, 0, 1)
    written_out.rx(0.4, 0)
    written_out.cx(0, 1)
    expected = np.real(Statevector(written_out).expectation_value(OBSERVABLE))
    value = backends.get(backend).submit(backends.Batch(circuit, OBSERVABLE)).result().values[0, 0]
    assert value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("hidden", ["measure", "reset"])
def test_a_hidden_measurement_is_refused(hidden):
    inside = QuantumCircuit(1, 1)
    inside.h(0)
    inside.measure(0, 0) if hidden == "measure" else inside.reset(0)
    circuit = QuantumCircuit(2, 1)
    circuit.append(inside.to_instruction(), [0], [0])
    with pytest.raises(Refused, match=hidden):
        backends.Batch(circuit, OBSERVABLE)


def test_no_circuit_and_no_qubits_are_refused():
    with pytest.raises(Refused, match="QuantumCircuit"):
        backends.get("reference").sample(None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(Refused, match="no qubits"):
        backends.get("aer").sample(QuantumCircuit(0))


@pytest.mark.parametrize("options", [{}, {"noise_model": "fake_manila"}])
def test_a_parameter_that_transpilation_cancels(options):
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.ry(b, 0)
    circuit.rx(a, 0)
    circuit.rx(-a, 0)
    backend = backends.get("aer", **options)
    value = backend.submit(backends.Batch(circuit, "IZ", [0.3, 0.2])).result().values[0, 0]
    assert value == pytest.approx(np.cos(0.2), abs=1e-9 if not options else 0.1)
