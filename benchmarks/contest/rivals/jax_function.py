"""An energy written in JAX, dressed as a contestant."""

from collections.abc import Callable
from typing import Any

import numpy as np

from backends.angles import Angles
from contest.workloads import Case


def configure(case: Case) -> None:
    """Set JAX's precision for this process."""
    import jax

    jax.config.update("jax_enable_x64", case.workload.precision == "double")


def value_and_grad(energy: Callable[[Any], Any], angles: Angles, case: Case):
    """Compile an energy of the gates' angles into value and gradient by the parameters; rows by vmap."""
    import jax
    import jax.numpy as jnp

    real = np.float64 if case.workload.precision == "double" else np.float32
    slope, offset = jnp.asarray(angles.matrix.toarray(), real), jnp.asarray(angles.offset, real)
    both = jax.value_and_grad(lambda theta: energy(slope @ theta + offset))
    compiled = jax.jit(both if case.workload.rows is None else jax.vmap(both))

    def f(theta):
        value, gradient = compiled(jnp.asarray(theta, real))
        return np.asarray(value, np.float64), np.asarray(gradient, np.float64)

    return f
