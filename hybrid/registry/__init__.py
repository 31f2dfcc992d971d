"""The registry of trained parameters, for others to start from. Called, ``hybrid.registry(address)``, it is opened.

Args:
    address: Path of a file, or ``postgresql://USER@HOST/DATABASE``; by default ``$HYBRID_REGISTRY``, or
        ``registry.sqlite`` in the user's data folder.

Returns:
    The `Registry`.

Raises:
    Refused: for an address of another kind, and for one with a password in it.
"""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """A package that can be called as `hybrid.registry.registry.registry`."""

    def __call__(self, address: Any = None) -> Any:
        """The registry at an address; see `hybrid.registry.registry.registry`.

        Args:
            address: As there.
        """
        from hybrid.registry.registry import registry

        return registry(address)


sys.modules[__name__].__class__ = _Room
