"""The accelerator on which XLA would compute, if there is one.

JAX takes a second or two to be imported. Where it could find nothing but the processor, it is not asked.
"""

import os
import pkgutil
import sys
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backends.gpu import Card, card_of

COPIES_ON_CARD = 3
"""Times the counted states of blocks that XLA was seen to hold on an NVIDIA card, where matrix products take copies of
what they multiply: 1.1 to 2.9 from 20 to 26 qubits (H100; benchmarks/results/gpu.json)."""

PLUGINS = "jax_plugins"
"""The package, and the group of entry points, through which JAX finds all accelerators but TPUs."""

DRIVERS = ("nvidia0", "nvidiactl", "dxg", "kfd", "dri", "accel*", "vfio", "neuron*")
"""Files under /dev that stand for accelerators in Linux: NVIDIA's, those behind Windows, AMD's, Intel's, and others."""


def default_device() -> Any | None:
    """JAX's default device; None where that can only be the processor, and JAX is not imported to learn it."""
    if "jax" not in sys.modules and (os.environ.get("JAX_PLATFORMS") == "cpu" or not _may_accelerate()):
        return None
    import jax

    chosen = jax.config.jax_default_device  # pyright: ignore[reportAttributeAccessIssue] - made when JAX is imported
    return chosen if isinstance(chosen, jax.Device) else jax.local_devices(backend=chosen)[0]


def default_card() -> Card | None:
    """JAX's default device, with what its pool may still give; None where that is the processor."""
    device = default_device()
    return None if device is None else card_of(device)


def on_processor() -> bool:
    """Whether JAX would compute on the processor."""
    device = default_device()
    return device is None or device.platform == "cpu"


@cache
def _may_accelerate() -> bool:
    """Whether a driver of an accelerator is loaded, and anything installed by which JAX would reach it."""
    if sys.platform.startswith("linux") and not any(any(Path("/dev").glob(name)) for name in DRIVERS):
        return False
    place = find_spec(PLUGINS)
    plugins = place is not None and any(pkgutil.iter_modules(place.submodule_search_locations))
    return plugins or find_spec("libtpu") is not None or bool(entry_points(group=PLUGINS))
