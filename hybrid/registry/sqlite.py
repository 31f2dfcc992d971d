"""A registry in a file of SQLite's.

The file has a rollback journal rather than a write-ahead log: the latter needs memory that all writers share, which
there is none of between the nodes of a cluster that see the file over a network.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from circuits.errors import Refused
from hybrid.registry.address import VARIABLE, Address
from hybrid.registry.database import Execute

BUSY_S = 120.0
"""How long one writer waits for the others."""

DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")


@contextmanager
def connected(address: Address, writing: bool) -> Iterator[tuple[Execute, set[str]] | None]:
    """A connection, within a transaction that is committed at the end.

    Args:
        address: Of the file.
        writing: As for `hybrid.registry.database.opened`.

    Yields:
        What executes statements, and the names of the tables that are there; None where there is no file.

    Raises:
        Refused: if the file cannot be opened, is damaged, or is locked for minutes.
    """
    path = address.path
    assert path is not None
    try:
        if writing:
            _make(path)
        elif not path.exists():
            yield None
            return
        # A file that others may write is opened so for reading, too: what another process broke off is undone then.
        mode = "rw" if os.access(path, os.W_OK) else "ro"
        file = f"{path.absolute().as_uri()}?mode={mode}"
        with closing(sqlite3.connect(file, uri=True, timeout=BUSY_S, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
            try:
                names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                yield lambda statement, *values: database.execute(statement, values).fetchall(), {n for (n,) in names}
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
    except OSError as err:
        raise Refused(
            f"the registry {path} cannot be opened ({err.strerror}): get the right to write there, or set {VARIABLE} "
            "to the path of another file"
        ) from err
    except sqlite3.Error as err:
        name = getattr(err, "sqlite_errorname", None) or type(err).__name__
        if name.startswith(DAMAGED):
            raise Refused(
                f"the registry {path} is damaged or no file of SQLite's ({err}): restore it from a copy, or set "
                f"{VARIABLE} to another file and add the runs again with `hybrid registry add RUN`"
            ) from err
        raise Refused(
            f"the registry {path} cannot be used ({err}): see that the disk is not full, that you may write to the "
            f"file and its folder, and that nobody else holds it; or set {VARIABLE} to another file"
        ) from err


def _make(path: Path) -> None:
    """Make an empty file that nobody else can read, if there is none.

    It is made under another name: a file that was opened and closed beside SQLite would lose the locks that this
    process holds on it.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    try:
        with suppress(FileExistsError):  # somebody else was faster
            os.link(scratch, path)
    finally:
        os.unlink(scratch)
