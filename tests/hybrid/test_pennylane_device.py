"""QNodes on the toolkit's devices against PennyLane's default.qubit."""

import jax
import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp

DEVICES = ("hybrid.statevector", "hybrid.auto")


def layered(device, n=4):
    """A QNode with two expectation values."""

    @qml.qnode(device)
    def circuit(x, y):
        qml.StronglyEntanglingLayers(x, wires=range(n))
        qml.DoubleExcitation(2 * y, wires=range(n))
        qml.ctrl(qml.RX, control=2)(y, wires=0)
        return qml.expval(qml.X(0) @ qml.Z(3) + 0.3 * qml.Y(2) + 0.1), qml.expval(qml.Z(1))

    return circuit


@pytest.fixture
def x():
    return np.random.default_rng(0).uniform(0, 6, (2, 4, 3))


@pytest.fixture(params=DEVICES)
def both(request):
    return [layered(qml.device(name, wires=4)) for name in (request.param, "default.qubit")]


def test_values_agree(both, x):
    ours, theirs = (np.array(qnode(x, 0.4)) for qnode in both)
    assert np.allclose(ours, theirs, atol=1e-12)


def test_jacobians_of_autograd_agree(both, x):
    x, y = pnp.array(x, requires_grad=True), pnp.array(0.4, requires_grad=True)
    ours, theirs = (qml.jacobian(lambda x, y, q=qnode: qml.math.stack(q(x, y)))(x, y) for qnode in both)
    for one, other in zip(ours, theirs, strict=True):
        assert np.allclose(one, other, atol=1e-10)


@pytest.mark.parametrize("name", DEVICES)
def test_jax_compiles_maps_and_differentiates(name, x):
    ours, theirs = (layered(qml.device(one, wires=4)) for one in (name, "default.qubit"))
    many = np.stack([x, x + 0.1])
    expected = [
        qml.jacobian(lambda x: qml.math.stack(theirs(x, 0.4)))(pnp.array(one, requires_grad=True)) for one in many
    ]
    slope = jax.grad(lambda x, y: ours(x, y)[0])
    assert np.allclose(jax.jit(jax.jacobian(ours))(many[0], 0.4), expected[0], atol=1e-5)  # in single precision
    assert np.allclose(jax.vmap(slope, in_axes=(0, None))(many, 0.4), [one[0] for one in expected], atol=1e-5)


def test_rows_of_angles_are_broadcast(both):
    @qml.qnode(qml.device("hybrid.statevector", wires=1))
    def circuit(t):
        qml.RX(t, 0)
        return qml.expval(qml.Z(0))

    angles = np.linspace(0, 3, 7)
    assert np.allclose(circuit(angles), np.cos(angles), atol=1e-12)


@pytest.mark.parametrize("name", DEVICES)
def test_states_have_pennylanes_phase_and_order_of_wires(name):
    def circuit():
        qml.StatePrep(np.array([0.6, 0.0, 0.0, 0.8j]), wires=["a", "c"])
        qml.PhaseShift(0.3, "c")
        qml.Hadamard("b")
        qml.S("a")
        return qml.state(), qml.probs(wires=["c", "a"]), qml.var(qml.X("b") @ qml.Z("c")), qml.purity(["a"])

    ours, theirs = (qml.QNode(circuit, qml.device(one, wires=["a", "b", "c"]))() for one in (name, "default.qubit"))
    for one, other in zip(ours, theirs, strict=True):
        assert np.allclose(one, other, atol=1e-10)


@pytest.mark.parametrize("name", DEVICES)
def test_shots_estimate_what_is_exact(name):
    @qml.set_shots(40_000)
    @qml.qnode(qml.device(name, wires=3, seed=5))
    def circuit(t):
        qml.RX(t, 0)
        qml.CNOT([0, 2])
        qml.Hadamard(1)
        hermitian = qml.Hermitian(np.array([[1.0, 2.0], [2.0, -1.0]]), wires=1)
        return (
            qml.expval(qml.Z(0)),
            qml.expval(qml.X(1)),
            qml.expval(hermitian),
            qml.probs([0, 2]),
            qml.counts(wires=[0, 2]),
        )

    z, x, hermitian, p, counts = circuit(0.9)
    assert z == pytest.approx(np.cos(0.9), abs=0.02)
    assert x == 1.0
    assert hermitian == pytest.approx(2.0, abs=0.05)
    assert np.allclose(p, [np.cos(0.45) ** 2, 0, 0, np.sin(0.45) ** 2], atol=0.02)
    assert sum(counts.values()) == 40_000


def test_the_same_seed_draws_the_same():
    def drawn():
        device = qml.device("hybrid.statevector", wires=2, seed=7)
        qnode = qml.QNode(lambda: (qml.Hadamard(0), qml.Hadamard(1), qml.sample())[2], device)
        return qml.set_shots(50)(qnode)()

    assert np.array_equal(drawn(), drawn())


def test_an_optimizer_of_pennylanes_reaches_the_minimum():
    device = qml.device("hybrid.statevector", wires=2)

    @qml.qnode(device)
    def energy(t):
        qml.RY(t[0], 0)
        qml.CNOT([0, 1])
        return qml.expval(qml.Z(0) @ qml.Z(1) + 0.5 * qml.X(0) @ qml.X(1) + qml.Z(0))

    t, optimizer = pnp.array([0.3], requires_grad=True), qml.GradientDescentOptimizer(0.4)
    for _ in range(60):
        t = optimizer.step(energy, t)
    assert float(energy(t)) == pytest.approx(1 - np.sqrt(1 + 0.25), abs=1e-6)


def test_measurements_on_the_way_are_moved_to_the_end():
    @qml.qnode(qml.device("hybrid.statevector"))
    def circuit(t):
        qml.RX(t, 0)
        outcome = qml.measure(0)
        qml.cond(outcome, qml.X)(1)
        return qml.expval(qml.Z(1))

    assert float(circuit(0.7)) == pytest.approx(np.cos(0.7), abs=1e-12)


def test_circuits_that_differ_beside_their_angles_are_not_taken_for_one_another():
    device, reference = (qml.device(name, wires=5) for name in ("hybrid.statevector", "default.qubit"))

    def controlled(values):
        qml.X(1)
        qml.MultiControlledX(wires=[0, 1, 2], control_values=values)
        return qml.expval(qml.Z(2))

    def evolved(energies):
        for wire in range(5):
            qml.Hadamard(wire)
        qml.evolve(qml.Hermitian(np.diag(energies), wires=range(5)), 0.7)
        return qml.expval(qml.X(0))

    middle = np.where((np.arange(32) >= 10) & (np.arange(32) < 20), 1.3, 0.0)  # which the matrix's text leaves out
    for circuit, arguments in ((controlled, ([1, 1], [0, 1])), (evolved, (np.zeros(32), middle))):
        ours, theirs = ([float(qml.QNode(circuit, one)(x)) for x in arguments] for one in (device, reference))
        assert np.allclose(ours, theirs, atol=1e-10)
        assert abs(ours[0] - ours[1]) > 0.1


def test_noise_is_refused_by_name():
    @qml.qnode(qml.device("hybrid.statevector", wires=1))
    def circuit():
        qml.DepolarizingChannel(0.1, 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(qml.exceptions.DeviceError, match="DepolarizingChannel"):
        circuit()
