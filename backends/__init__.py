"""Where numbers come from: simulators and devices behind one seam, and the registry that finds them by name."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backends.base import Backend, Capabilities, Cost, Expectations, Footprint, Job
    from backends.batch import Batch
    from backends.registry import get, names

_HOME = {
    "Backend": "base",
    "Batch": "batch",
    "Capabilities": "base",
    "Cost": "base",
    "Expectations": "base",
    "Footprint": "base",
    "Job": "base",
    "get": "registry",
    "names": "registry",
}

__all__ = ["Backend", "Batch", "Capabilities", "Cost", "Expectations", "Footprint", "Job", "get", "names"]


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f"backends.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
