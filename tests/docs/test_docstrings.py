"""Every public name is documented: what it is, each of its arguments, and the errors that it raises."""

import ast
import dataclasses
import inspect
import re
import textwrap

import pytest

from circuits import errors
from docs.generate import public_names

ERRORS = {name for name, found in vars(errors).items() if inspect.isclass(found) and issubclass(found, Exception)}
PUBLIC = {id(found): (name, found) for name, found in reversed(list(public_names.functions()))}
"""Each once, though several classes inherit it."""


def words_of(name: str, found) -> str:
    """The docstring; of a method together with those of what it overrides, of a class with its constructor's."""
    if inspect.isclass(found):
        return "\n".join(inspect.getdoc(one) or "" for one in (found, found.__init__))
    *_, owner, method = name.split(".")
    classes = [one for _, one in PUBLIC.values() if inspect.isclass(one) and one.__name__ == owner]
    overridden = [vars(one)[method] for one in classes[0].__mro__ if method in vars(one)] if classes else []
    return "\n".join(inspect.getdoc(one) or "" for one in [found, *overridden])


def arguments_of(found) -> list[str]:
    if inspect.isclass(found):
        if dataclasses.is_dataclass(found):
            return [field.name for field in dataclasses.fields(found) if field.init and not field.name.startswith("_")]
        found = found.__init__
        if not inspect.isfunction(found) or found.__module__ == "typing":
            return []  # that of Python, or of a protocol
    if not callable(found) or isinstance(found, property):
        return []
    parameters = inspect.signature(public_names.plain(found)).parameters.values()
    return [one.name for one in parameters if one.name not in ("self", "cls") and one.kind is not one.VAR_POSITIONAL]


def explained(argument: str, words: str) -> bool:
    """Whether a section Args or Attributes has an entry for it."""
    return re.search(rf"^ {{4,}}\*{{0,2}}{re.escape(argument)}: ", words, re.MULTILINE) is not None


def said(error: str, words: str) -> bool:
    return re.search(rf"^ {{4,}}{error}: ", words, re.MULTILINE) is not None


def raised_by(function, seen: set | None = None) -> set[str]:
    """The errors of this toolkit that a function raises itself, or by private functions of its module."""
    seen = set() if seen is None else seen
    function = inspect.unwrap(public_names.plain(function))
    if function in seen or not inspect.isfunction(function):
        return set()
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            found.add("Refused" if ast.unparse(name) == "unknown" else ast.unparse(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("_"):
            found |= raised_by(function.__globals__.get(node.func.id), seen)
    return found & ERRORS


@pytest.mark.parametrize(("name", "found"), [pytest.param(*one, id=one[0]) for one in PUBLIC.values()])
def test_public_name_says_what_it_is_what_it_takes_and_what_it_raises(name, found):
    words = words_of(name, found)
    assert words.strip(), f"{name} has no docstring"
    missing = [argument for argument in arguments_of(found) if not explained(argument, words)]
    assert not missing, f"the docstring of {name} does not say what these are: {', '.join(missing)}"
    if not inspect.isclass(found):
        unsaid = {error for error in raised_by(found) if not said(error, words)}
        assert not unsaid, f"the docstring of {name} does not say when it raises {', '.join(sorted(unsaid))}"
