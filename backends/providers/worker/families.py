"""The vendors that need an environment of their own, as families of devices."""

from typing import Annotated

from backends.measurement.targets import LEVELS, OptimizationLevel
from backends.providers.device import Device
from backends.providers.family import Family
from backends.providers.worker.hardware import hardware
from backends.providers.worker.recipes import RECIPES


def family(name: str, summary: str, *, example: str | None = None) -> Family:
    """The devices that one environment reaches.

    Args:
        name: Of its recipe.
        summary: One line for a table.
        example: A device that is at hand without a login.
    """

    def device(device: str, *, optimization_level: Annotated[OptimizationLevel, LEVELS] = 0) -> Device:
        return Device(hardware(RECIPES[name], device), optimization_level=optimization_level)

    return Family(device, summary, example, environment=name)


IQM = family("iqm", "IQM's devices, and models of them with their noise (fake_adonis, ...)", example="fake_adonis")
AQT = family("aqt", "AQT's simulators of ion traps: offline_ideal and offline_noisy", example="offline_noisy")
QRMI = family("qrmi", "quantum resources that Slurm has granted to this job, by QRMI")
