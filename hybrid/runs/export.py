"""A run or a sweep as one file for other programs: CSV, JSON or Parquet."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from circuits.errors import Refused, unknown
from hybrid.runs.account import Account, Unread, account, holds_runs, points
from hybrid.runs.document import FORMAT, VERSION, Document, Failure, Row, Run, Summary
from hybrid.runs.files import write
from hybrid.runs.formats import CONTENT


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
        folder: Of the run, the sweep or the algorithm. A run that has not ended is written as far as it has come.
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
    swept = holds_runs(folder)
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
        failovers=[dict(one) for one in entry["failovers"]],
        prediction=None if entry["prediction"] is None else dict(entry["prediction"]),
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
