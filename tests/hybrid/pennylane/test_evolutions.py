"""Evolutions under generators of any form, against exponentials of matrices."""

import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp
from scipy.linalg import expm

COMMUTING = qml.dot([0.5, 0.3], [qml.Z(0) @ qml.Z(1), qml.X(0) @ qml.X(1)])
OTHERS = qml.dot([0.5, 0.3, -0.7], [qml.Z(0) @ qml.Z(1), qml.X(0), qml.Y(1)])
MATRIX = qml.Hermitian(np.array([[1, 0.2j, 0, 0.3], [-0.2j, 2, 0.1, 0], [0, 0.1, 3, 0], [0.3, 0, 0, -1]]), [0, 1])
OBSERVABLE = qml.Z(0) + qml.X(1) @ qml.Y(0) + 0.3 * qml.X(1)


def exactly(generator, t):
    psi = np.kron([1, 1], [np.cos(0.4), np.sin(0.4)]) / np.sqrt(2)
    psi = expm(-1j * t * qml.matrix(generator, wire_order=[0, 1])) @ psi
    return np.real(psi.conj() @ qml.matrix(OBSERVABLE, wire_order=[0, 1]) @ psi)


WRITTEN = {
    "evolve": lambda generator, t: qml.evolve(generator, t),
    "exp": lambda generator, t: qml.exp(generator, -1j * t),
    "undone": lambda generator, t: qml.adjoint(qml.evolve(generator, -t)),
    "controlled": lambda generator, t: (qml.X(2), qml.ctrl(qml.evolve(generator, t), control=2)),
}


@pytest.mark.parametrize("generator", [COMMUTING, OTHERS, MATRIX], ids=["commuting", "not commuting", "matrix"])
@pytest.mark.parametrize("written", ["evolve", "exp"])
def test_values_and_derivatives(generator, written):
    @qml.qnode(qml.device("hybrid.statevector", wires=3))
    def value(t):
        qml.Hadamard(0)
        qml.RY(0.8, 1)
        WRITTEN[written](generator, t)
        return qml.expval(OBSERVABLE)

    t = pnp.array(0.37, requires_grad=True)
    assert value(t) == pytest.approx(exactly(generator, 0.37), abs=1e-10)
    slope = (exactly(generator, 0.37 + 1e-5) - exactly(generator, 0.37 - 1e-5)) / 2e-5
    assert abs(slope) > 0.01
    assert float(qml.grad(value)(t)) == pytest.approx(slope, abs=1e-7)


@pytest.mark.parametrize("written", ["undone", "controlled"])
def test_evolutions_in_other_operations(written):
    @qml.qnode(qml.device("hybrid.statevector", wires=3))
    def value(t):
        qml.Hadamard(0)
        qml.RY(0.8, 1)
        WRITTEN[written](COMMUTING, t)
        return qml.expval(OBSERVABLE)

    assert value(pnp.array(0.37, requires_grad=True)) == pytest.approx(exactly(COMMUTING, 0.37), abs=1e-10)
