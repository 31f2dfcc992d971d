"""One code for both: XLA, which is fast once it has compiled, and NumPy, which starts at once."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

HIGHEST = jax.lax.Precision.HIGHEST
"""Matrix units of GPUs would otherwise round single precision to ten bits."""


def namespace(x: Any) -> Any:
    """The module whose functions take an array like this: NumPy, or JAX's."""
    return np if isinstance(x, np.ndarray) else jnp


MOST_ALONE = 2**18
"""Multiplications for which NumPy's library takes one core only; other threads would wait busily while XLA works."""


def matmul(a: Any, b: Any) -> Any:
    """Product of two matrices in full precision."""
    if not isinstance(a, np.ndarray):
        return jnp.matmul(a, b, precision=HIGHEST)
    parts = -(-a.shape[0] * b.size // MOST_ALONE)
    if len(b) > b.shape[1]:
        along = (np.array_split(x, min(parts, len(b)), axis) for x, axis in ((a, 1), (b, 0)))
        return np.sum([x @ y for x, y in zip(*along, strict=True)], axis=0)
    return np.concatenate([a @ part for part in np.array_split(b, min(parts, b.shape[1]), axis=1)], axis=1)


def scan(step: Callable, start: Any, along: tuple, *, reverse: bool = False) -> tuple[Any, Any]:
    """`jax.lax.scan` over a tuple of arrays, or the same loop in NumPy; what a step returns besides is one array."""
    if not isinstance(along[0], np.ndarray):
        return jax.lax.scan(step, start, along, reverse=reverse)
    found: list[Any] = [None] * len(along[0])
    for k in reversed(range(len(found))) if reverse else range(len(found)):
        start, found[k] = step(start, tuple(part[k] for part in along))
    return start, np.stack(found) if found and found[0] is not None else None
