"""Copies of records from which words were withheld, and the list of these that the owner keeps."""

import hashlib
import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.runs import chain, redaction
from hybrid.runs import folder as folders
from hybrid.runs.crate.told import BESIDE, INPUTS, OUTPUTS, Told
from hybrid.runs.crate.words import Found, Words
from hybrid.runs.files import digest_of, parsed, read_bytes, to_json, write
from hybrid.runs.journal import read_chain
from hybrid.runs.signature import sign

SAFE = ("software", "packages", "created_utc", "python", "kernels", "system", "machine", "sha256", "optimizer", "theta")
"""Keys of a record below which no word of a site can stand: versions, digests, numbers."""

LEAST = 4
"""Letters of a name from which on it is looked for in files that cannot be redacted."""


@dataclass
class Ledger:
    """The words that were withheld of one or several records, each with its number and its salt.

    Attributes:
        salts: By kind and word, in the order in which they were found.
    """

    salts: dict[Found, str] = field(default_factory=dict)

    def number(self, found: Found) -> int:
        """The number of a word, from 1."""
        self.salts.setdefault(found, secrets.token_hex(16))
        return list(self.salts).index(found) + 1

    def sha256(self, found: Found) -> str:
        """The digest that stands for a word in redaction.json."""
        return hashlib.sha256(f"{self.salts[found]} {found.word}".encode()).hexdigest()

    def kept(self) -> dict[str, Any]:
        """What the owner keeps, as JSON-able values."""
        listed = enumerate(self.salts.items(), start=1)
        return {
            "withheld": [
                {"number": number, "kind": found.kind, "word": found.word, "salt": salt, "sha256": self.sha256(found)}
                for number, (found, salt) in listed
            ]
        }


@dataclass
class _Redacting:
    """The redaction of one record while it is made."""

    words: Words
    ledger: Ledger
    places: dict[Found, list[str]] = field(default_factory=dict)
    exchanged: list[dict[str, str]] = field(default_factory=list)

    def mark(self, found: Found, place: str) -> str:
        """What stands in place of a word."""
        number = self.ledger.number(found)
        self.places.setdefault(found, []).append(place)
        return redaction.WORDS.format(number=number)

    def text(self, content: str, place: str) -> str:
        """A text without the words that are withheld."""
        for found in self.words.inside(content):
            if found.word in content:
                content = self.words.without(content, found.word, self.mark(found, place))
        return content

    def value(self, content: Any, place: str, key: str = "") -> Any:
        """A value of JSON without them."""
        if kind := self.words.at(key, content):
            mark = self.mark(Found(kind, content if isinstance(content, str) else json.dumps(content)), place)
            return mark if isinstance(content, str) else None
        if isinstance(content, str):
            return self.text(content, place)
        if isinstance(content, list):
            return [self.value(one, f"{place}/{k}", key) for k, one in enumerate(content)]
        if isinstance(content, Mapping):
            return {
                self.text(name, place): one if name in SAFE else self.value(one, f"{place}/{name}", name)
                for name, one in content.items()
            }
        return content

    def content(self) -> dict[str, Any]:
        """What redaction.json says."""
        withheld = [
            {
                "number": self.ledger.number(found),
                "kind": found.kind,
                "sha256": self.ledger.sha256(found),
                "places": list(dict.fromkeys(places)),
            }
            for found, places in self.places.items()
        ]
        return {"format": redaction.FORMAT, "withheld": withheld, "exchanged": self.exchanged}


def redacted(run: Path, place: Path, words: Words, ledger: Ledger) -> None:
    """Write a copy of a run's record from which words were withheld, with redaction.json beside it.

    Args:
        run: Folder of the run, which has ended.
        place: Of the copy: a folder that is made.
        words: What is withheld.
        ledger: Gets each word and its salt.

    Raises:
        Refused: if the record was made before records were chained, was redacted before, or a word stands in a file
            from which nothing can be withheld.
    """
    written = read_chain(run / folders.JOURNAL)
    if written is None:
        raise Refused(f"{run} was made before records were chained: redacted, nothing would show that it is that run")
    if (run / redaction.FILE).exists():
        raise Refused(f"{run} was redacted before: redact the record that it was made from")
    place.mkdir(parents=True)
    for name in (*INPUTS, *OUTPUTS, *BESIDE):
        if (run / name).is_file():
            shutil.copyfile(run / name, place / name)
    for file in run.glob("signature-*.sig"):
        shutil.copyfile(file, place / file.name)
    work = _Redacting(words.with_known(_jobs(run / folders.JOURNAL)), ledger)
    for name in (*redaction.FILES, *(name for name in BESIDE if name not in redaction.FILES)):
        if (place / name).is_file() and name != redaction.FILE:
            _redact_json(work, place / name)
    _redact_journal(work, place / folders.JOURNAL)
    write(place / redaction.FILE, to_json(work.content()))
    _check_nothing_left(place, work)


@dataclass(frozen=True)
class Redacted:
    """A copy of what a folder holds, from which words are withheld.

    Attributes:
        words: What is withheld.
        ledger: Gets each word and its salt.
        source: The folder of the run or the sweep.
        place: Of the copy: a folder that is made.
    """

    words: Words
    ledger: Ledger
    source: Path
    place: Path

    def write(self, runs: Sequence[Told], key: Path | None = None) -> Path:
        """Write the copy.

        Args:
            runs: In the folder.
            key: An SSH key with which each run is signed as it then is; None not to sign.

        Returns:
            The place.

        Raises:
            Refused: as `redacted`; for an algorithm, whose stages are in no chain; if a run cannot be signed.
        """
        if folders.is_algorithm(self.source):
            raise Refused(f"{self.source} holds an algorithm, whose stages are in no chain: redact its runs one by one")
        for run in runs:
            copy = self.place / run.name
            redacted(run.path, copy, self.words, self.ledger)
            if key is not None:
                sign(copy, key)
        if not folders.is_run(self.source):
            for file in sorted(self.source.glob("*.json")):
                content = parsed(file, read_bytes(file))
                write(self.place / file.name, to_json(self.text(content, file.name)))
        return self.place

    def text(self, content: Any, place: str) -> Any:
        """A text, or a value of JSON, without the words.

        Args:
            content: The value.
            place: Where it stands, for the list.
        """
        return _Redacting(self.words, self.ledger).value(content, place)


def _jobs(journal: Path) -> dict[str, str]:
    """The vendors' ids of jobs, and our tags of them, which may stand in messages, too."""
    with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT id, tag FROM job").fetchall()
    return {str(word): "job" for row in rows for word in row if word}


def _redact_json(work: _Redacting, file: Path) -> None:
    before = read_bytes(file)
    content = parsed(file, before)
    changed = work.value(content, file.name)
    if changed == content:
        return
    write(file, to_json(changed))
    if file.name in redaction.FILES:
        kind = chain.RESULT if file.name == folders.RESULT else chain.FILE
        digests = {"was": hashlib.sha256(before).hexdigest(), "now": digest_of(file)}
        work.exchanged.append({"kind": kind, "key": file.name, **digests})


def _redact_journal(work: _Redacting, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.row_factory = sqlite3.Row
        there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table, columns in redaction.COLUMNS.items():
            for row in database.execute(f"SELECT * FROM {table}").fetchall() if table in there else ():
                _redact_row(work, database, table, dict(row), columns)
        database.execute("VACUUM")  # what stood there before is left nowhere in the file


def _redact_row(
    work: _Redacting, database: sqlite3.Connection, table: str, row: dict[str, Any], columns: tuple[str, ...]
) -> None:
    before = chain.link(table, row)
    changed = {}
    for column in columns:
        place = f"journal.sqlite {table} {before.key}/{column}"
        value = _column(work, column, row.get(column), place)
        if value != row.get(column):
            changed[column] = value
    if not changed:
        return
    after = chain.link(table, row | changed)
    assert before.digest is not None
    assert after.digest is not None
    digests = {"was": before.digest.hex(), "now": after.digest.hex()}
    work.exchanged.append({"kind": table, "key": before.key, **digests})
    sets = ", ".join(f"{column} = ?" for column in changed)
    where = " AND ".join(f"{name} = ?" for name in chain.TABLES[table].key)
    key = [row[name] for name in chain.TABLES[table].key]
    database.execute(f"UPDATE {table} SET {sets} WHERE {where}", [*changed.values(), *key])


def _column(work: _Redacting, column: str, value: Any, place: str) -> Any:
    if value is None:
        return None
    if column in ("id", "tag"):
        return work.mark(Found("job", value), place) if value and "job" in work.words.kinds else value
    if column == "usd":
        return work.mark(Found("price", json.dumps(value)), place) if "price" in work.words.kinds else value
    if column in ("backend", "provenance"):
        content = json.loads(value)
        changed = work.value(content, place)
        return value if changed == content else json.dumps(changed)
    return work.text(str(value), place)


def _check_nothing_left(place: Path, work: _Redacting) -> None:
    """Refuse a copy in which a word still stands, such as in a circuit's name."""
    gone = {found.word: found.kind for found in work.places if found.kind != "price"}
    wanted = {**work.words.known, **gone}
    names = {word: kind for word, kind in wanted.items() if len(word) >= LEAST and kind in work.words.kinds}
    for file in sorted(place.iterdir()):
        content = read_bytes(file)
        for word, kind in names.items():
            if any(True for _ in _whole(word.encode(), content)):
                raise Refused(f"{file.name} of the run holds the {kind} {word!r}, which cannot be withheld from it")


def _whole(word: bytes, content: bytes) -> Iterator[int]:
    """Where a word stands in bytes, with no letter on either side."""
    at = content.find(word)
    while at >= 0:
        sides = content[at - 1 : at] if at else b"", content[at + len(word) : at + len(word) + 1]
        if not any(side.isalnum() for side in sides):
            yield at
        at = content.find(word, at + 1)
