"""Values under a device's noise as functions of JAX's, of the angles and of every noise parameter."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.checks import ObservableLike, as_observables, check_unitary
from backends.density.evolution import start
from backends.density.kernels import kernel_of
from backends.density.program import Program, prepared
from backends.density.steps import Noise, errors_of, inputs_of, parts_of, superoperators
from backends.density.values import strings_of
from backends.devices.device import PARAMETERS, Device
from backends.measurement.targets import OptimizationLevel
from backends.statevector import native
from backends.statevector.accelerator import on_processor
from backends.statevector.function import angle_function, differentiable
from circuits.errors import Refused, unknown

Values = Callable[[jax.Array], jax.Array]
"""From the numbers of `inputs_of` to the values of the observables."""


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
    alpha = angle_function(program.angles)
    strings, n_observables = strings_of(program, observables), len(observables)

    def through(inputs: jax.Array) -> jax.Array:
        """The values in XLA, to be differentiated at will."""
        places, coefficients, owners = strings
        steps, _ = superoperators(program, *parts_of(program, inputs), jnp)
        weighted = evolved(steps, program.pairs, program.n_qubits)[places] * coefficients.astype(inputs.dtype)
        return jnp.zeros(n_observables, inputs.dtype).at[owners].add(weighted)

    kernels = native.available() and on_processor()
    found = _in_kernels(kernel_of(program, strings, n_observables), through) if kernels else through

    @jax.jit
    def values(theta: jax.Array, noise: Noise) -> jax.Array:
        return found(inputs_of(alpha(theta), errors_of(program, noise, device, jnp), jnp))

    return values


def _in_kernels(kernel: native.NoisyProgram, through: Values) -> Values:
    """Values and first derivatives from the kernels, second and higher ones from XLA."""
    from backends.statevector.native import xla

    first, both = xla.energies(kernel), xla.energies_and_slopes(kernel)
    return differentiable(first, both, lambda inputs: inputs, jax.jacrev(through))


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
    r = jnp.asarray(start(n_qubits), steps.dtype).reshape(shape)
    for step, (low, high) in zip(steps, pairs, strict=True):
        order = [high, low, *(q for q in axes if q not in (high, low))]  # stays so: to move axes takes longest
        r = (step @ _moved(r, axes, order).reshape(16, -1)).reshape(shape)
        axes = order
    return _moved(r, axes, [*reversed(range(n_qubits))]).reshape(-1)


def _moved(r: jax.Array, axes: list[int], order: list[int]) -> jax.Array:
    """The qubits' axes brought from one order to another."""
    return r if axes == order else jnp.transpose(r, [axes.index(q) for q in order])


def _is_single(observable: Any) -> bool:
    return isinstance(observable, str) or not isinstance(observable, list | tuple)
