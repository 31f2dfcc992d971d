"""From a failed validation to a message that names section, key, value and cure."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from circuits.errors import Refused
from circuits.secrets import is_reference, is_secret, redacted
from hybrid.studies.problem_and_ansatz import kinds, model_of
from hybrid.studies.sections import Backend, Budget, Codesign, Optimizer, Run, Spec
from hybrid.studies.sweep import shown

SECRETS = ("token", "secret", "password", "api_key", "access_key", "credential")
"""Names of options whose values no message shows, though they be misspelt."""

_SINGLE = {"optimizer": Optimizer, "backend": Backend, "run": Run, "budget": Budget, "codesign": Codesign}


def refusal(error: ValidationError, data: Mapping[str, Any], *, where: str) -> Refused:
    """The error of a study file from that of its validation: a line for each key that is wrong.

    Args:
        error: That pydantic raised.
        data: The file's content, with placeholders replaced.
        where: The file, and the point of the sweep if there is one; every line begins with it.
    """
    faults = error.errors(include_url=False)
    lines = [_line(fault, data) for fault in faults if fault["type"] != "missing"]
    misspelt = " ".join(lines)
    for fault in faults:
        word = fault["loc"][-1]
        if fault["type"] == "missing" and not any(f"did you mean {w}?" in misspelt for w in (f"'{word}'", f"[{word}]")):
            lines.append(_line(fault, data))
    return Refused("\n".join(f"{where}: {line}" for line in dict.fromkeys(lines)))


def _line(fault: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    section, *keys = fault["loc"]
    return _in_section(fault, section, data) if not keys else _at_key(fault, section, str(keys[0]), data)


def _in_section(fault: Mapping[str, Any], section: str, data: Mapping[str, Any]) -> str:
    table = data.get(section)
    if fault["type"] == "missing":
        kind = fault.get("ctx", {}).get("algorithm")
        needed = f"an algorithm of kind {kind} needs it" if kind else "a study needs [problem] and [ansatz]"
        return f"[{section}]: missing; {needed}"
    if fault["type"] == "rule":
        return f"[{section}]: {fault['msg']}"
    if fault["type"] == "extra_forbidden":
        near = _near(section, [*Spec.model_fields, "sweep", "survey"], "[{}]")
        if isinstance(table, dict):
            return f"[{section}]: unknown section{near}"
        return f"{section} = {_shown(section, table)}: unknown key outside of all sections{_owner(section) or near}"
    if not isinstance(table, dict):
        return f"{section} = {_shown(section, table)}: must be a section [{section}] with keys"
    known = kinds(section)
    if "kind" not in table:
        return f"[{section}] kind: missing; must be one of {', '.join(known)}"
    return f"[{section}] kind = {shown(table['kind'])}: unknown kind{_near(table['kind'], known)}"


def _at_key(fault: Mapping[str, Any], section: str, key: str, data: Mapping[str, Any]) -> str:
    table = data.get(section, {})
    model = _model(section, table)
    field = model.model_fields.get(key)
    expected = f"must be {field.description}" if field and field.description else fault["msg"]
    if fault["type"] == "missing" and key not in table:
        return f"[{section}] {key}: missing; {expected}"
    at = f"[{section}] {key} = {_shown(key, table[key])}" if key in table else f"[{section}] {key}"
    context = fault.get("ctx", {})
    if fault["type"] == "extra_forbidden" or "known" in context:
        known = context.get("known", list(model.model_fields))
        return f"{at}: unknown key{_near(key, known, elsewhere=_owner(key, section))}"
    if fault["type"] == "literal_error":
        return f"{at}: {expected}{_near(table[key], _literals(field), listed=False)}"
    if fault["type"] == "value_error":
        return f"{at}: {context['error']}"
    return f"{at}: {fault['msg']}" if fault["type"] == "rule" else f"{at}: {expected}"


def _shown(key: str, value: Any) -> str:
    """A value as `shown` gives it, unless it is secret."""
    misspelt = isinstance(value, str) and bool(difflib.get_close_matches(key, SECRETS, n=1, cutoff=0.75))
    hidden = (misspelt or is_secret(key, value)) and not is_reference(value)
    return "..." if hidden else redacted(shown(value))


def _model(section: str, table: Mapping[str, Any]) -> type[BaseModel]:
    return _SINGLE[section] if section in _SINGLE else model_of(section, table["kind"])


def _literals(field: Any) -> list[str]:
    """The words that a Literal field takes."""
    return list(_words(field.annotation))


def _words(part: Any) -> Iterator[str]:
    """The words of all Literals in a type."""
    for inner in get_args(part):
        if isinstance(inner, str) and get_origin(part) is Literal:
            yield inner
        else:
            yield from _words(inner)


def _owner(key: str, section: str | None = None) -> str:
    """A hint at the section that has this key."""
    homes = [name for name, model in _SINGLE.items() if key in model.model_fields and name != section]
    return f"; it belongs to [{homes[0]}]" if homes and key not in ("name", "kind") else ""


def _near(word: Any, known: Iterable[str], form: str = "'{}'", *, listed: bool = True, elsewhere: str = "") -> str:
    near = difflib.get_close_matches(str(word), list(known), n=1)
    if near:
        return f"; did you mean {form.format(near[0])}?"
    return elsewhere or (f"; known: {', '.join(form.format(name) for name in known)}" if listed else "")
