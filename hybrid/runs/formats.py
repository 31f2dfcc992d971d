"""A document as the content of a file: CSV, JSON or Parquet.

CSV and Parquet are one flat table with one line for each row of parameters that was evaluated.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from circuits.errors import Refused
from hybrid.runs.document import FORMAT, VERSION, Document

FIXED = ("row", "evaluation", "step", "energy", "standard_error", "bias", "gradient_norm", "gradient_max", "seconds")
"""The table's columns of numbers, before backend, time and parameters."""


def table(document: Document) -> dict[str, list[Any]]:
    """The flat table: names of columns to their values, one for each row of parameters.

    Args:
        document: A run or a sweep.

    Returns:
        For a sweep first "point" and its variables (with "sweep_" before a name that another column has), then `FIXED`,
        "backend", "finished_utc", and theta_0, theta_1, ...; None where a run has no such value.
    """
    rows = [(run, row) for run in document.runs for row in run.rows]
    variables = dict.fromkeys(name for run in document.runs for name in run.values)
    n_params = max((len(run.summary.parameters) for run in document.runs), default=0)
    columns: dict[str, list[Any]] = {}
    if document.sweep:
        columns["point"] = [run.folder for run, _ in rows]
    for name in variables:
        taken = name in ("point", "backend", "finished_utc", *FIXED) or name.startswith("theta_")
        columns[f"sweep_{name}" if taken else name] = [run.values.get(name) for run, _ in rows]
    for name in (*FIXED, "backend", "finished_utc"):
        columns[name] = [getattr(row, name) for _, row in rows]
    for k in range(n_params):
        columns[f"theta_{k}"] = [row.theta[k] if k < len(row.theta) else None for _, row in rows]
    return columns


def units(document: Document) -> dict[str, str]:
    """Units of the table's columns, by name; "theta" for all parameters."""
    unit = " or ".join(dict.fromkeys(run.summary.unit for run in document.runs)) or "?"
    energies = dict.fromkeys(("energy", "standard_error", "bias"), unit)
    gradients = dict.fromkeys(("gradient_norm", "gradient_max"), f"{unit}/rad")
    return energies | gradients | {"seconds": "s", "finished_utc": "UTC", "theta": "rad"}


def _csv(document: Document) -> bytes:
    columns = table(document)
    text = io.StringIO(newline="")
    for line in _header(document):
        text.write(f"# {line}\n")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(columns)
    writer.writerows(zip(*(map(_cell, column) for column in columns.values()), strict=True))
    return text.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: Any) -> Any:
    """A missing number is an empty cell without quotes."""
    return _Nothing() if value is None or (isinstance(value, float) and math.isnan(value)) else value


class _Nothing(float):
    """What the writer takes for a number, and writes as nothing."""

    def __repr__(self) -> str:
        return ""

    __str__ = __repr__


def _header(document: Document) -> Iterator[str]:
    """Comment lines above the table, each without line breaks."""
    what = "sweep" if document.sweep else "algorithm" if document.algorithms else "run"
    lines = [f"{FORMAT} {VERSION}: {what} {document.folder}"]
    lines.append("units: " + ", ".join(f"{name} {unit}" for name, unit in units(document).items()))
    for one in document.algorithms:
        shown = one.model_dump(include={"kind", "problem", "unit", "backend", "status", "energy", "exact_energy"})
        lines.append(f"{one.folder}: {json.dumps(shown | {'result': _finite(one.result)}, ensure_ascii=False)}")
    for run in document.runs:
        told = run.summary.model_dump(
            include={"problem", "unit", "backend", "status", "energy", "standard_error", "exact_energy", "seed"}
        )
        lines.append(f"{run.folder}: {json.dumps(told, ensure_ascii=False)}")
    lines += [f"{json.dumps(failure.values)}: failed: {failure.message}" for failure in document.failures]
    return (" ".join(line.split()) for line in lines)


def _json(document: Document) -> bytes:
    content = document.model_dump(warnings=False)
    return (json.dumps(_finite(content), indent=1, allow_nan=False) + "\n").encode()


def _finite(value: Any) -> Any:
    """With null in place of numbers that JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value


def _parquet(document: Document) -> bytes:
    try:
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as err:
        raise Refused(
            "Parquet needs the package pyarrow, which is not installed: pip install 'hybrid-codesign[parquet]', or "
            "take csv or json"
        ) from err
    columns, told = table(document), units(document)
    arrays, fields = [], []
    for name, column in columns.items():
        array = _array(pyarrow, name, column)
        unit = told.get("theta" if name.startswith("theta_") else name)
        arrays.append(array)
        fields.append(pyarrow.field(name, array.type, metadata=None if unit is None else {"unit": unit}))
    summaries = {run.folder: run.summary.model_dump() for run in document.runs}
    metadata = {"format": FORMAT, "version": str(VERSION), "summaries": json.dumps(_finite(summaries))}
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields, metadata=metadata)), sink)
    return sink.getvalue().to_pybytes()


def _array(pyarrow: Any, name: str, column: list[Any]) -> Any:
    if name == "finished_utc":
        strings = pyarrow.array([None if text is None else text.removesuffix("Z") for text in column], pyarrow.string())
        return strings.cast(pyarrow.timestamp("us")).cast(pyarrow.timestamp("us", tz="UTC"))
    kinds = {type(value) for value in column if value is not None}
    if name in ("row", "evaluation", "step") or kinds == {int}:
        return pyarrow.array(column, pyarrow.int64())
    if kinds <= {int, float}:
        return pyarrow.array(column, pyarrow.float64())
    words = (None if value is None else str(value).encode("utf-8", "backslashreplace").decode() for value in column)
    return pyarrow.array(list(words), pyarrow.string())


CONTENT: dict[str, Callable[[Document], bytes]] = {"csv": _csv, "json": _json, "parquet": _parquet}
"""Formats, and what makes a document into the content of a file."""
