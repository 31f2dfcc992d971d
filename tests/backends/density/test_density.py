"""Values under a device's noise: beside Aer's density matrices, and their derivatives beside differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

import backends
from backends import Batch
from backends.density.function import noisy_value
from backends.devices.device import Device
from backends.measurement.targets import transpiled
from backends.statevector import native
from circuits.errors import Refused


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def noisy_device(rng, n_qubits, edges="line", **changes):
    """Errors far larger than those of good devices, different at every place."""
    n_edges = len(Device(n_qubits, edges).edges)
    t1 = rng.uniform(2e-6, 2e-5, n_qubits)
    numbers = {
        "one_qubit_error": rng.uniform(0.01, 0.05, n_qubits),
        "two_qubit_error": rng.uniform(0.1, 0.2, n_edges),
        "readout_error": rng.uniform(0.01, 0.2, n_qubits),
        "readout_bias": rng.uniform(-1, 1, n_qubits),
        "t1": t1,
        "t2": t1 * rng.uniform(0.3, 1.9, n_qubits),
        "one_qubit_s": rng.uniform(2e-8, 6e-8, n_qubits),
        "two_qubit_s": rng.uniform(2e-7, 4e-7, n_edges),
    }
    return Device(n_qubits, edges, **numbers | changes)


def random_circuit(rng, n_qubits, n_gates):
    theta = ParameterVector("t", n_gates)
    circuit = QuantumCircuit(n_qubits)
    for k in range(n_gates):
        q = int(rng.integers(n_qubits))
        kind = rng.integers(4)
        if kind == 3 and n_qubits > 1:
            circuit.cx(q, int((q + rng.integers(1, n_qubits)) % n_qubits))
        else:
            getattr(circuit, ("rx", "ry", "rz", "rx")[kind])(theta[k] + 0.1, q)
    return circuit


def random_observables(rng, n_qubits):
    labels = ["".join(rng.choice(list("IXYZ"), n_qubits)) for _ in range(6)]
    return [
        SparsePauliOp(labels[:4], rng.normal(size=4)),
        SparsePauliOp(labels[4:], rng.normal(size=2)),
    ]


@pytest.mark.parametrize(
    ("n_qubits", "edges", "changes"),
    [
        (1, "line", {}),
        (2, "line", {"gates": ("rz", "sx", "x", "cx"), "directed": True}),
        (3, "ring", {"gates": ("rz", "rx", "rzz")}),
        (4, "line", {"gates": ("u", "cz"), "virtual": ()}),
        (4, "all-to-all", {"gates": ("rz", "r", "rxx")}),
        (5, "grid", {}),
        (6, "heavy-hex", {}),
    ],
)
def test_values_are_those_of_aers_density_matrices(n_qubits, edges, changes):
    rng = np.random.default_rng(n_qubits)
    device = noisy_device(rng, n_qubits, edges, **changes)
    circuit = random_circuit(rng, max(1, n_qubits - 1), 6 * n_qubits)
    observables = random_observables(rng, circuit.num_qubits)
    theta = rng.uniform(0, 2 * np.pi, circuit.num_parameters)
    found = noisy_value(circuit, observables, device)(theta)
    aer = backends.get("aer", noise=device).submit(Batch(circuit, observables, theta)).result()
    perfect = backends.get("reference").submit(Batch(circuit, observables, theta)).result()
    np.testing.assert_allclose(found, aer.values[0], atol=1e-8, rtol=0)
    assert np.abs(aer.values - perfect.values).max() > 0.01  # the noise is not to be overlooked


def test_derivatives_by_angles_and_every_noise_parameter_are_those_of_differences():
    rng = np.random.default_rng(5)
    device = noisy_device(rng, 3, crosstalk=(0.01, 0.02), leakage=(0.015, 0.01))
    circuit = random_circuit(rng, 3, 20)
    circuit.cx(0, 2)
    observable = random_observables(rng, 3)[0]
    theta = rng.uniform(0, 2 * np.pi, circuit.num_parameters)
    f = noisy_value(circuit, observable, device)
    at = (jnp.asarray(theta), {name: jnp.asarray(value) for name, value in device.values().items()})
    value, found = jax.value_and_grad(f, argnums=(0, 1))(*at)
    assert value == pytest.approx(float(f(theta)), abs=1e-12)
    flat, back = ravel_pytree(at)
    slopes, _ = ravel_pytree(found)
    assert len(slopes) == circuit.num_parameters + 6 * 3 + 4 * 2
    along = jax.jit(lambda flat: f(*back(flat)))
    for k, (here, slope) in enumerate(zip(np.asarray(flat), np.asarray(slopes), strict=True)):
        step = 1e-5 * max(abs(here), 1e-12) if k >= circuit.num_parameters else 1e-5
        difference = (along(flat.at[k].add(step)) - along(flat.at[k].add(-step))) / (2 * step)
        assert abs(slope - difference) <= 1e-4 * abs(difference) + 1e-9 / max(abs(here), 1e-9), k
    names = {name for name, slope in found[1].items() if np.all(np.abs(slope) > 0)}
    assert names == set(device.parameters()) - {"crosstalk"}  # no two gates fit on a line of three


@pytest.mark.parametrize("isa", native.instruction_sets() if native.available() else [])
def test_kernels_give_the_values_and_slopes_of_numpy(isa, monkeypatch):
    """Of a circuit with gates of free angles on one qubit and on two, waiting qubits, and several observables."""
    rng = np.random.default_rng(8)
    device = noisy_device(rng, 4, "ring", gates=("rz", "rx", "rzz"), idle=True, leakage=0.02)
    theta = ParameterVector("s", 4)
    circuit = random_circuit(rng, 3, 12)
    for k in range(4):
        circuit.rzz(2 * theta[k] + 0.2, k % 2, 2)
    monkeypatch.setenv("HYBRID_NATIVE_ISA", isa)
    backend, row = backends.get("density", device=device), rng.uniform(0, 6, circuit.num_parameters)
    observables = random_observables(rng, 3)

    def told():
        value, slopes = backend.value_and_grad(circuit, observables[0])(row)
        return np.array([value, *slopes]), backend.prepare(circuit, observables)(row).values

    kernels = told()
    monkeypatch.setattr(native, "available", lambda: False)
    plain = told()
    for mine, other in zip(kernels, plain, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-12)
    assert np.abs(plain[0][1:]).min() > 1e-6


@pytest.mark.slow  # XLA compiles second derivatives
def test_every_derivative_comes_from_the_kernels_or_through_xla(monkeypatch):
    """Forward, of mapped rows and of second order, beside a function that XLA computes whole."""
    rng = np.random.default_rng(9)
    device = noisy_device(rng, 2, idle=True)
    circuit, observables = random_circuit(rng, 2, 5), random_observables(rng, 2)
    rows = rng.uniform(0, 6, (2, circuit.num_parameters))
    noise = {name: jnp.asarray(device.values()[name]) for name in ("t1", "two_qubit_error", "readout_bias")}
    kernels = noisy_value(circuit, observables, device)
    monkeypatch.setattr(native, "available", lambda: False)
    plain = noisy_value(circuit, observables, device)

    def told(f):
        def derivatives(rows, noise):
            forward = jax.jacfwd(f, argnums=1)(rows[0], noise)
            second = jax.jacfwd(jax.jacrev(f), argnums=1)(rows[0], noise)
            return forward, second, jax.vmap(jax.jacrev(f), (0, None))(rows, noise), jax.hessian(f)(rows[0], noise)

        return jax.jit(derivatives)(rows, noise)

    for mine, other in zip(jax.tree.leaves(told(kernels)), jax.tree.leaves(told(plain)), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-10)
        assert np.abs(other).max() > 1e-3


def test_a_scalar_stands_for_all_places_and_other_names_are_as_the_device_has_them():
    rng = np.random.default_rng(2)
    circuit = random_circuit(rng, 3, 12)
    theta = rng.uniform(0, 6, circuit.num_parameters)
    device = noisy_device(rng, 3)
    f = noisy_value(circuit, "ZXZ", device)
    even = noisy_value(circuit, "ZXZ", device.with_(two_qubit_error=0.05, t1=3e-5))
    assert f(theta, {"two_qubit_error": 0.05, "t1": 3e-5}) == pytest.approx(float(even(theta)), abs=1e-12)
    assert abs(f(theta) - even(theta)) > 1e-3


def test_a_perfect_device_gives_exact_values():
    rng = np.random.default_rng(3)
    circuit = random_circuit(rng, 4, 30)
    theta = rng.uniform(0, 6, circuit.num_parameters)
    exact = backends.get("reference").submit(Batch(circuit, "XZYZ", theta)).result().values[0, 0]
    assert noisy_value(circuit, "XZYZ", Device(4, "ring"))(theta) == pytest.approx(exact, abs=1e-12)


def test_closed_form_of_relaxation_and_readout():
    """A flipped qubit decays by e^(-t/T1) during its gate, and readout shrinks and shifts what is told."""
    circuit = QuantumCircuit(1)
    circuit.x(0)
    device = Device(1, t1=1e-6, one_qubit_s=2e-7, two_qubit_s=0.0, readout_error=0.1, readout_bias=0.5)
    z = 1 - 2 * np.exp(-0.2)
    assert noisy_value(circuit, "Z", device)([]) == pytest.approx(0.8 * z + 0.1, abs=1e-14)


def test_what_means_nothing_is_refused():
    circuit = QuantumCircuit(2)
    f = noisy_value(circuit, "ZZ", Device(2))
    with pytest.raises(Refused, match="did you mean 'two_qubit_error'"):
        f([], {"two_qubit_eror": 0.1})
    with pytest.raises(Refused, match=r"shape \(0,\)"):
        f([1.0])
    with pytest.raises(Refused, match="has 2"):
        noisy_value(QuantumCircuit(3), "ZZZ", Device(2))
    with pytest.raises(Refused, match="takes 12"):
        noisy_value(QuantumCircuit(13), "Z" * 13, Device(13))


def test_drawn_bit_strings_are_those_that_a_device_tells():
    """A flipped qubit, read wrongly for 0 alone, and another that is never read wrongly."""
    circuit = QuantumCircuit(3)
    circuit.x(0)
    device = Device(4, readout_error=(0.2, 0.0, 0.0, 0.0), readout_bias=1.0)
    backend = backends.get("density", device=device)
    layout = transpiled(circuit, device.fake(), level=0)[1]
    wrong = 0.4 if layout[0] == 0 else 0.0
    counts = backend.sample(circuit, shots=20_000, seed=1)
    assert counts["001"] / 20_000 == pytest.approx(1 - wrong, abs=0.02)
    assert sum(counts.values()) == counts["001"] + counts.get("000", 0)
    found = backend.submit(Batch(circuit, ["IIZ", "IZI"], shots=20_000, seed=2)).result()
    assert abs(found.values[0, 0] - (-1 + 2 * wrong)) <= 5 * found.standard_errors[0, 0]
    assert found.values[0, 1] == 1
    again = backends.get(backend.origin.name, **backend.origin.options)
    assert again.sample(circuit, shots=100, seed=1) == backend.sample(circuit, shots=100, seed=1)
    with pytest.raises(Refused, match="density applies the noise of a device"):
        backends.get("density")
