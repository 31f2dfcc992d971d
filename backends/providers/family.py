"""The devices of one vendor, which share a name before the colon: ``ibm:fake_manila``."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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


def of_hardware(
    hardware: Callable[..., Any],
    summary: str,
    *,
    example: str | None = None,
    environment: str | None = None,
    implied: Callable[[str, Mapping[str, Any]], dict[str, Any]] = lambda device, options: {},
) -> Family:
    """A family whose vendor's file makes `Hardware` alone; how it is measured are the options of `Device`.

    Args:
        hardware: ``hardware(device, **options) -> Hardware``; its keyword-only arguments are options, beside those that
            `Device` has for every vendor, such as ``mitigation``.
        summary: As for `Family`.
        example: As for `Family`.
        environment: As for `Family`.
        implied: From the device's name and the options that are given to those of `Device` that a vendor's own word
            stands for.
    """
    from backends.providers.device import Device, with_device_options  # loads Qiskit; a table of names does not need it

    names = set(inspect.signature(hardware).parameters)

    def make(device: str, **options: Any) -> Backend:
        mine = {key: value for key, value in options.items() if key in names}
        others = {key: value for key, value in options.items() if key not in names}
        return Device(hardware(device, **mine), **others | implied(device, options))

    return Family(with_device_options(make, hardware), summary, example, environment)
