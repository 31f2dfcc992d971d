"""What was asked of a run, as its spec.json holds it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from circuits.errors import Refused
from hybrid.runs.files import checked
from hybrid.workload.spec import BackendSpec, ProblemSpec, RecordModel, WorkloadSpec

FORMAT = 4
"""Of the folders that are written. Earlier ones are read, too: journals of format 1, of version 0.1, are not bound to
their runs; runs of format 2 end without the best point on the way beside the optimizer's answer; the journals of format
3 have no chain."""


class RunSpec(RecordModel):
    """What was asked of a run, as spec.json holds it.

    Attributes:
        format: Version of the folder's layout, from 1 to `FORMAT`.
        problem: Without the Hamiltonian, which stands in hamiltonian.json.
        workload: Without the circuit, which stands in circuit.qpy.
        backend: The one that was chosen.
        plan: Why it was chosen, as `Plan.to_dict` says it.
        provenance: Versions, machine and time; see `hybrid.runs.provenance`.
        threads: Number of threads that the backend used, where its last bits depend on it; else None.
        failover: Where the run may go on, in order, if its backend fails.
        notes: JSON-able values that the caller adds; a study keeps its own sections under "study".
    """

    format: int = Field(ge=1, le=FORMAT)
    problem: ProblemSpec
    workload: WorkloadSpec
    backend: BackendSpec
    plan: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Any]
    threads: int | None = None
    failover: list[BackendSpec] = Field(default_factory=list)
    notes: dict[str, Any] = Field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        spares = {"failover": [spare.to_dict() for spare in self.failover]} if self.failover else {}
        return self.model_dump(exclude={"backend", "failover"}) | {"backend": self.backend.to_dict()} | spares


def spec_of(content: Mapping[str, Any], path: Path) -> RunSpec:
    """The spec in the content of a spec.json.

    Args:
        content: The JSON object.
        path: Of the file, for messages.

    Raises:
        Refused: if it is damaged, or of a format that this version does not know.
    """
    if content.get("format") not in range(1, FORMAT + 1):
        raise Refused(f"{path}: format {content.get('format')!r}; this version reads formats 1 to {FORMAT}")
    return checked(RunSpec, content, path)
