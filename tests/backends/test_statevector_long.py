"""Circuits on more qubits than a state can have, against closed forms and matrix-product states."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

import backends
from backends.batch import Batch
from backends.statevector import native
from circuits import hardware_efficient, tfim
from circuits.errors import Refused

pytestmark = pytest.mark.skipif(not native.available(), reason="parts are run by the C++ kernels, which are not here")

TOLERANCE = 1e-10  # see test_statevector


def single(n: int, letters: dict[int, str]) -> str:
    """The label of a string."""
    return "".join(letters.get(q, "I") for q in reversed(range(n)))


def test_products_of_a_hundred_qubits():
    """<Z> = cos t and <X> = sin t of RY(t) on |0>."""
    n = 100
    theta = ParameterVector("t", n)
    circuit = QuantumCircuit(n)
    for q in range(n):
        circuit.ry(theta[q], q)
    labels = [single(n, {q: "Z", q + 1: "Z"}) for q in range(n - 1)] + [single(n, {q: "X"}) for q in range(n)]
    H = SparsePauliOp(
        [*labels, single(n, {3: "X", 50: "Z", 97: "X"}), "I" * n], [-1.0] * (n - 1) + [-0.5] * n + [0.7, 2]
    )
    t = np.random.default_rng(0).normal(size=n)
    value, gradient = backends.get("statevector").value_and_grad(circuit, H)(t)
    c, s = np.cos(t), np.sin(t)
    wanted = 2 - np.sum(c[1:] * c[:-1]) - 0.5 * np.sum(s) + 0.7 * s[3] * c[50] * s[97]
    slopes = -0.5 * c
    slopes[1:] += s[1:] * c[:-1]
    slopes[:-1] += s[:-1] * c[1:]
    slopes[[3, 50, 97]] += 0.7 * np.array([c[3] * c[50] * s[97], -s[3] * s[50] * s[97], s[3] * c[50] * c[97]])
    assert value == pytest.approx(wanted, abs=TOLERANCE)
    assert gradient == pytest.approx(slopes, abs=TOLERANCE)


@pytest.mark.parametrize(("precision", "tolerance"), [("double", TOLERANCE), ("single", 1e-5)])
def test_a_cat_state_of_sixty_qubits(precision, tolerance):
    """(|0...0> + e^(i phi) |1...1>) / sqrt 2 with phi the sum of all angles: <X...X> = cos phi, <Z_i Z_j> = 1."""
    n = 60
    theta = ParameterVector("t", n)
    circuit = QuantumCircuit(n)
    circuit.h(0)
    for q in range(n - 1):
        circuit.cx(q, q + 1)
    for q in range(n):
        circuit.p(theta[q], q)
    t = np.random.default_rng(1).normal(size=n)
    observables = [
        SparsePauliOp("X" * n),
        SparsePauliOp("X" * (n - 1) + "Y"),
        SparsePauliOp(single(n, {2: "Z", 57: "Z"})),
    ]
    engine = backends.get("statevector", precision=precision)
    (values,), (slopes,) = engine.values_and_jacobian(circuit, observables)(t)
    phi = t.sum()
    assert values == pytest.approx([np.cos(phi), np.sin(phi), 1], abs=tolerance)
    assert slopes == pytest.approx(np.outer([-np.sin(phi), np.cos(phi), 0], np.ones(n)), abs=tolerance)


def quench(n: int, layers: int):
    """|+...+> under layers of exp(-i a ZZ / 2) and exp(-i b X / 2), and the energy with any couplings and fields."""
    a, b = ParameterVector("a", layers * (n - 1)), ParameterVector("b", layers * n)
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for layer in range(layers):
        for q in range(n - 1):
            circuit.rzz(a[layer * (n - 1) + q], q, q + 1)
        for q in range(n):
            circuit.rx(b[layer * n + q], q)
    rng = np.random.default_rng(n)
    J, h = rng.normal(size=n - 1), rng.normal(size=n)
    labels = [single(n, {q: "Z", q + 1: "Z"}) for q in range(n - 1)] + [single(n, {q: "X"}) for q in range(n)]
    return circuit, SparsePauliOp(labels, np.concatenate([J, h])), J, h


def free_fermion_energy(n: int, layers: int, J: np.ndarray, h: np.ndarray, theta: np.ndarray) -> float:
    """The same from the covariance matrix i <c_k c_l> of 2n Majorana operators.

    With c_2q = X_0 ... X_q-1 Z_q and c_2q+1 = X_0 ... X_q-1 Y_q, X_q = i c_2q c_2q+1 and Z_q Z_q+1 = i c_2q+1 c_2q+2;
    exp(-i t/2 i c_k c_l) turns c_k into cos t c_k + sin t c_l.
    """
    a, b = np.split(theta, [layers * (n - 1)])
    covariance = np.zeros((2 * n, 2 * n))
    for q in range(n):
        covariance[2 * q, 2 * q + 1], covariance[2 * q + 1, 2 * q] = 1, -1

    def turn(k: int, angle: float) -> None:
        c, s = np.cos(angle), np.sin(angle)
        rotation = np.array([[c, s], [-s, c]])
        covariance[k : k + 2] = rotation @ covariance[k : k + 2]
        covariance[:, k : k + 2] = covariance[:, k : k + 2] @ rotation.T

    for layer in range(layers):
        for q in range(n - 1):
            turn(2 * q + 1, a[layer * (n - 1) + q])
        for q in range(n):
            turn(2 * q, b[layer * n + q])
    pairs = np.diag(covariance, 1)
    return J @ pairs[1::2] + h @ pairs[::2]


@pytest.mark.parametrize(("n", "layers"), [(6, 3), (40, 3), (100, 2)])
def test_quenches_of_the_ising_chain_are_free_fermions(n, layers):
    circuit, H, J, h = quench(n, layers)
    theta = np.random.default_rng(2).normal(size=circuit.num_parameters)
    value, gradient = backends.get("statevector").value_and_grad(circuit, H)(theta)
    assert value == pytest.approx(free_fermion_energy(n, layers, J, h, theta), abs=TOLERANCE)
    step = 1e-5
    for k in np.random.default_rng(3).integers(len(theta), size=8):
        ends = [free_fermion_energy(n, layers, J, h, theta + s * step * np.eye(len(theta))[k]) for s in (1, -1)]
        assert gradient[k] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-8)
    assert np.abs(gradient).max() > 0.1


def test_forty_qubits_against_a_matrix_product_state():
    n = 40
    circuit = hardware_efficient(n, layers=3)
    H = SparsePauliOp.from_sparse_list(
        [("XX", [q, q + 1], 0.3 * q) for q in range(n - 1)] + [("YZX", [1, 20, 33], 2.0), ("ZZ", [0, 39], -1.0)],
        num_qubits=n,
    )
    theta = np.random.default_rng(5).normal(size=circuit.num_parameters)
    rival = backends.get("aer", method="matrix_product_state")
    wanted = rival.submit(Batch(circuit, H, theta)).result().values
    engine = backends.get("statevector")
    assert engine.prepare(circuit, H)(theta).values == pytest.approx(wanted, abs=1e-8)
    assert abs(wanted).max() > 0.1


def test_gradients_of_a_chain_of_a_hundred_qubits_against_differences():
    n = 100
    circuit, H = hardware_efficient(n, layers=4), tfim(n).hamiltonian
    theta = np.random.default_rng(6).normal(size=circuit.num_parameters)
    engine = backends.get("statevector")
    _, gradient = engine.value_and_grad(circuit, H)(theta)
    chosen = np.random.default_rng(7).integers(len(theta), size=10)
    rows = np.concatenate([theta + s * 1e-5 * np.eye(len(theta))[chosen] for s in (1, -1)])
    up, down = engine.prepare(circuit, H)(rows).values[:, 0].reshape(2, -1)
    assert gradient[chosen] == pytest.approx((up - down) / 2e-5, abs=1e-6)
    assert np.abs(gradient).max() > 0.1


def test_memory_grows_with_length():
    engine = backends.get("statevector")
    held = [engine.memory(hardware_efficient(n, layers=4), tfim(n)).total_bytes for n in (50, 100)]
    assert held[1] < 2.2 * held[0] < 2**23


def test_footprints_of_long_chains_are_counted():
    circuit, H = hardware_efficient(64, layers=4), tfim(64).hamiltonian
    batch = Batch(circuit, H, np.zeros(circuit.num_parameters))
    footprint = backends.get("statevector").footprint(batch)
    assert footprint.amplitudes < 2**20
    assert footprint.memory_bytes < 2**24


class TestRefusals:
    def test_whole_states(self):
        circuit, H = hardware_efficient(40, layers=2), tfim(40)
        engine, theta = backends.get("statevector"), np.zeros(160)
        for ask in (
            lambda: engine.state(circuit, theta),
            lambda: engine.sample(circuit, theta),
            lambda: engine.prepare(circuit, H)(theta, shots=100),
            lambda: engine.hessian(circuit, H),
            lambda: engine.metric(circuit),
            lambda: engine.reduced_density_matrix(circuit, theta, qubits=(0,)),
        ):
            with pytest.raises(Refused, match=r"40 qubits.*at most 31"):
                ask()

    def test_circuits_that_too_many_bonds_join(self):
        with pytest.raises(Refused, match=r"40 qubits.*so many places"):
            backends.get("statevector").prepare(hardware_efficient(40, layers=40), tfim(40))

    def test_without_the_kernels(self, monkeypatch):
        monkeypatch.setattr(native, "_why_not", "the C++ kernels are not here")
        with pytest.raises(Refused, match=r"40 qubits.*kernels"):
            backends.get("statevector").value_and_grad(hardware_efficient(40), tfim(40))
