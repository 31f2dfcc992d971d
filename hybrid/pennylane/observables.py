"""Sums of Pauli words that are measured, as operators with numbers before them."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from qiskit.quantum_info import SparsePauliOp

from circuits.interop.pennylane_gates import paulis


def operators(tape: Any, wires: Sequence[Any]) -> tuple[SparsePauliOp, ...]:
    """The observable of each expectation value.

    Args:
        tape: For which `is_sum` holds.
        wires: All wires; the last is qubit 0.
    """
    return tuple(paulis(m.obs.pauli_rep, wires[::-1]) for m in tape.measurements)


@dataclass(frozen=True, eq=False)
class Weighed:
    """Expectation values as sums of others, with numbers that JAX may differentiate by.

    Attributes:
        operators: Whose values are added.
        terms: For each measurement, the numbers of its operators and what they are multiplied with, if with anything.
    """

    operators: tuple[SparsePauliOp, ...]
    terms: tuple[tuple[tuple[int, Any | None], ...], ...]

    def sums(self, values: Any) -> list[Any]:
        """From values of the operators, shape (..., operators), one array of shape (...) for each measurement."""
        parts = [[values[..., k] if x is None else x * values[..., k] for k, x in terms] for terms in self.terms]
        return [reduce(add, part) for part in parts]


def weighed(tape: Any, wires: Sequence[Any]) -> Weighed:
    """What a tape measures, with the numbers apart that JAX has not computed yet, or differentiates by.

    Args:
        tape: For which `is_sum` holds.
        wires: All wires; the last is qubit 0.
    """
    found, terms = [], []
    for m in tape.measurements:
        sentence = m.obs.pauli_rep
        if any(isinstance(x, Tracer) for x in sentence.values()):
            parts = [({word: 1.0}, jnp.real(x)) for word, x in sentence.items()]
        else:
            parts = [(sentence, None)]
        terms.append(tuple((len(found) + k, x) for k, (_, x) in enumerate(parts)))
        found += [paulis(one, wires[::-1]) for one, _ in parts]
    return Weighed(tuple(found), tuple(terms))


def named(observables: Sequence[SparsePauliOp]) -> tuple[Hashable, ...]:
    """Equal for equal observables."""
    return tuple((tuple(one.paulis.to_labels()), np.asarray(one.coeffs).tobytes()) for one in observables)
