"""Where a registry lies: a file of SQLite's, or a database of a PostgreSQL server that a group shares."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from circuits.errors import Refused, shown
from hybrid.runs.index import data_folder

VARIABLE = "HYBRID_REGISTRY"

FILE = "registry.sqlite"

SERVERS = ("postgresql", "postgres")

SECRET = {"password", "sslpassword"}
"""What an address may not say."""


@dataclass(frozen=True)
class Address:
    """An address that was understood.

    Attributes:
        text: As it was given; it holds no password.
        path: Of the file; None for a server's database.
        host: Of the server, where it is another machine; None where the data stay on this one.
    """

    text: str
    path: Path | None
    host: str | None = None


def address_of(text: str | os.PathLike[str] | None = None) -> Address:
    """Understand an address.

    Args:
        text: Path of a file, or ``postgresql://USER@HOST/DATABASE``; by default $HYBRID_REGISTRY, or registry.sqlite in
            the user's data folder.

    Raises:
        Refused: for an address of another kind, and for one with a password in it.
    """
    if text is None:
        text = os.environ.get(VARIABLE) or data_folder() / FILE
    if not isinstance(text, str) or "://" not in text:
        return Address(str(text), Path(text).expanduser())
    kind = text.partition("://")[0]
    if kind not in SERVERS:
        raise Refused(
            f"the registry's address begins with {shown(kind + '://')}: give the path of a file, or "
            "postgresql://USER@HOST/DATABASE"
        )
    try:
        parts = urlsplit(text)
        password, options = parts.password, parse_qs(parts.query, keep_blank_values=True)
    except ValueError as err:
        raise Refused("the registry's address is no URL: write postgresql://USER@HOST/DATABASE") from err
    if password is not None or SECRET & {key.lower() for key in options}:
        raise Refused(
            "the registry's address holds a password, which would be kept where others can read it: leave it out, and "
            "write it into the file that PGPASSFILE names (~/.pgpass)"
        )
    host = _host(parts.hostname or "", options)
    here = host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")
    return Address(text, None, None if here else host)


def _host(host: str, options: Mapping[str, list[str]]) -> str:
    """Where libpq would go; of a service, which stands in a file of libpq's, its name."""
    service = options.get("service", [""])[-1] or os.environ.get("PGSERVICE")
    if service:
        return service
    given = options.get("hostaddr") or options.get("host") or [host]
    return given[-1] or os.environ.get("PGHOSTADDR") or os.environ.get("PGHOST") or ""
