"""Qubits without a gate on two stand at the same place each time."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

import backends
from backends import Batch, Device
from backends.measurement import targets
from backends.measurement.placing import settled

BIASED = Device(6, "line", one_qubit_error=1e-3, readout_error=0.1, readout_bias=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6))
"""All places are as good as each other to the transpiler, but read differently."""


def circuit_with_free_qubits():
    """Qiskit 2.6 places qubit 1 now at 4 and now at 5."""
    circuit = QuantumCircuit(4)
    circuit.rx(0.3, 1)
    circuit.rx(0.4, 2)
    circuit.cx(0, 3)
    return circuit


@pytest.mark.parametrize("level", [0, 1, 2])
def test_places_and_values_are_the_same_each_time(level):
    circuit = circuit_with_free_qubits()
    found = [targets.transpiled(circuit, BIASED.fake(), level=level) for _ in range(12)]
    assert len({layout for _, layout in found}) == 1
    assert all(moved == found[0][0] for moved, _ in found)
    density = backends.get("density", device=BIASED, optimization_level=level)
    values = {float(density.submit(Batch(circuit, "IIZI")).result().values[0, 0]) for _ in range(4)}
    assert len(values) == 1


def test_a_qubit_that_moves_takes_its_gates_along():
    circuit = QuantumCircuit(4, 1)
    circuit.sx(3)
    circuit.rz(0.4, 3)
    circuit.cz(0, 1)
    circuit.barrier()
    circuit.measure(3, 0)
    moved, layout = settled(circuit, (0, 1, 3), Device(4, "line").target())
    assert layout == (0, 1, 2)
    unmeasured = QuantumCircuit(4)
    unmeasured.sx(2)
    unmeasured.rz(0.4, 2)
    unmeasured.cz(0, 1)
    told = QuantumCircuit(4)
    for one in moved.data[:-1]:
        told.append(one.operation, [moved.find_bit(bit).index for bit in one.qubits])
    assert Operator(told).equiv(Operator(unmeasured))
    assert moved.data[-1].clbits == (moved.clbits[0],)


def test_a_qubit_stays_where_it_is_better():
    """Place 3 alone has no error, and is kept though others are free; place 2 has the same as 4, and is taken."""
    device = Device(6, "line", readout_error=(0.1, 0.1, 0.1, 0.0, 0.1, 0.2))
    circuit = QuantumCircuit(6)
    circuit.cz(0, 1)
    circuit.x([3, 4])
    moved, layout = settled(circuit, (0, 1, 3, 4), device.target())
    assert layout == (0, 1, 3, 2)
    assert {moved.find_bit(one.qubits[0]).index for one in moved.data if one.operation.name == "x"} == {2, 3}


def test_results_agree_with_a_simulator_that_knows_no_device():
    circuit = circuit_with_free_qubits()
    perfect = backends.get("density", device=Device(6, "line"))
    exact = backends.get("reference").submit(Batch(circuit, ["IIZI", "IZII", "ZIIZ"])).result().values
    np.testing.assert_allclose(
        perfect.submit(Batch(circuit, ["IIZI", "IZII", "ZIIZ"])).result().values, exact, atol=1e-12
    )
