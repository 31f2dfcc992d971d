"""Figures of merit, against products worked out by hand."""

import math

import pytest
from qiskit import QuantumCircuit
from qiskit.transpiler import Target

from backends.devices.device import Device
from circuits.errors import Refused
from hybrid.codesign.suite.figures_of_merit import figures_of_merit


@pytest.fixture
def device():
    return Device(
        3,
        one_qubit_error=(0.001, 0.002, 0.003),
        two_qubit_error=(0.01, 0.02),
        readout_error=0.05,
        t1=100e-6,
        t2=(50e-6, 60e-6, 300e-6 / 2),
        one_qubit_s=50e-9,
        two_qubit_s=500e-9,
    )


def test_product_of_errors_and_waiting(device):
    circuit = QuantumCircuit(3, 3)
    circuit.sx(0)
    circuit.cz(0, 1)
    circuit.cz(1, 2)
    circuit.sx(0)  # runs beside the second cz
    circuit.cz(0, 1)  # qubit 0 waits 450 ns
    circuit.measure(range(3), range(3))
    circuit_errors = (1 - 0.001) ** 2 * (1 - 0.01) ** 2 * (1 - 0.02) * (1 - 0.05) ** 3
    found = figures_of_merit(circuit, device.target())
    assert found.expected_fidelity == pytest.approx(circuit_errors, rel=1e-9)
    assert found.success_probability == pytest.approx(circuit_errors * math.exp(-450e-9 / 50e-6), rel=1e-9)


def test_a_circuit_is_brought_to_the_device_first(device):
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 2)
    found = figures_of_merit(circuit, device.target())
    assert 0.9 < found.expected_fidelity < 1.0
    assert found.success_probability <= found.expected_fidelity


def test_what_cannot_be_expected(device):
    with pytest.raises(Refused, match="4 qubits, and the device 3"):
        figures_of_merit(QuantumCircuit(4), device.target())
    with pytest.raises(Refused, match="no errors"):
        figures_of_merit(QuantumCircuit(2), Target.from_configuration(["cx", "rz", "sx"], 2))
