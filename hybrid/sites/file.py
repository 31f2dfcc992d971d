"""The site file: where studies may be submitted to, a table of TOML for each site."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError

from circuits.errors import Refused, unknown
from circuits.secrets import is_secret, redacted
from hybrid.sites import kinds
from hybrid.sites.local import Local
from hybrid.sites.site import Site
from hybrid.studies.sweep import shown

VARIABLE = "HYBRID_SITES"

NAME = re.compile(r"\w[\w.-]*")


def path() -> Path:
    """The site file: $HYBRID_SITES, or ``sites.toml`` in the user's configuration folder (``~/.config/hybrid``)."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_config_path("hybrid") / "sites.toml")


def site(name: str) -> Site:
    """The settings of a site; "local" is this machine unless the file says otherwise.

    Raises:
        Refused: if there is no such site, or the file says anything that is not understood.
    """
    sites = all_sites()
    if name not in sites:
        raise unknown(f"site (they stand in {path()})", name, sites)
    return sites[name]


def template() -> str:
    """The text of a commented site file to start from."""
    return Path(__file__).with_name("template.toml").read_text(encoding="utf-8")


def all_sites() -> dict[str, Site]:
    """Every site that a study may be submitted to, by its name; "local" is this machine unless the file says otherwise.

    Raises:
        Refused: as `site`.
    """
    return {"local": Local(kind="local")} | read(path())


def changed(settings: Site, name: str, options: Mapping[str, Any]) -> Site:
    """The settings of a site with some of them given anew, as by options of a command.

    Args:
        settings: From the site file.
        name: Of the site, for messages.
        options: Names of settings to values.

    Raises:
        Refused: if the site has no such setting, or it cannot have such a value.
    """
    kind = type(settings)
    for key, value in options.items():
        if key not in kind.model_fields:
            raise Refused(f"--{key} {value}: the site {name} is of the kind '{settings.kind}', which has no {key}")
    table = settings.model_dump(exclude_unset=True) | dict(options)
    try:
        return kind.model_validate(table)
    except ValidationError as err:
        lines = [_line(fault, kind, table) for fault in err.errors(include_url=False)]
        raise Refused("\n".join(f"--{line}" for line in dict.fromkeys(lines))) from err


def read(file: Path) -> dict[str, Site]:
    """Every site of a file; none where there is no file, unless a variable names it.

    Raises:
        Refused: as `site`.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as err:
        if os.environ.get(VARIABLE):
            raise Refused(f"{file}: no such file, but {VARIABLE} names it") from err
        return {}
    except OSError as err:
        raise Refused(f"{file}: cannot be read: {err.strerror}") from err
    except UnicodeDecodeError as err:
        raise Refused(f"{file}: not UTF-8, which TOML must be") from err
    except RecursionError as err:
        raise Refused(f"{file}: lists or tables are nested too deeply") from err
    except ValueError as err:
        raise Refused(f"{file}: not TOML: {err}") from err
    return {name: _checked(file, name, table) for name, table in data.items()}


def _checked(file: Path, name: str, table: Any) -> Site:
    if not NAME.fullmatch(name):
        raise Refused(f"{file}: [{name!a}]: the name of a site must be letters, digits and any of -_.")
    if _has_huge(table):
        raise Refused(f"{file}: [{name}]: holds a whole number of more than 64 bits, which TOML does not have")
    if not isinstance(table, dict):
        raise Refused(f"{file}: {name} = {shown(table)}: must be a table [{name}] with the settings of a site")
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in kinds.names():
        said = "missing" if kind is None else f"unknown: {shown(kind)}"
        raise Refused(f"{file}: [{name}] kind: {said}; must be one of {', '.join(map(repr, kinds.names()))}")
    try:
        return kinds.load(kind).model_validate(table)
    except ValidationError as err:
        lines = [_line(fault, kinds.load(kind), table) for fault in err.errors(include_url=False)]
        raise Refused("\n".join(f"{file}: [{name}] {line}" for line in dict.fromkeys(lines))) from err


def _has_huge(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_huge, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and value.bit_length() > 64


def _line(fault: Any, model: type[Site], table: dict[str, Any]) -> str:
    key = str(fault["loc"][0])
    value = table.get(key)
    hidden = key == "environment" or is_secret(key, value)
    at = key if hidden else f"{key} = {redacted(shown(value))}"
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, model.model_fields, n=1)
        return f"{at}: unknown key; " + (
            f"did you mean '{near[0]}'?" if near else f"known: {', '.join(model.model_fields)}"
        )
    if fault["type"] == "value_error":
        return f"{key}: {fault['ctx']['error']}"
    return f"{at}: " + (fault["msg"] if fault["type"] == "rule" else f"must be {model.model_fields[key].description}")
