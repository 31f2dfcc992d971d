"""Values under a device's noise as functions of JAX's, of the angles and of every noise parameter."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.checks import ObservableLike, as_observables, check_unitary
from backends.density.program import Program, prepared
from backends.devices import channels
from backends.devices.device import PARAMETERS, Device
from backends.instructions import terms
from backends.measurement.targets import OptimizationLevel
from backends.statevector.function import angle_function
from circuits.errors import Refused, unknown

Noise = Mapping[str, Any]
"""Noise parameters of a device by name: a number for all places, or one for each qubit or edge."""


def noisy_value(
    circuit: QuantumCircuit, observable: ObservableLike, device: Device, *, optimization_level: OptimizationLevel = 0
) -> Callable[..., jax.Array]:
    """The value that infinitely many shots on a device would give, as a function of angles and noise.

    The circuit is brought to the device as Qiskit's transpiler does; noise stands behind each of its gates, also behind
    those that change the basis of a measurement.

    Args:
        circuit: With or without parameters, without measurements.
        observable: Operator on the circuit's qubits, or a sequence of them.
        device: The device.
        optimization_level: For the transpilation, as for the backend "aer".

    Returns:
        ``f(theta, noise={})``: theta of shape (params,) in radians, in ``circuit.parameters`` order; noise with any of
        the names ``device.parameters()``, each a number or an array for each qubit or edge of the device, in SI units;
        names that are left out are as the device has them. The value is a scalar, or of shape (observables,) for a
        sequence, in the precision of theta: to compute in double precision, set ``jax_enable_x64``. JAX can compile it
        with what is around it, map it, and differentiate it by all of its arguments.

    Raises:
        Refused: if the circuit cannot be brought to the device, or takes more than 12 of its qubits.
    """
    check_unitary(circuit)
    observables = as_observables(observable, circuit.num_qubits)
    program = prepared(circuit, device, optimization_level)
    values = values_of(program, observables, device)
    single, n_params, known = _is_single(observable), circuit.num_parameters, device.values()

    def function(theta: Any = (), noise: Noise = {}) -> jax.Array:  # noqa: B006 - never changed
        theta = jnp.asarray(theta)
        if theta.shape != (n_params,):
            raise Refused(f"theta must have the shape ({n_params},), not {theta.shape}")
        if not jnp.issubdtype(theta.dtype, jnp.floating):
            theta = theta.astype(float)
        for name in noise:
            if name not in PARAMETERS:
                raise unknown("noise parameter:", name, PARAMETERS)
        found = values(theta, {name: jnp.asarray(noise.get(name, known[name]), theta.dtype) for name in PARAMETERS})
        return found[0] if single else found

    return function


def values_of(
    program: Program, observables: tuple[SparsePauliOp, ...], device: Device
) -> Callable[[Any, Noise], jax.Array]:
    """Values of observables: theta (params,) and all noise parameters -> (observables,)."""
    state = state_of(program, device)
    places, coefficients, owners = _strings(program, observables)
    n_observables = len(observables)

    @jax.jit
    def values(theta: jax.Array, noise: Noise) -> jax.Array:
        weighted = state(theta, noise)[places] * coefficients.astype(theta.dtype)
        return jnp.zeros(n_observables, theta.dtype).at[owners].add(weighted)

    return values


def state_of(program: Program, device: Device) -> Callable[[Any, Noise], jax.Array]:
    """Told expectation values of all strings: theta (params,) and all noise parameters -> (4^n,); see `evolved`."""
    alpha = angle_function(program.angles)

    def state(theta: jax.Array, noise: Noise) -> jax.Array:
        theta = jnp.asarray(theta)
        return evolved(superoperators(program, alpha(theta), noise, device), program.pairs, program.n_qubits)

    return state


def superoperators(program: Program, alpha: jax.Array, noise: Noise, device: Device) -> jax.Array:
    """The channel of each step.

    Args:
        program: The circuit.
        alpha: Angles, shape (angles,).
        noise: All noise parameters.
        device: For how many qubits and edges they are.

    Returns:
        Shape (steps, 16, 16).
    """
    kind, qubits = alpha.dtype, np.array(program.qubits, dtype=np.int32)
    edge, low, high = program.edges.T

    def of(name: str, index: np.ndarray, size: int) -> jax.Array:
        return jnp.broadcast_to(noise[name], (size,))[index]

    def relaxed(index: np.ndarray, seconds: jax.Array) -> jax.Array:
        n = device.n_qubits
        return channels.relaxation(of("t1", index, n), of("t2", index, n), seconds, jnp)

    n, n_edges = device.n_qubits, len(device.edges)
    after_one = channels.with_error(
        relaxed(qubits, of("one_qubit_s", qubits, n)), of("one_qubit_error", qubits, n), jnp
    )
    seconds = of("two_qubit_s", edge, n_edges)
    both = channels.pair(relaxed(high, seconds), relaxed(low, seconds), jnp)
    after_two = channels.with_error(both, of("two_qubit_error", edge, n_edges), jnp)
    one, two = jnp.eye(4, dtype=kind)[None], jnp.eye(16, dtype=kind)[None]
    ones = _at(program.ones, alpha[program.ones_angle])
    chains = _product(jnp.concatenate([ones, after_one, one])[program.chains])
    told = channels.readout(of("readout_error", qubits, n), of("readout_bias", qubits, n), jnp)
    turned = jnp.einsum("qz,qlzj->qlj", told[:, 3], chains[program.bases])
    measured = jnp.concatenate([jnp.broadcast_to(one[:, :1], (len(qubits), 1, 4)), turned], 1)
    measured = jnp.concatenate([measured, one])
    lower, upper, gate, channel, first, second = program.segments.T
    found = channels.pair(chains[upper], chains[lower], jnp)
    found = jnp.concatenate([_at(program.twos, alpha[program.twos_angle]), two])[gate] @ found
    found = jnp.concatenate([after_two, two])[channel] @ found
    found = channels.pair(measured[second], measured[first], jnp) @ found
    return _product(jnp.concatenate([found, two])[program.blocks])


def evolved(steps: jax.Array, pairs: tuple[tuple[int, int], ...], n_qubits: int) -> jax.Array:
    """All Pauli expectation values after the steps, from |0...0>.

    Args:
        steps: Shape (steps, 16, 16).
        pairs: Qubits that each acts on.
        n_qubits: Of the state.

    Returns:
        Shape (4^n,); digit q of an index, to the base 4, is the letter of qubit q among I, X, Y, Z.
    """
    shape, axes = (4,) * n_qubits, [*reversed(range(n_qubits))]
    r = jnp.asarray(_start(n_qubits), steps.dtype).reshape(shape)
    for step, (low, high) in zip(steps, pairs, strict=True):
        order = [high, low, *(q for q in axes if q not in (high, low))]  # stays so: to move axes takes longest
        r = (step @ _moved(r, axes, order).reshape(16, -1)).reshape(shape)
        axes = order
    return _moved(r, axes, [*reversed(range(n_qubits))]).reshape(-1)


def _moved(r: jax.Array, axes: list[int], order: list[int]) -> jax.Array:
    """The qubits' axes brought from one order to another."""
    return r if axes == order else jnp.transpose(r, [axes.index(q) for q in order])


def _start(n_qubits: int) -> np.ndarray:
    r = np.ones(1)
    for _ in range(n_qubits):
        r = np.kron(r, [1.0, 0.0, 0.0, 1.0])
    return r


def _at(parts: np.ndarray, alpha: jax.Array) -> jax.Array:
    """Gates at their angles: (3, gates, d, d), (gates,) -> (gates, d, d)."""
    a, b, c = (jnp.asarray(part, alpha.dtype) for part in parts)
    return a + jnp.cos(alpha)[:, None, None] * b + jnp.sin(alpha)[:, None, None] * c


def _product(matrices: jax.Array) -> jax.Array:
    """Products of rows of matrices, the first to act first: (rows, length, d, d) -> (rows, d, d)."""
    first, rest = matrices[:, 0], jnp.moveaxis(matrices[:, 1:], 1, 0)
    return jax.lax.scan(lambda product, one: (one @ product, None), first, rest)[0]


def _strings(program: Program, observables: tuple[SparsePauliOp, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of all terms the places of their expectation values, their coefficients, and their observables."""
    places, coefficients, owners = [], [], []
    for owner, observable in enumerate(observables):
        for label, coefficient in terms(observable):
            digits = zip(program.place, reversed(label), strict=True)
            places.append(sum("IXYZ".index(letter) * 4**k for k, letter in digits))
            coefficients.append(coefficient)
            owners.append(owner)
    return np.array(places, dtype=np.int32), np.array(coefficients), np.array(owners, dtype=np.int32)


def _is_single(observable: Any) -> bool:
    return isinstance(observable, str) or not isinstance(observable, list | tuple)
