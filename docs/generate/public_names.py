"""The public names: what `circuits`, `backends`, `hybrid` and `hybrid.optimizers` hand on, and the methods of classes."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

PACKAGES = ("hybrid", "circuits", "backends", "hybrid.optimizers")

OURS = ("hybrid", "circuits", "backends")
"""Where a member must be written to be documented here; what is inherited of another library is documented there."""


def names(package: str) -> list[tuple[str, Any]]:
    """The names that a package hands on and their objects, in alphabetical order."""
    module = import_module(package)
    return [(name, getattr(module, name)) for name in sorted(module.__all__)]


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
    for package in PACKAGES:
        for name, found in names(package):
            yield f"{package}.{name}", found
            if inspect.isclass(found):
                for member_name, member in members(found):
                    yield f"{package}.{name}.{member_name}", member


def plain(member: Any) -> Any:
    """The function behind a class method, a static method or a property."""
    if isinstance(member, classmethod | staticmethod):
        return member.__func__
    return member.fget if isinstance(member, property) else member


def _is_documented(member: Any) -> bool:
    return inspect.isfunction(member) or isinstance(member, classmethod | staticmethod | property)
