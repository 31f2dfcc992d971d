"""A registry in a database of a PostgreSQL server, for a group.

Passwords are left to libpq, PostgreSQL's own library: it takes them from the file that PGPASSFILE names, or from a
service file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from circuits.errors import NotInstalled, Refused
from circuits.secrets import redacted
from hybrid.registry.address import Address
from hybrid.registry.database import Execute

TIMEOUT_S = 20
"""How long a server may take to answer at first."""

LOCK = 7_235_938_112_641
"""The number of the lock that those who write hold; any will do that no other program takes."""


@contextmanager
def connected(address: Address, writing: bool) -> Iterator[tuple[Execute, set[str]] | None]:
    """A connection, within a transaction that is committed at the end.

    Args:
        address: Of the database.
        writing: As for `hybrid.registry.database.opened`.

    Yields:
        What executes statements, and the names of those of a registry's tables that are there.

    Raises:
        NotInstalled: if psycopg is not installed.
        Refused: if the server does not answer, or does not let this user in or write.
    """
    psycopg = _psycopg()
    try:
        with psycopg.connect(address.text, connect_timeout=TIMEOUT_S) as database:

            def execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
                cursor = database.execute(statement.replace("?", "%s"), values)
                return cursor.fetchall() if cursor.description else []

            if writing:
                execute("SELECT pg_advisory_xact_lock(?)", LOCK)
            names = execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
            yield execute, {name for (name,) in names if name.startswith("registry_")}
    except psycopg.Error as err:
        said = redacted(" ".join(str(err).split()))
        raise Refused(
            f"the registry {address.text} cannot be used ({said}): see that the server runs, that the database exists, "
            "and that its user may create and write tables; the password belongs into the file that PGPASSFILE names"
        ) from None  # whose text may say how the connection was made


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError as err:
        raise NotInstalled(
            "a registry at postgresql:// needs psycopg: pip install 'hybrid-codesign[postgres]'"
        ) from err
    return psycopg
