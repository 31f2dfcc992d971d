"""What a crate says of one run, gathered from its folder."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.runs import account as accounts
from hybrid.runs import calibrations, chain, redaction
from hybrid.runs import folder as folders
from hybrid.runs.evidence import examine
from hybrid.runs.jobs import JobRow

MOMENT = "%Y-%m-%dT%H:%M:%SZ"

INPUTS = {
    folders.SPEC: ("What was asked: optimizer, accuracy, seed, backend, plan, versions, machine", "application/json"),
    folders.CIRCUIT: ("The ansatz, in Qiskit's format QPY", "application/octet-stream"),
    folders.HAMILTONIAN: ("The Hamiltonian: Pauli strings, qubit 0 rightmost, and coefficients", "application/json"),
}
OUTPUTS = {
    folders.JOURNAL: ("Every evaluation and every job, chained by digests", "application/vnd.sqlite3"),
    folders.RESULT: ("What came out: energy, standard error, angles, status", "application/json"),
}
BESIDE = {
    calibrations.FILE: ("What was measured of the device when the run was resumed", "application/json"),
    "verification.json": ("Findings of the last verification", "application/json"),
    redaction.FILE: ("What was withheld of this record before it was handed on", "application/json"),
}
"""Files of a run, each with what it is and its media type; those beside need not be there."""


@dataclass(frozen=True)
class Told:
    """One run, as a crate tells it.

    Attributes:
        path: Of its folder.
        name: Of the folder in the crate; empty where the crate is the run's alone.
        problem: Name of its problem.
        backend: Name of where its last values came from.
        status: How it ended.
        energy: As text, with its unit.
        begun: When, ISO 8601, UTC.
        ended: When its last value was written, ISO 8601, UTC.
        head: Of its chain; empty for a record that was made before there was one.
        provenance: Versions and machine.
        threads: That its backend used, where its last bits depend on it.
        ranks: Processes that shared the work.
        jobs: That it sent to vendors.
        signatures: Names of the files with its signatures.
        label: Of its data.
        evaluations: How many it made.
        rows: Of parameters, in all evaluations together.
        plan: Why its backend was chosen, as spec.json says it.
        start: Where its first angles came from, where that is another run; see `hybrid.runs.start.Start`.
        calibrations: Of its devices: name, and when each was made.
        redacted: What was withheld of it, in one sentence; empty if nothing was.
    """

    path: Path
    name: str
    problem: str
    backend: str
    status: str
    energy: str
    begun: str
    ended: str
    head: str
    provenance: dict[str, Any]
    threads: int | None
    ranks: int
    jobs: tuple[JobRow, ...]
    signatures: tuple[str, ...]
    label: str = "open"
    evaluations: int = 0
    rows: int = 0
    plan: dict[str, Any] = field(default_factory=dict)
    start: dict[str, Any] = field(default_factory=dict)
    calibrations: tuple[tuple[str, str], ...] = ()
    redacted: str = ""

    def files(self, names: dict[str, tuple[str, str]]) -> list[tuple[Path, str, str, str]]:
        """Path, path in the crate, what it is, and media type of those files that are there."""
        there = [(self.path / name, self.inside(name), *what) for name, what in names.items()]
        return [one for one in there if one[0].is_file()]

    def inside(self, name: str) -> str:
        """The path of a file in the crate."""
        return f"{self.name}/{name}" if self.name else name


def told(path: Path, name: str = "") -> Told:
    """What a crate says of a run.

    Args:
        path: Of its folder.
        name: Of the folder in the crate.

    Raises:
        Refused: if the folder holds no run, one that has not ended, or one that was changed since.
        RecordFailed: if a file cannot be read.
    """
    folders.check_run(path)
    evidence = examine(path)
    if evidence.faults:
        raise Refused(f"{path} was changed after it was written: {chain.told(evidence.faults)}: it is not handed on")
    account = accounts.account(path)
    result, spec = account.result, account.record.spec
    if result is None or result.status == "stopped":
        raise Refused(f"{path} has not ended: continue it with hybrid.resume('{path}'), then export it")
    times = [one.finished_at for one in account.content.evaluations if one.finished_at is not None]
    begun = str(spec.provenance.get("created_utc", ""))
    return Told(
        path=path,
        name=name,
        problem=result.problem,
        backend=result.backend,
        status=result.status,
        energy=f"{result.energy!r} {result.unit}, standard error {result.standard_error!r}",
        begun=begun,
        ended=time.strftime(MOMENT, time.gmtime(times[-1])) if times else begun,
        head=evidence.head,
        provenance=dict(spec.provenance),
        threads=spec.threads,
        ranks=result.ranks,
        jobs=tuple(row for row in account.content.jobs if row.counts),
        signatures=tuple(sorted(file.name for file in path.glob("signature-*.sig"))),
        label=spec.workload.label,
        evaluations=len(account.content.evaluations),
        rows=sum(len(one.theta) for one in account.content.evaluations),
        plan=dict(spec.plan),
        start=dict(spec.notes.get("start") or {}),
        calibrations=tuple(
            dict.fromkeys(
                (one.device, one.date) for one in calibrations.every(path, spec.provenance, account.content.failovers)
            )
        ),
        redacted=evidence.redacted,
    )
