"""The journal: every evaluation of a run, in one SQLite file.

A run is resumed by starting its loop again and answering it from the journal until the journal ends; no optimizer has
a state of its own to save. History, plots and provenance read the same table. Paid or slow evaluations are committed
at once; cheap ones are grouped, so that writing takes a small, self-measured share of the loop's time.
"""

import sqlite3
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from circuits.errors import RecordFailed, Refused
from hybrid.optimizers.optimizer import Told

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
    fidelities BLOB
)
"""

GEOMETRY = ("pairs", "metrics", "fidelities")
"""Columns that the journals of earlier versions lack; they are added where they are missing."""

COMMIT_SHARE = 400
"""A commit waits until this many times its own duration has passed since the last one: it costs 1/400 of the time."""

COMMIT_AFTER_S = 1.0
"""No commit of cheap evaluations comes earlier than this after the last one."""

SLOW_S = 1.0
"""An evaluation that took longer is committed at once."""


@dataclass(frozen=True)
class Evaluation:
    """One answered question of the optimizer.

    Attributes:
        number: Position in the run, from 0.
        step: Which step of the optimizer asked.
        theta: Shape (rows, params), radians.
        told: Energies, standard errors, gradients and metrics of the rows, and fidelities of the pairs.
        seconds: What it took.
        pairs: Pairs of parameters whose states were compared, shape (pairs, 2, params), or None.
    """

    number: int
    step: int
    theta: np.ndarray
    told: Told
    seconds: float
    pairs: np.ndarray | None = None


class Journal:
    """Appends evaluations, and reads them back in order.

    Raises:
        Refused: if the file exists and is not a sound journal; it is left as it is.
    """

    def __init__(self, path: Path):
        self._path = path
        self._last_commit = time.monotonic()
        self._commit_s = 0.0
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=DELETE")
            self._database.execute("PRAGMA synchronous=NORMAL")
            if self._database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("its pages are damaged")
            self._database.execute(SCHEMA)
            there = {column[1] for column in self._database.execute("PRAGMA table_info(evaluation)")}
            for name in GEOMETRY:
                if name not in there:
                    self._database.execute(f"ALTER TABLE evaluation ADD COLUMN {name} BLOB")
            self._database.execute("BEGIN")
        except sqlite3.DatabaseError as err:
            raise _corrupt(path, err) from err

    def append(self, evaluation: Evaluation) -> None:
        """Write one evaluation; it is on disk at the next commit, at once if it was slow.

        Raises:
            RecordFailed: if the disk is full or the folder is gone.
        """
        told = evaluation.told
        arrays = (evaluation.theta, told.values, told.standard_errors, told.gradients)
        geometry = (evaluation.pairs, told.metrics, told.fidelities)
        blobs = [None if array is None else _pack(array) for array in (*arrays, *geometry)]
        n_rows, n_params = evaluation.theta.shape
        head = (evaluation.number, evaluation.step, n_rows, n_params)
        values = (*head, *blobs[:4], evaluation.seconds, time.time(), _checksum(head, blobs), *blobs[4:])
        self._write(f"INSERT INTO evaluation VALUES ({','.join('?' * len(values))})", values)
        waited = time.monotonic() - self._last_commit
        if evaluation.seconds > SLOW_S or waited > max(COMMIT_AFTER_S, COMMIT_SHARE * self._commit_s):
            self.commit()

    def commit(self) -> None:
        """Put everything appended so far on disk."""
        start = time.monotonic()
        self._write("COMMIT")
        self._write("BEGIN")
        self._last_commit = time.monotonic()
        self._commit_s = self._last_commit - start

    def read(self) -> Iterator[Evaluation]:
        """All evaluations, in order.

        Raises:
            Refused: if one is damaged or missing.
        """
        arrays = ("theta", "energies", "standard_errors", "gradients", *GEOMETRY)
        columns = ", ".join(("number", "step", "n_rows", "n_params", *arrays, "seconds", "checksum"))
        expected = 0
        try:
            for row in self._database.execute(f"SELECT {columns} FROM evaluation ORDER BY number"):
                head, blobs, (seconds, checksum) = row[:4], row[4:-2], row[-2:]
                if head[0] != expected:
                    raise sqlite3.DatabaseError(f"evaluation {expected} is missing")
                if checksum != _checksum(head, blobs):
                    raise sqlite3.DatabaseError(f"evaluation {expected} does not match its checksum")
                expected += 1
                number, step, n, p = head
                n_pairs = len(blobs[-1] or b"") // 8
                shapes = ((n, p), (n,), (n,), (n, p), (n_pairs, 2, p), (n, p, p), (n_pairs,))
                theta, values, errors, gradients, pairs, metrics, fidelities = (
                    None if blob is None else _unpack(blob, *shape) for blob, shape in zip(blobs, shapes, strict=True)
                )
                assert theta is not None
                assert values is not None
                assert errors is not None
                told = Told(values, errors, gradients, metrics, fidelities)
                yield Evaluation(number, step, theta, told, seconds, pairs)
        except sqlite3.DatabaseError as err:
            raise _corrupt(self._path, err) from err

    def close(self) -> None:
        """Commit and let go of the file."""
        try:
            if self._database.in_transaction:
                self._write("COMMIT")
        finally:
            self._database.close()

    def _write(self, statement: str, values: tuple = ()) -> None:
        try:
            self._database.execute(statement, values)
        except sqlite3.OperationalError as err:
            raise RecordFailed(
                f"{self._path}: the journal cannot be written ({err}); the run was stopped. What was committed before "
                "is kept: make room, then resume"
            ) from err


def _pack(array: np.ndarray) -> bytes:
    return np.ascontiguousarray(array, dtype="<f8").tobytes()


def _unpack(blob: bytes, *shape: int) -> np.ndarray:
    return np.frombuffer(blob, dtype="<f8").reshape(shape)


def _checksum(head: tuple, blobs) -> int:
    total = zlib.crc32(repr(head).encode())
    for blob in blobs:
        total = zlib.crc32(blob or b"", total)
    return total


def _corrupt(path: Path, err: Exception) -> Refused:
    return Refused(
        f"{path}: the journal is corrupt ({err}); it was left as it is. "
        "Restore it from a copy, or start the run anew in another folder"
    )
