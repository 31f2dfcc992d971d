"""The options of backends and optimizers, read from where they are declared."""

import dataclasses
import inspect
import re
from typing import get_type_hints

from backends import registry
from backends.providers.family import Family
from circuits.options import MISSING, Option
from docs.generate.tables import default_words, table, type_words
from hybrid import optimizers as methods
from hybrid.optimizers.registry import find


def backends() -> str:
    """Every built-in backend that computes here, with its options."""
    return _listed(families=False)


def devices() -> str:
    """Every built-in family of devices, with its options."""
    return _listed(families=True)


def optimizers() -> str:
    """Every optimizer, with its settings."""
    parts = []
    for name in methods.names():
        method = find(name)
        hints = get_type_hints(method)
        said = said_of(method)
        rows = [
            [f"`{field.name}`", type_words(hints[field.name]), said.get(field.name, ""), default_words(_default(field))]
            for field in dataclasses.fields(method)
        ]
        first = (inspect.getdoc(method) or "").partition("\n\n")[0]
        known = table(["setting", "type", "what", "default"], rows) if rows else "It has no settings."
        parts.append(f"## `{name}`\n\n{first} See {{py:obj}}`hybrid.optimizers.{method.__name__}`.\n\n{known}")
    return "\n\n".join(parts)


def said_of(owner: type) -> dict[str, str]:
    """What the section Args or Attributes of a class's docstring says, by name."""
    section = re.search(r"^(?:Args|Attributes):\n((?: {4}.*\n?)+)", inspect.getdoc(owner) or "", re.MULTILINE)
    entries = re.split(r"^ {4}(?=\w+: )", section[1] if section else "", flags=re.MULTILINE)
    pairs = (entry.partition(": ") for entry in entries if entry.strip())
    return {name: " ".join(words.split()) for name, _, words in pairs}


def _listed(*, families: bool) -> str:
    parts = []
    for name in registry.BUILT_IN:
        made = registry.load(name)
        if isinstance(made, Family) != families:
            continue
        words = made.summary if isinstance(made, Family) else (inspect.getdoc(made) or "").partition("\n\n")[0]
        known = registry.options(name)
        rows = [_row(option) for option in known.values()]
        body = table(["option", "type", "must be", "default"], rows) if rows else "It has no options."
        title = f"`{name}:DEVICE`" if families else f"`{name}`"
        parts.append(f"## {title}\n\n{words}\n\n{body}")
    return "\n\n".join(parts)


def _row(option: Option) -> list[str]:
    default = "required" if option.default is MISSING else default_words(option.default)
    return [f"`{option.name}`", type_words(option.type), option.description, default]


def _default(field: dataclasses.Field):
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default
