"""Measurements with shots against exact answers, and those that are refused."""

import numpy as np
import pennylane as qml
import pytest

H = qml.dot([0.5, -0.3, 0.7], [qml.Z(0) @ qml.X(1), qml.Y(1), qml.X(0)])
SHOTS = 20_000


def prepare(t):
    qml.RY(t, 0)
    qml.RX(2 * t + 0.3, 1)
    qml.CNOT([0, 1])
    qml.T(1)


def measured(measurement, shots=None, name="hybrid.statevector", t=0.4):
    def function():
        prepare(t)
        return measurement()

    return qml.set_shots(qml.QNode(function, qml.device(name, wires=2, seed=7)), shots)()


def moments():
    psi = qml.matrix(prepare, wire_order=[0, 1])(0.4)[:, 0]
    matrix = qml.matrix(H, wire_order=[0, 1])
    return np.real(psi.conj() @ matrix @ psi), np.real(psi.conj() @ matrix @ matrix @ psi)


def test_variances_and_samples_of_sums():
    mean, square = moments()
    variance, samples, values = measured(lambda: (qml.var(H), qml.sample(H), qml.expval(qml.Z(0))), shots=SHOTS)
    assert variance == pytest.approx(square - mean**2, abs=0.05)
    assert np.mean(samples) == pytest.approx(mean, abs=6 * np.sqrt((square - mean**2) / SHOTS))
    assert values == pytest.approx(np.cos(0.4), abs=0.05)


def test_shadows_estimate_what_is_exact():
    mean, _ = moments()
    estimate, (bits, bases) = measured(
        lambda: (qml.shadow_expval(H, seed=3), qml.classical_shadow([0, 1], seed=3)), shots=SHOTS
    )
    assert estimate == pytest.approx(mean, abs=0.1)
    assert bits.shape == bases.shape == (SHOTS, 2)


def test_shots_in_parts_are_kept_apart():
    found = measured(lambda: (qml.var(H), qml.expval(qml.X(0)), qml.classical_shadow([1])), shots=(20, 30))
    assert [part[2].shape for part in found] == [(2, 20, 1), (2, 30, 1)]


def test_measurements_on_the_way_need_no_wires_of_the_device():
    def function():
        qml.RY(0.4, 0)
        outcome = qml.measure(0)
        return qml.expval(outcome), qml.probs(op=outcome)

    value, probabilities = qml.QNode(function, qml.device("hybrid.statevector", wires=1))()
    assert value == pytest.approx(np.sin(0.2) ** 2, abs=1e-12)
    assert np.allclose(probabilities, [np.cos(0.2) ** 2, np.sin(0.2) ** 2], atol=1e-12)


def test_exponentials_with_imaginary_numbers_turn():
    found = qml.QNode(
        lambda t: (qml.exp(qml.X(0), -1j * t), qml.expval(qml.Z(0)))[1], qml.device("hybrid.statevector", wires=1)
    )(0.3)
    assert found == pytest.approx(np.cos(0.6), abs=1e-12)


SPARSE = qml.SparseHamiltonian(H.sparse_matrix(wire_order=[0, 1]), wires=[0, 1])


@pytest.mark.parametrize(
    ("measurement", "shots", "words"),
    [
        (qml.counts, None, "set_shots"),
        (lambda: qml.classical_shadow([0]), None, "set_shots"),
        (qml.state, 10, "state itself"),
        (lambda: qml.vn_entropy([0]), 10, "state itself"),
        (lambda: qml.var(SPARSE), None, "pauli_decompose"),
        (lambda: qml.expval(SPARSE), 10, "pauli_decompose"),
        (lambda: (qml.measure(0, postselect=1), qml.expval(qml.Z(1)))[1], 10, "postselect"),
    ],
    ids=["counts", "shadow", "state", "entropy", "sparse variance", "sparse value", "postselection"],
)
def test_what_has_no_meaning_is_refused_with_what_would_be_right(measurement, shots, words):
    with pytest.raises(qml.exceptions.DeviceError, match=words):
        measured(measurement, shots)
