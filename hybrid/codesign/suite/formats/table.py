"""A record as one flat table in CSV: a line for each application, size and backend."""

import csv
import io
from typing import Any

from hybrid.codesign.suite.features import Features
from hybrid.codesign.suite.formats.files import Written
from hybrid.runs.benchmark.record import BenchRecord, Queue, Seconds, Unit

PLAIN = ("application", "title", "n_qubits", "depth")
AFTER = ("unit", "higher_is_better", "shots", "n_circuits", "seed", "finished_utc")


def written(record: BenchRecord) -> Written:
    """The table, with a header; a cell of what is not known is empty."""
    rows = [_row(record, unit) for unit in record.units]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return Written({"export.csv": text.getvalue().encode("utf-8", "backslashreplace")} if rows else {})


def _row(record: BenchRecord, unit: Unit) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(unit, name) for name in PLAIN}
    row |= {"backend": record.backends[unit.backend].label, "status": unit.status, "reason": unit.reason}
    row |= {
        "score": None if unit.score is None else unit.score.value,
        "standard_error": None if unit.score is None else unit.score.standard_error,
        "reference": unit.reference,
    }
    row |= {name: getattr(unit, name) for name in AFTER}
    size, spent = unit.circuit, unit.seconds
    for name in ("n_qubits", "depth", "two_qubit_gates"):
        row[f"circuit_{name}"] = None if size is None else getattr(size, name)
    for name in Features.__dataclass_fields__:
        row[f"feature_{name}"] = None if size is None else size.features.get(name)
    row |= {f"{name}_s": getattr(spent, name) for name in Seconds.model_fields}
    row |= {f"queue_{name}": getattr(unit.queue, name, None) for name in Queue.model_fields}
    for name, number in unit.details.items():
        row |= {f"detail_{name}": number.value, f"detail_{name}_standard_error": number.standard_error}
    return row
