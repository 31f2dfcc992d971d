"""Gates that disturb those beside them, and population that leaves the qubits, against Aer's channels put by hand."""

import jax
import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error, thermal_relaxation_error

import backends
from backends import Batch, Device
from backends.devices.crosstalk import disturbing
from circuits.errors import Refused

from .test_random_devices import random_circuit, random_device, random_labels

LINE = Device(5, "line")


def by_hand(circuit, extra, two_qubit_error, t1):
    """<ZZZZZ> of Aer, with depolarizing noise of the average errors `extra` before the gates on two qubits."""
    relaxed = thermal_relaxation_error(t1, t1, 3e-7).tensor(thermal_relaxation_error(t1, t1, 3e-7))
    infidelity = 1 - (4 * np.trace(relaxed.to_quantumchannel().data).real / 16 + 1) / 5
    p = 4 * (two_qubit_error - infidelity) / (4 * (1 - infidelity) - 1)
    model = NoiseModel(["cz", "x", "sx", "rz"])
    model.add_all_qubit_quantum_error(depolarizing_error(p, 2).compose(relaxed), "cz")
    disturbed, errors = circuit.copy_empty_like(), iter(extra)
    for item in circuit.data:
        if len(item.qubits) == 2 and (error := next(errors)):
            for e in error:
                disturbed.append(depolarizing_error(4 / 3 * e, 2).to_instruction(), item.qubits)
        disturbed.append(item)
    disturbed.save_expectation_value(backends.checks.as_observables("ZZZZZ", 5)[0], range(5))
    simulator = AerSimulator(method="density_matrix", noise_model=model)
    return simulator.run(disturbed).result().data()["expectation_value"]


def layered():
    """Two layers of gates on a line: (0, 1) and (2, 3) stand beside each other, then (1, 2) and (3, 4) do."""
    circuit = QuantumCircuit(5)
    for k, angle in enumerate((0.3, 0.9, 1.4, 0.6, 2.0)):
        circuit.sx(k)
        circuit.rz(angle, k)
        circuit.sx(k)
    for a, b in ((0, 1), (2, 3), (1, 2), (3, 4)):
        circuit.cz(a, b)
        circuit.rz(0.5 + a, a)
        circuit.sx(a)
        circuit.sx(b)
    return circuit


def test_the_value_is_that_of_channels_that_are_put_into_the_circuit_by_hand():
    crosstalk, leakage = (0.01, 0.02, 0.03, 0.04), (0.004, 0.0, 0.0, 0.006)
    device = Device(
        5, "line", two_qubit_error=0.01, t1=2e-4, t2=2e-4, one_qubit_s=0.0, two_qubit_s=3e-7,
        crosstalk=crosstalk, leakage=leakage,
    )  # fmt: skip
    extra = [
        (crosstalk[k], 0.75 * leakage[k]) for k in (0, 2, 1, 3)
    ]  # leakage l is depolarizing noise of probability l
    expected = by_hand(layered(), extra, 0.01, 2e-4)
    batch = Batch(layered(), ["ZZZZZ"])
    found = [backends.get(name, **{how: device}).submit(batch).result().values[0, 0] for name, how in ENGINES]
    np.testing.assert_allclose(found, expected, atol=1e-8)
    undisturbed = by_hand(layered(), [()] * 4, 0.01, 2e-4)
    assert abs(undisturbed - expected) > 0.01 * abs(undisturbed) > 1e-4


ENGINES = (("density", "device"), ("aer", "noise"))


@pytest.mark.parametrize("seed", range(6))
def test_random_circuits_agree_with_aers_density_matrices(seed):
    rng = np.random.default_rng(seed)
    edges = len(random_device(np.random.default_rng(seed)).edges)
    changes = {name: rng.uniform(0, 0.05, edges) for name in ("crosstalk", "leakage")}
    device = random_device(np.random.default_rng(seed), **changes)
    circuit = random_circuit(rng, device.n_qubits, 14)
    batch = Batch(circuit, random_labels(rng, circuit.num_qubits, 3))
    found, aer = (backends.get(name, **{how: device}).submit(batch).result().values for name, how in ENGINES)
    np.testing.assert_allclose(found, aer, atol=1e-8, rtol=0)


def test_gates_disturb_each_other_in_one_layer_and_on_edges_that_an_edge_joins():
    assert disturbing([(0, 1), (2, 3), (1, 2)], LINE) == [1, 1, 0]
    assert disturbing([(0, 1), (3, 4)], LINE) == [0, 0]  # (1, 2) and (2, 3) lie between them
    assert disturbing([(1, 2), (2, 3)], LINE) == [0, 0]  # one after the other
    assert disturbing([(0, 1), (2, 3), (4, 5)], Device(6, "all-to-all")) == [2, 2, 2]


def test_the_derivatives_are_those_of_differences():
    """By each number of the two, also of a device that has none of it."""
    circuit, numbers = QuantumCircuit(4), {"crosstalk": 0.02, "leakage": 0.0}
    circuit.sx(range(4))
    circuit.cz([0, 2], [1, 3])
    circuit.sx(range(4))
    device = Device(4, "line", two_qubit_error=0.01, **numbers)
    with jax.enable_x64(True):
        value = backends.noisy_value(circuit, "ZYZY", device)
        slopes = jax.grad(lambda noise: value(np.zeros(0), noise))(numbers)
    batch, step = Batch(circuit, "ZYZY"), 1e-4
    for name, at in numbers.items():
        at_steps = [device.with_(**{name: at + k * step}) for k in range(3)]
        f = [backends.get("density", device=one).submit(batch).result().values[0, 0] for one in at_steps]
        assert float(slopes[name]) == pytest.approx((4 * f[1] - f[2] - 3 * f[0]) / (2 * step), rel=1e-5)
        assert abs(slopes[name]) > 0.1


def test_trajectories_have_the_mean_of_density_matrices():
    device = Device(5, "line", two_qubit_error=0.01, crosstalk=0.1, leakage=0.05)
    batch = Batch(layered(), ["ZZZZZ", "IZZIZ"])
    drawn = Batch(batch.circuit, batch.observables, shots=20_000, seed=3)
    exact = backends.get("density", device=device).submit(batch).result().values[0]
    still = backends.get("density", device=device.with_(crosstalk=0.0)).submit(batch).result().values[0]
    found = backends.get("trajectories", device=device).submit(drawn).result()
    assert np.all(np.abs(found.values[0] - exact) < 5 * found.standard_errors[0])
    assert np.any(np.abs(still - exact) > 10 * found.standard_errors[0])


def test_circuits_that_branch_have_no_layers():
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.cz(0, 1)
    with pytest.raises(Refused, match="crosstalk or leakage, and the circuit branches"):
        Device(2, two_qubit_error=0.01, crosstalk=0.1).fake().run(circuit, shots=1)


@pytest.mark.parametrize("word", ["crosstalk", "leakage"])
def test_impossible_numbers_are_refused(word):
    with pytest.raises(Refused, match=f"{word} of the device must be a probability"):
        Device(2).with_(**{word: 1.5})
    with pytest.raises(Refused, match=f"{word} .*each of its 1 edges"):
        Device.of({"n_qubits": 2, word: [0.1, 0.2]})
