"""What the values of a study file are made of: strict tables, counts, pairs, and paths of files that exist."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Section(BaseModel):
    """One table of the file."""

    model_config = STRICT

    def arguments(self) -> dict[str, Any]:
        """The keys that the file gives, but for the kind."""
        return self.model_dump(exclude_unset=True, exclude={"kind"})


class KindSection(Section):
    """A table of which there are several kinds, each with keys of its own."""

    kind: str


def _existing(name: str, info: ValidationInfo) -> str:
    path = Path((info.context or {}).get("folder", "."), name)
    try:
        found = path.is_file()
    except OSError as err:
        raise ValueError(f"no such file ({err.strerror})") from err
    if not found:
        raise ValueError(f"no such file: {path}")
    return str(path)


def _geometry(text: str, info: ValidationInfo) -> str:
    from circuits.problems.geometry import atoms

    if text.strip().lower().endswith(".xyz"):
        text = _existing(text.strip(), info)
    atoms(text)
    return text


def fault(key: str, value: Any, message: str, **context: Any) -> ValidationError:
    """A validation error at one key, for rules that reach beyond that key."""
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
InputFile = Annotated[str, AfterValidator(_existing)]
Geometry = Annotated[str, AfterValidator(_geometry)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Sites = Annotated[int, Field(ge=1, le=1000, description="the number of sites, a whole number from 1 to 1000")]
Layers = Annotated[int, Field(ge=1, le=1000)]
Bonds = Annotated[Pairs | None, Field(description="pairs of sites, such as [[0, 1], [1, 2]]")]
Ring = Annotated[bool | None, Field(description="true for a ring or false for a chain")]
Strength = Annotated[float | None, Field(description="a finite number")]
