"""The function that `Backend.value_and_grad` returns."""

import secrets
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends.checks import as_rows, check_request
from backends.seeds import child_seed


class ValueAndGradient(Protocol):
    """An expectation value and its gradient as a function of the parameters."""

    def __call__(self, theta: ArrayLike, seed: int | None = None) -> tuple[Any, np.ndarray]:
        """Value and gradient: for theta of shape (params,) a float and (params,), for rows (rows,) and (rows, params).

        Without a seed, each call takes the next child of the root seed.
        """
        ...


def as_function(
    circuit: QuantumCircuit,
    evaluate: Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]],
    seed: int | None,
) -> ValueAndGradient:
    """Dress ``evaluate(rows, seed) -> (values, gradients)`` as what `Backend.value_and_grad` returns.

    It checks theta, takes one row or many, and gives each call without a seed the next child of the root seed.
    """
    root = secrets.randbits(128) if seed is None else seed
    calls = 0

    def f(theta, seed=None):
        nonlocal calls
        if seed is None:
            seed = child_seed(root, calls)
            calls += 1
        check_request(None, None, seed)
        rows = as_rows(theta, circuit)
        values, gradients = evaluate(rows, seed)
        if np.ndim(theta) < 2:
            return float(values[0]), gradients[0]
        return values, gradients

    return f
