"""IQM's models of its devices, in IQM's own environment."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

import backends
import hybrid
from circuits import hardware_efficient
from circuits.errors import Refused

pytestmark = pytest.mark.vendor


@pytest.fixture(scope="module", autouse=True)
def iqm(environments):
    return environments("iqm")


@pytest.fixture(scope="module", params=["fake_adonis", "fake_deneb"])
def device(request, iqm):
    return backends.get(f"iqm:{request.param}")


def test_each_qubit_is_flipped_and_read_by_itself(device):
    n = device.hardware.n_qubits
    circuits = []
    for qubit in range(n):
        circuit = QuantumCircuit(n, n)
        circuit.r(np.pi, 0, qubit)
        circuit.measure(range(n), range(n))
        circuits.append(circuit)
    for qubit, outcomes in enumerate(device.hardware.run(circuits, 300, seed=1)):
        assert outcomes.bits[outcomes.counts.argmax()].tolist() == [q == qubit for q in range(n)]


@pytest.mark.parametrize("seed", range(3))
def test_classical_circuits_give_their_bit_strings(device, seed):
    rng = np.random.default_rng(seed)
    circuit, bits = QuantumCircuit(3), np.zeros(3, dtype=int)
    circuit.x(flips := [q for q in range(3) if rng.random() < 0.6] or [1])
    bits[flips] ^= 1
    for _ in range(3):
        control, goal = rng.permutation(3)[:2].tolist()
        circuit.cx(control, goal)
        bits[goal] ^= bits[control]
    counts = device.sample(circuit, shots=500, seed=seed)
    assert max(counts, key=lambda string: counts[string]) == "".join(map(str, bits[::-1]))


@pytest.mark.parametrize("seed", range(3))
def test_rotations_give_the_distribution_of_their_state(device, seed):
    ansatz = hardware_efficient(3, layers=1)
    circuit = ansatz.assign_parameters(np.random.default_rng(seed).uniform(-np.pi, np.pi, ansatz.num_parameters))
    exact, shots = Statevector(circuit).probabilities_dict(), 2000
    counts = device.sample(circuit, shots=shots, seed=1)
    distance = sum(abs(counts.get(s, 0) / shots - exact.get(s, 0)) for s in {*counts, *exact}) / 2
    turned = {string[::-1]: p for string, p in exact.items()}
    wrong = sum(abs(turned.get(s, 0) - exact.get(s, 0)) for s in {*turned, *exact}) / 2
    assert distance < 0.2 < wrong, "noise of a few percent a gate; the reversed order of bits is further away"


def test_the_model_tells_its_errors_and_has_them(device):
    target = device.hardware.target
    for gate in ("r", "cz"):
        assert all(1e-4 < one.error < 0.2 and 1e-8 < one.duration < 1e-6 for one in target[gate].values())
    assert target["measure"][(0,)].error > 0.005
    assert device.capabilities().noise
    assert "iqm-client 36" in device.capabilities().summary


def test_the_same_seed_gives_the_same_counts(device):
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    first, again, other = (device.sample(circuit, shots=400, seed=seed) for seed in (7, 7, 8))
    assert first == again != other


def test_hydrogen_is_minimized_on_a_model_of_adonis(tmp_path):
    # H2 at 0.735 angstrom in sto-3g on two qubits: -1.857 hartree without the repulsion of the nuclei.
    labels = {"II": -1.0523732, "IZ": 0.39793742, "ZI": -0.39793742, "ZZ": -0.01128010, "XX": 0.18093119}
    H = SparsePauliOp.from_list(labels.items())
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.ry(Parameter("t"), 1)
    circuit.cx(1, 0)
    options = {"optimizer": "spsa", "theta": [1.5], "seed": 3, "max_steps": 12, "accuracy": 0.05}
    run = hybrid.minimize(circuit, H, backend="iqm:fake_adonis", folder=tmp_path / "h2", **options)
    assert run.energy == pytest.approx(-1.857, abs=0.2)  # of it about 0.1 by the noise; the start has -0.1
    assert run.backend == "iqm:fake_adonis"


def test_unknown_models_and_devices_without_a_login_are_refused_by_name(monkeypatch):
    monkeypatch.delenv("IQM_SERVER_URL", raising=False)
    with pytest.raises(Refused, match=r"no fake of this name.*fake_garnet"):
        backends.get("iqm:fake_garnett")
    with pytest.raises(Refused, match="set IQM_SERVER_URL and IQM_TOKEN"):
        backends.get("iqm:garnet")
