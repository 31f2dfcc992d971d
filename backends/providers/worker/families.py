"""The vendors that need an environment of their own, as families of devices."""

from backends.providers.family import Family, of_hardware
from backends.providers.hardware import Hardware
from backends.providers.worker.hardware import hardware
from backends.providers.worker.recipes import RECIPES


def family(name: str, summary: str, *, example: str | None = None) -> Family:
    """The devices that one environment reaches.

    Args:
        name: Of its recipe.
        summary: One line for a table.
        example: A device that is at hand without a login.
    """

    def made(device: str) -> Hardware:
        return hardware(RECIPES[name], device)

    return of_hardware(made, summary, example=example, environment=name)


IQM = family("iqm", "IQM's devices, and models of them with their noise (fake_adonis, ...)", example="fake_adonis")
AQT = family("aqt", "AQT's simulators of ion traps: offline_ideal and offline_noisy", example="offline_noisy")
QRMI = family("qrmi", "quantum resources that Slurm has granted to this job, by QRMI")
