"""What a vendor had last measured of a run's device when the run was begun, and when it was resumed after a change.

The first calibration stands in spec.json. Each later one that the device had when the run was resumed is appended to
calibrations.json, so that the record says on which device, as it was then, the run went on.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit

from backends.base import Backend, Calibrated
from backends.providers.calibration import Calibration
from circuits.errors import Refused
from hybrid.runs.files import read_json, write_json

FILE = "calibrations.json"


def first(backend: Backend, circuit: QuantumCircuit) -> dict[str, Any]:
    """What was last measured of the device behind a backend, as JSON-able values under "calibration"; else nothing.

    Args:
        backend: That will run the circuit.
        circuit: Its place on the device decides which qubits matter.
    """
    found = backend.calibration(circuit) if isinstance(backend, Calibrated) else None
    return {} if found is None else {"calibration": found.to_dict()}


def resumed(folder: Path, provenance: Mapping[str, Any], backend: Backend, circuit: QuantumCircuit) -> str:
    """Note the calibration of the device that a run goes on with, if it is another than before.

    Args:
        folder: Of the run.
        provenance: Of the run.
        backend: That will go on with it.
        circuit: Of the run.

    Returns:
        How the device has changed since the run last had it, in words; empty if it was not measured anew.

    Raises:
        Refused: if the file is damaged.
        RecordFailed: if it cannot be written.
    """
    known = _known(folder, provenance)
    now = backend.calibration(circuit) if known and isinstance(backend, Calibrated) else None
    if now is None or not (changed := now.drift(known[-1][1])):
        return ""
    known.append((time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), now))
    later = [{"resumed_utc": when, "calibration": one.to_dict()} for when, one in known[1:]]
    write_json(folder / FILE, {"calibrations": later})
    return changed


def told(folder: Path, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What a list of runs says of the calibrations of a run, as JSON-able values.

    Args:
        folder: Of the run.
        provenance: Of the run.

    Returns:
        "calibrated", when the device was calibrated that the run began with, None where nobody knows; and "drift", for
        each resumption with another calibration "resumed_utc", "calibrated", "changes" (of each quantity the largest,
        as `backends.providers.calibration.Change`) and "words".

    Raises:
        Refused: if the file is damaged.
    """
    known = _known(folder, provenance)
    drift = [
        {
            "resumed_utc": when,
            "calibrated": now.date,
            "changes": [asdict(change) for change in now.changes(before)],
            "words": now.drift(before),
        }
        for (_, before), (when, now) in pairwise(known)
    ]
    return {"calibrated": known[0][1].date if known else None, "drift": drift}


def _known(folder: Path, provenance: Mapping[str, Any]) -> list[tuple[str, Calibration]]:
    """The calibrations of a run, each with the time from which it went on with it."""
    kept = provenance.get("calibration")
    if kept is None:
        return []
    file = folder / FILE
    content: dict[str, Any] = read_json(file) if file.exists() else {"calibrations": []}
    try:
        found = [
            (str(one["resumed_utc"]), Calibration.from_dict(one["calibration"])) for one in content["calibrations"]
        ]
        return [("", Calibration.from_dict(kept)), *found]
    except (TypeError, KeyError, ValueError, AttributeError) as err:
        raise Refused(f"{file} is damaged ({type(err).__name__}: {err}); restore it from a copy or remove it") from err
