"""Starting where another run has ended, such as on a device from the angles that a simulator has found."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from circuits.errors import Refused
from hybrid.runs import failovers, journal
from hybrid.runs import folder as folders
from hybrid.runs.files import checked, parsed, read_bytes
from hybrid.runs.result import StoredResult

PREFIX = "run:"
"""With the folder of a run behind it, a starting point: where that run has ended."""


@dataclass(frozen=True, eq=False)
class Start:
    """A starting point that another run has found.

    Attributes:
        theta: Shape (params,), radians.
        origin: What the record of the new run says of the other, as JSON-able values: "run" (its folder), "backend",
            "energy", "status", and "result_sha256", the digest of its result.json.
    """

    theta: np.ndarray
    origin: dict[str, Any]


def started(theta: ArrayLike | str | None, circuit: QuantumCircuit) -> tuple[ArrayLike | None, dict[str, Any]]:
    """A starting point as numbers, and what a record keeps of where it comes from.

    Args:
        theta: Numbers, or ``"run:FOLDER"`` for where another run has ended; None for the ansatz's own.
        circuit: Of the new run.

    Returns:
        The numbers, or None; and the notes of the record: "start" where it comes from another run, else nothing.

    Raises:
        Refused: if there is no such run, it has no result, or its parameters are others than the circuit's.
    """
    if not isinstance(theta, str):
        return theta, {}
    if not theta.startswith(PREFIX) or theta == PREFIX:
        raise Refused(
            f'theta must be numbers, "{PREFIX}FOLDER" for where another run has ended, or "registry", not {theta!r}'
        )
    start = from_run(Path(theta.removeprefix(PREFIX)), circuit)
    return start.theta, {"start": start.origin}


def from_run(path: Path, circuit: QuantumCircuit) -> Start:
    """Where a run has ended: its best angles, also if it was stopped.

    Args:
        path: Of its folder.
        circuit: Whose parameters they shall be; theirs must have the same names in the same order.

    Raises:
        Refused: as `started`.
    """
    record, file = folders.read(path), path / folders.RESULT
    if not file.exists():
        raise Refused(f"{path} has no result to start from: continue it with hybrid.resume('{path}') first")
    content = read_bytes(file)
    result = checked(StoredResult, parsed(file, content), file)
    if result.energy is None:
        raise Refused(f"{path} was stopped before its first value, so nothing is there to start from: continue it")
    theirs, ours = ([parameter.name for parameter in one.parameters] for one in (record.circuit, circuit))
    if theirs != ours:
        differ = next((pair for pair in zip(theirs, ours, strict=False) if pair[0] != pair[1]), None)
        which = "" if differ is None else f", and {differ[0]} stands there where {differ[1]} is needed"
        raise Refused(
            f"{path} cannot be the start: it has {len(theirs)} parameters, the circuit has {len(ours)}{which}; take "
            "the same ansatz, or give the angles as numbers"
        )
    origin = {
        "run": str(path),
        "backend": failovers.place(record.spec.backend, journal.read_failovers(record.journal)).title,
        "energy": result.energy,
        "status": result.status,
        "result_sha256": hashlib.sha256(content).hexdigest(),
    }
    return Start(np.asarray(result.theta, dtype=float), origin)
