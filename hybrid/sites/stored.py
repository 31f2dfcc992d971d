"""Reading back what was written as JSON, so that damage is one message and not a surprise further on."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from circuits.errors import Refused

Kind = TypeVar("Kind")


def load(kind: type[Kind], path: Path) -> Kind:
    """A JSON object as a value of a dataclass, every type in it checked.

    Raises:
        Refused: if the file is missing or damaged, or another version wrote it.
    """
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes(), strict=True, extra="forbid")
    except OSError as err:
        raise Refused(f"{path} cannot be read: {err.strerror}") from err
    except ValidationError as err:
        fault = err.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise Refused(f"{path} is damaged, or of another version: {where + ': ' * bool(where)}{fault['msg']}") from err
