"""Quantum trajectories beside density matrices: values, derivatives by the noise, seeds, and what is refused."""

import jax
import numpy as np
import pytest
from qiskit import QuantumCircuit

import backends
from backends import Batch, Device
from backends.density.function import noisy_value
from backends.statevector import native
from circuits.errors import Refused

pytestmark = pytest.mark.skipif(not native.available(), reason="there are no C++ kernels here")


def device(n_qubits, **changes):
    """Errors far larger than those of good devices; T2 of the first qubit is below its T1, that of the others above."""
    numbers = {
        "one_qubit_error": 0.02,
        "two_qubit_error": 0.1,
        "readout_error": 0.05,
        "readout_bias": 0.4,
        "t1": (15e-6, *[1e-5] * (n_qubits - 1)),
        "t2": (5e-6, *[15e-6] * (n_qubits - 1)),
        "one_qubit_s": 5e-8,
        "two_qubit_s": 3e-7,
    }
    return Device(n_qubits, **numbers | changes)


def circuit(n_qubits, layers=2):
    made = QuantumCircuit(n_qubits)
    for k in range(layers):
        for q in range(n_qubits):
            made.ry(0.4 + 0.3 * q + 0.5 * k, q)
            made.rz(0.2 + 0.1 * q, q)
        for q in range(n_qubits - 1):
            made.cx(q, q + 1)
    return made


@pytest.mark.parametrize(("n_qubits", "idle"), [(1, False), (3, True), (4, False)])
def test_values_are_those_of_density_matrices(n_qubits, idle):
    noisy = device(n_qubits, idle=idle)
    batch = Batch(circuit(n_qubits), ["Z" * n_qubits, "X" + "I" * (n_qubits - 1), "Y" * n_qubits])
    exact = backends.get("density", device=noisy).submit(batch).result().values
    perfect = backends.get("reference").submit(batch).result().values
    drawn = Batch(batch.circuit, batch.observables, shots=20_000, seed=5)
    found = backends.get("trajectories", device=noisy).submit(drawn).result()
    assert found.shots == 20_000
    assert np.all(np.abs(found.values - exact) < 4.5 * found.standard_errors + 1e-12)
    assert np.all(found.standard_errors < 0.02)
    assert np.abs(exact - perfect).max() > 0.1


def test_standard_errors_are_those_of_repetitions():
    """In 40 seeds the deviations from the exact value, in units of their standard errors, have the variance 1."""
    noisy, made = device(3), circuit(3)
    exact = backends.get("density", device=noisy).submit(Batch(made, "ZZZ")).result().values[0, 0]
    evaluate = backends.get("trajectories", device=noisy).prepare(made, "ZZZ")
    found = [evaluate([], shots=500, seed=seed) for seed in range(40)]
    z = np.array([(one.values[0, 0] - exact) / one.standard_errors[0, 0] for one in found])
    assert 0.5 < z.var() < 1.8
    assert abs(z.mean()) < 0.6


def test_derivatives_by_the_noise_are_those_of_density_matrices():
    noisy, made = device(2, one_qubit_error=(0.03, 0.02), idle=True), circuit(2)
    noise = {name: np.asarray(value) for name, value in noisy.values().items()}
    with jax.enable_x64(True):
        slopes = jax.jit(jax.grad(noisy_value(made, "ZX", noisy), argnums=1))((), noise)
    exact = {name: np.asarray(slope) for name, slope in slopes.items()}
    found = backends.get("trajectories", device=noisy).noise_slopes(made, "ZX", shots=40_000, seed=3)
    for name, slope in exact.items():
        assert found.slopes[name].shape == noise[name].shape
        off = np.abs(found.slopes[name] - slope)
        assert np.all(off <= 4.5 * found.standard_errors[name] + 1e-9 * np.abs(slope)), name
    error = found.standard_errors["two_qubit_error"]
    assert abs(exact["two_qubit_error"]) > 20 * error  # not lost in its error


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(monkeypatch):
    backend, batch = backends.get("trajectories", device=device(3)), Batch(circuit(3), "ZZZ", shots=200, seed=1)
    first = backend.submit(batch).result()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    again = backend.submit(batch).result()
    assert np.array_equal(first.values, again.values)
    assert np.array_equal(first.standard_errors, again.standard_errors)
    other = backend.submit(Batch(batch.circuit, "ZZZ", shots=200, seed=2)).result()
    assert other.values != first.values


def test_more_qubits_than_a_density_matrix_can_have():
    """Each of 14 excited qubits decays on its own: sum Z has a closed form."""
    n = 14
    made = QuantumCircuit(n)
    made.x(range(n))
    noisy = Device(n, t1=1e-6, one_qubit_s=2e-7, two_qubit_s=0.0)
    z = [("I" * q + "Z" + "I" * (n - 1 - q)) for q in range(n)]
    found = backends.get("trajectories", device=noisy).submit(Batch(made, z, shots=400, seed=0)).result()
    exact = 1 - 2 * np.exp(-0.2)
    assert found.values.mean() == pytest.approx(exact, abs=5 * 0.77 / np.sqrt(400 * n))
    with pytest.raises(Refused, match="trajectories"):
        backends.get("density", device=noisy).submit(Batch(made, z))


def test_a_precision_is_kept():
    backend = backends.get("trajectories", device=device(2))
    found = backend.submit(Batch(circuit(2), "ZZ", precision=0.02, seed=0)).result()
    assert found.standard_errors[0, 0] <= 0.02
    assert found.shots == 2500


def test_what_cannot_be_estimated_is_refused():
    backend = backends.get("trajectories", device=device(2, two_qubit_error=0.0, t1=np.inf, t2=np.inf))
    with pytest.raises(Refused, match="two_qubit_error cannot be estimated"):
        backend.noise_slopes(circuit(2), "ZZ", names=["two_qubit_error"], shots=10)
    assert backend.noise_slopes(circuit(2), "ZZ", names=["one_qubit_error"], shots=10).trajectories == 10
    with pytest.raises(Refused, match="did you mean 'two_qubit_error'"):
        backend.noise_slopes(circuit(2), "ZZ", names=["two_qubit_eror"])
    with pytest.raises(Refused, match="draw the errors of a device"):
        backends.get("trajectories")
    with pytest.raises(Refused, match="has 2"):
        backend.prepare(QuantumCircuit(3), "ZZZ")
