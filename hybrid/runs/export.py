"""A run or a sweep as one file for other programs: CSV, JSON or Parquet.

CSV and Parquet are one flat table with one line for each row of parameters that was evaluated; JSON is one document of
the form `Document`, whose JSON schema stands in docs/export.schema.json.
"""

import csv
import io
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from circuits.errors import Refused, unknown
from hybrid.runs.account import Account, Unread, account, is_sweep, points
from hybrid.runs.files import write

FORMAT, VERSION = "hybrid-export", 1
"""Of the document and of the table; the version is raised when a name changes its meaning or goes."""

FIXED = ("row", "evaluation", "step", "energy", "standard_error", "bias", "gradient_norm", "gradient_max", "seconds")
"""The table's columns of numbers, before backend, time and parameters."""


class Row(BaseModel):
    """One row of parameters that was evaluated."""

    row: int = Field(description="Number of the row in the run, from 0; the index of history.to_pandas().")
    evaluation: int = Field(description="Number of the evaluation in the run, from 0; it has one row or several.")
    step: int = Field(description="Step of the optimizer that asked.")
    energy: float = Field(description="In the run's unit.")
    standard_error: float = Field(description="Statistical error of the energy, in the run's unit; 0 if exact.")
    bias: float | None = Field(description="Estimated size of its systematic error, in the run's unit; null if none.")
    gradient_norm: float | None = Field(description="Euclidean norm, in the unit per radian; null if not asked.")
    gradient_max: float | None = Field(description="Largest component by size, in the unit per radian; null as above.")
    seconds: float = Field(description="Wall time of the evaluation divided by its rows.")
    backend: str = Field(description="Name of the backend that gave it.")
    finished_utc: str | None = Field(description="When it was written into the journal, ISO 8601, UTC.")
    theta: list[float] = Field(description="Parameters in the order of the run's list of them, radians.")


class Summary(BaseModel):
    """What was asked of a run, and what came out."""

    problem: str = Field(description="Its name.")
    source: dict[str, Any] = Field(description="The arguments that make the problem again.")
    unit: str = Field(description="Of all energies.")
    n_qubits: int
    parameters: list[str] = Field(description="Names of the circuit's parameters, in the order of theta.")
    optimizer: dict[str, Any] = Field(description="Its kind and settings.")
    accuracy: float = Field(description="That was asked for, in the unit.")
    seed: int
    shots: int | None = Field(description="Of each measured circuit; null for exact values or a device's default.")
    label: str = Field(description="Classification of the data.")
    backend: str = Field(description="Name of the one that gave the last evaluations.")
    status: str = Field(description="converged, max_steps, stalled, stopped, below_exact, or unfinished.")
    message: str = Field(description="One sentence on the status where there is more to say.")
    energy: float | None = Field(description="At theta, in the unit; null before the first value.")
    standard_error: float | None = Field(description="Of the energy, in the unit.")
    bias: float = Field(description="Estimated size of the energy's systematic error, in the unit.")
    exact_energy: float | None = Field(description="In the unit; null where it is not known.")
    theta: list[float] | None = Field(description="Best parameters, radians.")
    steps: int | None
    evaluations: int = Field(description="Rows of parameters that were evaluated.")
    seconds: dict[str, float] | None = Field(description="Wall time by phase, and in total.")
    ranks: int | None = Field(description="Processes that shared the work.")
    jobs: int = Field(description="Jobs that were sent to vendors.")
    money_usd: float | None = Field(description="What vendors charged, in US dollars; null where a price is not known.")
    failovers: list[dict[str, Any]] = Field(description="How the run went on at other backends.")
    prediction: dict[str, Any] | None = Field(description="What the plan expected, beside what it came to.")
    provenance: dict[str, Any] = Field(description="Versions, machine and time of its beginning.")


class Run(BaseModel):
    """One run: a whole one, or a point of a sweep."""

    folder: str = Field(description="Name of its folder.")
    values: dict[str, Any] = Field(description="Of the sweep's variables; empty for a run that belongs to no sweep.")
    summary: Summary
    rows: list[Row] = Field(description="Every row of parameters that was evaluated, in order.")


class Failure(BaseModel):
    """A point of a sweep that has no run."""

    values: dict[str, Any] = Field(description="Of the sweep's variables.")
    message: str = Field(description="Why it has none.")


class Document(BaseModel):
    """A run or a sweep."""

    model_config = ConfigDict(title="hybrid export")

    format: Literal["hybrid-export"] = Field(description="What this document is.")
    version: Literal[1] = Field(description="Of its form.")
    folder: str = Field(description="Name of the folder of the run or the sweep.")
    sweep: bool = Field(description="Whether it is a sweep.")
    runs: list[Run] = Field(description="The run, or the points of the sweep.")
    failures: list[Failure] = Field(description="Points of the sweep without a run.")


@dataclass(frozen=True)
class Export:
    """The file that was written.

    Attributes:
        path: Of the file.
        kind: "csv", "json" or "parquet".
        runs: How many runs it holds.
        rows: How many rows of parameters.
    """

    path: Path
    kind: str
    runs: int
    rows: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"path": str(self.path), "format": self.kind, "runs": self.runs, "rows": self.rows}


def export(folder: str | Path, path: str | Path, *, kind: str | None = None, overwrite: bool = False) -> Export:
    """Write a run, or all points of a sweep, into one file for other programs.

    Args:
        folder: Of the run or the sweep. A run that has not ended is written as far as it has come.
        path: Of the file; it is written whole or not at all.
        kind: "csv", "json" or "parquet"; by default what the ending of the path says.
        overwrite: Whether a file that is there already may be replaced.

    Returns:
        What was written.

    Raises:
        Refused: if the folder holds neither, or a damaged or incomplete record; if the file is there already; if the
            format is not known, or needs a package that is not installed. Nothing is written then.
        RecordFailed: if the file cannot be written.
    """
    path = Path(path)
    kind = kind_of(path) if kind is None else kind
    if kind not in CONTENT:
        raise unknown("format", kind, CONTENT)
    check_new(path, overwrite=overwrite)
    document = document_of(Path(folder))
    write(path, CONTENT[kind](document))
    return Export(path, kind, len(document.runs), sum(len(run.rows) for run in document.runs))


def kind_of(path: Path) -> str:
    """The format that a file's ending names.

    Raises:
        Refused: if it names none.
    """
    kind = path.suffix.removeprefix(".").lower()
    if kind not in CONTENT:
        raise Refused(f"{path}: its ending names no format; end it in {', '.join('.' + name for name in CONTENT)}")
    return kind


def check_new(path: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file unless that is wanted.

    Raises:
        Refused: if there is one, or the path is a folder.
    """
    if path.is_dir():
        raise Refused(f"{path} is a folder; name a file in it")
    if path.exists() and not overwrite:
        raise Refused(f"{path} is there already: name another file, or allow it to be replaced (--force)")


def document_of(folder: Path) -> Document:
    """What a run, or a sweep, comes to as a document.

    Args:
        folder: Of the run or the sweep.

    Raises:
        Refused: if it holds neither, or one of its runs is damaged or incomplete.
        RecordFailed: if a file cannot be read.
    """
    if not folder.is_dir():
        raise Refused(f"{folder}: no such folder; give that of a run or a sweep, as `hybrid runs` lists it")
    swept = is_sweep(folder)
    runs, failures = [], []
    for point in points(folder) if swept else [account(folder)]:
        if isinstance(point, Account):
            runs.append(_run(point))
        elif (folder / point.name).exists():
            raise Refused(f"{folder}: the point {point.name} cannot be read: {point.reason}")
        else:
            failures.append(_failure(point))
    name = folder.resolve().name
    return Document(format=FORMAT, version=VERSION, folder=name, sweep=swept, runs=runs, failures=failures)


def _failure(point: Unread) -> Failure:
    return Failure(values=point.values, message=point.reason)


def _run(run: Account) -> Run:
    return Run(folder=run.path.resolve().name, values=run.values, summary=_summary(run), rows=list(_rows(run)))


def _summary(run: Account) -> Summary:
    spec, entry, result = run.record.spec, run.entry, run.result
    charge = run.charge
    return Summary(
        problem=spec.problem.name,
        source=spec.problem.source,
        unit=spec.problem.unit,
        n_qubits=run.record.circuit.num_qubits,
        parameters=[parameter.name for parameter in run.record.circuit.parameters],
        optimizer=spec.workload.optimizer,
        accuracy=spec.workload.accuracy,
        seed=spec.workload.seed,
        shots=spec.workload.shots,
        label=spec.workload.label,
        backend=entry["backend"],
        status=entry["status"],
        message=entry["message"] or "",
        energy=entry["energy"],
        standard_error=entry["standard_error"],
        bias=entry["bias"] or 0.0,
        exact_energy=spec.problem.exact_energy,
        theta=None if result is None else result.theta,
        steps=entry["steps"],
        evaluations=sum(len(evaluation.theta) for evaluation in run.content.evaluations),
        seconds=entry["seconds"],
        ranks=None if result is None else result.ranks,
        jobs=sum(job.counts for job in run.content.jobs),
        money_usd=0.0 if charge is None else charge.usd if charge.priced else None,
        failovers=entry["failovers"],
        prediction=entry["prediction"],
        provenance=spec.provenance,
    )


def _rows(run: Account) -> Iterator[Row]:
    number = 0
    for evaluation in run.content.evaluations:
        told, n_rows = evaluation.told, len(evaluation.theta)
        backend, finished = run.backend_of(evaluation.number), _utc(evaluation.finished_at)
        norms = largest = biases = [None] * n_rows
        if told.gradients is not None and told.gradients.size:
            norms = np.linalg.norm(told.gradients, axis=1).tolist()
            largest = np.abs(told.gradients).max(axis=1).tolist()
        if told.biases is not None:
            biases = told.biases.tolist()
        energies, errors, thetas = told.values.tolist(), told.standard_errors.tolist(), evaluation.theta.tolist()
        for k in range(n_rows):
            yield Row.model_construct(  # as they come from a checked journal; checking each number again takes long
                row=number,
                evaluation=evaluation.number,
                step=evaluation.step,
                energy=energies[k],
                standard_error=errors[k],
                bias=biases[k],
                gradient_norm=norms[k],
                gradient_max=largest[k],
                seconds=evaluation.seconds / n_rows,
                backend=backend,
                finished_utc=finished,
                theta=thetas[k],
            )
            number += 1


def _utc(moment: float | None) -> str | None:
    if moment is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1e6):06d}Z"


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
    lines = [f"{FORMAT} {VERSION}: {'sweep' if document.sweep else 'run'} {document.folder}"]
    lines.append("units: " + ", ".join(f"{name} {unit}" for name, unit in units(document).items()))
    for run in document.runs:
        told = run.summary.model_dump(
            include={"problem", "backend", "status", "energy", "standard_error", "exact_energy", "seed", "accuracy"}
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
