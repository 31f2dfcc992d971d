"""What the packages hand out says its types: no public annotation is `Any`."""

import importlib
import inspect
import re
import typing

import pytest

PACKAGES = ("circuits", "backends", "hybrid")


def says_any(annotation):
    """Whether an annotation is Any, or has it inside; what numpy's own aliases hold is numpy's."""
    if isinstance(annotation, str):
        return re.search(r"\bAny\b", annotation) is not None
    if annotation is typing.Any:
        return True
    origin = typing.get_origin(annotation)
    if (getattr(origin, "__module__", None) or "").startswith("numpy"):
        return False
    if isinstance(annotation, list | tuple):
        return any(map(says_any, annotation))
    return any(map(says_any, typing.get_args(annotation)))


def functions_of(thing):
    """(name, function) of a public function, or of the public methods and properties of a class."""
    if not inspect.isclass(thing):
        return [("", inspect.unwrap(thing))] if callable(thing) else []
    found = []
    for name in dir(thing):
        if name.startswith("_") and name not in ("__init__", "__call__", "__getitem__"):
            continue
        member = inspect.getattr_static(thing, name)
        function = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
        if inspect.isfunction(function) and function.__module__.partition(".")[0] in PACKAGES:
            found.append((name, function))
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_annotation_is_any(package):
    module, checked = importlib.import_module(package), 0
    for public in module.__all__:
        thing = getattr(module, public)
        fields = {k: v for k, v in vars(thing).get("__annotations__", {}).items() if not k.startswith("_")}
        for name, annotation in fields.items() if inspect.isclass(thing) else ():
            assert not says_any(annotation), f"{package}.{public}.{name}: {annotation}"
        for name, function in functions_of(thing):
            for argument, annotation in function.__annotations__.items():
                checked += 1
                assert not says_any(annotation), f"{package}.{public}.{name}({argument}): {annotation}"
    assert checked > 30


def test_any_is_found_where_it_is():
    assert says_any(dict[str, typing.Any])
    assert says_any("Callable[..., Any] | None")
    assert not says_any(dict[str, object] | None)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_argument_of_a_public_function_has_a_type(package):
    module = importlib.import_module(package)
    for public in module.__all__:
        thing = getattr(module, public)
        if inspect.isfunction(thing):
            for name, parameter in inspect.signature(thing).parameters.items():
                assert parameter.annotation is not inspect.Parameter.empty, f"{package}.{public}({name})"
            assert inspect.signature(thing).return_annotation is not inspect.Signature.empty, f"{package}.{public}"
