"""The journal: every evaluation of a run and every job that it sent, in one SQLite file that belongs to it alone.

A run is resumed by starting its loop again and answering it from the journal until the journal ends; no optimizer has
a state of its own to save. History, plots and verification read the same table. Paid or slow evaluations are committed
at once; cheap ones are grouped, so that writing takes a small, self-measured share of the loop's time.

A journal is bound to its run: it holds the digest of what the run asks (`hybrid.runs.folder`), written when it was
made, and is never continued for anything else. Everything in it is chained by digests (`hybrid.runs.chain`), so that a
row that was changed, removed or put in afterwards is found and named.
"""

import hashlib
import itertools
import os
import secrets
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from circuits.errors import LostJob, RecordFailed, Refused
from hybrid.runs import chain, failovers, jobs, redaction
from hybrid.runs.chain import Chain, Exchanged, Link
from hybrid.runs.entries import ChainEntry
from hybrid.runs.evaluation import ARRAYS, Evaluation, Row, from_row, to_row
from hybrid.runs.failovers import Failover
from hybrid.runs.jobs import JobRow

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS evaluation (
    number INTEGER PRIMARY KEY,
    step INTEGER NOT NULL,
    n_rows INTEGER NOT NULL,
    n_params INTEGER NOT NULL,
    theta BLOB NOT NULL,
    energies BLOB NOT NULL,
    standard_errors BLOB NOT NULL,
    gradients BLOB,
    seconds REAL NOT NULL,
    finished_at REAL NOT NULL,
    checksum INTEGER NOT NULL,
    pairs BLOB,
    metrics BLOB,
    fidelities BLOB,
    biases BLOB
);
CREATE TABLE IF NOT EXISTS intent (number INTEGER PRIMARY KEY, sent_at REAL NOT NULL);
"""
"""Besides the tables of `hybrid.runs.jobs`, `hybrid.runs.failovers` and `hybrid.runs.chain`. An ``intent`` is an
evaluation that was about to be sent to a provider, by a backend that does not let its jobs be journaled."""

SEALS = "CREATE TABLE IF NOT EXISTS seal (digest TEXT PRIMARY KEY);"
"""Of journals without a chain, which earlier versions wrote: what ties their results to their rows."""

HEAD = ("number", "step", "n_rows", "n_params", "seconds", "finished_at", "checksum")

EVALUATION = (*HEAD[:4], *ARRAYS[:4], *HEAD[4:], *ARRAYS[4:])
"""Columns of an evaluation, as they are written."""

OWNER = "CREATE TABLE journal (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
"""The table that says which run a journal belongs to; those of version 0.1 have none."""

LATER = ("pairs", "metrics", "fidelities", "biases")
"""Columns that the journals of earlier versions may lack; they are added where they are missing."""

RUN_DIGEST, NONCE, CHAINED = "bound", "nonce", "chained"
"""Keys, in the table `journal`, of the digest of what the run asks, of a random text that no other journal has, and of
the version of the chain."""

COMMIT_SHARE = 400
"""A commit waits until this many times its own duration has passed since the last one: it costs 1/400 of the time."""

COMMIT_AFTER_S = 1.0
"""No commit of cheap evaluations comes earlier than this after the last one."""

SLOW_S = 1.0
"""An evaluation that took longer is committed at once."""

UNWRITABLE = {"SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_LOCKED"}
"""Names of SQLite's errors, up to a suffix, that say nothing about the file's content."""


@dataclass(frozen=True)
class Content:
    """What a journal holds.

    Attributes:
        evaluations: In order.
        run_digest: SHA-256 of what the run asks, in hexadecimal; None in journals of version 0.1, which did not say.
        unanswered: Number of an evaluation that was sent to a provider and never answered, or None.
        seals: Of a journal without a chain the digests of the results that the run came to, each with the evaluations
            it rests on; see `seal`.
        rows: The same of all evaluations, to the last bit, with the time that each took, of what jobs measured, and of
            the failovers; empty in a journal with a chain.
        jobs: Every job that was sent or was about to be, in order of evaluation, part and attempt.
        nonce: Random text that no other journal has; empty in journals that were written before there was one.
        failovers: How the run went on at other backends, in order.
        chain: What its links say, and where its rows say otherwise; None in journals that were made before there was
            a chain.
    """

    evaluations: tuple[Evaluation, ...]
    run_digest: str | None
    unanswered: int | None
    seals: frozenset[str]
    rows: str
    jobs: tuple[JobRow, ...] = ()
    nonce: str = ""
    failovers: tuple[Failover, ...] = ()
    chain: Chain | None = None

    def check_run(self, run_digest: str | None, path: Path) -> None:
        """Refuse a journal that belongs to another run, or that is not as it was written.

        Args:
            run_digest: SHA-256 of what this run asks; None for a run of version 0.1.
            path: Of the journal, for the message.

        Raises:
            Refused: if it does.
        """
        if self.run_digest != run_digest:
            raise Refused(
                f"{path} belongs to another run, or spec.json, circuit.qpy or hamiltonian.json beside it were changed: "
                "it was left as it is. Restore the folder from a copy, or start the run anew in another folder"
            )
        if self.chain is not None and self.chain.faults:
            raise Refused(
                f"{path} was changed after it was written ({chain.told(self.chain.faults)}): it was left as it is. "
                "Restore the folder from a copy, or start the run anew in another folder"
            )

    def sealed(self, result: bytes) -> bool:
        """Whether a result is the last one that the run came to, and rests on what the journal holds.

        Args:
            result: Content of result.json.
        """
        if self.chain is None:
            return seal(result, self) in self.seals
        digest = hashlib.sha256(result).hexdigest()
        return not self.chain.faults and bool(self.chain.results) and self.chain.results[-1][1] == digest


LATEST = 100
"""Evaluations at the end of a journal among which the lowest energy is that of a run at work."""


@dataclass(frozen=True)
class Latest:
    """How far a run at work has come.

    Attributes:
        rows: Of parameters that were evaluated.
        seconds: Wall time that they took.
        energy: The lowest of the last `LATEST` evaluations; None before the first.
        standard_error: Of that energy; None before the first.
    """

    rows: int
    seconds: float
    energy: float | None
    standard_error: float | None


def seal(result: bytes, content: Content) -> str:
    """The digest that ties a result to the evaluations of a journal without a chain; it changes when either does.

    Args:
        result: Content of result.json.
        content: Content of the journal.

    Returns:
        SHA-256, in hexadecimal.
    """
    return hashlib.sha256(hashlib.sha256(result).digest() + content.rows.encode()).hexdigest()


def create(path: Path, run_digest: str, files: Mapping[str, bytes] | None = None) -> None:
    """Make an empty journal for a run.

    Args:
        path: Where no file is yet.
        run_digest: SHA-256 of what the run asks, to which the journal is bound.
        files: Content by name of the files beside it that say what the run asks; they begin the chain.

    Raises:
        RecordFailed: if it cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with _translated(path):
        scratch.unlink(missing_ok=True)
        database = sqlite3.connect(scratch, isolation_level=None)
        try:
            database.executescript(SCHEMA + jobs.SCHEMA + failovers.SCHEMA + chain.SCHEMA)
            database.execute(OWNER)
            values = {RUN_DIGEST: run_digest, NONCE: secrets.token_hex(16), CHAINED: "1"}
            database.execute("BEGIN")
            database.executemany("INSERT INTO journal VALUES (?, ?)", values.items())
            beside = [_link_of_file(name, content) for name, content in (files or {}).items()]
            links = [chain.link("journal", {"key": key, "value": value}) for key, value in values.items()]
            chain.end_of(database).add(database, [*beside, *links])
            database.execute("COMMIT")
        finally:
            database.close()
        scratch.replace(path)


def read(path: Path) -> Content:
    """What a journal holds; the file is not changed, and its folder may be read-only.

    Raises:
        Refused: if there is no journal, or it is damaged.
        RecordFailed: if the file cannot be read.
    """
    return _reading(path, partial(_content, exchanged=redaction.read(path.parent).exchanged))


def read_failovers(path: Path) -> tuple[Failover, ...]:
    """How the run of a journal went on at other backends, without a look at its evaluations.

    Raises:
        Refused: as `read`.
        RecordFailed: as `read`.
    """
    return _reading(path, _failovers)


def read_latest(path: Path) -> Latest:
    """How far the run of a journal has come, without a look at most of its evaluations.

    Raises:
        Refused: as `read`.
        RecordFailed: as `read`.
    """
    return _reading(path, _latest)


def read_chain(path: Path) -> Chain | None:
    """What the links of a journal say, and where its rows say otherwise; the rows themselves need not make sense.

    Returns:
        The chain; None for a journal that was made before there was one.

    Raises:
        Refused: if there is no journal, or the file is no database any more.
        RecordFailed: as `read`.
    """
    return _reading(path, partial(_chain, exchanged=redaction.read(path.parent).exchanged))


def holds_head(path: Path, head: str) -> bool:
    """Whether a head is that of a row of a journal's chain.

    Args:
        path: Of the journal.
        head: In hexadecimal.

    Raises:
        Refused: as `read`.
        RecordFailed: as `read`.
    """

    def look(database: sqlite3.Connection) -> bool:
        found = database.execute("SELECT 1 FROM chain WHERE head = ?", (bytes.fromhex(head),)).fetchone()
        return found is not None

    return read_chain(path) is not None and _reading(path, look)


def _reading(path: Path, what: Callable[[sqlite3.Connection], T]) -> T:
    if not path.is_file():
        raise Refused(f"{path}: the run's journal is missing; restore it from a copy, or start the run anew")
    with _translated(path):
        try:
            return _read(path, what)
        except sqlite3.OperationalError as err:
            if not _wants_rollback(err):
                raise
            with tempfile.TemporaryDirectory() as scratch:  # its last commit was broken off: rolled back in a copy
                for file in (path, path.with_name(f"{path.name}-journal")):
                    shutil.copy(file, scratch)
                return _read(Path(scratch, path.name), what, mode="rw")


class Journal:
    """A journal that is open for one process to append to.

    Args:
        path: Of a journal that `create` has made, or an earlier version has written.
        run_digest: SHA-256 of what the run asks; None for a run of version 0.1.

    Attributes:
        path: Of the file.
        content: What it held when it was opened.

    Raises:
        Refused: if it is missing, damaged, or that of another run; it is left as it is.
        RecordFailed: if it cannot be written.
    """

    def __init__(self, path: Path, run_digest: str | None):
        self.path = path
        self.content = read(path)
        self.content.check_run(run_digest, path)
        self._last_commit = time.monotonic()
        self._commit_s = 0.0
        with _translated(path):
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=DELETE")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(SCHEMA + jobs.SCHEMA + failovers.SCHEMA)
            if self.content.chain is None:
                self._database.executescript(SEALS)
            self._end = None if self.content.chain is None else chain.end_of(self._database)
            self._database.execute("BEGIN")
            columns = chain.columns_of(self._database, "evaluation")
            for name in LATER:
                if name not in columns:
                    self._database.execute(f"ALTER TABLE evaluation ADD COLUMN {name} BLOB")
            if chain.columns_of(self._database, "job").isdisjoint(jobs.TIMES):
                for name in jobs.TIMES:
                    self._database.execute(f"ALTER TABLE job ADD COLUMN {name} REAL")
            self._inode = os.stat(path).st_ino

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, evaluation: Evaluation) -> None:
        """Write one evaluation; it is on disk at the next commit, at once if it was slow.

        Raises:
            RecordFailed: if the disk is full or the file is gone.
        """
        row = to_row(evaluation)
        values = (*row.head, *row.blobs[:4], row.seconds, time.time(), row.checksum, *row.blobs[4:])
        self._insert("evaluation", EVALUATION, values)
        waited = time.monotonic() - self._last_commit
        if evaluation.seconds > SLOW_S or waited > max(COMMIT_AFTER_S, COMMIT_SHARE * self._commit_s):
            self.commit()

    def intend(self, number: int) -> None:
        """Put on disk that an evaluation is about to be sent to a provider; if a kill follows, it is not sent again.

        Args:
            number: Of the evaluation, from 0.

        Raises:
            RecordFailed: if the disk is full or the file is gone.
        """
        self._insert("intent", ("number", "sent_at"), (number, time.time()))
        self.commit()

    def fail_over(self, row: Failover) -> None:
        """Put on disk that the run goes on at another backend, before anything is asked of it.

        What the failed one was asked for, and did not answer, is the other's now.

        Raises:
            RecordFailed: if the disk is full or the file is gone.
        """
        with self._writing():
            now = self._database.execute("SELECT number FROM intent WHERE number >= ?", (row.evaluation,)).fetchall()
            self._database.execute("DELETE FROM intent WHERE number >= ?", (row.evaluation,))
            self._add([Link("intent", chain.key_of(key), None) for key in now])
            (place,) = self._database.execute("SELECT coalesce(max(place), 0) + 1 FROM failover").fetchone()
            self._put("failover", ("place", *failovers.COLUMNS), (place, *row.values()))
        self.commit()

    def jobs(self) -> tuple[JobRow, ...]:
        """All jobs so far, those written since it was opened included."""
        with _translated(self.path):
            return tuple(jobs.rows(self._database))

    def write_job(self, row: JobRow) -> None:
        """Put a job on disk, in place of what was known of it before.

        Raises:
            RecordFailed: if the disk is full or the file is gone.
        """
        self._insert("job", jobs.COLUMNS, row.values())
        self.commit()

    def commit(self) -> None:
        """Put everything appended so far on disk.

        Raises:
            RecordFailed: if the disk is full or the file is gone.
        """
        start = time.monotonic()
        self._execute("COMMIT")
        self._check_place()
        self._execute("BEGIN")
        self._last_commit = time.monotonic()
        self._commit_s = self._last_commit - start

    def seal(self, result: bytes) -> None:
        """Put the digest of a result on disk, tied to all that was written so far, before the result itself is written.

        Args:
            result: Content of the result.json that will be written.

        Raises:
            RecordFailed: if the disk is full or the file is gone.
        """
        self.commit()
        if self._end is None:
            with _translated(self.path):
                digest = seal(result, _content(self._database))
            self._execute("INSERT OR IGNORE INTO seal VALUES (?)", (digest,))
        else:
            with self._writing():
                self._add([Link(chain.RESULT, "result.json", hashlib.sha256(result).digest())])
        self.commit()

    def keep(self, name: str, content: bytes) -> None:
        """Put the digest of a file on disk that is about to be written beside the journal.

        Args:
            name: Of the file.
            content: What will be written.

        Raises:
            RecordFailed: if the disk is full or the file is gone.
        """
        self.link(_link_of_file(name, content))

    def link(self, one: Link) -> None:
        """Put a link on disk that stands for no row; of a journal without a chain nothing is written.

        Args:
            one: What is chained.

        Raises:
            RecordFailed: if the disk is full or the file is gone.
        """
        with self._writing():
            self._add([one])
        self.commit()

    def close(self) -> None:
        """Commit and close the file.

        Raises:
            RecordFailed: if the disk is full or the file is gone.
        """
        try:
            if self._database.in_transaction:
                self._execute("COMMIT")
                self._check_place()
        finally:
            self._database.close()

    @property
    def chain(self) -> ChainEntry | None:
        """The end of its chain so far; None in a journal that was made before there was one."""
        return None if self._end is None else {"rows": self._end.rows, "head": self._end.head.hex()}

    def _insert(self, table: str, columns: Sequence[str], values: Sequence[object]) -> None:
        with self._writing():
            self._put(table, columns, values)

    def _put(self, table: str, columns: Sequence[str], values: Sequence[object]) -> None:
        """Put a row into a table, in place of the one that is there, and its link into the chain."""
        marks = ",".join("?" * len(values))
        put = "INSERT OR REPLACE" if table == "job" else "INSERT"
        self._database.execute(f"{put} INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)
        self._add([chain.link(table, dict(zip(columns, values, strict=True)))])

    def _add(self, links: Sequence[Link]) -> None:
        if self._end is not None:
            self._end = self._end.add(self._database, links)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All that is written inside, or nothing of it, whatever breaks it off: a full disk, or Ctrl-C."""
        self._execute("SAVEPOINT row")
        end = self._end
        try:
            yield
            self._database.execute("RELEASE row")
        except BaseException as err:
            self._end = end
            if self._database.in_transaction:  # a full disk may have undone all of it already
                self._execute("ROLLBACK TO row")
                self._execute("RELEASE row")
            if isinstance(err, sqlite3.Error):
                raise _unwritable(self.path, str(err)) from err
            raise

    def _execute(self, statement: str, values: tuple = ()) -> None:
        try:
            self._database.execute(statement, values)
        except sqlite3.Error as err:
            raise _unwritable(self.path, str(err)) from err

    def _check_place(self) -> None:
        """SQLite goes on writing into a file that was removed or replaced; what it writes there is lost."""
        try:
            there = os.stat(self.path).st_ino
        except OSError:
            there = None
        if there != self._inode:
            raise _unwritable(self.path, "somebody has removed or replaced it")


def check_answered(content: Content, path: Path, provider: str) -> None:
    """Refuse to send an evaluation that may have been sent, and paid for, already.

    Args:
        content: What the journal holds.
        path: Of the journal, for the message.
        provider: Name of the backend that evaluations go to, for the message.

    Raises:
        LostJob: if one was sent to a provider and its answer never arrived.
    """
    if content.unanswered is not None:
        raise LostJob(
            f"{path}: evaluation {content.unanswered} was sent to {provider} and its answer never arrived, since the "
            "process ended before; sending it again might pay for it twice. Look at the provider's list of jobs, and "
            "start the run anew in another folder if it is lost"
        )


def _read(path: Path, what: Callable[[sqlite3.Connection], T], mode: str = "ro") -> T:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)
    try:
        database.execute("BEGIN")  # all that is read was there at one time, while another process may go on writing
        return what(database)
    finally:
        database.close()


def _wants_rollback(err: sqlite3.OperationalError) -> bool:
    name = getattr(err, "sqlite_errorname", "")  # none where a text cannot be decoded
    return name in ("SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY", "SQLITE_CANTOPEN")


def _failovers(database: sqlite3.Connection) -> tuple[Failover, ...]:
    there = database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'failover'").fetchone()
    return tuple(failovers.rows(database)) if there else ()


def _latest(database: sqlite3.Connection) -> Latest:
    rows, seconds = database.execute("SELECT total(n_rows), total(seconds) FROM evaluation").fetchone()
    query = "SELECT energies, standard_errors FROM evaluation ORDER BY number DESC LIMIT ?"
    found = [np.frombuffer(b"".join(column), "<f8") for column in zip(*database.execute(query, (LATEST,)), strict=True)]
    if not found or not found[0].size:
        return Latest(int(rows), float(seconds), None, None)
    lowest = int(np.argmin(found[0]))
    return Latest(int(rows), float(seconds), float(found[0][lowest]), float(found[1][lowest]))


def _chain(database: sqlite3.Connection, exchanged: Exchanged | None = None) -> Chain | None:
    """The chain; one is missing where the journal says that it has one, and where it has rows of one."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    chained = "journal" in tables and database.execute("SELECT 1 FROM journal WHERE key = ?", (CHAINED,)).fetchone()
    return chain.read(database, exchanged) if chained or "chain" in tables else None


def _content(database: sqlite3.Connection, exchanged: Exchanged | None = None) -> Content:
    if database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("its pages are damaged")
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    evaluations = tuple(_evaluations(database)) if "evaluation" in tables else ()
    run_digest = intent = nonce = None
    chained = _chain(database, exchanged)
    if "journal" in tables:
        nonce = database.execute("SELECT value FROM journal WHERE key = ?", (NONCE,)).fetchone()
        run_digest = database.execute("SELECT value FROM journal WHERE key = ?", (RUN_DIGEST,)).fetchone()
        if run_digest is None:
            raise sqlite3.DatabaseError("it does not say which run it belongs to")
    if "intent" in tables:
        (intent,) = database.execute("SELECT max(number) FROM intent").fetchone()
    unanswered = intent if intent is not None and intent >= len(evaluations) else None
    seals = database.execute("SELECT digest FROM seal").fetchall() if "seal" in tables else ()
    sent = tuple(jobs.rows(database)) if "job" in tables else ()
    changes = _failovers(database)
    return Content(
        evaluations=evaluations,
        run_digest=None if run_digest is None else str(run_digest[0]),
        unanswered=unanswered,
        seals=frozenset(str(digest) for (digest,) in seals),
        rows=_rows_digest(database, sent, changes) if "evaluation" in tables and chained is None else "",
        jobs=sent,
        nonce="" if nonce is None else str(nonce[0]),
        failovers=changes,
        chain=chained,
    )


def _rows_digest(database: sqlite3.Connection, sent: tuple[JobRow, ...], changes: tuple[Failover, ...]) -> str:
    there = chain.columns_of(database, "evaluation")
    columns = [name for name in (*HEAD, *ARRAYS) if name in there]
    measured = [(str(job.place), job.attempt, job.request, job.id, job.measured) for job in sent if job.measured]
    digest = hashlib.sha256()
    evaluations = database.execute(f"SELECT {', '.join(columns)} FROM evaluation ORDER BY number")
    for row in itertools.chain(evaluations, measured, (change.values() for change in changes)):
        for value in row:
            content = value if isinstance(value, bytes) else repr(value).encode()
            digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()


def _link_of_file(name: str, content: bytes) -> Link:
    return Link(chain.FILE, name, hashlib.sha256(content).digest())


def _evaluations(database: sqlite3.Connection) -> Iterator[Evaluation]:
    there = chain.columns_of(database, "evaluation")
    arrays = [name if name in there else f"NULL AS {name}" for name in ARRAYS]
    columns = ", ".join(("number", "step", "n_rows", "n_params", *arrays, "seconds", "checksum", "finished_at"))
    for expected, values in enumerate(database.execute(f"SELECT {columns} FROM evaluation ORDER BY number")):
        row = Row(values[:4], values[4:-3], *values[-3:])
        if row.head[0] != expected:
            raise sqlite3.DatabaseError(f"evaluation {expected} is missing")
        try:
            yield from_row(row)
        except ValueError as err:
            raise sqlite3.DatabaseError(f"evaluation {expected} {err}") from err


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: a file that cannot be reached, or one that is no sound journal."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as err:  # the second where SQLite's own words quote damaged text
        name = getattr(err, "sqlite_errorname", None) or ""
        if any(name.startswith(known) for known in UNWRITABLE):
            raise _unwritable(path, str(err)) from err
        raise Refused(
            f"{path}: the journal is corrupt ({err}); it was left as it is. "
            "Restore it from a copy, or start the run anew in another folder"
        ) from err
    except OSError as err:
        raise _unwritable(path, err.strerror or str(err)) from err


def _unwritable(path: Path, reason: str) -> RecordFailed:
    return RecordFailed(
        f"{path}: the journal cannot be written or read ({reason}); the run was stopped. What was committed before is "
        "kept: make room, or put the file back, then resume"
    )
