"""Files that are written whole or not at all, and whose damage is one clear error when they are read."""

import errno
import hashlib
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

    Args:
        path: Of the file.
        content: JSON-able values; arrays and numbers of NumPy's and paths are converted.

    Raises:
        RecordFailed: if it cannot be written.
    """
    write(path, to_json(content))


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: under another name in the same folder, which then replaces it.

    Args:
        path: Of the file.
        content: Its bytes.

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
        raise RecordFailed(f"{path} cannot be written: {reason(err)}") from err


def reason(err: OSError) -> str:
    """Why a file cannot be written, with the cure where it is room that lacks."""
    full = err.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"{err.strerror}" + ("; make room, then resume: what was recorded before is kept" if full else "")


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
    """The JSON object in a file's content.

    Args:
        path: Of the file, for messages.
        content: Its bytes.

    Raises:
        Refused: if they are no JSON, or no JSON object.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as err:
        raise Refused(f"{path} is damaged, it holds no JSON: {err}") from err
    if not isinstance(found, dict):
        raise Refused(f"{path} is damaged: it holds no JSON object")
    return found


def to_json(content: Mapping[str, Any]) -> bytes:
    """A JSON object as the content of a file, one key a line; NumPy's arrays and numbers and paths are converted.

    Raises:
        TypeError: for a value that has no JSON form.
        ValueError: for a number that is not finite.
    """
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
    """A JSON object from a file as a value of a pydantic model, every type in it checked.

    Args:
        model: What the file should hold.
        content: The JSON object.
        path: Of the file, for messages.

    Raises:
        Refused: if a value is missing or of another type; the message names it.
    """
    try:
        return model.model_validate(content)
    except ValidationError as err:
        fault = err.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise Refused(f"{path} is damaged: {place}: {fault['msg']}") from err


def read_lines(path: Path, model: type[M]) -> list[M]:
    """The lines of a file that grows by one JSON object a line; a line that a kill left unfinished is removed.

    Args:
        path: Of the file, which need not exist.
        model: What each line should hold.

    Raises:
        Refused: if a line is damaged.
    """
    whole = path.read_bytes() if path.exists() else b""
    kept = whole[: whole.rfind(b"\n") + 1]
    if kept != whole:
        with path.open("r+b") as file:
            file.truncate(len(kept))
    return [checked(model, parsed(path, line), path) for line in kept.splitlines()]


def append_line(path: Path, line: BaseModel) -> None:
    """Append one JSON object to a file of lines.

    Args:
        path: Of the file.
        line: The object.

    Raises:
        RecordFailed: if the disk is full or the folder is gone.
    """
    append(path, line_of(line))


def line_of(line: BaseModel) -> bytes:
    """A JSON object as a line of a file of lines."""
    return (json.dumps(line.model_dump(), allow_nan=False) + "\n").encode()


def append(path: Path, line: bytes) -> None:
    """Append to a file that grows.

    Args:
        path: Of the file.
        line: What is added.

    Raises:
        RecordFailed: if the disk is full or the folder is gone.
    """
    try:
        with path.open("ab") as file:
            file.write(line)
    except OSError as err:
        raise RecordFailed(f"{path} cannot be written: {reason(err)}") from err


def digest_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal.

    Raises:
        Refused: if it cannot be read.
    """
    return hashlib.sha256(read_bytes(path)).hexdigest()
