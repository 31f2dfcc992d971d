"""Files that are written whole or not at all, and read with a word on what is wrong with them."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from circuits.errors import RecordFailed, Refused

M = TypeVar("M", bound=BaseModel)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all.

    Raises:
        RecordFailed: if it cannot be written.
    """
    write(path, to_json(content))


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        RecordFailed: if it cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(content)
        scratch.replace(path)
    except OSError as err:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise RecordFailed(f"{path} cannot be written: {err.strerror}") from err


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        Refused: if the file is missing or damaged.
    """
    return parsed(path, read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        Refused: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as err:
        raise Refused(f"{path} cannot be read: {err.strerror}") from err


def parsed(path: Path, content: bytes) -> dict[str, Any]:
    """The JSON object that a file's content is; the path is for messages."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as err:
        raise Refused(f"{path} is damaged, it holds no JSON: {err}") from err
    if not isinstance(found, dict):
        raise Refused(f"{path} is damaged: it holds no JSON object")
    return found


def to_json(content: Mapping[str, Any]) -> bytes:
    """A JSON object as the content of a file."""
    return (json.dumps(content, indent=1, allow_nan=False, default=_plain) + "\n").encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def checked(model: type[M], content: Mapping[str, Any], path: Path) -> M:
    """The content of a file as a model of it.

    Raises:
        Refused: if a value is missing or of another type; the message names it.
    """
    try:
        return model.model_validate(content)
    except ValidationError as err:
        fault = err.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise Refused(f"{path} is damaged: {place}: {fault['msg']}") from err
