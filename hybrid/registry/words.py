"""The words by which a run asks for the registry."""

from typing import Any

REGISTRY = "registry"
"""As a starting point: where the registry's best run for this problem and circuit, or the nearest, has ended."""

NOTE = "registry"
"""Of a record's notes: where the start comes from, in words. A run that has it adds itself to the registry."""


def is_registry(theta: Any) -> bool:
    """Whether a starting point is to come from the registry.

    Args:
        theta: As `hybrid.minimize` takes it.
    """
    return isinstance(theta, str) and theta == REGISTRY
