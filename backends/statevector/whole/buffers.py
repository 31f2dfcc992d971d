"""Memory for whole states, taken and given back by hand.

A new array of 16 MiB costs more in page faults than a pass over it, so the states of large circuits live in buffers
that outlast the call, and each kernel writes into one that it is given. While a state is still small NumPy does what
the kernels do, which takes less time than compiling them. A walk with `Sizes` instead of `Buffers` runs nothing and
learns, to the byte, what the same walk with buffers will hold.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.runtime.compiled import Request, kernel

HOST = 2**15
"""Numbers of a state up to which it is NumPy's, where XLA's device is the processor."""


def on_host() -> bool:
    """Whether NumPy can read what XLA holds without a copy."""
    return jax.default_backend() == "cpu"


def is_small(size: int) -> bool:
    """Whether a state of so many numbers is NumPy's."""
    return size <= HOST and on_host()


class Memory(ABC):
    """States in use and at rest, and one answer at a time that is still being computed from some of them.

    Attributes:
        dtype: Of the states' numbers.
        resting: States that nobody uses, by their size.
    """

    def __init__(self, dtype: np.dtype):
        self.dtype = dtype
        self.resting: dict[int, list[Any]] = {}
        self._read: tuple[Any, ...] = ()
        self._held: list[Any] = []

    def write(self, function: Callable, size: int, *arrays: Any, static: tuple = ()) -> Any:
        """A buffer of so many numbers with what ``function(*static, out, *arrays)`` writes into it."""
        resting = self.resting.get(size)
        out = resting.pop(0) if resting else self._new(size)
        return self._written(function, out, arrays, static)

    @abstractmethod
    def change(self, function: Callable, x: Any, *arrays: Any, static: tuple = ()) -> Any:
        """The buffer of x with ``function(*static, x, *arrays)`` instead, amplitude by amplitude."""

    @abstractmethod
    def read(self, function: Callable, *arrays: Any, size: int, static: tuple = ()) -> Any:
        """Something small that ``function(*static, *arrays)`` computes from states of so many numbers, or larger."""

    def read_beside(self, function: Callable, *arrays: Any, size: int, static: tuple = ()) -> Callable[[], Any]:
        """The same while other kernels run; call what is returned to wait. The one before is waited for first.

        What is given back meanwhile comes to rest when the next one starts, or when all is settled.
        """
        self.settle()
        self._read = arrays
        return self._begun(function, arrays, size, static)

    def settle(self) -> None:
        """Wait for what is being computed."""
        self._wait()
        self._read, held, self._held = (), self._held, []
        for x in held:
            self.give(x)

    def give(self, x: Any) -> None:
        """Put a buffer to rest; its numbers are lost."""
        if any(x is other for other in self._read):
            self._held.append(x)
        else:
            self.resting.setdefault(x.size, []).append(x)

    @abstractmethod
    def _new(self, size: int) -> Any: ...

    @abstractmethod
    def _written(self, function: Callable, out: Any, arrays: tuple, static: tuple) -> Any: ...

    @abstractmethod
    def _begun(self, function: Callable, arrays: tuple, size: int, static: tuple) -> Callable[[], Any]: ...

    @abstractmethod
    def _wait(self) -> None: ...


class Buffers(Memory):
    """The states themselves."""

    def __init__(self, dtype: np.dtype):
        super().__init__(dtype)
        self._future: Future | None = None

    def change(self, function: Callable, x: Any, *arrays: Any, static: tuple = ()) -> Any:
        """See `Memory.change`."""
        return kernel(function, x, *arrays, static=static, donate=True)

    def read(self, function: Callable, *arrays: Any, size: int, static: tuple = ()) -> Any:
        """See `Memory.read`."""
        if is_small(size):
            return function(*static, *map(np.asarray, arrays))
        return kernel(function, *arrays, static=static)

    def give(self, x: Any) -> None:
        """See `Memory.give`."""
        if not is_small(x.size):
            super().give(x)

    def _new(self, size: int) -> Any:
        return kernel(_blank, static=(size, self.dtype.str))

    def _written(self, function: Callable, out: Any, arrays: tuple, static: tuple) -> Any:
        return kernel(function, out, *arrays, static=static, donate=True)

    def write(self, function: Callable, size: int, *arrays: Any, static: tuple = ()) -> Any:
        """See `Memory.write`."""
        if is_small(size):
            return function(*static, np.empty(size, self.dtype), *map(np.asarray, arrays))
        return super().write(function, size, *arrays, static=static)

    def _begun(self, function: Callable, arrays: tuple, size: int, static: tuple) -> Callable[[], Any]:
        if is_small(size) or not on_host():  # a GPU does not wait for one kernel to start the next
            found = self.read(function, *arrays, size=size, static=static)
            return lambda: found
        x64 = bool(jax.config.read("jax_enable_x64"))

        def run() -> Any:
            with jax.enable_x64(x64):  # a thread has a setting of its own
                return jax.block_until_ready(kernel(function, *arrays, static=static))

        self._future = _beside().submit(run)
        return self._future.result

    def _wait(self) -> None:
        future, self._future = self._future, None
        if future is not None:
            future.result()


class Sizes(Memory):
    """No states: counts the bytes of every buffer, and notes the kernels that will run.

    Attributes:
        made_bytes: All buffers so far; none is freed before the walk ends.
        requests: Its kernels, with shapes instead of arrays.
    """

    def __init__(self, dtype: np.dtype):
        super().__init__(dtype)
        self.made_bytes = 0
        self.requests: list[Request] = []

    def change(self, function: Callable, x: Any, *arrays: Any, static: tuple = ()) -> Any:
        """See `Memory.change`."""
        self.requests.append(Request(function, (x, *arrays), static, donate=True))
        return x

    def read(self, function: Callable, *arrays: Any, size: int, static: tuple = ()) -> Any:
        """See `Memory.read`."""
        if not is_small(size):
            self.requests.append(Request(function, arrays, static))

    def _new(self, size: int) -> Any:
        self.made_bytes += size * self.dtype.itemsize
        if not is_small(size):
            self.requests.append(Request(_blank, (), static=(size, self.dtype.str)))
        return jax.ShapeDtypeStruct((size,), self.dtype)

    def _written(self, function: Callable, out: Any, arrays: tuple, static: tuple) -> Any:
        if not is_small(out.size):
            self.requests.append(Request(function, (out, *arrays), static, donate=True))
        return jax.ShapeDtypeStruct(out.shape, out.dtype)

    def _begun(self, function: Callable, arrays: tuple, size: int, static: tuple) -> Callable[[], Any]:
        self.read(function, *arrays, size=size, static=static)
        return lambda: None

    def _wait(self) -> None:
        pass


@cache
def _beside() -> ThreadPoolExecutor:
    """The thread for what is computed beside the states."""
    return ThreadPoolExecutor(1, thread_name_prefix="beside-states")


def _blank(size: int, dtype: str) -> jax.Array:
    """New memory, touched for the first time on all cores."""
    return jnp.zeros(size, dtype)
