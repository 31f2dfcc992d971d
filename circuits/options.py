"""The options of a backend, a problem or an ansatz, read from where they are declared: the arguments of what makes it.

    def __init__(self, *, precision: Annotated[Precision, '"double" or "single"'] = "double"): ...

The type says what is taken, the words beside it complete "must be" in a message. Study files, plans and tables read
them here, so a new option is one argument.
"""

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from circuits.errors import Refused, unknown
from circuits.secrets import is_secret

MISSING = inspect.Parameter.empty
"""The default of an option that must be given."""


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        name: The keyword.
        type: What values it takes.
        default: The value where it is not given; `MISSING` if it must be.
        description: Words that complete "must be"; empty where there are none.
    """

    name: str
    type: Any
    default: Any
    description: str

    def wrong(self, value: Any) -> str:
        """What a value would have to be, as in "must be ..."; empty if it is that."""
        try:
            _adapter(self.type).validate_python(value)
            _check_literal(self.type, value)
        except ValueError as err:
            said = err.errors(include_url=False)[0]["msg"] if isinstance(err, ValidationError) else str(err)
            words = self.description or said.replace("Input should be ", "")
            known = [word for word in get_args(self.type) if isinstance(word, str)]
            near = difflib.get_close_matches(str(value), known, n=1)
            return f"must be {words}" + (f"; did you mean '{near[0]}'?" if near else "")
        return ""


def options_of(make: Callable[..., Any], *, after: int = 0) -> dict[str, Option]:
    """The options of something, by name.

    Args:
        make: A class, or a function that makes it. All its arguments that can be given by keyword are options.
        after: How many of the first are none, such as the problem that an ansatz is made for.
    """
    hints = get_type_hints(make.__init__ if isinstance(make, type) else make, include_extras=True)
    parameters = list(inspect.signature(make).parameters.values())[after:]
    named = [p for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return {p.name: _option(p, hints.get(p.name, Any)) for p in named}


def check(options: Mapping[str, Any], known: Mapping[str, Option], owner: str) -> None:
    """Refuse an option that is not known, or a value of another type.

    Args:
        options: Name to value.
        known: As `options_of` gives them.
        owner: What they are options of, for the message.

    Raises:
        Refused: with the nearest right word, or what the value must be.
    """
    for name, value in options.items():
        if name not in known:
            if not known:
                raise Refused(f"{owner} has no options, and '{name}' was given")
            raise unknown(f"option of {owner}:", name, known)
        if wrong := known[name].wrong(value):
            said = "its value is secret" if is_secret(name, value) else f"it is {value!r}"
            raise Refused(f"option {name} of {owner} {wrong}; {said}")


def _adapter(kind: Any) -> TypeAdapter[Any]:
    strict = ConfigDict(strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)
    try:
        return TypeAdapter(kind, config=strict)
    except PydanticUserError:  # a dataclass or the like, which has a configuration of its own
        return TypeAdapter(kind)


def _check_literal(kind: Any, value: Any) -> None:
    """Refuse what only equals a word of a `Literal`: to Python, and to Pydantic, True and 1.0 are 1."""
    kinds = [kind, *get_args(kind)]
    words = [word for one in kinds if get_origin(one) is Literal for word in get_args(one)]
    equal = [word for word in words if word == value]
    if equal and all(type(word) is not type(value) for word in equal):
        raise ValueError(" or ".join(map(repr, words)))


def _option(parameter: inspect.Parameter, hint: Any) -> Option:
    kind, words = hint, ""
    if get_origin(hint) is Annotated:
        notes = [note for note in get_args(hint)[1:] if not isinstance(note, str)]
        words = next((note for note in get_args(hint)[1:] if isinstance(note, str)), "")
        kind = Annotated[get_args(hint)[0], *notes] if notes else get_args(hint)[0]
    return Option(parameter.name, kind, parameter.default, words)
