"""Credentials: known by the names they go by, kept as references, and taken out of every text.

A reference says where a secret is, and not what it is: ``{"from": "environment", "name": "IONQ_API_KEY"}``.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from pydantic import SecretStr

NAME = re.compile(
    r"(?i)token|secret|passw(or)?d|passphrase|api_?key|access_?key|private_?key|credential|bearer|\bauth|_auth$"
)
"""Names of options and variables whose values are secret."""

LOGIN = re.compile(r"://[^/@\s:]*:[^/@\s]+@")
"""A name and a password in an address."""

SHORTEST = 6
"""Letters of a value that is looked for in texts; shorter ones would be found everywhere."""

HIDDEN = "[secret]"

ENVIRONMENT = "environment"

_given: set[str] = set()  # what was given as an option in this process, so that no message repeats it


def is_secret(name: str, value: Any = None) -> bool:
    """Whether a name, or a value itself, says that the value is secret.

    >>> is_secret("api_key"), is_secret("shots"), is_secret("url", "https://me:word@host/")
    (True, False, True)
    """
    if is_hidden(value) or is_reference(value):
        return True
    return bool(NAME.search(name)) or (isinstance(value, str) and (bool(LOGIN.search(value)) or holds_secret(value)))


def is_hidden(value: Any) -> "TypeGuard[SecretStr]":
    """Whether a value is a pydantic ``SecretStr``, which shows itself to nobody who does not ask."""
    return hasattr(value, "get_secret_value")


def is_reference(value: Any) -> bool:
    """Whether a value says where a secret is.

    >>> is_reference({"from": "environment", "name": "IONQ_API_KEY"}), is_reference({"name": "x"})
    (True, False)
    """
    return isinstance(value, Mapping) and set(value) == {"from", "name"} and value["from"] == ENVIRONMENT


def kept(name: str, value: Any) -> Any:
    """What may be kept of an option: the value, a reference to it, or, of a secret that is nowhere else, a `SecretStr`.

    Args:
        name: Of the option.
        value: As the user gave it.
    """
    if is_reference(value) or not is_secret(name, value):
        return value
    from pydantic import SecretStr

    text = str(plain(value))
    _given.add(text)
    found = next((variable for variable, content in os.environ.items() if content == text), None)
    return SecretStr(text) if found is None else {"from": ENVIRONMENT, "name": found}


def plain(value: Any) -> Any:
    """The value behind what `kept` gave, or any other value.

    Raises:
        KeyError: with the name of the variable, if a reference names one that is not set.
    """
    if is_hidden(value):
        return value.get_secret_value()
    return os.environ[value["name"]] if is_reference(value) else value


def holds_secret(text: str) -> bool:
    """Whether a text holds the value of a variable of the environment that is secret by its name."""
    return any(secret in text for secret in _known())


def redacted(text: str, *more: str) -> str:
    """The text without the secrets of the environment, and those that were given as options in this process.

    Args:
        text: To be shown or kept.
        more: Secrets from elsewhere, such as a key in a vendor's own file.
    """
    text = LOGIN.sub(f"://{HIDDEN}@", text)
    for secret in sorted({*_known(), *_given, *more}, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text


def _known() -> Iterator[str]:
    return (value for name, value in os.environ.items() if len(value) >= SHORTEST and NAME.search(name))
