"""The types of the values in a study file: strict tables, counts, pairs, and paths of files that exist."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Section(BaseModel):
    """One table of the file."""

    model_config = STRICT

    def arguments(self) -> dict[str, Any]:
        """The keys that the file gives and their values, without the kind: arguments of the function behind it."""
        return self.model_dump(exclude_unset=True, exclude={"kind"})


class KindSection(Section):
    """A table of which there are several kinds, each with keys of its own."""

    kind: str


class InputPath(str):
    """The absolute path of an input file; what is recorded of it is its name and its content.

    Attributes:
        content: SHA-256 of the file when the study was read, in hexadecimal.
    """

    content: str

    def __new__(cls, path: Path, content: str) -> "InputPath":
        """The path with the digest of its content.

        Args:
            path: Absolute path.
            content: SHA-256 of the file, in hexadecimal.
        """
        made = super().__new__(cls, path)
        made.content = content
        return made

    def __getnewargs__(self) -> tuple[Path, str]:  # pyright: ignore[reportIncompatibleMethodOverride] - for pickle
        return Path(self), self.content

    def record(self) -> dict[str, str]:
        """What the record of a run keeps of the file: its name and digest, but not the folder that it lies in."""
        return {"file": Path(self).name, "sha256": self.content}


def existing(name: str, info: ValidationInfo) -> InputPath:
    """The path of an input file.

    Args:
        name: As the study writes it, relative to the folder in the context.
        info: Of the validation.

    Raises:
        ValueError: if there is no such file.
    """
    path = Path((info.context or {}).get("folder", "."), name)
    try:
        if not path.is_file():
            raise ValueError(f"no such file: {path}")
        return InputPath(path, _content(path, path.stat().st_mtime_ns, path.stat().st_size))
    except OSError as err:
        raise ValueError(f"no such file ({err.strerror})") from err


@cache
def _content(path: Path, changed_ns: int, size: int) -> str:
    """SHA-256 of a file, read once for all points of a study."""
    del changed_ns, size  # another time or size is another content
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _geometry(text: str, info: ValidationInfo) -> str:
    from circuits.problems.geometry import atoms

    if text.strip().lower().endswith(".xyz"):
        text = existing(text.strip(), info)
    atoms(text)
    return text


def fault(key: str, value: Any, message: str, **context: Any) -> ValidationError:
    """A validation error at one key, for rules that depend on other keys, too.

    Args:
        key: Name of the key, with dots between the names of nested tables.
        value: Its value.
        message: What is wrong.
        context: Further details for the message, such as the known names.
    """
    error = PydanticCustomError("rule", "{message}", {"message": message, **context})
    return ValidationError.from_exception_data(
        "study", [InitErrorDetails(type=error, loc=tuple(key.split(".")), input=value)]
    )


LAYERS = "the number of layers, a whole number from 1 to 1000"

# Lists in TOML stand for tuples; what is inside them stays strict.
Pair = Annotated[tuple[int, int], Field(strict=False)]
Triple = Annotated[tuple[int, int, float], Field(strict=False)]
Pairs = Annotated[tuple[Pair, ...], Field(strict=False)]
WeightedPairs = Annotated[tuple[Pair | Triple, ...], Field(strict=False)]
Axes = Annotated[tuple[float, float, float], Field(strict=False)]
Words = Annotated[tuple[str, ...], Field(strict=False)]
InputFile = Annotated[str, AfterValidator(existing)]
Geometry = Annotated[str, AfterValidator(_geometry)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Sites = Annotated[int, Field(ge=1, le=1000, description="the number of sites, a whole number from 1 to 1000")]
Layers = Annotated[int, Field(ge=1, le=1000)]
Bonds = Annotated[Pairs | None, Field(description="pairs of sites, such as [[0, 1], [1, 2]]")]
Ring = Annotated[bool | None, Field(description="true for a ring or false for a chain")]
Strength = Annotated[float | None, Field(description="a finite number")]
