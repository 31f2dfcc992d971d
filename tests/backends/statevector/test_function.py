"""The expectation value as a pure function of JAX's."""

from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

import backends
from circuits import hardware_efficient, tfim
from circuits.errors import Refused


@contextmanager
def numbers(bits: int):
    """JAX's numbers in the whole process: XLA calls back from threads that do not see `jax.enable_x64`."""
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", bits == 64)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


def bent() -> tuple[QuantumCircuit, SparsePauliOp]:
    """Angles that are products and sines of the parameters."""
    a, b = Parameter("a"), Parameter("b")
    qc = QuantumCircuit(2)
    qc.h(0)
    qc.rx(a * b, 0)
    qc.ry(a.sin() + b * b, 1)
    qc.cx(0, 1)
    qc.rz(2 * a - 0.3, 1)
    qc.ry(b, 0)
    return qc, SparsePauliOp(["ZI", "XX", "IY"], [0.7, -0.4, 0.5])


def layered() -> tuple[QuantumCircuit, SparsePauliOp]:
    return hardware_efficient(3, layers=1), tfim(3).hamiltonian


def point(circuit: QuantumCircuit) -> np.ndarray:
    return np.random.default_rng(5).uniform(-1.0, 1.0, circuit.num_parameters)


def differences(f, x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


@pytest.mark.parametrize("make", [layered, bent])
@pytest.mark.parametrize("executor", ["auto", "xla"])
def test_values_and_gradients_are_the_engines(make, executor):
    circuit, observable = make()
    engine, theta = backends.get("statevector", executor=executor), point(circuit)
    value, gradient = engine.value_and_grad(circuit, observable)(theta)
    with numbers(64):
        f = engine.function(circuit, observable)
        assert abs(f(theta) - value) < 1e-12
        np.testing.assert_allclose(jax.jit(jax.grad(f))(theta), gradient, atol=1e-12)
        rows = jax.vmap(jax.value_and_grad(f))(np.stack([theta, -theta]))
        np.testing.assert_allclose(rows[0][0], value, atol=1e-12)
        np.testing.assert_allclose(rows[1][0], gradient, atol=1e-12)
        np.testing.assert_allclose(gradient, differences(lambda x: float(f(x)), theta), atol=1e-8)
        assert np.abs(gradient).max() > 0.1  # the case is not trivial


@pytest.mark.parametrize("make", [layered, bent])
def test_second_derivatives_are_differences_of_the_first(make):
    circuit, observable = make()
    theta = point(circuit)
    with numbers(64):
        f = backends.get("statevector").function(circuit, observable)
        gradient = jax.jit(jax.grad(f))
        expected = differences(lambda x: np.asarray(gradient(x)), theta)
        np.testing.assert_allclose(jax.jit(jax.hessian(f))(theta), expected, atol=1e-8)
        along = jax.jvp(gradient, (theta,), (np.ones_like(theta),))[1]
        np.testing.assert_allclose(along, expected.sum(axis=1), atol=1e-8)
        backwards = jax.grad(lambda x: gradient(x).sum())(theta)
        np.testing.assert_allclose(backwards, expected.sum(axis=1), atol=1e-8)
        np.testing.assert_allclose(jax.jacfwd(f)(theta), gradient(theta), atol=1e-12)


@pytest.mark.parametrize("executor", ["auto", "xla"])
def test_several_observables_have_values_from_one_evolution(executor):
    circuit, first = layered()
    engine, theta = backends.get("statevector", executor=executor), point(circuit)
    observables = [first, SparsePauliOp(["ZIX", "IYY"], [0.3, -0.8])]
    values, slopes = engine.values_and_jacobian(circuit, observables)(theta)
    with numbers(64):
        f = engine.function(circuit, observables)
        np.testing.assert_allclose(f(theta), values[0], atol=1e-12)
        np.testing.assert_allclose(jax.jit(jax.jacobian(f))(theta), slopes[0], atol=1e-12)
        np.testing.assert_allclose(jax.vmap(f)(np.stack([theta, theta])), [values[0]] * 2, atol=1e-12)
        found = jax.hessian(f)(theta)
        assert found.shape == (2, len(theta), len(theta))
        expected = differences(lambda x: np.asarray(jax.jacobian(f)(x)[1]), theta)
        np.testing.assert_allclose(found[1], expected, atol=1e-8)
        assert engine.function(circuit, [first])(theta).shape == (1,)


def test_an_optax_loop_in_one_scan_ends_at_the_minimum():
    problem = tfim(2)
    circuit = hardware_efficient(2, layers=2)
    with numbers(64):
        f, adam = backends.get("statevector").function(circuit, problem), optax.adam(0.1)

        def step(carry, _):
            theta, state = carry
            energy, gradient = jax.value_and_grad(f)(theta)
            change, state = adam.update(gradient, state)
            return (theta + change, state), energy

        theta = jnp.asarray(point(circuit))
        run = jax.jit(lambda theta: jax.lax.scan(step, (theta, adam.init(theta)), length=300))
        (theta, _), energies = run(theta)
    assert energies[0] - problem.exact_energy() > 0.1
    assert abs(float(f(theta)) - problem.exact_energy()) < 1e-5


def test_numbers_have_the_callers_type():
    circuit, observable = layered()
    engine, theta = backends.get("statevector"), point(circuit)
    value, gradient = engine.value_and_grad(circuit, observable)(theta)
    f = engine.function(circuit, observable)
    for x64, kind, atol in ((False, np.float32, 1e-5), (True, np.float64, 1e-12)):
        with numbers(64 if x64 else 32):
            found, slopes = jax.value_and_grad(f)(jnp.asarray(theta))
            assert found.dtype == slopes.dtype == kind
            np.testing.assert_allclose(found, value, atol=atol)
            np.testing.assert_allclose(slopes, gradient, atol=atol)
            assert jax.hessian(f)(jnp.asarray(theta)).dtype == kind
            assert jnp.issubdtype(f(np.zeros(len(theta), dtype=int)).dtype, jnp.floating)


@pytest.mark.slow
def test_wide_circuits_in_parts_have_values_and_gradients():
    n = 33
    circuit, observable = hardware_efficient(n, layers=1), tfim(n).hamiltonian
    engine, theta = backends.get("statevector"), point(circuit)
    if engine.capabilities().max_qubits is not None:
        pytest.skip("parts need the native kernels")
    value, gradient = engine.value_and_grad(circuit, observable)(theta)
    with numbers(64):
        f = engine.function(circuit, observable)
        found, slopes = jax.jit(jax.vmap(jax.value_and_grad(f)))(theta[None])
        np.testing.assert_allclose(found[0], value, atol=1e-10)
        np.testing.assert_allclose(slopes[0], gradient, atol=1e-10)
        with pytest.raises(Refused, match="second derivatives of at most 31"):
            jax.hessian(f)(theta)


def test_rows_without_vmap_are_refused():
    circuit, observable = layered()
    f = backends.get("statevector").function(circuit, observable)
    with pytest.raises(Refused, match=r"shape \(6,\), not \(2, 6\); for rows of parameters take jax.vmap"):
        f(np.zeros((2, 6)))
    with pytest.raises(Refused, match=r"shape \(6,\), not \(5,\)"):
        jax.jit(f)(np.zeros(5))


def test_complex_parameters_are_refused():
    circuit, observable = layered()
    f = backends.get("statevector").function(circuit, observable)
    with pytest.raises(Refused, match="theta must be real numbers, radians, not complex"):
        f(np.ones(6, dtype=complex))


@pytest.mark.slow
def test_transformations_compose_in_any_order():
    circuit, observable = layered()
    engine, theta = backends.get("statevector"), point(circuit)
    gradient = engine.value_and_grad(circuit, observable)(theta)[1]
    with numbers(64):
        f = engine.function(circuit, observable)
        hessian = differences(jax.grad(f), theta)
        direction = np.linspace(-1, 1, len(theta))
        for second in (
            jax.hessian(jax.jit(f))(theta),
            jax.jit(jax.jacrev(jax.jacrev(f)))(theta),
            jax.hessian(jax.checkpoint(f))(theta),
        ):
            np.testing.assert_allclose(second, hessian, atol=1e-7)
        pushed = jax.jvp(jax.grad(f), (theta,), (direction,))[1]
        pulled = jax.grad(lambda x: jax.jvp(f, (x,), (direction,))[1])(theta)
        np.testing.assert_allclose(pushed, hessian @ direction, atol=1e-7)
        np.testing.assert_allclose(pulled, hessian @ direction, atol=1e-7)
        mesh = jax.sharding.Mesh(jax.devices()[:1], ("rows",))
        split = jax.sharding.PartitionSpec("rows")
        slopes = jax.vmap(jax.grad(f))
        shared = jax.jit(jax.shard_map(slopes, mesh=mesh, in_specs=split, out_specs=split, check_vma=False))
        np.testing.assert_allclose(shared(theta[None])[0], gradient, atol=1e-10)
        np.testing.assert_allclose(jax.pmap(jax.grad(f))(theta[None])[0], gradient, atol=1e-10)
