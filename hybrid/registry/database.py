"""The tables of a registry, and how to open one: the same on SQLite and on PostgreSQL.

A registry is opened for each question anew, so that nothing is held between two of them. What is written is written in
one transaction that begins by waiting for all others.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from circuits.errors import Refused
from hybrid.registry.address import Address

SCHEMA = 1
"""Version of the tables."""

Execute = Callable[..., list[tuple[Any, ...]]]
"""Called with a statement and its values, where each ``?`` stands for one of them: the rows that it gives."""

TABLES = (
    "CREATE TABLE registry_schema (version INTEGER NOT NULL)",
    f"INSERT INTO registry_schema VALUES ({SCHEMA})",
    """CREATE TABLE registry_entry (
        result_sha256 TEXT PRIMARY KEY,
        hamiltonian TEXT NOT NULL,
        circuit TEXT NOT NULL,
        family TEXT,
        features TEXT NOT NULL,
        problem TEXT NOT NULL,
        unit TEXT NOT NULL,
        label TEXT NOT NULL,
        theta TEXT NOT NULL,
        energy DOUBLE PRECISION NOT NULL,
        standard_error DOUBLE PRECISION NOT NULL,
        bias DOUBLE PRECISION NOT NULL,
        exact_energy DOUBLE PRECISION,
        status TEXT NOT NULL,
        optimizer TEXT NOT NULL,
        evaluations BIGINT NOT NULL,
        backend TEXT NOT NULL,
        folder TEXT NOT NULL,
        started_from TEXT,
        versions TEXT NOT NULL,
        created_utc TEXT NOT NULL)""",
    "CREATE INDEX registry_exact ON registry_entry (hamiltonian, circuit, label)",
    "CREATE INDEX registry_family ON registry_entry (family, label)",
)


@contextmanager
def opened(address: Address, *, writing: bool) -> Iterator[Execute | None]:
    """A registry's tables, opened and checked.

    Args:
        address: Where it lies.
        writing: Whether something is to be written: then missing tables are made, and nobody else writes meanwhile.

    Yields:
        What executes statements; None where there is no registry yet and nothing is to be written.

    Raises:
        Refused: if it cannot be opened, is damaged, of another version, or no registry.
    """
    from hybrid.registry import postgres, sqlite

    connect = sqlite.connected if address.path is not None else postgres.connected
    with connect(address, writing) as found:
        if found is None:
            yield None
            return
        execute, tables = found
        if not tables and writing:
            for statement in TABLES:
                execute(statement)
        elif "registry_schema" in tables:
            _check_version(execute, address)
        elif tables:
            raise Refused(
                f"{address.text} is no registry: its tables are {', '.join(sorted(tables)[:3])}; name another"
            )
        yield execute if tables or writing else None


def _check_version(execute: Execute, address: Address) -> None:
    versions = [version for (version,) in execute("SELECT version FROM registry_schema")]
    if versions == [SCHEMA]:
        return
    if versions and max(versions) > SCHEMA:
        raise Refused(
            f"{address.text}: a newer version of this software has made this registry (its tables are of version "
            f"{max(versions)}, this one knows {SCHEMA}): update hybrid-codesign, or name another registry"
        )
    raise Refused(
        f"{address.text}: the registry's tables are of no version that this software can read: name another "
        "registry, and add the runs to that with `hybrid registry add RUN`"
    )
