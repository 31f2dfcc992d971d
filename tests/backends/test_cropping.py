"""Only the qubits in use are simulated: the same values as of the whole device, and as fast as a small one."""

import time

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Delay
from qiskit.circuit.library import XGate
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error, pauli_error
from qiskit_aer.noise.passes import LocalNoisePass, RelaxationNoisePass

import backends
from backends import Batch
from backends.measurement.targets import transpiled
from backends.providers.ibm import noise_of, snapshot
from backends.simulators.cropping import cropped, cropped_model, in_use
from backends.simulators.noise import as_noise, own_noise
from circuits import hardware_efficient, tfim
from circuits.errors import Refused


def probabilities(circuit: QuantumCircuit, model, qubits) -> np.ndarray:
    """What Aer computes with a density matrix, before any error of measurement."""
    saving = circuit.copy()
    saving.save_probabilities(list(qubits), label="p")
    result = AerSimulator(method="density_matrix", noise_model=model).run(saving).result()
    assert result.success, result.status
    return np.asarray(result.data(0)["p"])


def brought(device, n_qubits: int = 3) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """An entangling circuit on a device, with a delay and barriers."""
    circuit = hardware_efficient(n_qubits, layers=1)
    circuit = circuit.assign_parameters(np.linspace(0.3, 2.1, circuit.num_parameters))
    circuit.delay(20, 1, unit="us")
    circuit.barrier()
    circuit.ry(0.4, 1)
    return transpiled(circuit, device, level=0)


@pytest.mark.parametrize("name", ["fake_manila", "fake_lagos", "fake_guadalupe"])
def test_the_same_to_the_last_digits_as_the_whole_snapshot(name):
    device = snapshot(name)
    moved, layout = brought(device)
    device.run(QuantumCircuit(1), shots=1).result()
    whole = probabilities(moved, device.options.noise_model, layout) if device.num_qubits < 10 else None
    qubits = in_use([moved])
    small = cropped(moved, qubits)
    places = [qubits.index(q) for q in layout]
    found = probabilities(small, noise_of(snapshot(name)).model(qubits), places)
    other_way = probabilities(small, cropped_model(device.options.noise_model, qubits), places)
    ideal = probabilities(small, None, places)
    assert len(qubits) == 3 < device.num_qubits
    assert found == pytest.approx(other_way, abs=1e-12)
    assert whole is None or found == pytest.approx(whole, abs=1e-9)
    assert np.abs(found - ideal).max() > 1e-3


def test_relaxation_while_a_qubit_waits_is_its_own():
    """After x and a delay t, one is left with probability exp(-t / T1) of that very qubit."""
    t1s, wait = [50e-6, 30e-6, 70e-6, 20e-6], 25e-6
    model = NoiseModel()
    model._custom_noise_passes.append(RelaxationNoisePass(t1s, t1s, op_types=Delay))
    circuit = QuantumCircuit(4)
    for q in (1, 3):
        circuit.x(q)
    for q in (1, 2, 3):
        circuit.delay(wait, q, unit="s")
    noise = as_noise(model)
    small_model, (small,) = noise.applied([circuit])
    assert in_use([circuit]) == (1, 3)
    assert small.num_qubits == 2
    left = np.exp(-wait / np.array([t1s[1], t1s[3]]))
    assert probabilities(small, small_model, [0])[1] == pytest.approx(left[0], abs=1e-9)
    assert probabilities(small, small_model, [1])[1] == pytest.approx(left[1], abs=1e-9)


def test_noise_of_passes_is_told_the_devices_qubits():
    asked = []
    model = NoiseModel()
    model._custom_noise_passes.append(LocalNoisePass(lambda operation, on: asked.append(list(on))))
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), "x")
    circuit = QuantumCircuit(6)
    circuit.x(4)
    circuit.delay(10, 4)
    small_model, (small,) = as_noise(model).applied([circuit])
    probabilities(small, small_model, [0])
    assert [4] in asked
    assert all(on == [4] for on in asked)


def test_a_pass_of_an_unknown_kind_keeps_the_whole_device():
    class Pass:
        """Of somebody who wrote no LocalNoisePass."""

    model = NoiseModel()
    model._custom_noise_passes.append(Pass())
    circuit = QuantumCircuit(5)
    circuit.x(4)
    kept, (same,) = as_noise(model).applied([circuit])
    assert kept is model
    assert same is circuit


def test_errors_that_belong_to_certain_qubits_stay_with_them():
    two = np.array([[0.7, 0.1, 0.0, 0.2], [0.2, 0.8, 0.0, 0.0], [0.0, 0.3, 0.6, 0.1], [0.05, 0.0, 0.15, 0.8]])
    model = NoiseModel()
    model.add_readout_error(ReadoutError(two), [4, 2])
    model.add_readout_error(ReadoutError([[0.9, 0.1], [0.3, 0.7]]), [0])
    model.add_quantum_error(pauli_error([("X", 0.25), ("I", 0.75)]), "x", [2])
    model.add_quantum_error(depolarizing_error(0.2, 2), "cx", [4, 2])
    small = cropped_model(model, (2, 4))
    assert small.to_dict()["errors"]
    assert list(small._local_readout_errors) == [(1, 0)]
    assert list(small._local_quantum_errors["x"]) == [(0,)]
    assert list(small._local_quantum_errors["cx"]) == [(1, 0)]


def test_classical_bits_conditions_and_variables_stay():
    first, second = ClassicalRegister(2, "first"), ClassicalRegister(1, "second")
    circuit = QuantumCircuit(QuantumRegister(7), first, second)
    circuit.x(5)
    circuit.measure(5, first[1])
    with circuit.if_test((first, 2)):
        circuit.x(2)
    circuit.measure(2, second[0])
    qubits = in_use([circuit])
    small = cropped(circuit, qubits)
    assert qubits == (2, 5)
    counts = AerSimulator().run(small, shots=10).result().get_counts()
    assert counts == {"1 10": 10}


def test_errors_of_gates_that_circuits_do_not_have_are_left_out_and_no_others():
    """X with an error of 1/4 on one outcome of a measurement; a labelled gate, and what no circuit has."""
    model = NoiseModel()
    model.add_quantum_error(pauli_error([("X", 0.25), ("I", 0.75)]), "x", [3])
    model.add_quantum_error(pauli_error([("X", 0.4), ("I", 0.6)]), "slow", [1])
    model.add_quantum_error(pauli_error([("X", 0.5), ("I", 0.5)]), "sx", [1])
    model.add_quantum_error(depolarizing_error(0.2, 2), "cx", [1, 3])
    model.add_quantum_error(depolarizing_error(0.2, 2), "cx", [3, 1])
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), "y")
    circuit = QuantumCircuit(5, 2)
    circuit.append(XGate(label="slow"), [1])
    circuit.measure(1, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(3)
    circuit.measure(3, 1)
    noise = as_noise(model)
    small, (placed,) = noise.applied([circuit])
    assert small._local_quantum_errors.keys() == {"x", "slow"}
    assert not small._default_quantum_errors
    assert noise.applied([circuit])[0] is small
    n = 40000
    counts = AerSimulator(noise_model=small, seed_simulator=1).run(placed, shots=n).result().get_counts()
    expected = {"00": 0.4, "01": 0.6 * 0.25, "11": 0.6 * 0.75}
    assert counts.keys() == expected.keys()
    for bits, p in expected.items():
        assert counts[bits] / n == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / n))
    circuit.cx(3, 1)
    assert noise.applied([circuit])[0]._local_quantum_errors["cx"].keys() == {(1, 0)}


def test_nothing_in_use():
    circuit = QuantumCircuit(4)
    circuit.barrier()
    circuit.delay(10, 2)
    assert in_use([circuit]) == (0,)
    assert cropped(circuit, (0,)).num_qubits == 1


LARGE = {
    "snapshot": lambda: backends.get("ibm:fake_torino"),
    "object": lambda: backends.get(snapshot("fake_torino")),
    "noise": lambda: backends.get("aer", noise="fake_torino"),
}


@pytest.mark.parametrize("way", LARGE)
def test_five_qubits_of_a_large_device_cost_what_five_qubits_cost(way):
    """Of the processor's time, which other work on the machine does not change; the whole device takes 6 s and more."""
    H, circuit = tfim(5).hamiltonian, hardware_efficient(5, layers=1)
    theta = np.linspace(0.1, 1.3, circuit.num_parameters)
    evaluate = LARGE[way]().prepare(circuit, H)
    result = evaluate(theta, shots=2000, seed=1)
    start = time.process_time()
    evaluate(theta, shots=2000, seed=2)
    assert time.process_time() - start < 3
    ideal = backends.get("reference").submit(Batch(circuit, H, theta)).result().values[0, 0]
    assert abs(result.values[0, 0] - ideal) < 1.5  # noisy, and not something else


@pytest.mark.parametrize("make", ["generic", "aer"])
def test_other_fakes_and_simulators_are_cropped_to_the_same_values(make):
    device = GenericBackendV2(6, seed=5)
    simulator = device if make == "generic" else AerSimulator.from_backend(device)
    circuit = hardware_efficient(2, layers=2)
    theta = np.linspace(0.2, 1.9, circuit.num_parameters)
    values = backends.get(simulator).submit(Batch(circuit, ["ZZ", "XI"], theta, shots=20000, seed=1)).result()
    exact = backends.get("aer", noise=device).submit(Batch(circuit, ["ZZ", "XI"], theta)).result().values[0]
    assert np.all(np.abs(values.values[0] - exact) < 5 * values.standard_errors[0])
    noise = own_noise(simulator)
    assert noise is not None
    moved, _ = transpiled(circuit.assign_parameters(theta), simulator, level=0)
    model, (small,) = noise.applied([moved])
    assert small.num_qubits == 2
    assert max(model.noise_qubits) == 1


def test_options_of_a_simulator_are_kept():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.2, 1), "x")
    device = AerSimulator(noise_model=model, method="stabilizer")
    circuit = QuantumCircuit(2)
    circuit.x(0)
    (values,) = backends.get(device).submit(Batch(circuit, "IZ", shots=20000, seed=1)).result().values
    assert values == pytest.approx([-0.8], abs=5 / np.sqrt(20000))
    circuit.ry(0.3, 0)
    with pytest.raises(Refused, match="method"):
        backends.get(device).submit(Batch(circuit, "IZ", shots=10)).result()
