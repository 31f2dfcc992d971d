"""What a vendor had last measured of a run's device when the run was begun, and when it was resumed after a change.

The first calibration stands in spec.json, that of a device at which the run went on after a failure in the journal.
Each later one that the device had when the run was resumed is appended to calibrations.json, so that the record says on
which device, as it was then, the run went on. A device is only compared with itself.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit

from backends.base import Backend, Calibrated
from backends.providers.calibration import Calibration
from circuits.errors import Refused
from hybrid.runs.failovers import Failover
from hybrid.runs.files import read_json, to_json, write
from hybrid.runs.folder import JOURNAL
from hybrid.runs.journal import Journal, read
from hybrid.runs.lock import Lock

FILE = "calibrations.json"

MOMENT = "%Y-%m-%dT%H:%M:%SZ"


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
        provenance: Of the run, or of the failover by which it came to the device.
        backend: That will go on with it.
        circuit: Of the run.

    Returns:
        How the device has changed since the run last had it, in words; empty if it was not measured anew.

    Raises:
        Refused: if the file or the journal is damaged.
        RecordFailed: if it cannot be written.
    """
    begun = _begun(folder, provenance)
    now = backend.calibration(circuit) if begun is not None and isinstance(backend, Calibrated) else None
    if begun is None or now is None:
        return ""
    later = _later(folder)
    before = [begun, *(one for _, one in later if one.device == now.device)][-1]
    if not (changed := now.drift(before)):
        return ""
    later.append((time.strftime(MOMENT, time.gmtime()), now))
    kept = [{"resumed_utc": when, "calibration": one.to_dict()} for when, one in later]
    content = to_json({"calibrations": kept})
    with Lock(folder), Journal(folder / JOURNAL, read(folder / JOURNAL).run_digest) as opened:
        opened.keep(FILE, content)
    write(folder / FILE, content)
    return changed


def told(folder: Path, provenance: Mapping[str, Any], changes: Sequence[Failover] = ()) -> dict[str, Any]:
    """What a list of runs says of the calibrations of a run, as JSON-able values.

    Args:
        folder: Of the run.
        provenance: Of the run.
        changes: How it went on at other devices, each of which is compared with what it was when the run came there.

    Returns:
        "calibrated", when the device was calibrated that the run began with, None where nobody knows; and "drift", for
        each resumption with another calibration "resumed_utc", "calibrated", "changes" (of each quantity the largest,
        as `backends.providers.calibration.Change`) and "words".

    Raises:
        Refused: if the file is damaged.
    """
    first = _begun(folder, provenance)
    came = [(time.strftime(MOMENT, time.gmtime(one.happened_at)), _begun(folder, one.provenance)) for one in changes]
    known = [(when, one) for when, one in (("", first), *came) if one is not None] + _later(folder)
    latest: dict[str, Calibration] = {}
    drift = []
    for when, now in sorted(known, key=lambda one: one[0]):
        if (before := latest.get(now.device)) is not None and (words := now.drift(before)):
            changed = [asdict(change) for change in now.changes(before)]
            drift.append({"resumed_utc": when, "calibrated": now.date, "changes": changed, "words": words})
        latest[now.device] = now
    return {"calibrated": None if first is None else first.date, "drift": drift}


def every(folder: Path, provenance: Mapping[str, Any], changes: Sequence[Failover] = ()) -> list[Calibration]:
    """All calibrations with which a run went on, in the order in which it did.

    Args:
        folder: Of the run.
        provenance: Of the run.
        changes: How it went on at other devices.

    Raises:
        Refused: if the file is damaged.
    """
    begun = [_begun(folder, one) for one in (provenance, *(change.provenance for change in changes))]
    return [one for one in begun if one is not None] + [one for _, one in _later(folder)]


def _begun(folder: Path, provenance: Mapping[str, Any]) -> Calibration | None:
    """The device as it was when the run came to it; None if nobody had measured it."""
    kept = provenance.get("calibration")
    return None if kept is None else _read(kept, folder)


def _later(folder: Path) -> list[tuple[str, Calibration]]:
    """What was measured anew, each with the time from which the run went on with it."""
    file = folder / FILE
    if not file.exists():
        return []
    try:
        content: dict[str, Any] = read_json(file)
        found = [(str(one["resumed_utc"]), one["calibration"]) for one in content["calibrations"]]
    except (TypeError, KeyError, AttributeError) as err:
        raise _damaged(file, err) from err
    return [(when, _read(one, file)) for when, one in found]


def _read(content: Any, file: Path) -> Calibration:
    try:
        return Calibration.from_dict(content)
    except (TypeError, KeyError, ValueError, AttributeError) as err:
        raise _damaged(file, err) from err


def _damaged(file: Path, err: Exception) -> Refused:
    return Refused(f"{file} is damaged ({type(err).__name__}: {err}); restore it from a copy or remove it")
