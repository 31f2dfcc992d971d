"""The public names: what the packages hand on, what it returns, and the methods of all these classes."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

PACKAGES = ("hybrid", "circuits", "backends", "hybrid.optimizers")

ANSWERS = (
    "hybrid.runs.history.History",
    "hybrid.runs.comparison.Comparison",
    "hybrid.runs.comparison.Compared",
    "hybrid.verification.verification.Verification",
    "hybrid.verification.verification.Check",
    "hybrid.algorithms.qaoa.QAOA",
    "hybrid.algorithms.vqd.VQD",
    "hybrid.algorithms.vqd.Level",
    "hybrid.algorithms.adapt.ADAPT",
    "hybrid.algorithms.classifier.Classifier",
    "hybrid.algorithms.evolution.Evolution",
    "hybrid.primitives.job.Job",
)
"""What the functions of `hybrid` return."""

SEAM = (
    "backends.statevector.Statevector",
    "backends.simulators.pauli.PauliPropagation",
    "backends.cost.Work",
    "backends.forecast.forecast.Forecast",
    "backends.measurement.outcomes.from_counts",
    "backends.providers.device.Device",
    "backends.providers.hardware.Hardware",
    "backends.providers.hardware.Here",
    "backends.providers.hardware.Elsewhere",
    "backends.providers.hardware.JobRequest",
    "backends.providers.hardware.JobState",
    "backends.providers.hardware.Charge",
    "hybrid.routing.policy.check_may_go",
    "hybrid.routing.policy.guarded",
    "circuits.layers.layers",
)
"""What engines can do besides, and what a provider or a program of one's own is made with."""

CALLED = {"hybrid.runs": "hybrid.runs.overview.runs"}
"""Packages that can be called, and the function that then answers."""

OURS = ("hybrid", "circuits", "backends")
"""Where a member must be written to be documented here; what is inherited of another library is documented there."""


def names(package: str) -> list[tuple[str, Any]]:
    """The names that a package hands on and their objects, in alphabetical order."""
    module = import_module(package)
    return [(name, getattr(module, name)) for name in sorted(module.__all__)]


def found(full_name: str) -> Any:
    """The object of a full name, such as ``backends.cost.Work``."""
    module, _, name = full_name.rpartition(".")
    return getattr(import_module(module), name)


def members(owner: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class that are written here, inherited ones included, in their order."""
    for ancestor in owner.__mro__:
        if ancestor.__module__.partition(".")[0] not in OURS:
            continue
        for name, member in vars(ancestor).items():
            if not name.startswith("_") and _is_documented(member) and inspect.getattr_static(owner, name) is member:
                yield name, member


def functions() -> Iterator[tuple[str, Any]]:
    """Every public function, class, method and property, by its full name."""
    handed_on = [f"{package}.{name}" for package in PACKAGES for name, _ in names(package)]
    for name in (*(CALLED.get(name, name) for name in handed_on), *ANSWERS, *SEAM):
        thing = found(name)
        yield name, thing
        if inspect.isclass(thing):
            for member_name, member in members(thing):
                yield f"{name}.{member_name}", member


def plain(member: Any) -> Any:
    """The function behind a class method, a static method or a property."""
    if isinstance(member, classmethod | staticmethod):
        return member.__func__
    return member.fget if isinstance(member, property) else member


def _is_documented(member: Any) -> bool:
    return inspect.isfunction(member) or isinstance(member, classmethod | staticmethod | property)
