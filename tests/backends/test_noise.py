"""Noise is applied, as strongly as theory says, by every method that accepts it."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel, ReadoutError, amplitude_damping_error, depolarizing_error

import backends
from backends import Batch
from circuits.errors import Refused

METHODS = ["density_matrix", "statevector", "matrix_product_state"]


def value(observable, circuit, *, method="automatic", noise, **how):
    backend = backends.get("aer", method=method, noise_model=noise)
    result = backend.submit(Batch(circuit, observable, **how)).result()
    return result.values[0, 0], result.standard_errors[0, 0]


def depolarizing(p1, p2):
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(p1, 1), ["ry"])
    model.add_all_qubit_quantum_error(depolarizing_error(p2, 2), ["cx"])
    return model


@pytest.fixture
def pair():
    circuit = QuantumCircuit(2)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    return circuit


def test_depolarizing_closed_form(pair):
    """After ry(t): Z = (1 - p) cos t; a depolarized cx multiplies every string by 1 - q."""
    p, q = 0.1, 0.2
    noisy, error = value("IZ", pair, noise=depolarizing(p, q))
    assert noisy == pytest.approx((1 - p) * (1 - q) * np.cos(0.7), abs=1e-12)
    assert error == 0
    assert value("ZZ", pair, noise=depolarizing(p, q))[0] == pytest.approx(1 - q, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_sampled_noise_agrees_with_the_closed_form(pair, method):
    noisy, error = value("IZ", pair, method=method, noise=depolarizing(0.1, 0.2), shots=4000, seed=1)
    wanted = 0.9 * 0.8 * np.cos(0.7)
    assert abs(noisy - wanted) < 5 * error
    assert abs(noisy - np.cos(0.7)) > 10 * error  # the noise cannot be mistaken for none


def test_pauli_noise_on_stabilizer_states():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.2, 2), ["cx"])
    noisy, error = value("ZZ", circuit, method="stabilizer", noise=model, shots=4000, seed=1)
    assert abs(noisy - 0.8) < 5 * error < 0.1


@pytest.mark.parametrize("method", ["density_matrix", "statevector", "matrix_product_state"])
def test_amplitude_damping_closed_form(method):
    circuit = QuantumCircuit(1)
    circuit.x(0)
    model = NoiseModel()
    model.add_all_qubit_quantum_error(amplitude_damping_error(0.3), ["x"])
    noisy, error = value("Z", circuit, method=method, noise=model, seed=1)
    assert abs(noisy - (-1 + 2 * 0.3)) < 5 * error + 1e-12


def test_amplitude_damping_is_never_dropped_by_the_stabilizer_method():
    circuit = QuantumCircuit(1)
    circuit.x(0)
    model = NoiseModel()
    model.add_all_qubit_quantum_error(amplitude_damping_error(0.3), ["x"])
    with pytest.raises(Refused, match="kraus"):
        value("Z", circuit, method="stabilizer", noise=model, seed=1)


@pytest.mark.parametrize("method", METHODS)
def test_readout_errors_closed_form(method):
    """|1> read as 0 with probability 0.1 and |0> as 1 with 0.05: Z = -1 + 0.2, and for |0> 1 - 0.1."""
    circuit = QuantumCircuit(2)
    circuit.x(1)
    model = NoiseModel()
    model.add_all_qubit_readout_error(ReadoutError([[0.95, 0.05], [0.1, 0.9]]))
    for observable, wanted in (("ZI", -0.8), ("IZ", 0.9), ("ZZ", -0.72)):
        noisy, error = value(observable, circuit, method=method, noise=model, seed=2)
        assert abs(noisy - wanted) < 5 * error + 1e-12, observable


def test_readout_error_of_one_qubit_stays_there():
    model = NoiseModel()
    model.add_readout_error(ReadoutError([[0.8, 0.2], [0.2, 0.8]]), [1])
    values = backends.get("aer", noise_model=model).submit(Batch(QuantumCircuit(2), ["ZI", "IZ"])).result().values[0]
    assert values == pytest.approx([0.6, 1.0])


def test_exact_noisy_values_are_the_limit_of_counts(pair):
    H = SparsePauliOp(["ZZ", "XX", "IZ"], [1.0, 0.5, -0.3])
    exact, none = value(H, pair, noise="fake_manila")
    counted, error = value(H, pair, noise="fake_manila", shots=20000, seed=3)
    device = backends.get("ibm:fake_manila").submit(Batch(pair, H, shots=20000, seed=4)).result()
    assert none == 0
    assert abs(counted - exact) < 5 * error
    assert abs(device.values[0, 0] - exact) < 5 * device.standard_errors[0, 0]
    ideal = backends.get("reference").submit(Batch(pair, H)).result().values[0, 0]
    assert abs(ideal - exact) > 5 * error


def test_trajectories_are_seeded_and_say_their_shots(pair):
    trajectories = backends.get("aer", noise_model="fake_manila", method="statevector")
    first, second, other = (trajectories.submit(Batch(pair, "ZZ", seed=seed)).result() for seed in (1, 1, 2))
    assert first.values == second.values != other.values
    assert first.shots == trajectories.capabilities().default_shots == 1024
    assert not trajectories.capabilities().exact
    assert 0 < first.standard_errors[0, 0] < 1 / np.sqrt(1024)


def test_gates_outside_the_noise_models_basis_are_noisy_too():
    """Noise on rz and sx: an h is written with them, so it must not stay clean."""
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), ["sx"])
    circuit = QuantumCircuit(1)
    circuit.ry(0.4, 0)
    noisy, _ = value("Z", circuit, noise=model)
    assert noisy < np.cos(0.4) - 0.05


def test_a_model_without_noise_is_refused():
    with pytest.raises(Refused, match="no noise"):
        backends.get("aer", noise_model=NoiseModel())


def test_what_a_noise_model_may_be():
    with pytest.raises(Refused, match="fake_manila"):
        backends.get("aer", noise_model="fake_manilla")
    with pytest.raises(Refused, match="NoiseModel"):
        backends.get("aer", noise_model=0.1)
    with pytest.raises(Refused, match="has 5"):
        backends.get("aer", noise_model="fake_manila").prepare(QuantumCircuit(6), "Z" * 6)


@pytest.mark.parametrize("name", ["reference", "lightning", "statevector"])
def test_backends_without_noise_do_not_accept_any(name):
    with pytest.raises(Refused, match="noise_model"):
        backends.get(name, noise_model="fake_manila")
