"""One entry of the registry: where a run has ended, and what says for which runs that is a start."""

import hashlib
import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import numpy as np

from circuits.errors import Refused
from circuits.fingerprint import fingerprint
from circuits.secrets import redacted
from hybrid.registry.family import family, features
from hybrid.runs import failovers, journal
from hybrid.runs import folder as folders
from hybrid.runs.files import checked, parsed, read_bytes
from hybrid.runs.loading import check_sealed
from hybrid.runs.result import StoredResult
from hybrid.terminal.words import measured
from hybrid.workload.spec import problem_of

JSON = ("theta", "features", "optimizer", "versions")
"""Attributes that a database keeps as JSON, which holds every bit of a number."""


@dataclass(frozen=True, eq=False)
class Entry:
    """Where a run has ended.

    Attributes:
        result_sha256: Digest of the run's result.json, by which the entry is known.
        hamiltonian: Fingerprint of the problem's Hamiltonian; see `circuits.fingerprint`.
        circuit: Fingerprint of the ansatz.
        family: What the problem and ansatz of a neighbour must share; None where they have no neighbours.
        features: Numbers in which neighbours differ; see `hybrid.registry.family`.
        problem: Its name.
        unit: Of the energies.
        label: Classification of the data.
        theta: Best parameters, shape (params,), radians.
        energy: At theta.
        standard_error: Statistical error of the energy.
        bias: Estimated size of its systematic error.
        exact_energy: The right answer, or None where it is unknown.
        status: How the run has ended.
        optimizer: Kind and settings.
        evaluations: Rows of parameters that it took.
        backend: Where it ran.
        folder: Of the run, on the machine where it was added.
        started_from: Digest of the result that the run started from; None for a cold start.
        versions: Of the packages that made the run.
        created_utc: When the run was begun, ISO 8601.
    """

    result_sha256: str
    hamiltonian: str
    circuit: str
    family: str | None
    features: dict[str, float]
    problem: str
    unit: str
    label: str
    theta: np.ndarray
    energy: float
    standard_error: float
    bias: float
    exact_energy: float | None
    status: str
    optimizer: dict[str, Any]
    evaluations: int
    backend: str
    folder: str
    started_from: str | None
    versions: dict[str, str]
    created_utc: str

    @property
    def name(self) -> str:
        """The first digits of the digest, by which people name the entry."""
        return self.result_sha256[:12]

    @property
    def upper(self) -> float:
        """The energy with its errors added: what it is at most, as far as the run can tell."""
        return self.energy + self.standard_error + abs(self.bias)

    @property
    def error(self) -> float:
        """How far `upper` lies from the exact energy; infinite where that is unknown."""
        return float("inf") if self.exact_energy is None else abs(self.upper - self.exact_energy)

    def measured(self) -> str:
        """The energy with its standard error and unit, as text."""
        return measured(self.energy, self.standard_error, self.unit)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form: each attribute by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"theta": self.theta.tolist()}

    def row(self) -> tuple[Any, ...]:
        """What a database holds, in the order of `COLUMNS`."""
        content = self.to_dict()
        return tuple(json.dumps(content[name]) if name in JSON else content[name] for name in COLUMNS)


COLUMNS = tuple(field.name for field in fields(Entry))


def entry_of(row: tuple[Any, ...]) -> Entry:
    """The entry in a database's row.

    Args:
        row: Values in the order of `COLUMNS`.

    Raises:
        Refused: if they cannot be understood.
    """
    content = dict(zip(COLUMNS, row, strict=True))
    try:
        content |= {name: json.loads(content[name]) for name in JSON}
        return Entry(**cast("dict[str, Any]", content | {"theta": np.array(content["theta"], dtype=float)}))
    except (TypeError, ValueError) as err:
        raise Refused(
            f"the registry's entry {str(content['result_sha256'])[:12]} is damaged ({type(err).__name__}): restore the "
            "registry from a copy, or add its runs to a new one with `hybrid registry add RUN`"
        ) from err


def entry_from(path: Path) -> Entry:
    """The entry of a run that has ended.

    Args:
        path: Of its folder.

    Raises:
        Refused: if the folder holds no run, one that has not ended or was changed since, or one whose energy lies below
            the exact one.
    """
    record, file = folders.read(path), path / folders.RESULT
    if not file.exists():
        raise Refused(f"{path} has no result for the registry yet: continue it with hybrid.resume('{path}') first")
    content = read_bytes(file)
    result = checked(StoredResult, parsed(file, content), file)
    if result.status == "stopped" or result.energy is None:
        raise Refused(f"{path} was stopped before its end: continue it with hybrid.resume('{path}'), then add it")
    if result.status == "below_exact":
        raise Refused(f"{path} has an energy below the exact one, which nothing should start from: it is not added")
    if record.spec.format > 1:
        check_sealed(path, content, journal.read(record.journal))
    spec = record.spec
    problem = problem_of(spec.problem, record.hamiltonian)
    origin = cast("dict[str, Any]", spec.notes.get("start") or {})
    return Entry(
        result_sha256=hashlib.sha256(content).hexdigest(),
        hamiltonian=fingerprint(record.hamiltonian),
        circuit=fingerprint(record.circuit),
        family=family(problem, record.circuit),
        features=features(problem),
        problem=problem.name,
        unit=problem.unit,
        label=spec.workload.label,
        theta=np.array(result.theta, dtype=float),
        energy=result.energy,
        standard_error=result.standard_error or 0.0,
        bias=result.bias,
        exact_energy=result.exact_energy,
        status=result.status,
        optimizer=spec.workload.optimizer,
        evaluations=result.evaluations,
        backend=failovers.place(spec.backend, journal.read_failovers(record.journal)).title,
        folder=redacted(os.path.abspath(path)),
        started_from=origin.get("result_sha256"),
        versions=dict(spec.provenance.get("packages", {})),
        created_utc=str(spec.provenance.get("created_utc", "")),
    )
