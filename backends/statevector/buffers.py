"""Memory for whole states, taken and given back by hand.

A new array of 16 MiB costs more in page faults than a pass over it, so the states of large circuits live in buffers
that outlast the call, and each kernel writes into one that it is given. While a state is still small NumPy does what
the kernels do, which takes less time than compiling them. A walk with `Sizes` instead of `Buffers` runs nothing and
learns, to the byte, what the same walk with buffers will hold.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.compiled import Request, kernel

HOST = 2**15
"""Numbers of a state up to which it is NumPy's, where XLA's device is the processor."""


def on_host() -> bool:
    """Whether NumPy can read what XLA holds without a copy."""
    return jax.default_backend() == "cpu"


def is_small(size: int) -> bool:
    """Whether a state of so many numbers is NumPy's."""
    return size <= HOST and on_host()


@dataclass
class Buffers:
    """States in use and at rest.

    Attributes:
        dtype: Of their numbers.
        resting: Buffers that nobody uses, by their size.
    """

    dtype: np.dtype
    resting: dict[int, list[jax.Array]] = field(default_factory=dict)

    def write(self, function: Callable, size: int, *arrays: Any, static: tuple = ()) -> Any:
        """A buffer of so many numbers with what ``function(*static, out, *arrays)`` writes into it."""
        if is_small(size):
            return function(*static, np.empty(size, self.dtype), *map(np.asarray, arrays))
        resting = self.resting.get(size)
        out = resting.pop(0) if resting else kernel(_blank, static=(size, self.dtype.str))
        return kernel(function, out, *arrays, static=static, donate=True)

    def change(self, function: Callable, x: Any, *arrays: Any, static: tuple = ()) -> Any:
        """The buffer of x with ``function(*static, x, *arrays)`` instead, amplitude by amplitude."""
        return kernel(function, x, *arrays, static=static, donate=True)

    def read(self, function: Callable, *arrays: Any, size: int, static: tuple = (), options: tuple = ()) -> Any:
        """Something small that ``function(*static, *arrays)`` computes from states of so many numbers, or larger."""
        if is_small(size):
            return function(*static, *map(np.asarray, arrays))
        return kernel(function, *arrays, static=static, options=options)

    def give(self, x: Any) -> None:
        """Put a buffer to rest; its numbers are lost."""
        if not is_small(x.size):
            self.resting.setdefault(x.size, []).append(x)


@dataclass
class Sizes:
    """The same without states: counts the bytes of every buffer, and notes the kernels that will run.

    Attributes:
        dtype: Of the states' numbers.
        made_bytes: All buffers so far; none is freed before the walk ends.
        requests: Its kernels, with shapes instead of arrays.
        resting: How many buffers are at rest, by their size.
    """

    dtype: np.dtype
    made_bytes: int = 0
    requests: list[Request] = field(default_factory=list)
    resting: dict[int, int] = field(default_factory=dict)

    def write(self, function: Callable, size: int, *arrays: Any, static: tuple = ()) -> Any:
        """See `Buffers.write`."""
        if self.resting.get(size):
            self.resting[size] -= 1
        else:
            self.made_bytes += size * self.dtype.itemsize
            if not is_small(size):
                self.requests.append(Request(_blank, (), static=(size, self.dtype.str)))
        out = jax.ShapeDtypeStruct((size,), self.dtype)
        if not is_small(size):
            self.requests.append(Request(function, (out, *arrays), static, donate=True))
        return out

    def change(self, function: Callable, x: Any, *arrays: Any, static: tuple = ()) -> Any:
        """See `Buffers.change`."""
        self.requests.append(Request(function, (x, *arrays), static, donate=True))
        return x

    def read(self, function: Callable, *arrays: Any, size: int, static: tuple = (), options: tuple = ()) -> Any:
        """See `Buffers.read`."""
        if not is_small(size):
            self.requests.append(Request(function, arrays, static, options=options))

    def give(self, x: Any) -> None:
        """See `Buffers.give`."""
        self.resting[x.size] = self.resting.get(x.size, 0) + 1


def _blank(size: int, dtype: str) -> jax.Array:
    """New memory, touched for the first time on all cores."""
    return jnp.zeros(size, dtype)
