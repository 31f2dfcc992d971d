"""Tables in Markdown, and types, defaults and words as they stand in them."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr

WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", dict: "table", list: "list"}


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table; a bar in a cell is written so that it ends no cell."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )


def type_words(kind: Any) -> str:
    """A type in plain words, such as "whole number" or '`"double"` or `"single"`'."""
    if isinstance(kind, str):
        return f"`{kind}`"
    if kind is None or kind is type(None):
        return "none"
    if kind in WORDS:
        return WORDS[kind]
    if kind is SecretStr:
        return "secret text, or where it is kept"
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return type_words(inner[0])
    if origin is Literal:
        return " or ".join(f"`{toml(word)}`" for word in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_words(one) for one in inner if one is not type(None)))
    if origin is tuple and inner[1:] == (...,):
        return f"list of {type_words(inner[0])}"
    if origin is tuple:
        return f"[{', '.join(type_words(one) for one in inner)}]"
    name = getattr(origin or kind, "__name__", str(kind))
    if name in ("list", "Sequence"):
        return f"list of {type_words(inner[0])}" if inner else "list"
    if name in ("dict", "Mapping"):
        return "table"
    return f"`{name}`" if name != "Any" else "any"


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml, value))}]"
    return str(value)


def default_words(value: Any) -> str:
    """A default in a cell: nothing where there is none."""
    return "" if value is None else f"`{toml(value)}`"
