"""Running recorded runs again, from a crate or a folder, and saying how the values compare."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.loop.minimize import resume
from hybrid.loop.threads import threads_of
from hybrid.runs import calibrations, chain
from hybrid.runs import folder as folders
from hybrid.runs.agreement import Verdict, compared, surroundings
from hybrid.runs.crate.unpack import unpacked
from hybrid.runs.evidence import examine
from hybrid.runs.loading import load
from hybrid.runs.provenance import provenance
from hybrid.runs.result import Result
from hybrid.runs.spec import FORMAT
from hybrid.workload.spec import backend_of


@dataclass(frozen=True, eq=False)
class Rerun:
    """A run that was repeated, and how it compares with the first.

    Attributes:
        name: Of its folder.
        first: The recorded result.
        again: The result of repeating it.
        verdict: "same bits" if every value and angle on the way is; "same within error" if the energies are equal up to
            statistics, bias, rounding and the accuracy that was asked; "different" otherwise.
        reason: In words: how far they are apart, where they part, and what is not the same here.
    """

    name: str
    first: Result
    again: Result
    verdict: Verdict
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "name": self.name,
            "folder": str(self.again.folder),
            "verdict": self.verdict,
            "reason": self.reason,
            "first": self.first.energy,
            "again": self.again.energy,
            "unit": self.first.unit,
        }

    def __str__(self) -> str:
        return f"{self.name}: {self.verdict} ({self.reason})"


def rerun(crate: Path, folder: Path) -> Iterator[Rerun]:
    """Repeat the run of a crate, or each of its runs, here and now.

    Each is begun anew from its spec, circuit and Hamiltonian, on the backend that is recorded, and nothing of the first
    run's values is used.

    Args:
        crate: A zip file that `hybrid export --format crate` has written, what was unpacked from it, or a run's folder.
        folder: Where the new run goes; where the crate holds several, each goes into a folder of its name below.

    Yields:
        One `Rerun` after the other, as they end.

    Raises:
        Refused: if the crate holds no run, or one that was changed or has not ended; if there is a run in the folder
            already; for a run on a provider's device, which would be paid for again.
        FailedJob: if a backend fails.
        RecordFailed: if the new record cannot be written.
    """
    with tempfile.TemporaryDirectory() as scratch:
        home = unpacked(crate, Path(scratch))
        single = folders.is_run(home)
        runs = [home] if single else sorted(spec.parent for spec in home.glob(f"*/{folders.SPEC}"))
        if not runs:
            if crate.is_dir():
                folders.check_run(crate)
            raise Refused(f"{crate} holds no run: it has no {folders.SPEC}")
        for run in runs:
            yield _repeated(run, crate.stem if single else run.name, folder if single else folder / run.name)


def _repeated(path: Path, name: str, folder: Path) -> Rerun:
    evidence = examine(path)
    if evidence.faults:
        raise Refused(f"{name} was changed after it was written: {chain.told(evidence.faults)}")
    record, first = folders.read(path), load(path)
    if first.status == "stopped":
        raise Refused(f"{name} had not ended: there is no result to compare with")
    backend = backend_of(record.spec.backend)
    if backend.capabilities().place == "provider":
        raise Refused(f"{name} ran on {backend.capabilities().name}: running it again would be paid for again")
    begun = provenance() | calibrations.first(backend, record.circuit)
    notes = {**record.spec.notes, "rerun": {"of": name, "head": evidence.head}}
    here = {"format": FORMAT, "provenance": begun, "threads": threads_of(backend), "notes": notes}
    spec = record.spec.model_copy(update=here)
    folders.create(folder, spec, record.circuit, record.hamiltonian)
    again = resume(folder, progress=False)
    verdict, reason, _, _ = compared(first, again, (record, folders.read(folder)))
    if verdict != "same bits":
        then, now = (one.provenance | {"threads": one.threads} for one in (record.spec, spec))
        elsewhere = ", ".join(surroundings(then, now, places=("there", "here")))
        reason += f"; {elsewhere or 'versions and machine are the same'}"
    return Rerun(name, first, again, verdict, reason)
