"""The device as its vendor had last measured it, and how it changed while the run was under way."""

import time
from collections.abc import Iterator
from statistics import median

from backends.providers.calibration import Calibration
from hybrid.report.page.html import Html, fold, section, table, tag
from hybrid.runs.account import Account


def device(run: Account) -> Html | None:
    """Calibration of each device, and drift; None for a run on simulators of this machine alone."""
    known = list(_calibrations(run))
    drift = run.entry["drift"]
    if not known and not drift:
        return None
    changes = [tag("li", f"{one['resumed_utc'] or 'later'}: {one['words']}") for one in drift]
    told = tag("ul", changes) if changes else tag("p", "It was not calibrated anew while the run was under way.")
    return section("Device and calibration", [_one(when, calibration) for when, calibration in known], told)


def _calibrations(run: Account) -> Iterator[tuple[str, Calibration]]:
    """The device that the run began with, and those at which it went on, each with the time from which on."""
    spec = run.record.spec
    held = [(str(spec.provenance.get("created_utc", "")), spec.provenance)]
    held += [(_utc(change.happened_at), change.provenance) for change in run.content.failovers]
    for when, provenance in held:
        if (kept := provenance.get("calibration")) is not None:
            yield when, Calibration.from_dict(kept)


def _one(when: str, calibration: Calibration) -> Html:
    qubits = calibration.qubits
    pairs = [gate for gate in calibration.gates if len(gate.qubits) == 2 and gate.error is not None]
    rows = [(f"qubit {q}", _micro(one.t1_s), _micro(one.t2_s), _share(one.readout_error)) for q, one in qubits.items()]
    gates = [(f"{gate.name} on {gate.qubits[0]}, {gate.qubits[1]}", _share(gate.error)) for gate in pairs]
    said = [f"{len(qubits)} qubit{'s' if len(qubits) != 1 else ''}"]
    if times := [one.t1_s for one in qubits.values() if one.t1_s is not None]:
        said.append(f"median T1 {_micro(median(times))}")
    if errors := [one.readout_error for one in qubits.values() if one.readout_error is not None]:
        said.append(f"median readout error {_share(median(errors))}")
    if pairs:
        said.append(f"median two-qubit error {_share(median(gate.error or 0.0 for gate in pairs))}")
    numbers = ("T1", "T2", "Readout error")
    return Html(
        tag(
            "p",
            tag("b", calibration.device),
            f", used from {when}, calibrated {calibration.date}: {', '.join(said)}.",
        )
        + fold(
            "Every qubit and two-qubit gate",
            table(("Qubit", *numbers), rows, caption=f"Qubits of {calibration.device}", numbers=numbers),
            table(("Gate", "Error"), gates, caption=f"Gates of {calibration.device}", numbers=("Error",))
            if gates
            else None,
        )
    )


def _micro(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1e6 * seconds:.3g} µs"


def _share(error: float | None) -> str:
    return "–" if error is None else f"{error:.2e}"


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
