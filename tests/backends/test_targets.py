"""Circuits on a device's qubits and gates: every gate that was written is run, unless shortening is asked for."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Operator, Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

import backends
from backends import Batch
from backends.measurement.targets import gates_of, transpiled
from backends.providers.ibm import snapshot
from circuits import hardware_efficient
from circuits.errors import Refused


def folded(n_pairs: int) -> QuantumCircuit:
    """A Bell pair whose cx is followed by pairs that undo each other."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    for _ in range(1 + 2 * n_pairs):
        circuit.cx(0, 1)
    return circuit


def test_folded_gates_are_as_noisy_as_theory_says():
    """A depolarized cx multiplies <ZZ> by 1 - p, each time."""
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.02, 2), ["cx"])
    noisy = backends.get("aer", noise_model=model)
    values = [noisy.submit(Batch(folded(k), "ZZ")).result().values[0, 0] for k in (0, 2, 7)]
    assert values == pytest.approx([0.98, 0.98**5, 0.98**15], abs=1e-12)


@pytest.mark.parametrize("name", ["aer", "ibm"])
def test_folded_gates_on_a_device(name):
    """Fifteen cx with an error of about one percent each, behind readout errors that one cx shows nearly alone."""
    device = backends.get("ibm:fake_manila") if name == "ibm" else backends.get("aer", noise_model="fake_manila")
    values = [device.submit(Batch(folded(k), "ZZ", shots=4000, seed=1)).result().values[0, 0] for k in (0, 7)]
    assert values[0] > 0.84
    assert 0.6 < values[1] < 0.8
    again = backends.get("aer", noise_model="fake_manila", optimization_level=1)
    assert again.submit(Batch(folded(7), "ZZ", shots=4000, seed=1)).result().values[0, 0] > 0.84


DEVICES = {
    "cx": lambda: snapshot("fake_manila"),
    "one-way": lambda: snapshot("fake_osaka"),
    "generic": lambda: GenericBackendV2(5, seed=3),
}


@pytest.mark.parametrize("device", DEVICES)
def test_nothing_is_cancelled(device):
    device = DEVICES[device]()
    circuit = QuantumCircuit(3)
    for _ in range(4):
        circuit.x(0)
    for _ in range(2):
        circuit.sx(1)
        circuit.sxdg(1)
    circuit.append(hardware_efficient(3, layers=1).assign_parameters(np.arange(6)).to_gate(), range(3))
    circuit.append(hardware_efficient(3, layers=1).assign_parameters(np.arange(6)).to_gate().inverse(), range(3))
    moved, layout = transpiled(circuit, device, level=0)
    counts = moved.count_ops()
    two_qubit = sum(counts.get(name, 0) for name in ("cx", "ecr", "cz"))
    assert two_qubit == 4  # a chain of three needs no swaps
    assert counts["x"] + counts["sx"] >= 4 + 2 + 6
    shortened, _ = transpiled(circuit, device, level=2)
    assert not any(name in shortened.count_ops() for name in ("cx", "ecr", "cz"))
    for instruction in moved.data:
        place = tuple(moved.find_bit(qubit).index for qubit in instruction.qubits)
        assert device.target.instruction_supported(instruction.operation.name, place)
    assert len(layout) == 3


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_layout_follows_the_qubits(level):
    """All-to-all entangling on a chain takes swaps; the state must come back in its own order."""
    circuit = QuantumCircuit(4)
    for q in range(4):
        circuit.ry(0.3 + 0.5 * q, q)
    for a in range(4):
        for b in range(a):
            circuit.cx(a, b)
            circuit.ry(0.2 * a + 0.1 * b, b)
    device = GenericBackendV2(4, coupling_map=[[0, 1], [1, 0], [1, 2], [2, 1], [2, 3], [3, 2]], seed=1)
    moved, layout = transpiled(circuit, device, level=level)
    values = [Statevector(moved).probabilities([layout[q]])[1] for q in range(4)]
    assert values == pytest.approx([Statevector(circuit).probabilities([q])[1] for q in range(4)], abs=1e-9)


def test_routing_without_cancelling_is_as_short_as_with_it():
    """Two-qubit gates of a chain and of a ring on a device of heavy hexagons, swaps included."""
    device = snapshot("fake_guadalupe")
    for entangler in (False, True):
        circuit = hardware_efficient(8, layers=2).assign_parameters(np.linspace(0, 1, 32))
        if entangler:
            circuit.cx(7, 0)
        written = transpiled(circuit, device, level=0)[0].count_ops()["cx"]
        shortest = transpiled(circuit, device, level=1)[0].count_ops()["cx"]
        assert written <= 1.1 * shortest


def test_barriers_are_kept():
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.barrier()
    circuit.x(0)
    for level in (0, 1, 2, 3):
        moved, _ = transpiled(circuit, snapshot("fake_manila"), level=level)
        assert moved.count_ops()["barrier"] == 1
        assert moved.count_ops()["x"] == 2


def test_a_simulators_gates_on_more_qubits_than_it_expects():
    simulator = AerSimulator(method="matrix_product_state")
    assert simulator.num_qubits < 80
    circuit = QuantumCircuit(80)
    circuit.mcx([0, 20, 40], 79)
    moved, layout = transpiled(circuit, gates_of(simulator, 80), level=1)
    assert moved.num_qubits == 80
    assert layout == tuple(range(80))
    assert set(moved.count_ops()) <= set(simulator.target.operation_names)


def test_levels_are_checked():
    for make in (
        lambda level: backends.get("aer", optimization_level=level),
        lambda level: backends.get("ibm:fake_manila", optimization_level=level),
        lambda level: backends.get(GenericBackendV2(3), optimization_level=level),
    ):
        for level in (4, -1, "1"):
            with pytest.raises(Refused, match="must be 0, which routes"):
                make(level)


def test_without_noise_shortening_changes_no_value():
    circuit = hardware_efficient(4, layers=2)
    theta = np.linspace(0, 3, circuit.num_parameters)
    values = [
        backends.get("aer", optimization_level=level).submit(Batch(circuit, "ZXZY", theta)).result().values[0, 0]
        for level in (0, 1, 2, 3)
    ]
    assert values == pytest.approx([values[0]] * 4, abs=1e-12)
    plain = circuit.assign_parameters(theta)
    assert Operator(transpiled(plain, gates_of(AerSimulator(), 4), level=0)[0]).equiv(Operator(plain))


def test_gates_that_cannot_write_a_circuit_are_refused():
    """Rotations by Y alone, and a circuit with one by X."""
    device = GenericBackendV2(1, basis_gates=["ry"])
    circuit = QuantumCircuit(1)
    circuit.rx(0.3, 0)
    with pytest.raises(Refused, match="cannot be brought to the gates of"):
        transpiled(circuit, device, level=0)
