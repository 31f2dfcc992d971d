"""Errors of measurement that are no independent flips of single bits: applied as they are, or refused."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error, pauli_error

import backends
from backends import Batch
from backends.measurement.targets import transpiled
from backends.simulators.readout import readout
from circuits.errors import Refused

TWO = np.array([[0.7, 0.1, 0.0, 0.2], [0.2, 0.8, 0.0, 0.0], [0.0, 0.3, 0.6, 0.1], [0.05, 0.0, 0.15, 0.8]])
"""Row: the true bits of the qubits, the first as the lowest bit; column: the bits that are told."""

METHODS = ["density_matrix", "statevector", "matrix_product_state", "stabilizer"]


def together(*qubits: int, matrix=TWO) -> NoiseModel:
    model = NoiseModel()
    model.add_readout_error(ReadoutError(matrix), list(qubits))
    return model


def told(p: np.ndarray, first: int, second: int) -> np.ndarray:
    """Probabilities of what is told, string by string: the plain sum over all true strings."""
    out = np.zeros_like(p)
    for true, weight in enumerate(p):
        pair = (true >> first & 1) | (true >> second & 1) << 1
        for seen in range(4):
            rest = true & ~(1 << first) & ~(1 << second)
            out[rest | (seen & 1) << first | (seen >> 1) << second] += weight * TWO[pair, seen]
    return out


def signs(label: str) -> np.ndarray:
    """The eigenvalue of a string of I and Z for each bit string."""
    masks = [q for q, letter in enumerate(reversed(label)) if letter == "Z"]
    return np.array([(-1) ** sum(i >> q & 1 for q in masks) for i in range(2 ** len(label))])


@pytest.fixture
def circuit():
    """Three qubits with probabilities of their own; the last string is |111>."""
    circuit = QuantumCircuit(3)
    for q, angle in enumerate((0.7, 1.9, 2.6)):
        circuit.ry(angle, q)
    return circuit


@pytest.fixture
def p():
    ones = np.sin(np.array([0.7, 1.9, 2.6]) / 2) ** 2
    return np.array([np.prod([ones[q] if i >> q & 1 else 1 - ones[q] for q in range(3)]) for i in range(8)])


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (0, 2), (2, 1)])
def test_exact_values(circuit, p, pair):
    labels = ["IIZ", "IZI", "ZII", "IZZ", "ZZZ"]
    values = backends.get("aer", noise_model=together(*pair)).submit(Batch(circuit, labels)).result().values[0]
    wanted = [told(p, *pair) @ signs(label) for label in labels]
    assert values == pytest.approx(wanted, abs=1e-12)
    assert np.abs(values - [p @ signs(label) for label in labels]).max() > 0.1


@pytest.mark.parametrize("method", METHODS[:3])
@pytest.mark.parametrize("pair", [(0, 1), (2, 0)])
def test_counted_values(circuit, p, method, pair):
    noisy = backends.get("aer", noise_model=together(*pair), method=method)
    result = noisy.submit(Batch(circuit, ["IIZ", "IZI", "ZII", "ZZZ"], shots=20000, seed=1)).result()
    wanted = [told(p, *pair) @ signs(label) for label in ("IIZ", "IZI", "ZII", "ZZZ")]
    assert np.all(np.abs(result.values[0] - wanted) < 5 * result.standard_errors[0])


@pytest.mark.parametrize("make", ["aer", "device"])
def test_samples(circuit, p, make):
    model = together(0, 2)
    noisy = backends.get("aer", noise_model=model) if make == "aer" else backends.get(AerSimulator(noise_model=model))
    counts = noisy.sample(circuit, shots=20000, seed=2)
    found = np.array([counts.get(format(i, "03b"), 0) for i in range(8)]) / 20000
    assert found == pytest.approx(told(p, 0, 2), abs=5 * np.sqrt(0.25 / 20000))


def test_one_qubit_of_a_pair_is_read_with_the_other(circuit, p):
    """What is told of qubit 2 alone is the marginal of what is told of both."""
    measured = QuantumCircuit(3, 1)
    measured.compose(circuit, inplace=True)
    measured.measure(2, 0)
    counts = backends.get("aer", noise_model=together(0, 2)).sample(measured, shots=20000, seed=3)
    wanted = sum(told(p, 0, 2)[i] for i in range(8) if i >> 2 & 1)
    assert counts["1"] / 20000 == pytest.approx(wanted, abs=5 * np.sqrt(0.25 / 20000))


def test_stabilizer_states():
    circuit = QuantumCircuit(2)
    circuit.x(1)
    noisy = backends.get("aer", method="stabilizer", noise_model=together(0, 1))
    counts = noisy.sample(circuit, shots=20000, seed=1)
    assert counts["11"] / 20000 == pytest.approx(TWO[2, 3], abs=5 * np.sqrt(0.1 / 20000))
    assert counts["10"] / 20000 == pytest.approx(TWO[2, 2], abs=5 * np.sqrt(0.25 / 20000))


def test_errors_of_pairs_and_of_single_qubits(circuit, p):
    """A pair has its own error, every other qubit the common one."""
    model = together(0, 1)
    model.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.3, 0.7]]))
    values = backends.get("aer", noise_model=model).submit(Batch(circuit, ["ZII", "IZZ"])).result().values[0]
    one = np.sin(2.6 / 2) ** 2
    assert values[0] == pytest.approx((1 - one) * 0.8 + one * (0.3 - 0.7), abs=1e-12)
    assert values[1] == pytest.approx(told(p, 0, 1) @ signs("IZZ"), abs=1e-12)
    counted = backends.get("aer", noise_model=model).submit(Batch(circuit, ["ZII", "IZZ"], shots=20000, seed=1))
    assert counted.result().values[0] == pytest.approx(values, abs=5 / np.sqrt(20000))


def test_on_a_device_the_error_follows_the_physical_qubits(circuit, p):
    """Only a pair of the chain's qubits is read wrongly; the state of three qubits was brought to where they fit."""
    chain = [[0, 1], [1, 0], [1, 2], [2, 1]]
    device = GenericBackendV2(3, coupling_map=chain, noise_info=False, seed=1)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(0, 2)
    circuit.cx(0, 2)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    model = NoiseModel(basis_gates=["cx", "id", "rz", "sx", "x"])
    model.add_readout_error(ReadoutError(TWO), [2, 0])
    noisy = AerSimulator.from_backend(device, noise_model=model)
    _, layout = transpiled(circuit, noisy, level=0)
    values = backends.get(noisy).submit(Batch(circuit, ["ZZZ", "IIZ"], shots=20000, seed=1)).result().values[0]
    wanted = [told(p, layout.index(2), layout.index(0)) @ signs(label) for label in ("ZZZ", "IIZ")]
    assert values == pytest.approx(wanted, abs=5 / np.sqrt(20000))


def test_what_would_be_left_out_is_refused():
    noisy = backends.get("aer", noise_model=together(0, 1))
    middle = QuantumCircuit(2, 1)
    middle.measure(0, 0)
    middle.x(0)
    alone = QuantumCircuit(1)
    for ask in (
        lambda: noisy.sample(middle),
        lambda: noisy.sample(alone),
        lambda: noisy.submit(Batch(alone, "Z")).result(),
        lambda: noisy.submit(Batch(alone, "Z", shots=10)).result(),
        lambda: backends.get(AerSimulator(noise_model=together(0, 1))).submit(Batch(alone, "Z")),
    ):
        with pytest.raises(Refused, match=r"one measurement error for qubits \[0, 1\] together"):
            ask()


def test_models_that_say_two_things_of_one_qubit():
    model = together(0, 1)
    model.add_readout_error(ReadoutError(TWO), [1, 2])
    with pytest.raises(Refused, match=r"\[0, 1\] and of \[1, 2\]"):
        readout(model)
    model = together(0, 1)
    model.add_quantum_error(pauli_error([("X", 0.3), ("I", 0.7)]), "measure", [0])
    with pytest.raises(Refused, match=r"\[0, 1\] and of \[0\]"):
        backends.get("aer", noise_model=model).prepare(QuantumCircuit(2), "ZZ")([])
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 2), "measure")
    with pytest.raises(Refused, match="names none"):
        backends.get("aer", noise_model=model).sample(QuantumCircuit(2))


@pytest.mark.parametrize("qubits", [[0], [0, 1]])
def test_quantum_errors_before_measurements_are_counted(qubits):
    """A flip with probability 0.3 before the readout, of one qubit or of a pair: Z is multiplied by 0.4."""
    model = NoiseModel()
    flip = "X" * len(qubits)
    model.add_quantum_error(pauli_error([(flip, 0.3), ("I" * len(qubits), 0.7)]), "measure", qubits)
    noisy = backends.get("aer", noise_model=model)
    with pytest.raises(Refused, match="give a number of shots"):
        noisy.submit(Batch(QuantumCircuit(2), "IZ")).result()
    value = noisy.submit(Batch(QuantumCircuit(2), ["IZ", "ZI"], shots=20000, seed=1)).result().values[0]
    assert value == pytest.approx([0.4, 0.4 if len(qubits) == 2 else 1], abs=5 / np.sqrt(20000))
