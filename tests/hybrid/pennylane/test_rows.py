"""Rows of angles through the devices, against default.qubit row by row."""

import jax
import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp

COMMUTING = qml.dot([0.5, 0.3], [qml.Z(0) @ qml.Z(1), qml.X(0) @ qml.X(1)])
OTHERS = qml.dot([0.5, 0.3, -0.7], [qml.Z(0) @ qml.Z(1), qml.X(0), qml.Y(1)])
ROWS = np.array([0.3, 0.9, -0.4])

OPERATIONS = {
    "rotation of several": lambda t: qml.MultiRZ(t, [0, 1, 2]),
    "word": lambda t: qml.PauliRot(t, "XY", [1, 2]),
    "rotation by three": lambda t: qml.Rot(t, 0.3, 2 * t, 0),
    "named controlled": lambda t: qml.CRot(t, 0.3, 0.2, [0, 1]),
    "excitation": lambda t: qml.DoubleExcitationPlus(t, range(4)),
    "evolution": lambda t: qml.evolve(COMMUTING, t),
    "evolution of terms that do not commute": lambda t: qml.evolve(OTHERS, t),
    "power of an evolution": lambda t: qml.pow(qml.evolve(COMMUTING, t), 2),
    "undone": lambda t: qml.adjoint(qml.CRX(t, [0, 1])),
    "evolution undone": lambda t: qml.adjoint(qml.evolve(COMMUTING, t)),
    "controlled": lambda t: qml.ctrl(qml.RY(t, 0), [1, 2], control_values=[0, 1]),
    "evolution controlled": lambda t: qml.ctrl(qml.evolve(COMMUTING, t), 2),
    "product": lambda t: qml.prod(qml.RX(t, 0), qml.RY(0.4, 1), qml.MultiRZ(t, [1, 2])),
    "power": lambda t: qml.pow(qml.RX(t, 0), 2),
    "after a measurement": lambda t: qml.cond(qml.measure(3), qml.RX)(t, 0),
    "template": lambda t: qml.AngleEmbedding(qml.math.stack([t, t], axis=-1), wires=[0, 1]),
}
MATRICES = {
    "exponential": lambda t: qml.exp(qml.Z(0) @ qml.X(1), -1j * t),
    "matrix": lambda t: qml.QubitUnitary(qml.RX.compute_matrix(qml.math.array(t)), 0),
    "controlled matrix": lambda t: qml.ControlledQubitUnitary(
        qml.RX.compute_matrix(qml.math.array(t)), [1, 2, 0], control_values=[1, 0]
    ),
    "diagonal": lambda t: qml.DiagonalQubitUnitary(np.exp(1j * np.multiply.outer(t, [0, 1, 2, 4])), [0, 1]),
    "state": lambda t: qml.StatePrep(np.stack([np.cos(t), np.sin(t)], axis=-1), wires=3),
}
QUICKLY = ("rotation of several", "evolution undone")
MEASUREMENTS = {
    "values": lambda: (qml.expval(qml.Z(0) @ qml.X(1) + qml.Y(1) @ qml.X(2) + qml.Z(1)), qml.expval(qml.Z(0))),
    "probabilities": lambda: qml.probs([0, 1]),
    "variance of a sum": lambda: qml.var(qml.Z(0) + qml.X(1)),
    "entropy": lambda: qml.vn_entropy([0]),
    "value and probabilities": lambda: (qml.expval(qml.Z(0)), qml.probs([1])),
}


def qnode(name, operation, measurement, shots=None):
    def function(t):
        if operation is MATRICES["state"]:
            operation(t)
        for wire in range(4):
            qml.RY(0.9 + 0.2 * wire, wire)
            qml.CNOT([wire, (wire + 1) % 4])
        if operation is not MATRICES["state"]:
            operation(t)
        qml.CNOT([0, 1])
        qml.CRX(t, [3, 1])
        qml.RX(0.7, 1)
        qml.CNOT([1, 2])
        return measurement()

    return qml.set_shots(qml.QNode(function, qml.device(name, wires=5, seed=1)), shots)


def flat(found):
    """Results of rows as one array, shape (rows, numbers)."""
    return np.concatenate([np.reshape(part, (len(ROWS), -1)) for part in jax.tree.leaves(found)], axis=1)


def one_by_one(f):
    return np.stack([np.concatenate([np.ravel(part) for part in jax.tree.leaves(f(t))]) for t in ROWS])


def differences(f):
    def at(shift):
        return one_by_one(lambda t: f(t + shift))

    return (8 * (at(1e-3) - at(-1e-3)) - (at(2e-3) - at(-2e-3))) / 12e-3


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", OPERATIONS | MATRICES)
def test_values_of_every_operation(name):
    operation = (OPERATIONS | MATRICES)[name]
    expected = one_by_one(qnode("default.qubit", operation, MEASUREMENTS["values"]))
    assert np.allclose(flat(qnode("hybrid.statevector", operation, MEASUREMENTS["values"])(ROWS)), expected, atol=1e-9)


@pytest.mark.parametrize(
    "name", [name if name in QUICKLY else pytest.param(name, marks=pytest.mark.slow) for name in OPERATIONS]
)
def test_derivatives_of_every_operation(name):
    slopes = differences(qnode("default.qubit", OPERATIONS[name], MEASUREMENTS["values"]))
    assert np.max(np.abs(slopes)) > 0.05
    slope = slopes[:, 0]
    ours = qnode("hybrid.statevector", OPERATIONS[name], MEASUREMENTS["values"])
    total = qml.grad(lambda t: qml.math.sum(ours(t)[0]))(pnp.array(ROWS, requires_grad=True))
    assert np.allclose(total, slope, atol=1e-8)
    assert np.allclose(jax.jit(jax.jacobian(ours))(jax.numpy.asarray(ROWS))[0], np.diag(slope), atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("measured", MEASUREMENTS)
@pytest.mark.parametrize("name", QUICKLY)
def test_every_measurement_under_jax(name, measured):
    operation, measurement = OPERATIONS[name], MEASUREMENTS[measured]
    theirs, ours = (qnode(device, operation, measurement) for device in ("default.qubit", "hybrid.statevector"))
    expected, rows = one_by_one(theirs), jax.numpy.asarray(ROWS)
    for f in (jax.jit(ours), jax.vmap(ours), jax.jit(jax.vmap(ours))):
        assert np.allclose(flat(f(rows)), expected, atol=1e-9)
    slopes = differences(theirs)
    assert np.allclose(flat(jax.vmap(jax.jacobian(ours))(rows)), slopes, atol=1e-8)
    of_all = jax.tree.map(lambda part: np.stack([part[k, ..., k] for k in range(len(ROWS))]), jax.jacobian(ours)(rows))
    assert np.allclose(flat(of_all), slopes, atol=1e-8)


@pytest.mark.parametrize(
    "measurement",
    [
        lambda: qml.sample(wires=[0, 2]),
        lambda: qml.counts(qml.X(0)),
        lambda: (qml.expval(qml.X(0) + qml.Z(0)), qml.probs([0, 1])),
        lambda: qml.var(qml.X(0) + qml.Z(1)),
        lambda: qml.classical_shadow(wires=[0, 1]),
    ],
    ids=["samples", "counts", "value and probabilities", "variance of a sum", "shadow"],
)
@pytest.mark.parametrize("shots", [20, (20, 30)], ids=["shots", "parts"])
def test_rows_with_shots_have_the_shapes_of_single_rows(measurement, shots):
    single, rows = (
        qnode("hybrid.statevector", OPERATIONS["evolution undone"], measurement, shots)(t) for t in (ROWS[0], ROWS)
    )
    for one, several in zip(
        jax.tree.leaves(single, is_leaf=lambda part: isinstance(part, dict)),
        jax.tree.leaves(rows, is_leaf=lambda part: isinstance(part, list)),  # counts: a dict for each row
        strict=True,
    ):
        if isinstance(one, dict):
            assert [sum(counts.values()) for counts in several] == [sum(one.values())] * len(ROWS)
        else:
            assert np.shape(several) == (len(ROWS), *np.shape(one))


def test_rows_with_shots_estimate_what_is_exact():
    exact = one_by_one(qnode("default.qubit", OPERATIONS["controlled"], MEASUREMENTS["values"]))
    found = flat(qnode("hybrid.statevector", OPERATIONS["controlled"], MEASUREMENTS["values"], 20_000)(ROWS))
    assert np.allclose(found, exact, atol=0.08)  # six standard errors
