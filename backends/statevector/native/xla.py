"""Programs as functions that JAX compiles, maps and differentiates."""

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from ._extension import NoisyProgram, ProgramDouble, ProgramSingle, handlers

Native = ProgramDouble | ProgramSingle | NoisyProgram

_VALUES, _SLOPES = "hybrid_native_values", "hybrid_native_slopes"


def energies(program: Native) -> Callable[[jax.Array], jax.Array]:
    """Expectation values of a program as a function of its angles, to be compiled, mapped and differentiated.

    XLA calls the kernels itself, so nothing returns to Python in a step that `jax.jit` compiled. First derivatives come
    from the adjoint method, together with the values, for about twice their time; there are no second ones. The rows
    that `jax.vmap` makes are computed side by side.

    Args:
        program: It lives as long as the function; a compiled step that outlives both fails.

    Returns:
        The function: from angles of shape (..., n_angles) to values of shape (..., n_observables), real numbers of 32
        or 64 bits; the program computes in its own precision.
    """
    _register()
    both = energies_and_slopes(program)

    @jax.custom_jvp
    def values(angles: jax.Array) -> jax.Array:
        angles = jnp.asarray(angles, _real(angles))
        result = jax.ShapeDtypeStruct((*angles.shape[:-1], program.n_observables), _real(angles))
        return jax.ffi.ffi_call(_VALUES, result, vmap_method="broadcast_all")(angles, program=np.int64(program.number))

    @values.defjvp
    def values_and_change(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
        (angles,), (direction,) = primals, tangents
        energy, slopes = both(angles)
        return energy, jnp.einsum("...ka,...a->...k", slopes, direction)

    return values


def energies_and_slopes(
    program: Native,
) -> Callable[[jax.Array], tuple[jax.Array, jax.Array]]:
    """Expectation values and their derivatives by the angles, to be compiled and mapped, but not differentiated.

    Args:
        program: As for `energies`.

    Returns:
        The function: from angles of shape (..., n_angles) to values of shape (..., n_observables) and slopes of shape
        (..., n_observables, n_angles).
    """
    _register()

    def both(angles: jax.Array) -> tuple[jax.Array, jax.Array]:
        angles = jnp.asarray(angles, _real(angles))
        shape = (*angles.shape[:-1], program.n_observables)
        results = (
            jax.ShapeDtypeStruct(shape, angles.dtype),
            jax.ShapeDtypeStruct((*shape, program.n_angles), angles.dtype),
        )
        call = jax.ffi.ffi_call(_SLOPES, results, vmap_method="broadcast_all")
        energy, slopes = call(angles, program=np.int64(program.number))
        return energy, slopes

    return both


def _real(angles: jax.typing.ArrayLike) -> np.dtype:
    return jnp.result_type(angles, jnp.float32)


@cache
def _register() -> None:
    for name, handler in handlers().items():
        jax.ffi.register_ffi_target({"values": _VALUES, "slopes": _SLOPES}[name], handler, platform="cpu")
