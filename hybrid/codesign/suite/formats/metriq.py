"""Metriq's format: one JSON file for each job, as metriq-gym 0.8 exports its own.

Only applications that measure what Metriq's benchmark of the name measures are written. The suite, the gates of each
circuit and whatever else a record does not hold are left out, as the format allows; the version is this toolkit's.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from hybrid.codesign.suite.formats.files import Written, labels
from hybrid.runs.benchmark.record import BenchRecord, Measured, Number, Unit
from hybrid.runs.files import to_json

CONFIDENCE = 0.999
"""Below which a p-value passes in Metriq's suite 1.0: its test finds only what is clearly worse than guessing."""

SUCCESS = 1 / math.e
"""Polarization from which mirror circuits count as a success."""

AWS = "aws"
"""Metriq's name for Amazon Braket."""


def written(record: BenchRecord) -> Written:
    """The files of a record: one for each application, number of qubits and backend; sizes in layers make lists."""
    files: dict[str, bytes] = {}
    others = dict.fromkeys(unit.application for unit in record.units if unit.application not in RESULTS)
    left_out = [f"{', '.join(others)}: Metriq has no benchmark that measures the same"] if others else []
    for unit in record.units:
        if unit.application in RESULTS and unit.status == "refused":
            left_out.append(f"{unit.application} {unit.size} on {record.backends[unit.backend].label}: refused")
    names = labels(record)
    for units in _jobs(record):
        backend = record.backends[units[0].backend]
        files[f"{_name(units)}-{names[units[0].backend]}.json"] = to_json(_job(record, backend, units))
    return Written(files, tuple(left_out))


def _jobs(record: BenchRecord) -> list[list[Unit]]:
    """The units of each file, in ascending layers."""
    jobs = []
    known = [unit for unit in record.units if unit.application in RESULTS and unit.status != "refused"]
    for unit in known:
        if unit.application not in LISTED or unit.status == "failed":
            jobs.append([unit])
    listed = [unit for unit in known if unit.application in LISTED and unit.status == "done"]
    listed.sort(key=lambda unit: (unit.application, unit.n_qubits, unit.backend, unit.depth or 0))
    jobs += [list(group) for _, group in groupby(listed, lambda unit: (unit.application, unit.n_qubits, unit.backend))]
    return jobs


def _name(units: Sequence[Unit]) -> str:
    first = units[0]
    return f"{first.application}-{first.n_qubits if len(units) > 1 else first.size}"


def _job(record: BenchRecord, backend: Measured, units: Sequence[Unit]) -> dict[str, Any]:
    kind, results = RESULTS[units[0].application]
    failed = units[0].status == "failed"
    job: dict[str, Any] = {
        "app_version": f"hybrid-codesign {record.provenance['packages']['hybrid-codesign']}",
        "timestamp": min(_start(unit) for unit in units).isoformat(),
        "suite_id": None,
        "job_type": kind,
        "results": None if failed else results(units),
    }
    if failed:
        job |= {"outcome": "error", "outcome_detail": {"error_message": units[0].reason}}
    running = [unit.seconds.execute for unit in units]
    if not failed and all(seconds is not None for seconds in running):
        job["runtime_seconds"] = sum(seconds for seconds in running if seconds is not None)
    return job | {"platform": _platform(backend)}


def _start(unit: Unit) -> datetime:
    return datetime.fromisoformat(unit.finished_utc) - timedelta(seconds=unit.seconds.total)


def _platform(backend: Measured) -> dict[str, Any]:
    """Where it ran; a simulator of a vendor's device in this process is a local one, not the vendor's."""
    provider, _, device = backend.label.partition(":")
    if backend.place == "here" or not device:
        provider, device = "local", backend.label
    metadata: dict[str, Any] = {"simulator": True} if backend.place == "here" else {}
    if backend.max_qubits is not None:
        metadata["num_qubits"] = backend.max_qubits
    platform: dict[str, Any] = {"provider": AWS if provider == "braket" else provider, "device": device}
    return platform | ({"device_metadata": metadata} if metadata else {})


def _score(number: Number) -> dict[str, float]:
    return {"value": number.value, "uncertainty": number.standard_error}


def _above_guessing(number: Number, n_qubits: int) -> Number:
    """A probability of one outcome of all, on the scale on which uniformly random outcomes are worth 0."""
    guess = 0.5**n_qubits
    return Number(
        value=max(0.0, (number.value - guess) / (1 - guess)), standard_error=number.standard_error / (1 - guess)
    )


def _linear_ramp(units: Sequence[Unit]) -> dict[str, Any]:
    ratios = [unit.details["approx_ratio"].value for unit in units]
    effective = [unit.score.value for unit in units if unit.score is not None]
    return {
        "approx_ratio": ratios,
        "random_approx_ratio": sum(unit.details["random_approx_ratio"].value for unit in units) / len(units),
        "confidence_pass": [unit.details["p_value"].value < CONFIDENCE for unit in units],
        "effective_approx_ratio": effective,
        "score": {"value": sum(effective) / len(effective), "uncertainty": None},
    }


def _mirror(units: Sequence[Unit]) -> dict[str, Any]:
    (unit,) = units
    success = unit.details["right_answers"]
    polarization = _above_guessing(success, unit.n_qubits)
    return {
        "success_probability": _score(success),
        "polarization": _score(polarization),
        "binary_success": polarization.value >= SUCCESS,
        "score": _score(polarization),
    }


def _kernel(units: Sequence[Unit]) -> dict[str, Any]:
    (unit,) = units
    accuracy = _score(unit.details["self_overlap"])
    return {"accuracy_score": accuracy, "score": accuracy}


def _fourier(units: Sequence[Unit]) -> dict[str, Any]:
    (unit,) = units
    assert unit.score is not None
    accuracy = _score(_above_guessing(unit.score, unit.n_qubits))
    return {"accuracy_score": accuracy, "score": accuracy}


def _layer_fidelity(units: Sequence[Unit]) -> dict[str, Any]:
    (unit,) = units
    assert unit.score is not None
    n, error = unit.n_qubits, unit.score.value
    named = {f"eplg_{length}": error if length == n else None for length in (10, 20, 50, 100)}
    return {"chain_lengths": [n], "chain_eplgs": [error], **named}


LISTED = ("lr-qaoa",)
"""Applications of which the sizes that differ in layers alone are one job."""

RESULTS: Mapping[str, tuple[str, Any]] = {
    "lr-qaoa": ("Linear Ramp QAOA", _linear_ramp),
    "mirror": ("Mirror Circuits", _mirror),
    "quantum-kernel": ("QML Kernel", _kernel),
    "qft": ("Quantum Fourier Transform", _fourier),
    "layer-fidelity": ("EPLG", _layer_fidelity),
}
"""Application to Metriq's name of the benchmark and what its results are."""
