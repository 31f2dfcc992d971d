"""Braket's simulators here against Braket's own, which take a circuit as text."""

import numpy as np
import pytest
from qiskit import ClassicalRegister
from qiskit.circuit.random import random_circuit

import backends
from backends.measurement.sampled import sampling

pytest.importorskip("braket.devices")
pytest.importorskip("qiskit_braket_provider")

from braket.circuits import Circuit, gates, noises
from braket.circuits.measure import Measure
from braket.circuits.noise_model import GateCriteria, MeasureCriteria, NoiseModel, QubitInitializationCriteria
from braket.devices import LocalSimulator

from backends.providers.braket_circuits import converted
from backends.providers.braket_local import MOST_KNOWN, noise_model


def of_everything():
    """Noise at the start, after all gates, after gates on certain pairs in one direction, and of some measurements."""
    model = NoiseModel()
    model.add_noise(noises.BitFlip(0.2), QubitInitializationCriteria([1, 2]))
    model.add_noise(noises.AmplitudeDamping(0.1), GateCriteria())
    model.add_noise(noises.TwoQubitDephasing(0.1), GateCriteria(gates.CNot, [(0, 1), (2, 3)]))
    turned = np.kron([[0, -1j], [1j, 0]], np.diag([1, -1]))  # another one with its qubits exchanged
    model.add_noise(noises.Kraus([np.sqrt(0.9) * np.eye(4), np.sqrt(0.1) * turned]), GateCriteria(gates.CNot))
    model.add_noise(noises.GeneralizedAmplitudeDamping(0.1, 0.3), MeasureCriteria(0))
    return model.add_noise(noises.PauliChannel(0.1, 0.03, 0.2), MeasureCriteria([1, 3]))


MODELS = {"none": lambda: None, "rates": lambda: noise_model(0.01, 0.05, 0.02), "everything": of_everything}


def brakets_own(request, model):
    """Probabilities by Braket's LocalSimulator."""
    circuit = converted(request, "braket")
    circuit = circuit if model is None else model.apply(circuit)
    plain = Circuit([one for one in circuit.instructions if not isinstance(one.operator, Measure)])
    plain.i(request.qubits).probability(target=list(request.qubits))
    values = LocalSimulator("braket_sv" if model is None else "braket_dm").run(plain, shots=0).result().values[0]
    n = len(request.qubits)
    return np.asarray(values).reshape((2,) * n).transpose(range(n)[::-1]).reshape(-1)


@pytest.mark.parametrize("read", [[0, 1, 2, 3], [3, 1]], ids=["all", "two"])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", MODELS)
def test_probabilities_are_those_of_brakets_own_simulator(name, seed, read):
    model = MODELS[name]()
    backend = backends.get("braket:local") if model is None else backends.get("braket:local-noise", noise=model)
    circuit, _ = backend._transpiled(random_circuit(4, 4, max_operands=3, seed=seed))
    circuit.add_register(ClassicalRegister(len(read)))
    circuit.measure(read, range(len(read)))
    request = sampling(circuit, (), shots=1)
    found = backend.hardware.probabilities(request)
    assert found == pytest.approx(brakets_own(request, model), abs=1e-10)
    assert np.ptp(found) > 0.1


def test_a_simulator_remembers_no_more_gates_than_it_may():
    backend = backends.get("braket:local")
    circuit, _ = backend._transpiled(random_circuit(2, 2, seed=0))
    request = sampling(circuit, (), shots=1)
    before = backend.hardware.probabilities(request)
    backend.hardware._known.update({number: [] for number in range(MOST_KNOWN)})
    assert backend.hardware.probabilities(request).tobytes() == before.tobytes()
    backend.hardware._known.update({number: [] for number in range(MOST_KNOWN)})
    circuit.rx(0.123, 0)
    backend.hardware.probabilities(sampling(circuit, (), shots=1))
    assert len(backend.hardware._known) <= MOST_KNOWN
