"""Whether two runs came to the same: to the last bit, within their errors, or not; and in what they differ.

A run that is repeated with the same software on the same processor gives the same bits. Elsewhere the last bits of sums
differ, and an optimizer carries that on: then the energies of two runs agree if they are no further apart than

    5 sqrt(s1^2 + s2^2) + b1 + b2 + r + a,

with the standard errors s, the biases b, what rounding may do r, and, where both have converged, the accuracy a that
was asked of the minimum.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused
from circuits.fingerprint import difference
from hybrid.runs import failovers, journal
from hybrid.runs import folder as folders
from hybrid.runs.folder import Record
from hybrid.runs.loading import load
from hybrid.runs.result import Result

SIGMAS = 5.0
"""Standard errors by which two estimates of one number may differ."""

AGREEMENT = 1e-10
"""Difference that rounding may cause between two double-precision engines, relative to the scale of H."""

SINGLE = 1e-5
"""The same where one of them computes in single precision."""

SHOWN = 3
"""Terms of a Hamiltonian, and packages, that are named one by one; the others are counted."""

Verdict = Literal["same bits", "same within error", "different"]

PLACES = ("in the first", "in the second")


@dataclass(frozen=True)
class Agreement:
    """How two runs compare.

    Attributes:
        first: Name of one run.
        second: Name of the other.
        verdict: "same bits" if every value and angle on the way is; "same within error" if they ask for the lowest
            energy of the same Hamiltonian, have ended alike, and their energies are equal up to statistics, bias,
            rounding and the accuracy that was asked; "different" otherwise.
        reason: How far they are apart, and where they part.
        differences: In what they differ: Hamiltonian, circuit, start, optimizer, seed, shots, backend, precision,
            versions, machine; empty where that is all the same.
        apart: Difference of the energies, in their unit.
        bound: What it may be.
    """

    first: str
    second: str
    verdict: Verdict
    reason: str
    differences: tuple[str, ...]
    apart: float
    bound: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "first": self.first,
            "second": self.second,
            "verdict": self.verdict,
            "reason": self.reason,
            "differences": list(self.differences),
            "apart": self.apart,
            "bound": self.bound,
        }

    def __str__(self) -> str:
        differ = "; ".join(self.differences) or "what was asked, versions and machine are the same"
        return f"{self.second} and {self.first}: {self.verdict}: {self.reason}; {differ}"


def agreement(first: Path, second: Path, *, names: tuple[str, str]) -> Agreement | None:
    """How two recorded runs compare.

    Args:
        first: Folder of one.
        second: Folder of the other.
        names: What they are called.

    Returns:
        The agreement; None where one of them has no result yet, or was stopped.

    Raises:
        Refused: if one of them is damaged, or was changed after its end.
    """
    if not all((path / folders.RESULT).is_file() for path in (first, second)):
        return None
    one, other = load(first), load(second)
    if "stopped" in (one.status, other.status):
        return None
    records = folders.read(first), folders.read(second)
    verdict, reason, apart, bound = compared(one, other, records)
    places = f"in {names[0]}", f"in {names[1]}"
    differences = tuple(differing(*records, results=(one, other), places=places))
    return Agreement(*names, verdict, reason, differences, apart, bound)


def compared(first: Result, second: Result, records: tuple[Record, Record]) -> tuple[Verdict, str, float, float]:
    """How two results compare: verdict, reason, how far the energies are apart, and how far they may be.

    Args:
        first: One result.
        second: The other.
        records: What was asked of each.
    """
    apart = abs(second.energy - first.energy)
    if first.history.same_bits(second.history) and first.theta.tobytes() == second.theta.tobytes():
        return "same bits", f"{len(first.history)} values and all angles, to the last bit", apart, 0.0
    width = SIGMAS * float(np.hypot(first.standard_error, second.standard_error))
    bound = width + first.bias + second.bias + _rounding(records)
    if {first.status, second.status} == {"converged"}:
        bound += max(record.spec.workload.accuracy for record in records)
    ends = "" if first.status == second.status else f"one ended {first.status}, the other {second.status}; "
    reason = f"{ends}the energies are {apart:.1e} {first.unit} apart (bound {bound:.1e}); {_parting(first, second)}"
    one, other = records
    same = first.status == second.status and not any(_of_hamiltonian(one.hamiltonian, other.hamiltonian))
    return ("same within error" if same and apart <= bound else "different"), reason, apart, bound


def _rounding(records: tuple[Record, Record]) -> float:
    single = any(record.spec.backend.options.get("precision") == "single" for record in records)
    return (SINGLE if single else AGREEMENT) * max(scale(record.hamiltonian) for record in records)


def scale(hamiltonian: SparsePauliOp) -> float:
    """Sum of the absolute coefficients of H, at least 1: what rounding errors are relative to."""
    return max(1.0, float(np.abs(np.asarray(hamiltonian.coeffs)).sum()))


def _parting(first: Result, second: Result) -> str:
    """Where two histories part."""
    one, other = first.history, second.history
    for row in range(min(len(one), len(other))):
        if one.theta[row].tobytes() != other.theta[row].tobytes():
            return f"they part at row {row}, which was asked at other angles"
        if one.energy[row] != other.energy[row]:
            return f"they part at row {row}, whose values differ by {abs(one.energy[row] - other.energy[row]):.1e}"
    return f"one has {len(one)} rows, the other {len(other)}"


def differing(
    first: Record,
    second: Record,
    *,
    results: tuple[Result, Result] | None = None,
    places: tuple[str, str] = PLACES,
) -> Iterator[str]:
    """In what two runs differ, one after the other, in words.

    Args:
        first: What was asked of one.
        second: What was asked of the other.
        results: What came out, for the number of processes; None to leave it out.
        places: How the two are called behind each value.
    """
    yield from _of_hamiltonian(first.hamiltonian, second.hamiltonian, places)
    specs = first.spec, second.spec
    if differ := _of_circuit(first, second):
        yield f"circuit: {differ}"
    yield from _of_start(first, second)
    for name in ("optimizer", "accuracy", "max_steps", "seed", "shots"):
        old, new = (getattr(spec.workload, name) for spec in specs)
        if old != new:
            yield _both(name.replace("_", " "), _plain(old), _plain(new), places)
    ends = [failovers.place(one.spec.backend, journal.read_failovers(one.journal)) for one in (first, second)]
    for label, (old, new) in {
        "backend": (first.spec.backend, second.spec.backend),
        "last backend": (ends[0], ends[1]),
    }.items():
        if label == "backend" or (old, new) != (first.spec.backend, second.spec.backend):
            if old.title != new.title:
                yield _both(label, old.title, new.title, places)
            for key in sorted(old.options.keys() | new.options.keys()):
                if old.options.get(key) != new.options.get(key):
                    yield _both(key, _plain(old.options.get(key)), _plain(new.options.get(key)), places)
    if results is not None and results[0].ranks != results[1].ranks:
        yield _both("processes", results[0].ranks, results[1].ranks, places)
    yield from surroundings(*(spec.provenance | {"threads": spec.threads} for spec in specs), places=places)


def surroundings(then: Mapping[str, Any], now: Mapping[str, Any], *, places: tuple[str, str] = PLACES) -> Iterator[str]:
    """In what machines, calibrations and versions differ.

    Args:
        then: Provenance of one run, and its threads.
        now: Of the other.
        places: How the two are called.
    """
    for name in ("machine", "system", "python", "kernels", "threads"):
        if name in then and then[name] != now.get(name):
            yield _both(name, _plain(then[name]), _plain(now.get(name)), places)
    dates = [(one.get("calibration") or {}).get("date") for one in (then, now)]
    if dates[0] != dates[1]:
        yield _both("device calibrated", _plain(dates[0]), _plain(dates[1]), places)
    old, new = ({name: str(v) for name, v in (one.get("packages") or {}).items()} for one in (then, now))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield _both(name, old.get(name, "not installed"), new.get(name, "not installed"), places)


def _of_circuit(first: Record, second: Record) -> str | None:
    try:
        return difference(first.circuit, second.circuit)
    except Refused as err:
        return f"not compared, {err}"


def _of_hamiltonian(first: SparsePauliOp, second: SparsePauliOp, places: tuple[str, str] = PLACES) -> Iterator[str]:
    if first.num_qubits != second.num_qubits:
        yield _both("Hamiltonian on", f"{first.num_qubits} qubits", f"{second.num_qubits}", places)
        return
    one, other = _terms(first), _terms(second)
    for these, those, place in ((one, other, places[0]), (other, one, places[1])):
        if only := [label for label in these if label not in those]:
            yield f"Hamiltonian: {_few(only)} {place} alone"
    changed = {label: abs(one[label] - other[label]) for label in one if label in other and one[label] != other[label]}
    if changed:
        label = max(changed, key=lambda key: changed[key])
        yield (
            f"Hamiltonian: {len(changed)} of {len(one)} coefficients, most that of {label}: "
            f"{one[label]:.10g} and {other[label]:.10g}"
        )


def _terms(hamiltonian: SparsePauliOp) -> dict[str, float]:
    terms: dict[str, float] = {}
    for label, coefficient in hamiltonian.to_list():
        terms[label] = terms.get(label, 0.0) + coefficient.real
    return terms


def _of_start(first: Record, second: Record) -> Iterator[str]:
    one, other = (np.asarray(record.spec.workload.theta) for record in (first, second))
    if one.shape == other.shape and one.tobytes() != other.tobytes():
        where = [_origin(record) for record in (first, second)]
        said = f", {where[0]} and {where[1]}" if where[0] != where[1] else ""
        yield f"start: angles up to {float(np.abs(one - other).max()):.1e} apart{said}"


def _origin(record: Record) -> str:
    notes = record.spec.notes
    if isinstance(start := notes.get("start"), Mapping):
        return f"from the run {start.get('run')}"
    return "from the registry" if record.spec.start else "as given"


def _few(labels: list[str]) -> str:
    more = len(labels) - SHOWN
    return ", ".join(labels[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key} {one}" if key != "kind" else str(one) for key, one in value.items())
    return "none" if value is None else str(value)


def _both(name: str, old: Any, new: Any, places: tuple[str, str]) -> str:
    return f"{name} {old} {places[0]}, {new} {places[1]}"
