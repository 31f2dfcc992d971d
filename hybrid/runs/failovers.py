"""That a run went on at another backend after one had failed, and the row of a journal that says so.

The row is on disk before anything is asked of the new backend, so that a run that is killed right after goes on there,
too. A place is a backend of a run: 0 the one that it was begun on, and one more for each that it went on at.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from hybrid.runs.entries import FailoverEntry
from hybrid.workload.spec import BackendSpec

SCHEMA = """
CREATE TABLE IF NOT EXISTS failover (
    place INTEGER PRIMARY KEY,
    evaluation INTEGER NOT NULL,
    failed TEXT NOT NULL,
    reason TEXT NOT NULL,
    name TEXT NOT NULL,
    backend TEXT NOT NULL,
    threads INTEGER,
    provenance TEXT NOT NULL,
    happened_at REAL NOT NULL
);
"""

COLUMNS = ("evaluation", "failed", "reason", "name", "backend", "threads", "provenance", "happened_at")


@dataclass(frozen=True)
class Failover:
    """That a run went on at another backend.

    Attributes:
        evaluation: Number of the first evaluation that is not the failed backend's, from 0.
        failed: Name of the backend that failed.
        reason: How it failed, and why backends between the two were passed over.
        name: Of the backend at which the run went on.
        backend: From which that is made again.
        threads: Number of threads that it uses, where its last bits depend on it; else None.
        provenance: What was last measured of the device behind it; see `hybrid.runs.provenance.calibration`.
        happened_at: When, in seconds since 1970.
    """

    evaluation: int
    failed: str
    reason: str
    name: str
    backend: BackendSpec
    threads: int | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    happened_at: float = field(default_factory=time.time)

    def to_dict(self) -> FailoverEntry:
        """JSON-able summary."""
        return {
            "evaluation": self.evaluation,
            "from": self.failed,
            "to": self.name,
            "reason": self.reason,
            "when_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.happened_at)),
        }

    def values(self) -> tuple:
        """The values of `COLUMNS`."""
        backend, provenance = json.dumps(self.backend.to_dict()), json.dumps(self.provenance)
        what = (self.evaluation, self.failed, self.reason, self.name, backend, self.threads, provenance)
        return *what, self.happened_at


def described(failover: FailoverEntry) -> str:
    """A failover's summary as a sentence, for tables."""
    return (
        f"{failover['from']} failed, so evaluations from number {failover['evaluation']} on come from "
        f"{failover['to']} ({failover['when_utc']}): {failover['reason']}"
    )


def rows(database: sqlite3.Connection) -> Iterator[Failover]:
    """All failovers in a journal that has the table, in order.

    Raises:
        sqlite3.DatabaseError: if one of them is damaged.
    """
    for evaluation, failed, reason, name, backend, *rest in database.execute(
        f"SELECT {', '.join(COLUMNS)} FROM failover ORDER BY place"
    ):
        threads, provenance, happened_at = rest
        try:
            spec = BackendSpec.model_validate(json.loads(backend))
            found = json.loads(provenance)
        except (ValueError, ValidationError) as err:
            raise sqlite3.DatabaseError(f"it does not say where the run went on: {err}") from err
        yield Failover(evaluation, failed, reason, name, spec, threads, found, happened_at)


def place(begun: BackendSpec, failovers: Sequence[Failover]) -> BackendSpec:
    """The backend at which a run is now.

    Args:
        begun: Where it was begun.
        failovers: Of its journal.
    """
    return failovers[-1].backend if failovers else begun
