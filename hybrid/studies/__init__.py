"""The study file: a grid of workloads written down once."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hybrid.studies.study import Point, Study, build, check, read
    from hybrid.studies.templates import kinds, template

_HOMES = {
    "Point": "hybrid.studies.study",
    "Study": "hybrid.studies.study",
    "build": "hybrid.studies.study",
    "check": "hybrid.studies.study",
    "kinds": "hybrid.studies.templates",
    "read": "hybrid.studies.study",
    "template": "hybrid.studies.templates",
}

__all__ = ["Point", "Study", "build", "check", "kinds", "read", "template"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hybrid.studies' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
