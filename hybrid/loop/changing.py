"""Backends that change the energies of another one, such as by penalties; and how another rank makes one again."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, runtime_checkable

import backends
from backends.base import Backend


@runtime_checkable
class Changing(Protocol):
    """A backend that adds something to the energies of another one, whatever terms they are the energies of."""

    around: Backend | None

    @property
    def on(self) -> Callable[[Backend], Backend]:
        """A function that changes another backend's energies likewise, and can be sent to another process."""
        ...


def alike(engine: Backend, used: Backend) -> Backend:
    """The engine with whatever a run's backend has put around its own energies.

    Args:
        engine: Another one.
        used: The run's.
    """
    return used.on(engine) if isinstance(used, Changing) else engine


def remade(backend: Backend) -> Callable[[], Backend] | None:
    """A function, which can be sent to another process, that makes the backend again there; None for an object's."""
    if backend.origin is not None:
        return partial(backends.get, backend.origin.name, **backend.origin.options)
    if not isinstance(backend, Changing) or backend.around is None:
        return None
    inner = remade(backend.around)
    return None if inner is None else partial(_around, backend.on, inner)


def _around(on: Callable[[Backend], Backend], inner: Callable[[], Backend]) -> Backend:
    return on(inner())
