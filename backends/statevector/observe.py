"""Applying an observable, term by term in one compiled loop."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from qiskit.quantum_info import SparsePauliOp


class Terms(NamedTuple):
    """Pauli terms as masks: (P psi)[i] = weight (-1)^parity(i & z) psi[i ^ x]. Leading axis: terms.

    The weight holds the coefficient and (-i)^(number of Y).
    """

    x: jax.Array
    z: jax.Array
    weight: jax.Array

    @classmethod
    def of(cls, observable: SparsePauliOp, dtype: np.dtype) -> "Terms":
        """Convert, with complex weights of the given type."""
        observable = observable.simplify(atol=0)
        powers = 1 << np.arange(observable.paulis.x.shape[1], dtype=np.uint64)
        x = (observable.paulis.x.astype(np.uint64) @ powers).astype(np.uint32)
        z = (observable.paulis.z.astype(np.uint64) @ powers).astype(np.uint32)
        n_y = np.sum(observable.paulis.x & observable.paulis.z, axis=1)
        weight = np.real(np.array(observable.coeffs)) * (-1j) ** n_y
        order = np.argsort(x, kind="stable")
        return cls(jnp.asarray(x[order]), jnp.asarray(z[order]), jnp.asarray(weight[order].astype(dtype)))


def apply(terms: Terms, psi: jax.Array) -> jax.Array:
    """H psi, shape (2^n,)."""
    index = jnp.arange(psi.size, dtype=jnp.uint32)

    def add(total, term):
        sign = 1 - 2 * (jax.lax.population_count(index & term.z) & 1).astype(psi.real.dtype)
        return total + term.weight * sign * psi[index ^ term.x], None

    total, _ = jax.lax.scan(add, jnp.zeros_like(psi), terms)
    return total
