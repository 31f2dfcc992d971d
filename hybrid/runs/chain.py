"""The chain of a journal: a digest of everything written into it, in order, each bound to all that came before.

Every row that a journal gets (an evaluation, a job whenever something new is known of it, an intent, a failover), the
files that say what was asked, and in the end the result, are one link each. With ``||`` for bytes one after the other,

    digest = SHA-256(the row's columns)        head = SHA-256(head before || kind || key || digest)

and 32 zero bytes are the head before the first link. A link is written in the transaction of its row, so a kill at any
moment leaves both or neither. Whoever changes, removes, inserts or swaps rows afterwards leaves rows that are not those
of the links, and whoever changes a link as well leaves heads that do not follow from each other. What the chain cannot
show: that somebody who may write the whole folder has made all links anew, or has cut off the end of a run that had not
ended. A signature, or a head that was kept elsewhere, shows it.
"""

import hashlib
import json
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T", bytes, str)
"""A digest, as bytes or in hexadecimal."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS chain (
    row INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BLOB,
    head BLOB NOT NULL
);
"""
"""``kind`` is the table of the row, or `FILE`, `LINE`, `STAGE` or `RESULT`; ``digest`` is NULL where the row was
removed."""

FILE, RESULT = "file", "result"
"""Kinds of links that stand for no row: a file beside the journal, and a result.json that is about to be written."""

LINE, STAGE = "line", "stage"
"""The same in a folder of stages (`hybrid.runs.stages`): a line that a file grows by, and a stage that is done. Where
that has a journal of its own, the head of the journal's chain stands in place of a digest."""

STANDING = (FILE, LINE, STAGE)
"""Kinds of links whose keys are names already."""

ORIGIN = bytes(32)
"""The head before the first link."""

REAL = {
    *("seconds", "finished_at", "sent_at", "intended_at", "happened_at", "usd", "qpu_s"),
    *("waiting_at", "started_at", "ended_at", "vendor_created_at", "vendor_started_at", "vendor_ended_at"),
    "predicted_wait_s",
}
"""Columns in which SQLite keeps whole numbers as fractions, too."""

SHOWN = 5
"""As many faults are told one by one; the others are counted."""


class Table(NamedTuple):
    """A table whose rows are links.

    Attributes:
        key: Columns that say which row it is.
        columns: Those that say what it holds. What a row lacks (NULL) does not count, so columns can be added later;
            the checksum of an evaluation follows from the others.
    """

    key: tuple[str, ...]
    columns: tuple[str, ...]


TABLES = {
    "journal": Table(("key",), ("value",)),
    "evaluation": Table(
        ("number",),
        (
            *("step", "n_rows", "n_params", "theta", "energies", "standard_errors", "gradients", "seconds"),
            *("finished_at", "pairs", "metrics", "fidelities", "biases"),
        ),
    ),
    "intent": Table(("number",), ("sent_at",)),
    "job": Table(
        ("stage", "evaluation", "part", "attempt"),
        (
            *("request", "tag", "hardware", "circuits", "shots", "usd", "qpu_s", "charged_shots", "status"),
            *("intended_at", "id", "sent_at", "reason", "outcomes", "waiting_at", "started_at", "ended_at"),
            *("vendor_created_at", "vendor_started_at", "vendor_ended_at", "predicted_wait_s"),
        ),
    ),
    "failover": Table(
        ("place",),
        ("evaluation", "failed", "reason", "name", "backend", "threads", "provenance", "happened_at"),
    ),
}

CHECKSUM = "checksum"
"""The column of an evaluation that is not chained, since it follows from the others."""


class Link(NamedTuple):
    """What is chained: which row, and the digest of what it holds; None where it was removed."""

    kind: str
    key: str
    digest: bytes | None


def link(table: str, row: Mapping[str, Any]) -> Link:
    """The link that stands for a row.

    Args:
        table: Its table, a key of `TABLES`.
        row: Its values by column, those of the key included.
    """
    key, columns = TABLES[table]
    return Link(table, key_of([row[name] for name in key]), digest_of(columns, [row.get(name) for name in columns]))


def key_of(values: Sequence[Any]) -> str:
    """The values that say which row it is, as text."""
    return str(values[0]) if len(values) == 1 else json.dumps(list(values))


def digest_of(columns: Sequence[str], values: Iterable[Any]) -> bytes:
    """SHA-256 of named values; those that are None are left out.

    Args:
        columns: Names.
        values: An integer, a float, a text, bytes or None for each; in the columns of `REAL` an integer is a float.
    """
    parts = []
    for name, value in zip(columns, values, strict=True):
        if value is not None:
            parts += [name.encode(), *_encoded(float(value) if name in REAL and isinstance(value, int) else value)]
    return hashlib.sha256(b"".join(parts)).digest()


def after(head: bytes, link: Link) -> bytes:
    """The head of a chain after one more link.

    Args:
        head: Before it.
        link: The next one.
    """
    removed = () if link.digest is None else _encoded(link.digest)
    return hashlib.sha256(b"".join((head, *_encoded(link.kind), *_encoded(link.key), *removed))).digest()


def _encoded(value: Any) -> tuple[bytes, bytes]:
    """A letter for the type, the length in eight bytes, and the content: no two values are encoded alike."""
    if isinstance(value, bytes):
        tag, content = b"b", value
    elif isinstance(value, str):
        tag, content = b"s", value.encode("utf-8", "surrogateescape")
    elif isinstance(value, float):
        tag, content = b"f", struct.pack("<d", value)
    else:
        tag, content = b"i", str(int(value)).encode()
    return tag + len(content).to_bytes(8, "little"), content


@dataclass(frozen=True)
class End:
    """The end of a chain, to which links are added.

    Attributes:
        rows: How many links there are.
        head: Of the last one.
    """

    rows: int
    head: bytes

    def add(self, database: sqlite3.Connection, links: Iterable[Link]) -> "End":
        """Write further links; the transaction is the caller's.

        Returns:
            The new end, which holds once the transaction does.
        """
        rows, head = self.rows, self.head
        for one in links:
            rows, head = rows + 1, after(head, one)
            database.execute("INSERT INTO chain VALUES (?, ?, ?, ?, ?)", (rows, *one, head))
        return End(rows, head)


def end_of(database: sqlite3.Connection) -> End:
    """The end of the chain in a journal that has one."""
    last = database.execute("SELECT row, head FROM chain ORDER BY row DESC LIMIT 1").fetchone()
    return End(0, ORIGIN) if last is None else End(int(last[0]), bytes(last[1]))


@dataclass(frozen=True)
class Chain:
    """What the links of a journal say, and where its rows say otherwise.

    Attributes:
        rows: How many links there are.
        head: SHA-256 of everything, in hexadecimal.
        faults: What was changed, one sentence each, with table and row; empty where all is as it was written.
        files: SHA-256 of each file beside the journal, in hexadecimal, as it was last written.
        results: Row in the chain and SHA-256, in hexadecimal, of each result.json that was about to be written.
        seals: The same rows, each with its head.
        lines: SHA-256, in hexadecimal, of each line of the files of stages, by its name.
        stages: SHA-256 of the file of each stage that is done, or the head of its journal, in hexadecimal, by its name.
        latest: The last link of all; None before the first.
    """

    rows: int
    head: str
    faults: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    results: tuple[tuple[int, str], ...] = ()
    seals: tuple[tuple[int, str], ...] = ()
    lines: dict[str, str] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    latest: Link | None = None


def told(faults: Sequence[str]) -> str:
    """Faults as one text; of many the first few."""
    more = len(faults) - SHOWN
    return "; ".join(faults[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


Exchanged = Mapping[tuple[str, str, str], str]
"""For kind and key of a link, and the digest of what was written, in hexadecimal, that of what is left of it; see
`hybrid.runs.redaction`."""


def read(database: sqlite3.Connection, exchanged: Exchanged | None = None) -> Chain:
    """The chain of a journal, compared with the rows of all tables.

    Args:
        database: The journal; it should be in a transaction if somebody may write into it meanwhile.
        exchanged: Digests of what words were withheld from; None where that is nothing.
    """
    database.text_factory = lambda content: content.decode("utf-8", "surrogateescape")  # damaged text is a fault, too
    try:
        return _read(database, exchanged or {})
    finally:
        database.text_factory = str


def _left(one: Link, exchanged: Exchanged) -> Link:
    """A link with the digest of what is left, where words were withheld."""
    now = None if one.digest is None else exchanged.get((one.kind, one.key, one.digest.hex()))
    return one if now is None else one._replace(digest=bytes.fromhex(now))


def _read(database: sqlite3.Connection, exchanged: Exchanged) -> Chain:
    broken: list[str] = []
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "chain" not in tables:
        return Chain(0, ORIGIN.hex(), ("chain: missing",))
    links = [(row, _left(one, exchanged), head) for row, one, head in _sound(database, broken)]
    last: dict[tuple[str, str], bytes] = {}
    for _, one, _ in links:
        if one.digest is None:
            last.pop((one.kind, one.key), None)
        else:
            last[one.kind, one.key] = one.digest
    for table in TABLES:
        written = {key: digest for (kind, key), digest in last.items() if kind == table}
        there = dict(_rows(database, table)) if table in tables else {}
        broken += (f"journal, column {name!a} of table {table}: of no journal" for name in _strange(database, table))
        broken += differences(table, written, there)
    end = end_of(database)
    standing = [{key: digest.hex() for (kind, key), digest in last.items() if kind == one} for one in STANDING]
    results = [(row, one, head) for row, one, head in links if one.kind == RESULT and one.digest is not None]
    digests = tuple((row, (one.digest or b"").hex()) for row, one, _ in results)
    seals = tuple((row, head.hex()) for row, _, head in results)
    files, lines, stages = standing
    latest = links[-1][1] if links else None
    return Chain(end.rows, end.head.hex(), tuple(broken), files, digests, seals, lines, stages, latest)


def _sound(database: sqlite3.Connection, broken: list[str]) -> Iterator[tuple[int, Link, bytes]]:
    """All links with their rows and heads; one that does not follow from the one before is added to what is broken.

    A head that was changed alone is found out by the next one, which follows from what it should be.
    """
    expected, stored, right = 1, ORIGIN, ORIGIN
    for row, kind, key, digest, head in database.execute("SELECT * FROM chain ORDER BY row"):
        one = Link(str(kind), str(key), None if digest is None else _bytes(digest))
        follows = [after(before, one) for before in dict.fromkeys((stored, right))]
        if row != expected:
            broken.append(f"chain, {_numbers(expected, row - 1)} missing")
        elif head not in follows:
            broken.append(f"chain, row {row} (of {_name(one.kind, one.key)}): changed")
        expected, stored, right = row + 1, _bytes(head), follows[-1]
        yield int(row), one, stored


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode()


def _numbers(first: int, last: int) -> str:
    return f"row {first}:" if first >= last else f"rows {first} to {last}:"


def columns_of(database: sqlite3.Connection, table: str) -> set[str]:
    """Names of the columns of a journal's table; none where there is no such table."""
    return {column[1] for column in database.execute(f"PRAGMA table_info({table})")}


def _strange(database: sqlite3.Connection, table: str) -> list[str]:
    """Columns of a table that no version of a journal has; none where there is no such table."""
    key, columns = TABLES[table]
    return sorted(columns_of(database, table) - {*key, *columns, CHECKSUM})


def _rows(database: sqlite3.Connection, table: str) -> Iterator[tuple[str, bytes]]:
    """The key and the digest of each row of a table."""
    key, columns = TABLES[table]
    there = columns_of(database, table)
    if not there.issuperset(key):
        return
    names = ", ".join((*key, *(name if name in there else "NULL" for name in columns)))
    for values in database.execute(f"SELECT {names} FROM {table} ORDER BY {', '.join(key)}"):
        yield key_of([_plain(value) for value in values[: len(key)]]), digest_of(columns, values[len(key) :])


def _plain(value: Any) -> Any:
    """A part of a key as JSON can hold it, of whatever type somebody has made it."""
    return value.hex() if isinstance(value, bytes) else value


def differences(table: str, written: Mapping[str, T], there: Mapping[str, T]) -> Iterator[str]:
    """Where the rows of a table, or the files of a folder, are not those that were written.

    Args:
        table: The table, or the kind of link.
        written: Digest of each row by its key, as the chain has it.
        there: The same of the rows that are there.

    Returns:
        A sentence for each difference.
    """
    whose = {digest: key for key, digest in written.items()}
    for key in sorted({*written, *there}, key=_order):
        name = _name(table, key)
        if key not in there:
            yield f"{name}: missing"
        elif key not in written:
            copied = f", a copy of {_name(table, whose[there[key]])}" if there[key] in whose else ""
            yield f"{name}: inserted{copied}"
        elif there[key] != written[key]:
            other = whose.get(there[key])
            if other is None:
                yield f"{name}: changed"
            elif there.get(other) != written[key]:
                yield f"{name}: holds what was {_name(table, other)}"
            elif _order(key) < _order(other):
                yield f"{name}: swapped with {_name(table, other)}"


def line_name(file: str, number: int) -> str:
    """The key of a line.

    Args:
        file: Name of the file.
        number: Of the line, from 1.
    """
    return f"{file}, line {number}"


def file_of(line: str) -> str:
    """The file that a line belongs to.

    Args:
        line: Its key.
    """
    return line.partition(", line ")[0]


def _order(key: str) -> tuple[int, str]:
    return len(key), key


def _name(kind: str, key: str) -> str:
    """A row as messages name it."""
    if kind in (*STANDING, RESULT):
        return key
    if kind == "job":
        try:
            stage, evaluation, part, attempt = json.loads(key)
        except (TypeError, ValueError):
            return f"job, row {key}"
        where = f"{stage}:{evaluation}.{part}" if stage else f"{evaluation}.{part}"
        return f"job, row {where} (attempt {attempt})"
    return f"{kind}, row {key}"
