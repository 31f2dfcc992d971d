"""What was asked of a run, in the words of its spec.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from circuits.errors import Refused
from hybrid.runs.files import checked
from hybrid.workload.spec import BackendWords, ProblemWords, Words, WorkloadWords

FORMAT = 2
"""Of the folders that are written; 1, of version 0.1, is read, too: its journals are not bound to their runs."""


class Spec(Words):
    """What was asked of a run, as spec.json says it.

    Attributes:
        format: Of the folder.
        problem: But for the Hamiltonian.
        workload: But for circuit and problem.
        backend: The one that was chosen.
        plan: Why it was chosen.
        provenance: Versions, machine and time.
        threads: That the backend used, where its last bits depend on them.
        notes: What a study adds.
    """

    format: int = Field(ge=1, le=FORMAT)
    problem: ProblemWords
    workload: WorkloadWords
    backend: BackendWords
    plan: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Any]
    threads: int | None = None
    notes: dict[str, Any] = Field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return self.model_dump(exclude={"backend"}) | {"backend": self.backend.to_dict()}


def spec_of(content: Mapping[str, Any], path: Path) -> Spec:
    """The content of a spec.json.

    Raises:
        Refused: if it is damaged, or of a format that this version does not know.
    """
    if content.get("format") not in range(1, FORMAT + 1):
        raise Refused(f"{path}: format {content.get('format')!r}; this version reads formats 1 to {FORMAT}")
    return checked(Spec, content, path)
