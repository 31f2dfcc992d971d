"""JAX through the devices: exact expectation values are its own functions, with default.qubit's answers."""

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp

import hybrid.pennylane.device
from hybrid.pennylane.rows import WRITTEN_OUT

DEVICES = ("hybrid.statevector", "hybrid.auto")
WIRES = ("a", 7, "c")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def small(x):
    """Two expectation values of few gates, on wires of any names."""
    qml.RY(x[0], "a")
    qml.CRX(2 * x[1], wires=["a", 7])
    qml.IsingXY(x[0] + x[1], wires=[7, "c"])
    qml.CNOT(["a", "c"])
    return qml.expval(qml.Z("c") @ qml.X(7) - 0.3 * qml.Y(7)), qml.expval(qml.Z("a"))


def on(name, function, wires=WIRES, **options):
    return qml.QNode(function, qml.device(name, wires=wires), **options)


def traced(f, *args):
    return str(jax.make_jaxpr(f)(*args))


def n_equations(f, *args):
    return traced(f, *args).count(" = ")


def expected_at(x):
    """Values and derivatives of `small` by default.qubit and Autograd."""

    def stacked(x):
        return qml.math.stack(on("default.qubit", small)(x))

    x = pnp.array(x, requires_grad=True)
    return stacked(x), qml.jacobian(stacked)(x), qml.jacobian(qml.jacobian(stacked))(x)


def agree(found, expected):
    assert isinstance(found, tuple)
    for one, other in zip(found, expected, strict=True):
        assert isinstance(one, jax.Array)
        assert one.dtype == "float64"
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("name", DEVICES)
def test_values_and_derivatives_compiled_and_mapped(name):
    ours, x = on(name, small), np.array([1.1, -0.9])
    values, slopes, _ = expected_at(x)
    assert np.min(np.max(np.abs(slopes), axis=1)) > 0.1  # the case is not trivial
    agree(ours(jnp.asarray(x)), values)
    agree(jax.jit(ours)(jnp.asarray(x)), values)
    agree(jax.jacobian(ours)(jnp.asarray(x)), slopes)
    mapped = jax.jit(jax.vmap(jax.jacobian(ours)))(jnp.stack([x, x + 0.3]))
    agree(tuple(one[0] for one in mapped), slopes)
    agree(tuple(one[1] for one in mapped), expected_at(x + 0.3)[1])


def test_second_derivatives():
    x = np.array([1.1, -0.9])
    found = jax.jit(jax.hessian(on("hybrid.statevector", small)))(jnp.asarray(x))
    agree(found, expected_at(x)[2])
    assert np.max(np.abs(found[0])) > 0.1


@pytest.mark.parametrize("name", DEVICES)
def test_nothing_calls_back(name):
    x = jnp.array([0.7, -0.4])
    for f in (on(name, small), jax.jacobian(on(name, small))):
        assert "callback" not in traced(f, x)
    probabilities = on(name, lambda x: (qml.RX(x[0], "a"), qml.probs())[1])
    assert "callback" in traced(jax.jit(probabilities), x)


def test_a_backend_by_name_that_is_not_the_engine_is_called_back():
    qnode = qml.QNode(small, qml.device("hybrid.auto", wires=WIRES, backend="lightning"))
    x = jnp.array([0.7, -0.4])
    assert "callback" in traced(jax.jit(qnode), x)
    np.testing.assert_allclose(jax.jit(qnode)(x), on("default.qubit", small)(x), atol=1e-12)


def test_numbers_of_32_bits_have_results_of_32_bits():
    x = np.array([0.7, -0.4], dtype="float32")
    expected = expected_at(x.astype(float))[1]
    with jax.enable_x64(False):
        values = jax.jit(on("hybrid.statevector", small))(jnp.asarray(x))
        slopes = jax.jit(jax.jacobian(on("hybrid.statevector", small)))(jnp.asarray(x))
    assert {one.dtype.name for one in (*values, *slopes)} == {"float32"}
    np.testing.assert_allclose(slopes, expected, atol=1e-5)


def classifier(weights, features):
    qml.AngleEmbedding(features, wires=range(3))
    qml.StronglyEntanglingLayers(weights, wires=range(3))
    qml.adjoint(qml.AngleEmbedding)(2 * features, wires=range(3), rotation="Y")
    return qml.expval(qml.Z(0)), qml.expval(qml.X(1) @ qml.Y(2))


@pytest.mark.parametrize("n_rows", [1, 5])
@pytest.mark.parametrize("name", DEVICES)
def test_rows_of_angles_are_one_circuit(name, n_rows):
    rng = np.random.default_rng(n_rows)
    weights, features = jnp.asarray(rng.uniform(0, 2, (2, 3, 3))), jnp.asarray(rng.uniform(0, 2, (n_rows, 3)))
    ours, theirs = (on(one, classifier, wires=3) for one in (name, "default.qubit"))
    values = jax.jit(ours)(weights, features)
    slopes = jax.jit(jax.jacobian(ours))(weights, features)
    of_autograd = qml.jacobian(lambda w, x: qml.math.stack(theirs(w, x)))
    for row in range(n_rows):
        x = np.asarray(features[row])
        np.testing.assert_allclose([one[row] for one in values], theirs(np.asarray(weights), x), atol=1e-12)
        expected = of_autograd(pnp.array(weights, requires_grad=True), pnp.array(x, requires_grad=False))
        np.testing.assert_allclose([one[row] for one in slopes], expected, atol=1e-12)
    assert n_equations(ours, weights, features) == n_equations(ours, weights, jnp.concatenate([features] * 4))


TWO = np.array([0.3, 1.9])
ROWS = {
    qml.AngleEmbedding: lambda t: qml.AngleEmbedding(qml.math.stack([t, 2 * t], axis=-1), range(2), rotation="Z"),
    qml.IQPEmbedding: lambda t: qml.IQPEmbedding(qml.math.stack([t, 2 * t, 1 + t], axis=-1), range(3), n_repeats=2),
    qml.QAOAEmbedding: lambda t: qml.QAOAEmbedding(
        qml.math.stack([t, 2 * t], axis=-1), np.linspace(0, 1, 6).reshape(2, 3), range(2)
    ),
    qml.BasicEntanglerLayers: lambda t: qml.BasicEntanglerLayers(
        qml.math.stack([t, 2 * t, 1 + t], axis=-1)[..., None, :], range(3)
    ),
    qml.StronglyEntanglingLayers: lambda t: qml.StronglyEntanglingLayers(
        qml.math.stack([t, 2 * t, 1 + t], axis=-1)[..., None, None, :] + np.arange(3)[:, None], range(3)
    ),
    qml.CRot: lambda t: qml.CRot(t, 0.3, 2 * t, [0, 2]),
    qml.CPhaseShift00: lambda t: qml.CPhaseShift00(t, [0, 2]),
    qml.CPhaseShift01: lambda t: qml.CPhaseShift01(t, [0, 2]),
    qml.CPhaseShift10: lambda t: qml.CPhaseShift10(t, [0, 2]),
    qml.PSWAP: lambda t: qml.PSWAP(t, [0, 2]),
    qml.OrbitalRotation: lambda t: qml.OrbitalRotation(t, range(4)),
}


@pytest.mark.parametrize("kind", WRITTEN_OUT, ids=lambda kind: kind.__name__)
def test_operations_that_are_written_out_keep_their_rows(kind):
    def circuit(t):
        for wire in range(4):
            qml.RY(0.9 + 0.2 * wire, wire)
        ROWS[kind](t)
        qml.RX(0.4, 0)
        qml.RX(t, 2)
        return qml.expval(qml.X(0) @ qml.Y(2) + qml.Z(2) @ qml.X(1) + qml.Y(0))

    ours, theirs = (on(one, circuit, wires=4) for one in ("hybrid.statevector", "default.qubit"))
    expected = [float(theirs(t)) for t in TWO]
    assert abs(expected[0] - expected[1]) > 0.01
    assert n_equations(ours, jnp.asarray(TWO)) == n_equations(ours, jnp.arange(5.0))
    np.testing.assert_allclose(ours(jnp.asarray(TWO)), expected, atol=1e-12)
    np.testing.assert_allclose(ours(TWO), expected, atol=1e-12)  # without an interface


def weighted(c, t):
    qml.RX(t, 0)
    qml.CNOT([0, 1])
    qml.RY(0.4, 1)
    z, x, y = (qml.s_prod(c[k], one) for k, one in enumerate((qml.Z(0), qml.X(1), qml.Y(1))))
    nested = 2.0 * z @ (x + qml.Z(1)) + y
    return qml.expval(qml.Hamiltonian(c, [qml.Z(0), qml.X(1), qml.Z(0) @ qml.Z(1)])), qml.expval(nested)


def test_numbers_in_observables_are_differentiated():
    c, t = pnp.array([0.1, -0.2, 0.3]), pnp.array(0.4)
    ours, theirs = (on(one, weighted, wires=2) for one in ("hybrid.statevector", "default.qubit"))
    found, expected = (qml.jacobian(lambda c, t, f=f: qml.math.stack(f(c, t)))(c, t) for f in (ours, theirs))
    assert np.min(np.max(np.abs(expected[0]), axis=1)) > 0.1
    of_jax = jax.jit(jax.jacobian(ours, argnums=(0, 1)))(jnp.asarray(c), jnp.asarray(t))
    for k in range(2):
        np.testing.assert_allclose(found[k], expected[k], atol=1e-12)
        np.testing.assert_allclose([both[k] for both in of_jax], expected[k], atol=1e-12)


def test_numbers_of_autograds_in_a_hamiltonian_from_elsewhere():
    h = qml.Hamiltonian(pnp.array([0.1, -0.2]), [qml.Z(0), qml.Y(0)])  # trainable, as PennyLane sees it
    qnode = on("hybrid.statevector", lambda t: (qml.RX(t, 0), qml.expval(h))[1], wires=1)
    assert float(qml.grad(qnode)(pnp.array(0.4))) == pytest.approx(-0.1 * np.sin(0.4) + 0.2 * np.cos(0.4), abs=1e-12)


def test_a_phase_that_is_not_known_yet():
    def circuit(t):
        qml.RY(0.8, 0)
        qml.FermionicSWAP(t, [0, 1])  # which ends with exp(I t/2)
        return qml.expval(qml.X(0) @ qml.Y(1) + qml.Z(0))

    ours, theirs = (on(one, circuit, wires=2) for one in ("hybrid.statevector", "default.qubit"))
    assert float(jax.jit(ours)(jnp.array(0.3))) == pytest.approx(float(theirs(0.3)), abs=1e-12)


def test_circuits_without_parameters():
    qnode = on("hybrid.statevector", lambda: (qml.X(0), qml.expval(qml.Z(0)))[1], wires=1, interface="jax")
    for f in (qnode, jax.jit(qnode)):
        assert isinstance(f(), jax.Array)
        assert float(f()) == -1.0


def test_a_compiled_step_outlives_the_circuits_that_are_kept(monkeypatch):
    monkeypatch.setattr(hybrid.pennylane.device, "MOST_PREPARED", 1)
    device = qml.device("hybrid.statevector", wires=1)
    step = jax.jit(qml.QNode(lambda t: (qml.RX(t, 0), qml.expval(qml.Z(0)))[1], device)).lower(jnp.array(0.4)).compile()
    qml.QNode(lambda t: (qml.RY(t, 0), qml.expval(qml.X(0)))[1], device)(jnp.array(0.4))
    assert float(step(jnp.array(0.4))) == pytest.approx(np.cos(0.4), abs=1e-12)


def test_other_measurements_in_the_same_batch_are_refused_by_name():
    tapes = [qml.tape.QuantumScript([qml.RX(jnp.array(0.3), 0)], [m]) for m in (qml.expval(qml.Z(0)), qml.probs(0))]
    with pytest.raises(qml.exceptions.DeviceError, match="parameter-shift"):
        qml.execute(tapes, qml.device("hybrid.statevector", wires=1), diff_method="best", interface="jax")


def test_backprop_of_every_circuit_is_not_promised():
    with pytest.raises(qml.exceptions.QuantumFunctionError, match="backprop"):
        on("hybrid.statevector", small, diff_method="backprop")
