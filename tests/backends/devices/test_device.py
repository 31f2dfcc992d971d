"""Devices as values: what they are made of, what is refused, and how Qiskit and Aer read them."""

from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.library import CXGate, CZGate, RXGate, RZGate, iSwapGate
from qiskit.providers import QubitProperties
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, SuperOp, average_gate_fidelity
from qiskit.transpiler import InstructionProperties, Target
from qiskit_aer.noise import NoiseModel

import backends
import hybrid
from backends import Batch, Device
from backends.devices import channels
from backends.devices.topology import edges_of
from circuits.errors import Refused

REAL = {"t1": 1e-4, "t2": 8e-5, "one_qubit_s": 5e-8, "two_qubit_s": 3e-7}


@pytest.fixture
def device():
    return Device(3, one_qubit_error=1e-3, two_qubit_error=(0.01, 0.02), readout_error=0.03, readout_bias=0.5, **REAL)


def test_other_numbers_are_another_device(device):
    better = device.with_(two_qubit_error=0.002)
    assert better.two_qubit_error == 0.002
    assert device.two_qubit_error == (0.01, 0.02)
    assert better.with_(two_qubit_error=[0.01, 0.02]) == device
    assert hybrid.Device is Device


def test_a_device_is_the_same_from_its_own_options(device):
    assert Device.of(device.options()) == device
    assert Device.of({"n_qubits": 4, "topology": "ring"}) == Device(4, "ring")


def test_a_device_without_relaxation_is_a_backend():
    device = Device(2, two_qubit_error=0.05)
    assert device.options() == {"n_qubits": 2, "edges": [[0, 1]], "two_qubit_error": 0.05}
    assert Device.of(device.options()) == device
    assert backends.get(device).hardware.device == device


def test_scaled_multiplies_rates(device):
    worse = device.scaled(2)
    assert worse.two_qubit_error == (0.02, 0.04)
    assert worse.t1 == pytest.approx(5e-5)
    assert device.scaled(0).is_perfect
    assert not device.is_perfect


@pytest.mark.parametrize(
    ("name", "n_qubits", "n_edges", "degree"),
    [("line", 7, 6, 2), ("ring", 7, 7, 2), ("grid", 9, 12, 4), ("all-to-all", 6, 15, 5), ("heavy-hex", 65, 70, 3)],
)
def test_topologies(name, n_qubits, n_edges, degree):
    edges = edges_of(name, n_qubits)
    assert max(np.bincount(np.ravel(edges))) == degree
    if name != "heavy-hex":
        assert len(edges) == n_edges
    for n in range(1, 40):
        edges_of(name, n)  # any number of qubits is joined


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"t2": 3e-4}, "T2 is at most 2 T1"),
        ({"two_qubit_error": 1.2}, "from 0 to 1, not 1.2"),
        ({"one_qubit_error": -0.1}, "not -0.1"),
        ({"readout_error": [0.1, 0.2]}, "one for each of its 3 qubits"),
        ({"two_qubit_error": float("nan")}, "must be numbers"),
        ({"readout_error": 0.8, "readout_bias": 0.5}, "must be a probability"),
        ({"edges": [(0, 1)]}, "no path of edges joins"),
        ({"edges": [(0, 1), (1, 1)]}, "two different qubits"),
        ({"edges": "lines"}, "did you mean 'line'"),
        ({"one_qubit_s": None}, "one_qubit_s of the device is missing"),
        ({"t1": 0.0}, "above 0"),
        ({"two_qubit_eror": 0.1}, "did you mean 'two_qubit_error'"),
        ({"gates": ("rz", "sx", "cz", "cx")}, "keep one of them"),
        ({"gates": ("rz", "sq", "cz")}, "unknown gate"),
        ({"usd_per_shot": -1.0}, "from 0"),
        ({"n_qubits": 0}, "whole number from 1"),
        ({"edges": 5}, "or pairs of qubits, not 5"),
        ({"edges": [(0, 1), (1, 0), (1, 2)]}, "given twice"),
        ({"n_qubits": 5000, "edges": "all-to-all"}, "more than 10,000,000 edges"),
        ({"two_qubit_error": "0.01"}, "must be a number"),
        ({"readout_error": True}, "must be a number"),
        ({"gates": "cz"}, "list of names"),
        ({"gates": ("rz", "sx")}, "no gate on two qubits"),
        ({"gates": ("rz", "cz")}, "cannot make every rotation"),
        ({"gates": ("cz",), "virtual": ()}, "cannot make every rotation"),
        ({"gates": ("rz", "sx", "rz", "cz")}, "'rz' twice"),
        ({"virtual": "rz"}, "list of names"),
        ({"idle": "yes"}, "true or false"),
        ({"directed": 1}, "true or false"),
        ({"usd_per_shot": "1"}, "a number from 0"),
        ({"repetition_delay_s": None}, "a number from 0"),
        ({"name": 5}, "must be a text"),
    ],
)
def test_impossible_devices_are_refused_with_the_reason(device, changes, said):
    with pytest.raises(Refused, match=said):
        device.with_(**changes)


def test_the_target_routes_and_translates_as_the_device_must(device):
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 2)
    moved = transpile(circuit, target=device.target(), optimization_level=0, seed_transpiler=0)
    assert {one.operation.name for one in moved.data} <= set(device.gates)
    pairs = {tuple(sorted(moved.find_bit(q).index for q in one.qubits)) for one in moved.data if len(one.qubits) == 2}
    assert pairs == {(0, 1), (1, 2)}
    assert device.target()["cz"][(2, 1)].error == 0.02
    assert device.target()["sx"][(0,)].duration == 5e-8


def test_the_average_error_of_a_gate_is_the_stated_one():
    first, second = channels.relaxation(*np.array([[1e-4, 5e-5], [9e-5, 7e-5], [3e-7, 3e-7]]))
    both = channels.process(first) * channels.process(second)
    left = 1 - channels.depolarizing(both, np.array(0.02), 4)
    process = np.trace(channels.on_two(np.concatenate([second, first, [left]]))) / 16
    assert 1 - (4 * process + 1) / 5 == pytest.approx(0.02, abs=1e-14)
    one = channels.on_one(channels.with_error(first, np.array(0.02)))
    assert 1 - (np.trace(one) / 2 + 1) / 3 == pytest.approx(0.02, abs=1e-14)
    assert np.allclose(channels.with_error(first, np.array(1e-6)), first)  # relaxation alone is worse


def test_noise_is_that_of_aers_own_reading_of_the_target_but_for_readout(device):
    ours = device.noise.model(None)
    theirs = NoiseModel.from_backend(device.fake())
    for name, on in (("sx", (1,)), ("cz", (1, 2))):
        mine, other = (SuperOp(m._local_quantum_errors[name][on]) for m in (ours, theirs))
        assert np.allclose(mine, other)
        assert 1 - average_gate_fidelity(mine) == pytest.approx(0.001 if name == "sx" else 0.02, abs=1e-9)
    told = ours._local_readout_errors[(0,)].probabilities
    assert np.allclose(told, [[1 - 0.015, 0.015], [0.045, 1 - 0.045]])
    assert "rz" not in ours.noise_instructions


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), -1.0, "2", None])
def test_no_device_is_scaled_by_what_is_no_factor(device, factor):
    with pytest.raises(Refused, match="the factor must be"):
        device.scaled(factor)


def test_edges_may_be_numpys():
    assert Device(3, np.array([[0, 1], [1, 2]])).edges == ((0, 1), (1, 2))


def other_vendors(gate, *, seconds=None, t1=None, errors=(0.01, 0.02)):
    """A target with the gate one way along a line of three qubits."""
    target = Target(num_qubits=3, qubit_properties=[QubitProperties(t1=t1)] * 3)
    target.add_instruction(RXGate(Parameter("a")), {(q,): InstructionProperties(seconds, 1e-3) for q in range(3)})
    target.add_instruction(RZGate(Parameter("a")), {(q,): None for q in range(3)})
    pairs = {(k + 1, k): InstructionProperties(seconds, error) for k, error in enumerate(errors)}
    target.add_instruction(gate, pairs)
    return target


def test_a_symmetric_gate_that_is_told_one_way_runs_both_ways():
    device = Device.of(other_vendors(iSwapGate()))
    assert not device.directed
    assert device.edges == ((1, 0), (2, 1))
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 2)
    H = SparsePauliOp(["ZIZ"])
    assert backends.get("density", device=device.scaled(0)).submit(Batch(circuit, H)).result().values == pytest.approx(
        1.0
    )
    assert Device.of(other_vendors(CXGate())).directed


def test_a_number_that_a_target_tells_at_some_places_is_the_worst_of_them_at_the_others():
    assert Device.of(other_vendors(CZGate(), errors=(0.01, None))).two_qubit_error == 0.01
    assert Device.of(other_vendors(CZGate(), errors=(0.01, float("nan")))).two_qubit_error == 0.01


def test_a_target_that_relaxes_needs_durations_which_may_be_given():
    target = other_vendors(CZGate(), t1=1e-4)
    with pytest.raises(Refused, match="one_qubit_s of the device is missing"):
        Device.of(target)
    assert Device.of(target, one_qubit_s=1e-8, two_qubit_s=2e-8).two_qubit_s == 2e-8


def test_targets_that_are_no_device_are_refused():
    with pytest.raises(Refused, match="no gate on two qubits"):
        Device.of(Target(num_qubits=5))
    mixed = other_vendors(CZGate(), errors=(0.01,))
    mixed.add_instruction(CXGate(), {(1, 2): InstructionProperties(1e-7, 0.01)})
    with pytest.raises(Refused, match="on others such as"):
        Device.of(mixed)


def test_a_backend_that_is_no_machine_is_refused(monkeypatch):
    monkeypatch.setattr(backends, "get", lambda name: SimpleNamespace())
    with pytest.raises(Refused, match="no device to make of it"):
        Device.of("vendor:simulator")


def test_a_vendors_machine_is_read_by_its_name(monkeypatch):
    machine = GenericBackendV2(4, seed=1)
    monkeypatch.setattr(backends, "get", lambda name: SimpleNamespace(hardware=SimpleNamespace(target=machine)))
    device = Device.of("ibm:ibm_nowhere")
    assert device == Device.of(machine, name="ibm:ibm_nowhere")


def test_a_snapshot_keeps_its_name_and_the_order_of_its_gates():
    device = Device.of("ibm:fake_manila")
    assert device.name == "ibm:fake_manila"
    assert device.gates == ("rz", "sx", "x", "cx")  # Qiskit's own order is another in each process


def test_made_of_a_target():
    target = GenericBackendV2(4, coupling_map=[(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)], seed=1).target
    device = Device.of(target)
    assert device.edges == ((0, 1), (1, 2), (2, 3))
    assert device.two_qubit_error == tuple(target["cx"][edge].error for edge in device.edges)
    assert device.t1 == tuple(one.t1 for one in target.qubit_properties)
    with pytest.raises(Refused, match="names no number of qubits"):
        Device.of(Target())


def test_made_of_a_snapshot_it_answers_as_the_snapshot_does():
    device = Device.of("ibm:fake_manila")
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    observables = ["ZZI", "XXX", "IIZ"]
    found = [
        backends.get("aer", noise=one).submit(Batch(circuit, observables)).result() for one in ("fake_manila", device)
    ]
    assert np.allclose(found[0].values, found[1].values, atol=2e-3)
    assert found[0].values[0, 0] < 0.95
    assert device.with_(two_qubit_error=0.0).name == "ibm:fake_manila (changed)"


def test_as_a_backend_it_counts_with_its_noise_and_can_be_had_again(device):
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    backend = backends.get(device)
    exact = backends.get("density", device=device).submit(Batch(circuit, ["ZZ", "XX"])).result().values
    counted = backend.submit(Batch(circuit, ["ZZ", "XX"], shots=40_000, seed=1)).result()
    assert np.all(np.abs(counted.values - exact) < 5 * counted.standard_errors)
    assert np.all(exact < 0.95)
    again = backends.get(backend.origin.name, **backend.origin.options)
    few = Batch(circuit, "ZZ", shots=100, seed=1)
    assert again.submit(few).result().values == backend.submit(few).result().values
    with pytest.raises(Refused, match="two_qubit_error"):
        backends.get("device", n_qubits=2, two_qubit_error="large")


def test_only_the_qubits_in_use_are_simulated():
    device = Device(400, "grid", two_qubit_error=0.01, **REAL)
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    assert backends.get("density", device=device).submit(Batch(circuit, "ZZZ")).result().values.shape == (1, 1)
    counts = backends.get(device).sample(circuit, shots=200, seed=1)
    assert counts["000"] + counts["111"] > 150


def test_forecast_of_a_priced_device(device):
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    forecast = backends.get(device.with_(usd_per_shot=0.01)).forecast(Batch(circuit, "ZZ", shots=1000))
    assert forecast.money_usd == pytest.approx(10.0)
    assert backends.get("device", n_qubits=3).capabilities().noise is False


def test_it_shows_itself(device):
    assert "two-qubit gates   error 0.015 (0.01 to 0.02), 300 ns" in repr(device)
    assert "<table" in device._repr_html_()
