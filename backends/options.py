"""The options of a backend, read from where it declares them: the keyword-only arguments of what makes it.

    def __init__(self, *, precision: Annotated[Precision, 'of the amplitudes: "double" or "single"'] = "double"): ...

The type says what is taken, the words beside it complete "must be" in a message. Study files, plans and tables read
them here, so a new option is one argument.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from circuits.errors import Refused, unknown


@dataclass(frozen=True)
class Option:
    """One option of a backend.

    Attributes:
        name: The keyword.
        type: What values it takes.
        default: The value where it is not given.
        description: Words that complete "must be"; empty where the backend gives none.
    """

    name: str
    type: Any
    default: Any
    description: str


def options_of(make: Callable[..., Any]) -> dict[str, Option]:
    """The options of a backend, by name.

    Args:
        make: Its class, or a function that makes it.
    """
    hints = get_type_hints(make.__init__ if isinstance(make, type) else make, include_extras=True)
    return {
        parameter.name: _option(parameter, hints.get(parameter.name, Any))
        for parameter in inspect.signature(make).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def check(options: Mapping[str, Any], known: Mapping[str, Option], backend: str) -> None:
    """Refuse an option that the backend does not have, or a value of another type.

    Args:
        options: Name to value.
        known: As `options_of` gives them.
        backend: Its name, for the message.

    Raises:
        Refused: with the nearest right word, or what the value must be.
    """
    for name, value in options.items():
        if name not in known:
            if not known:
                raise Refused(f"backend {backend} has no options, and '{name}' was given")
            raise unknown(f"option of backend {backend}:", name, known)
        option = known[name]
        try:
            TypeAdapter(option.type, config=ConfigDict(strict=True, arbitrary_types_allowed=True)).validate_python(
                value
            )
        except PydanticUserError:  # a type that has a configuration of its own, such as a dataclass
            continue
        except ValidationError as err:
            words = option.description or err.errors(include_url=False)[0]["msg"].replace("Input should be ", "")
            raise Refused(f"option {name} of backend {backend} must be {words}; not {value!r}") from err


def _adapter(kind: Any) -> TypeAdapter[Any]:
    strict = ConfigDict(strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)
    try:
        return TypeAdapter(kind, config=strict)
    except PydanticUserError:  # a dataclass or the like, which has a configuration of its own
        return TypeAdapter(kind)


def _option(parameter: inspect.Parameter, hint: Any) -> Option:
    kind, words = hint, ""
    if get_origin(hint) is Annotated:
        kind, *notes = get_args(hint)
        words = next((note for note in notes if isinstance(note, str)), "")
    return Option(parameter.name, kind, parameter.default, words)
