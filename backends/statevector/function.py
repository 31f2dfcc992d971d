"""Expectation values as a pure function of the parameters, for JAX to compile, map and differentiate.

Values and first derivatives are those of the engine: of the native kernels, which XLA calls itself, of a program that
XLA compiles with the rest, or, for circuits in parts, of a call back into Python. Second and higher derivatives push
directions through the program in XLA, whatever computes the first.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.angles import Angles
from backends.statevector.native.program import NativeProgram
from backends.statevector.representation import Program, TracedProgram
from circuits.errors import Refused

Both = Callable[[jax.Array], tuple[jax.Array, jax.Array]]
"""From parameters, shape (params,), to values, shape (observables,), and their derivatives by the angles."""


def function_of(
    program: Program,
    observables: tuple[SparsePauliOp, ...],
    traced: Callable[[np.dtype], TracedProgram],
    shape: tuple[int, ...],
) -> Callable[[Any], jax.Array]:
    """Expectation values as a function of JAX's.

    Args:
        program: The circuit made ready in the cheapest way.
        observables: On its qubits.
        traced: Makes it ready in real numbers of a type, so that JAX can differentiate through it.
        shape: Of the values: (observables,), or () for the scalar of one observable.

    Returns:
        From parameters of shape (params,) to values of their type, that of JAX's real numbers where they are whole
        ones; complex ones are refused.
    """
    angles, n_params = angle_function(program.angles), len(program.angles.parameters)
    through = _through(traced, observables)
    energies, both = _first(program, observables, angles, through)
    values = differentiable(energies, both, angles, lambda alpha: through(alpha)[1])
    compiled = jax.jit(lambda theta: values(theta).reshape(shape))

    def function(theta):
        theta = jnp.asarray(theta)
        if theta.shape != (n_params,):
            rows = "; for rows of parameters take jax.vmap of the function" if theta.ndim > 1 else ""
            raise Refused(f"theta must have the shape ({n_params},), not {theta.shape}{rows}")
        if jnp.issubdtype(theta.dtype, jnp.complexfloating):
            raise Refused(f"theta must be real numbers, radians, not {theta.dtype}; take jax.numpy.real of it")
        if not jnp.issubdtype(theta.dtype, jnp.floating):
            theta = theta.astype(float)
        return compiled(theta)

    return function


def differentiable(
    energies: Callable[[Any], jax.Array],
    both: Both,
    angles: Callable[[jax.Array], jax.Array],
    slopes_through: Callable[[jax.Array], jax.Array],
) -> Callable[[Any], jax.Array]:
    """Values whose first derivatives are computed beside them, and whose second and higher ones XLA finds.

    Args:
        energies: Parameters, shape (params,), to values, shape (observables,).
        both: The same, and slopes by the angles, shape (observables, angles).
        angles: Parameters to angles, shape (angles,).
        slopes_through: Angles to slopes, to be differentiated at will.
    """

    @jax.custom_jvp
    def values_and_slopes(theta):
        return both(theta)

    @values_and_slopes.defjvp
    def change_of_slopes(primals, tangents):
        alpha, direction = jax.jvp(angles, primals, tangents)
        values, slopes = values_and_slopes(*primals)
        _, change = jax.jvp(slopes_through, (alpha,), (direction,))
        return (values, slopes), (slopes @ direction, change)

    @jax.custom_jvp
    def values(theta):
        return energies(theta)

    @values.defjvp
    def change_of_values(primals, tangents):
        found, slopes = values_and_slopes(*primals)
        _, direction = jax.jvp(angles, primals, tangents)
        return found, slopes @ direction

    return values


def angle_function(angles: Angles) -> Callable[[jax.Array], jax.Array]:
    """The angles as a function of JAX's, (params,) -> (angles,): to be differentiated at will where they are affine.

    Others are called back into Python, and have first and second derivatives.
    """
    entries, offset = angles.matrix.tocoo(), angles.offset
    places, columns = (np.asarray(index, dtype=np.int32) for index in entries.coords)
    curved = np.array([k for k, *_ in angles.curved], dtype=np.int32)
    bent = _curved(angles, curved) if curved.size else None

    def alpha(theta):
        terms = entries.data.astype(theta.dtype) * theta[columns]
        values = jnp.asarray(offset, theta.dtype).at[places].add(terms)
        return values if bent is None else values.at[curved].set(bent(theta))

    return alpha


def _curved(angles: Angles, curved: np.ndarray) -> Callable[[jax.Array], jax.Array]:
    """The angles that are not affine."""
    n_params = len(angles.parameters)
    place = {int(k): row for row, k in enumerate(curved)}

    def called(host: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...]) -> Callable[[jax.Array], jax.Array]:
        def call(theta):
            def run(row):
                return host(np.asarray(row, dtype=np.float64)).astype(theta.dtype)

            return jax.pure_callback(run, jax.ShapeDtypeStruct(shape, theta.dtype), theta, vmap_method="sequential")

        return call

    def seconds(row: np.ndarray) -> np.ndarray:
        found = np.zeros((len(curved), n_params, n_params))
        for k, first, second, value in angles.second_derivatives(row):
            found[place[k], first, second] += value
        return found

    read = called(lambda row: angles.values(row[None])[0, curved], (len(curved),))
    read_slopes = called(lambda row: angles.jacobian(row).toarray()[curved], (len(curved), n_params))
    read_seconds = called(seconds, (len(curved), n_params, n_params))

    @jax.custom_jvp
    def slopes(theta):
        return read_slopes(theta)

    @slopes.defjvp
    def change_of_slopes(primals, tangents):
        return slopes(*primals), read_seconds(*primals) @ tangents[0]

    @jax.custom_jvp
    def values(theta):
        return read(theta)

    @values.defjvp
    def change_of_values(primals, tangents):
        return values(*primals), slopes(*primals) @ tangents[0]

    return values


def _first(
    program: Program, observables: tuple[SparsePauliOp, ...], angles: Callable, through: Callable[..., Any]
) -> tuple[Callable[[jax.Array], jax.Array], Both]:
    """The values, and they with their slopes, as functions of the parameters that need not be differentiated."""
    if isinstance(program, NativeProgram):
        return _in_kernels(program, observables, angles)
    if isinstance(program, TracedProgram):
        return lambda theta: through(angles(theta), slopes=False)[0], lambda theta: through(angles(theta))
    return _called_back(program, observables)


def _in_kernels(
    program: NativeProgram, observables: tuple[SparsePauliOp, ...], angles: Callable
) -> tuple[Callable, Both]:
    from backends.statevector.native import xla

    energies = xla.energies(program.kernel(observables, undone=False))
    slopes = xla.energies_and_slopes(program.kernel(observables, undone=True))

    def both(theta):
        values, found = slopes(angles(theta))
        return values.astype(theta.dtype), found.astype(theta.dtype)

    return lambda theta: energies(angles(theta)).astype(theta.dtype), both


def _called_back(program: Program, observables: tuple[SparsePauliOp, ...]) -> tuple[Callable, Both]:
    """For programs that only Python can run; rows that `jax.vmap` makes come in one call."""
    terms, n_angles = tuple(map(program.terms, observables)), program.angles.n_angles
    energies, slopes = program.energies(terms), program.energies_and_slopes(terms)

    def rows(theta) -> np.ndarray:
        theta = np.asarray(theta, dtype=np.float64)
        return theta.reshape(-1, theta.shape[-1])

    def values(theta):
        def run(theta):
            return energies(rows(theta)).reshape(*theta.shape[:-1], len(terms)).astype(theta.dtype)

        result = jax.ShapeDtypeStruct((len(terms),), theta.dtype)
        return jax.pure_callback(run, result, theta, vmap_method="expand_dims")

    def both(theta):
        def run(theta):
            values, found = slopes(rows(theta))
            shape, kind = (*theta.shape[:-1], len(terms)), theta.dtype
            return values.reshape(shape).astype(kind), found.reshape(*shape, n_angles).astype(kind)

        shapes = (len(terms),), (len(terms), n_angles)
        results = tuple(jax.ShapeDtypeStruct(shape, theta.dtype) for shape in shapes)
        return jax.pure_callback(run, results, theta, vmap_method="expand_dims")

    return values, both


def _through(traced: Callable[[np.dtype], TracedProgram], observables: tuple[SparsePauliOp, ...]) -> Callable:
    """Values and slopes as a function of the angles that JAX can differentiate, made ready when it is first needed."""

    @cache
    def ready(x64: bool):
        with jax.ensure_compile_time_eval():
            program = traced(np.dtype(np.float64 if x64 else np.float32))
            arrays, terms = jax.tree.map(np.asarray, (program.arrays, tuple(map(program.terms, observables))))
        compiled = {what: jax.jit(partial(program.functions[what], *program.static)) for what in ("energies", "slopes")}
        return program.real, compiled, arrays, terms

    def run(alpha, slopes: bool = True):
        real, compiled, arrays, terms = ready(bool(jax.config.read("jax_enable_x64")))
        found = compiled["slopes" if slopes else "energies"](arrays, alpha.astype(real), terms)
        return tuple(part.astype(alpha.dtype) for part in found)

    return run
