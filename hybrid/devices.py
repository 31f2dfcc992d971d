"""Devices as values, for users of `hybrid`; they stand in `backends.devices`."""

from backends.devices.device import Device

__all__ = ["Device"]
