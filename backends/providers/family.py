"""The devices of one vendor, which share a name before the colon: ``ibm:fake_manila``."""

from collections.abc import Callable
from dataclasses import dataclass

from backends.base import Backend


@dataclass(frozen=True)
class Family:
    """A factory of backends that are named FAMILY:DEVICE.

    Attributes:
        make: ``make(device, **options) -> Backend``; its keyword-only arguments are the options (`circuits.options`).
        summary: One line for a table.
        example: A device that is at hand without a login, or None.
        environment: The environment that its packages need for themselves, as `hybrid backends --install` knows it.
    """

    make: Callable[..., Backend]
    summary: str
    example: str | None = None
    environment: str | None = None
