"""Random circuits of all operations with angles: values and derivatives against default.qubit."""

import jax
import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp

N = 4

TURNS = (
    qml.RX, qml.RY, qml.RZ, qml.Rot, qml.PhaseShift, qml.U1, qml.U2, qml.U3, qml.CRX, qml.CRY, qml.CRZ, qml.CRot,
    qml.ControlledPhaseShift, qml.IsingXX, qml.IsingYY, qml.IsingZZ, qml.IsingXY, qml.SingleExcitation,
    qml.SingleExcitationPlus, qml.SingleExcitationMinus, qml.DoubleExcitation, qml.DoubleExcitationPlus,
    qml.OrbitalRotation, qml.FermionicSWAP, qml.PSWAP, qml.CPhaseShift00, qml.CPhaseShift01, qml.CPhaseShift10,
)  # fmt: skip
FIXED = (qml.CNOT, qml.CZ, qml.CH, qml.SWAP, qml.ISWAP, qml.ECR, qml.Toffoli, qml.SX, qml.T)


def circuit(seed):
    """A random circuit as a function of four numbers, each of which turns several gates."""

    def apply(x):
        rng = np.random.default_rng(seed)

        def angles(count):
            return [x[rng.integers(len(x))] * rng.choice([-1, 0.5, 2]) + rng.uniform() for _ in range(count)]

        def wires(count):
            return [int(wire) for wire in rng.permutation(N)[:count]]

        for wire in range(N):
            qml.RY(x[wire] + 0.3, wire)
        for number in rng.permutation(len(TURNS))[:7]:
            kind = TURNS[number]
            kind(*angles(kind.num_params), wires=wires(kind.num_wires or 1))
            plain = FIXED[rng.integers(len(FIXED))]
            plain(wires=wires(plain.num_wires))
        qml.MultiRZ(*angles(1), wires=wires(3))
        qml.PauliRot(*angles(1), "XYZ", wires=wires(3))
        qml.ctrl(qml.RY(*angles(1), wires=0), control=[1, 2], control_values=[0, 1])
        qml.adjoint(qml.Rot(*angles(3), wires=2))

    return apply


def observables():
    return value(), qml.expval(qml.Z(2))


def value():
    return qml.expval(qml.X(0) @ qml.Z(1) - 0.4 * qml.Y(2) @ qml.X(3) + 0.3)


def small(x):
    """Few gates, for what takes many evaluations."""
    qml.RY(x[0], 0)
    qml.CRX(x[1], wires=[0, 1])
    qml.IsingXY(x[0] + x[1], wires=[1, 2])
    qml.CNOT([1, 3])


def qnode(name, apply, measure, **options):
    def function(x):
        apply(x)
        return measure()

    return qml.QNode(function, qml.device(name, wires=N), **options)


@pytest.fixture
def x():
    return np.random.default_rng(1).uniform(-2, 2, N)


def slopes(f, x):
    return np.array(qml.jacobian(lambda y: qml.math.hstack(f(y)))(pnp.array(x, requires_grad=True)))


@pytest.mark.parametrize(
    ("method", "seed"),
    [("best", 0), ("best", 1), ("adjoint", 2), ("device", 3), ("parameter-shift", 4), ("finite-diff", 5)],
)
def test_derivatives_of_values(method, seed, x):
    found = slopes(qnode("hybrid.statevector", circuit(seed), observables, diff_method=method), x)
    expected = slopes(qnode("default.qubit", circuit(seed), observables, diff_method="backprop"), x)
    assert np.max(np.abs(expected)) > 0.05
    assert np.allclose(found, expected, atol=1e-5 if method == "finite-diff" else 1e-9)


def test_torch(x):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    found = []
    for name in ("hybrid.statevector", "default.qubit"):
        f = qnode(name, circuit(0), value)
        found.append(torch.autograd.functional.jacobian(f, torch.tensor(x)).numpy())
    assert np.allclose(*found, atol=1e-9)


def one_by_one(apply, measure, rows):
    """Values and slopes of default.qubit, row by row by Autograd: evaluated by JAX without `jit` it takes a minute."""
    f = qnode("default.qubit", apply, measure, diff_method="backprop")
    rows = pnp.array(rows, requires_grad=True)
    return np.array([f(row) for row in rows]), np.array([qml.jacobian(f)(row) for row in rows])


def test_jax_compiles_and_maps(x):
    rows = np.stack([x, x + 0.2, x - 0.1])
    expected, slope = one_by_one(circuit(1), value, rows)
    assert np.max(np.abs(slope)) > 0.05
    f, rows = qnode("hybrid.statevector", circuit(1), value), jax.numpy.asarray(rows)
    close = {"atol": 1e-4}  # JAX works in single precision here
    assert np.allclose(jax.jit(jax.grad(f))(rows[0]), slope[0], **close)
    assert np.allclose(jax.vmap(jax.grad(f))(rows), slope, **close)
    assert np.allclose(jax.jit(jax.vmap(f))(rows), expected, **close)
    assert np.allclose(f(rows.T), expected, **close)
    assert np.allclose(jax.jacobian(f)(rows.T), np.einsum("rk,rs->rks", slope, np.eye(3)), **close)


def test_derivatives_of_rows_of_angles(x):
    def double(y):
        qml.RY(y[0], 0)
        qml.DoubleExcitationPlus(y[0], wires=range(N))

    def z():
        return qml.expval(qml.Z(0))

    _, slope = one_by_one(double, z, x[:2, None])
    assert np.max(np.abs(slope)) > 0.05
    found = jax.jacobian(qnode("hybrid.statevector", double, z))(jax.numpy.asarray(x[None, :2]))
    assert np.allclose(found[:, 0], np.diag(slope[:, 0]), atol=1e-4)  # JAX works in single precision here


EXACT = {
    "variance of a sum": lambda: qml.var(qml.X(0) + qml.Z(1)),
    "variance": lambda: qml.var(qml.X(0) @ qml.Z(1)),
    "matrix": lambda: qml.expval(qml.Hermitian(np.array([[1.0, 0.5j], [-0.5j, -2.0]]), 2)),
    "projector": lambda: qml.expval(qml.Projector([1, 0], [0, 3])),
    "probabilities": lambda: qml.probs(wires=[2, 0]),
    "probabilities of an observable": lambda: qml.probs(op=qml.X(0) @ qml.Y(1)),
    "purity": lambda: qml.purity(wires=[0, 1]),
    "entropy": lambda: qml.vn_entropy(wires=[0, 2]),
    "mutual information": lambda: qml.mutual_info([0], [1, 3]),
    "density matrix": lambda: qml.density_matrix([1]),
    "state": lambda: qml.state(),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_measurements_and_their_derivatives(name, x):
    found = []
    for device in ("hybrid.statevector", "default.qubit"):
        f = qnode(device, small, EXACT[name])
        real = (lambda y, f=f: qml.math.abs(f(y)) ** 2) if name in ("state", "density matrix") else f
        found.append((np.array(f(x[:2])), np.array(qml.jacobian(real)(pnp.array(x[:2], requires_grad=True)))))
    for one, other in zip(*found, strict=True):
        assert one.shape == other.shape
        assert np.allclose(one, other, atol=1e-8)


COUNTED = {
    "counts": lambda: qml.counts(wires=[0]),
    "samples": lambda: qml.sample(),
    "samples of an observable": lambda: qml.sample(qml.X(0)),
    "sums": lambda: qml.expval(qml.X(0) + qml.Z(1) @ qml.Y(0)),
    "matrix": lambda: qml.expval(qml.Hermitian(np.diag([1.0, 2.0]), 2)),
    "variance": lambda: qml.var(qml.X(0)),
    "probabilities": lambda: qml.probs(wires=[3, 0]),
}


@pytest.mark.parametrize("name", COUNTED)
def test_shots_give_the_same_shapes(name, x):
    found = []
    for device in ("hybrid.statevector", "default.qubit"):
        f = qml.set_shots(qnode(device, circuit(3), COUNTED[name]), (10, 20))
        found.append(jax.tree_util.tree_map(np.shape, f(x), is_leaf=lambda value: isinstance(value, dict)))
    assert found[0] == found[1]


def test_second_derivatives_are_not_lost(x):
    def product():
        return qml.expval(qml.Z(1) @ qml.X(2))

    f = qnode("default.qubit", small, product, diff_method="backprop")
    expected = qml.jacobian(qml.grad(f))(pnp.array(x[:2], requires_grad=True))
    assert np.max(np.abs(expected)) > 0.05
    found = jax.hessian(qnode("hybrid.statevector", small, product))(x[:2])
    assert np.allclose(found, expected, atol=1e-4)  # JAX works in single precision here


def test_second_derivatives_by_the_adjoint_method_are_refused(x):
    f = qnode("hybrid.statevector", small, value, diff_method="adjoint")
    with pytest.raises(qml.exceptions.QuantumFunctionError, match="adjoint"):
        jax.hessian(f)(x[:2])


def test_second_derivatives_of_sums_and_of_compiled_functions(x):
    def value():
        return qml.expval(qml.Z(1) @ qml.X(2) + 0.5 * qml.Y(1))

    f = qnode("default.qubit", small, value, diff_method="backprop")
    expected = qml.jacobian(qml.grad(f))(pnp.array(x[:2], requires_grad=True))
    assert np.allclose(jax.hessian(qnode("hybrid.statevector", small, value))(x[:2]), expected, atol=1e-4)
    compiled = jax.jit(qnode("hybrid.statevector", small, value, max_diff=2))
    assert np.allclose(jax.hessian(compiled)(x[:2]), expected, atol=1e-4)  # JAX works in single precision here


def test_angles_of_32_bits_where_jax_has_64(x):
    f = qnode("default.qubit", small, value, diff_method="backprop")
    expected = qml.grad(f)(pnp.array(x[:2], requires_grad=True))
    with jax.enable_x64(True):
        found = jax.grad(qnode("hybrid.statevector", small, value))(jax.numpy.asarray(x[:2], dtype="float32"))
    assert found.dtype == "float32"
    assert np.allclose(found, expected, atol=1e-5)
