"""PennyLane devices given by object: wires, bit order, all their noise, and what runs elsewhere."""

import numpy as np
import pennylane as qml
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import DensityMatrix, Kraus, Statevector

import backends
from backends import Batch
from circuits.errors import FailedJob, LostJob, Refused

SIMULATORS = {
    "default.qubit": lambda wires: qml.device("default.qubit", wires=wires),
    "default.mixed": lambda wires: qml.device("default.mixed", wires=wires),
    "lightning.qubit": lambda wires: qml.device("lightning.qubit", wires=wires),
}
WIRES = [None, 3, ["x", 7, "a"]]


def shuffled(n, rng):
    """Gates that turn one bit string into another, so that a single shot says everything."""
    circuit = QuantumCircuit(n)
    for _ in range(4 * n):
        kind, on = rng.integers(4), rng.permutation(n)
        if kind == 0 or n == 1:
            circuit.x(on[0])
        elif kind == 1:
            circuit.cx(*on[:2])
        elif kind == 2 or n == 2:
            circuit.swap(*on[:2])
        else:
            circuit.ccx(*on[:3])
    return circuit


@pytest.mark.parametrize("wires", WIRES, ids=str)
@pytest.mark.parametrize("name", SIMULATORS)
def test_bits_stand_where_qiskit_writes_them(name, wires):
    if name == "lightning.qubit" and wires is None:
        wires = 3
    backend, rng = backends.get(SIMULATORS[name](wires)), np.random.default_rng(5)
    seen = set()
    for _ in range(8):
        circuit = shuffled(3, rng)
        (expected,) = Statevector(circuit).probabilities_dict()
        assert backend.sample(circuit, shots=3) == {expected: 3}
        seen.add(expected)
    assert seen - {"000", "101", "010", "111"}  # strings that reversed are others


@pytest.mark.parametrize("seed", range(4))
def test_random_circuits_agree_with_qiskit(seed):
    circuit = random_circuit(3, 4, max_operands=3, seed=seed)
    expected, shots = Statevector(circuit).probabilities(), 20000
    counts = backends.get(qml.device("default.qubit", wires=3)).sample(circuit, shots=shots, seed=seed)
    found = np.array([counts.get(f"{k:03b}", 0) for k in range(8)]) / shots
    assert found == pytest.approx(expected, abs=5 / np.sqrt(4 * shots))
    assert not np.allclose(expected, 1 / 8, atol=0.02)


def test_measured_registers_are_words_of_the_counts():
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(1, "a"), ClassicalRegister(2, "b"))
    circuit.x(2)
    circuit.measure([2, 0], [0, 2])  # bit 1 stays 0
    assert backends.get(qml.device("default.qubit")).sample(circuit, shots=5) == {"00 1": 5}


def test_a_measurement_on_the_way_is_refused():
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    circuit.x(0)
    with pytest.raises(Refused, match=r"measures qubit 0 and goes on with it.*default\.qubit"):
        backends.get(qml.device("default.qubit", wires=1)).sample(circuit, shots=5)


def noisy(p, readout, **options):
    model = qml.NoiseModel(
        {qml.noise.op_eq("CNOT"): qml.noise.partial_wires(qml.BitFlip, p)},
        meas_map={qml.noise.meas_eq(qml.counts): qml.noise.partial_wires(qml.BitFlip, readout)} if readout else None,
    )
    return qml.add_noise(qml.device("default.mixed", wires=2, **options), model)


def turned():
    circuit = QuantumCircuit(2)
    circuit.ry(1.0471975511965976, 0)  # <Z> = 1/2
    circuit.cx(0, 1)
    return circuit


@pytest.mark.parametrize(
    ("device", "flips"),
    [
        (lambda: noisy(0.1, 0.0), (0.1, 0.0)),
        (lambda: noisy(0.1, 0.05), (0.1, 0.05)),
        (lambda: qml.device("default.mixed", wires=2, readout_prob=0.05), (0.0, 0.05)),
    ],
    ids=["gates", "gates and measurements", "readout_prob"],
)
def test_all_noise_of_a_device_is_in_its_values(device, flips):
    """Against a density matrix of Qiskit's with the same flips of bits."""
    p, readout = flips
    rho = DensityMatrix(turned())
    for qubit in (0, 1):
        for q in (p, readout):
            flip = Kraus([np.sqrt(1 - q) * np.eye(2), np.sqrt(q) * np.array([[0, 1], [1, 0]])])
            rho = rho.evolve(flip, [qubit])
    backend = backends.get(device())
    assert backend.capabilities().noise
    result = backend.submit(Batch(turned(), ["ZZ", "IZ", "ZI"], shots=40000, seed=1)).result()
    probabilities = rho.probabilities()
    signs = np.array([[1, -1, -1, 1], [1, -1, 1, -1], [1, 1, -1, -1]])
    assert np.all(np.abs(result.values[0] - signs @ probabilities) < 4 * result.standard_errors[0])
    assert abs(result.values[0, 1] - 0.5) > 10 * result.standard_errors[0, 1] or p + readout < 0.06


def test_noise_of_measurements_that_counts_would_not_have_is_refused():
    model = qml.NoiseModel({}, meas_map={qml.noise.meas_eq(qml.expval): qml.noise.partial_wires(qml.BitFlip, 0.1)})
    with pytest.raises(Refused, match=r"does not apply to counts.*meas_eq\(qml\.counts\)"):
        backends.get(qml.add_noise(qml.device("default.mixed", wires=2), model))


@pytest.mark.parametrize("make", [lambda: qml.device("default.qubit", wires=2), lambda: noisy(0.1, 0.1)])
def test_a_seed_decides_the_counts(make):
    backend = backends.get(make())
    first = backend.sample(turned(), shots=1000, seed=3)
    assert first == backend.sample(turned(), shots=1000, seed=3)
    assert first != backend.sample(turned(), shots=1000, seed=4)


def test_what_pennylane_simulates_is_here_and_what_it_does_not_is_elsewhere():
    class Machine(qml.devices.Device):
        """Of a vendor, with a plugin that waits."""

        name = "vendor.machine"

        def execute(self, circuits, execution_config=None):
            return tuple(qml.device("default.qubit").execute([circuit])[0] for circuit in circuits)

    assert backends.get(qml.device("default.qubit", wires=1)).capabilities().place == "here"
    assert not backends.get(qml.device("default.qubit", wires=1)).capabilities().noise
    backend = backends.get(Machine(wires=2))
    assert backend.capabilities().place == "provider"
    (values,) = backend.submit(Batch(turned(), ["ZZ", "IZ"], shots=4000)).result().values
    assert values == pytest.approx([1, 0.5], abs=0.06)
    with pytest.raises(LostJob, match="another process"):
        backend.hardware.state("unknown")


def test_a_failure_of_a_plugin_is_told_with_its_words():
    class Broken(qml.devices.Device):
        name = "broken.machine"

        def execute(self, circuits, execution_config=None):
            raise KeyError("no calibration of wire 1")

    with pytest.raises(FailedJob, match=r"broken\.machine could not run .*no calibration of wire 1"):
        backends.get(Broken(wires=2)).sample(turned(), shots=10)


def test_too_many_qubits_are_refused():
    with pytest.raises(Refused, match=r"3 qubits, but default\.mixed has 2"):
        backends.get(qml.device("default.mixed", wires=2)).sample(QuantumCircuit(3), shots=1)
