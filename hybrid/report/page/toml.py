"""Values as the text of a study file."""

import json
from collections.abc import Mapping
from typing import Any


def document(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """A study file.

    Args:
        sections: By name; values that are None are left out.

    >>> print(document({"problem": {"kind": "tfim", "n": 4}, "run": {"seed": 0}}))
    [problem]
    kind = "tfim"
    n = 4
    <BLANKLINE>
    [run]
    seed = 0
    """
    return "\n\n".join(f"[{_key(name)}]\n{_lines(content)}".rstrip() for name, content in sections.items())


def _lines(content: Mapping[str, Any]) -> str:
    return "\n".join(f"{_key(key)} = {_value(value)}" for key, value in content.items() if value is not None)


def _key(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else _string(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items() if one is not None) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return _string(str(value))


def _string(text: str) -> str:
    """In double quotes; what JSON escapes, TOML does, too, except for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
