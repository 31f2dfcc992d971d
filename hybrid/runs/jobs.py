"""A job at a vendor, and the row of a journal that it is kept in.

The row is written before the job is sent, gets the vendor's id right after, every state that the vendor reports with
the time at which it was seen, and in the end what was measured: so a job is sent once, however often the process that
sent it dies, and a result that was paid for is used.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from backends.measurement.outcomes import Outcomes
from backends.providers.hardware import Charge, JobState
from backends.providers.times import UNTOLD, VendorTimes
from hybrid.runs.chain import columns_of

SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    stage TEXT NOT NULL,
    evaluation INTEGER NOT NULL,
    part INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    request TEXT NOT NULL,
    tag TEXT NOT NULL,
    hardware TEXT NOT NULL,
    circuits INTEGER NOT NULL,
    shots INTEGER NOT NULL,
    usd REAL NOT NULL,
    qpu_s REAL NOT NULL,
    charged_shots INTEGER NOT NULL,
    status TEXT NOT NULL,
    intended_at REAL NOT NULL,
    id TEXT,
    sent_at REAL,
    reason TEXT NOT NULL DEFAULT '',
    outcomes BLOB,
    waiting_at REAL,
    started_at REAL,
    ended_at REAL,
    vendor_created_at REAL,
    vendor_started_at REAL,
    vendor_ended_at REAL,
    predicted_wait_s REAL,
    PRIMARY KEY (stage, evaluation, part, attempt)
) WITHOUT ROWID;
"""

Status = Literal["intended", "unsent", "queued", "running", "done", "failed", "cancelled", "lost", "given up"]
"""What is known of a job: "intended", it may have been sent; "unsent", it surely was not taken; then the vendor's own
words; "lost", the vendor has no such job; "given up", another is to be sent in its place."""

TIMES = (
    *("waiting_at", "started_at", "ended_at"),
    *("vendor_created_at", "vendor_started_at", "vendor_ended_at", "predicted_wait_s"),
)
"""Columns, all of them real numbers, that the journals of earlier versions lack; they are added, all at once."""

COLUMNS = (
    *("stage", "evaluation", "part", "attempt", "request", "tag", "hardware", "circuits", "shots"),
    *("usd", "qpu_s", "charged_shots", "status", "intended_at", "id", "sent_at", "reason", "outcomes"),
    *TIMES,
)

OPEN = ("queued", "running")
"""States of a job that the vendor has and that has not ended."""


@dataclass(frozen=True)
class Place:
    """Which job of a run it is.

    Attributes:
        stage: Of an algorithm; empty for a run.
        evaluation: Its number in the run, or in the stage, from 0.
        part: Number of the job among those of the evaluation, from 0.
    """

    stage: str
    evaluation: int
    part: int

    def __str__(self) -> str:
        return f"{self.stage}:{self.evaluation}.{self.part}" if self.stage else f"{self.evaluation}.{self.part}"


@dataclass(frozen=True)
class JobRow:
    """A job as a journal keeps it.

    Attributes:
        place: Which one of the run it is.
        attempt: 0, and one more for each that was given up before.
        request: Digest of what it runs.
        tag: That it is sent with.
        hardware: Name of where it runs.
        circuits: How many it runs.
        shots: Of each.
        charge: What it costs: at most, as predicted, or as the vendor has said.
        status: What is known of it.
        intended_at: When it was about to be sent, in seconds since 1970.
        id: The vendor's; None where none is known.
        sent_at: When the vendor gave the id, in seconds since 1970; of one that was looked for, when it was about to
            be sent.
        reason: The vendor's words on a job that failed.
        measured: What it measured, as `packed` writes it; None before.
        waiting_at: When it was last seen waiting, in seconds since 1970; None where it never was.
        started_at: When it was first seen not to wait any more, in seconds since 1970.
        ended_at: When it was first seen to have ended, in seconds since 1970.
        told: What the vendor tells of its times.
    """

    place: Place
    attempt: int
    request: str
    tag: str
    hardware: str
    circuits: int
    shots: int
    charge: Charge
    status: Status
    intended_at: float
    id: str | None = None
    sent_at: float | None = None
    reason: str = ""
    measured: bytes | None = None
    waiting_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    told: VendorTimes = UNTOLD

    @property
    def unknown(self) -> bool:
        """Whether nobody here knows what became of it: it may have been sent, or the vendor does not know it."""
        return self.status in ("intended", "lost")

    @property
    def counts(self) -> bool:
        """Whether it may have to be paid for."""
        return self.status != "unsent"

    def values(self) -> tuple:
        """The values of `COLUMNS`."""
        where = (self.place.stage, self.place.evaluation, self.place.part, self.attempt)
        what = (self.request, self.tag, self.hardware, self.circuits, self.shots)
        cost = (self.charge.usd, self.charge.qpu_s, self.charge.shots)
        known = (self.status, self.intended_at, self.id, self.sent_at, self.reason, self.measured)
        seen = (self.waiting_at, self.started_at, self.ended_at)
        told = (self.told.created_at, self.told.started_at, self.told.ended_at, self.told.predicted_wait_s)
        return *where, *what, *cost, *known, *seen, *told

    def seen(self, state: JobState, at: float, waiting_at: float | None = None) -> "JobRow":
        """The job as it is known after the vendor has said where it stands.

        Args:
            state: What the vendor says.
            at: When it said so, in seconds since 1970.
            waiting_at: When it was last seen waiting, as far as that was not written; None for never.
        """
        row = replace(self, status=state.status, reason=state.reason, charge=state.charge or self.charge)
        row = replace(row, told=row.told.then(state.times))
        if state.status != "queued" and row.started_at is None:
            row = replace(row, started_at=at, waiting_at=row.waiting_at if waiting_at is None else waiting_at)
        if state.status not in OPEN and row.ended_at is None:
            row = replace(row, ended_at=at)
        return row


def rows(database: sqlite3.Connection) -> Iterator[JobRow]:
    """All jobs in a journal, in order.

    Args:
        database: Of a journal that has the table.
    """
    order, timed = "stage, evaluation, part, attempt", not columns_of(database, "job").isdisjoint(TIMES)
    names = [name if timed or name not in TIMES else f"NULL AS {name}" for name in COLUMNS]
    for values in database.execute(f"SELECT {', '.join(names)} FROM job ORDER BY {order}"):
        stage, evaluation, part, attempt, *what = values
        request, tag, hardware, circuits, shots, usd, qpu_s, charged, *known = what[: -len(TIMES)]
        waiting_at, started_at, ended_at, *told = what[-len(TIMES) :]
        priced = not isinstance(usd, str)  # a price that was withheld; see `hybrid.runs.redaction`
        charge = Charge(usd if priced else 0.0, qpu_s, charged, priced)
        place = Place(stage, evaluation, part)
        row = JobRow(place, attempt, request, tag, hardware, circuits, shots, charge, *known)
        yield replace(row, waiting_at=waiting_at, started_at=started_at, ended_at=ended_at, told=VendorTimes(*told))


def packed(outcomes: Sequence[Outcomes]) -> bytes:
    """What the circuits of a job measured, in few bytes; eight bits a byte, with a checksum."""
    parts = [np.int64(len(outcomes)).tobytes()]
    for one in outcomes:
        bits = np.asarray(one.bits, dtype=np.uint8)
        parts.append(np.array(bits.shape, dtype="<i8").tobytes())
        parts.append(np.packbits(bits, axis=1).tobytes())
        parts.append(np.asarray(one.counts, dtype="<i8").tobytes())
    return zlib.compress(b"".join(parts))


def unpacked(content: bytes) -> list[Outcomes]:
    """The outcomes that `packed` wrote, in the same order.

    Raises:
        ValueError: if the content is damaged.
    """
    try:
        data = zlib.decompress(content)
    except zlib.error as err:
        raise ValueError(f"cannot be read ({err})") from err
    n_circuits, at = int(np.frombuffer(data, "<i8", 1)[0]), 8
    outcomes = []
    for _ in range(n_circuits):
        n_strings, n_bits = (int(n) for n in np.frombuffer(data, "<i8", 2, at))
        width = (n_bits + 7) // 8
        at += 16
        bytes_ = np.frombuffer(data, np.uint8, n_strings * width, at).reshape(n_strings, width)
        at += n_strings * width
        counts = np.frombuffer(data, "<i8", n_strings, at).astype(np.int64)
        at += 8 * n_strings
        outcomes.append(Outcomes(np.unpackbits(bytes_, axis=1, count=n_bits), counts))
    return outcomes
