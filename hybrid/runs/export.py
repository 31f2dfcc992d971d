"""A run or a sweep as one file for other programs: CSV, JSON or Parquet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuits.errors import Refused, unknown
from hybrid.runs import folder as folders
from hybrid.runs.account import Account, AlgorithmAccount, Unread, account, algorithm_account, is_sweep, points
from hybrid.runs.document import FORMAT, VERSION, Algorithm, Document, Failure, Run
from hybrid.runs.exported_runs import run_of, stages_of
from hybrid.runs.files import write
from hybrid.runs.formats import CONTENT
from hybrid.runs.sbom import without_packages


@dataclass(frozen=True)
class Export:
    """The file that was written.

    Attributes:
        path: Of the file.
        kind: "csv", "json" or "parquet".
        runs: How many runs it holds, stages of algorithms included.
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
    """What a run, an algorithm or a sweep comes to as a document.

    Args:
        folder: Of it.

    Raises:
        Refused: if it holds neither, or one of its runs is damaged or incomplete.
        RecordFailed: if a file cannot be read.
    """
    if not folder.is_dir():
        raise Refused(f"{folder}: no such folder; give that of a run or a sweep, as `hybrid runs` lists it")
    swept = is_sweep(folder)
    runs, algorithms, failures = list[Run](), list[Algorithm](), list[Failure]()
    for point in points(folder) if swept else [_alone(folder)]:
        if isinstance(point, Account):
            runs.append(run_of(point))
        elif isinstance(point, AlgorithmAccount):
            algorithms.append(_algorithm(point))
            runs += stages_of(point)
        elif (folder / point.name).exists():
            raise Refused(f"{folder}: the point {point.name} cannot be read: {point.reason}")
        else:
            failures.append(_failure(point))
    return Document(
        format=FORMAT,
        version=VERSION,
        folder=folder.resolve().name,
        sweep=swept,
        runs=runs,
        algorithms=algorithms,
        failures=failures,
    )


def _alone(folder: Path) -> Account | AlgorithmAccount:
    return algorithm_account(folder) if folders.is_algorithm(folder) else account(folder)


def _algorithm(found: AlgorithmAccount) -> Algorithm:
    entry, outcome = found.entry, found.outcome
    own = {key: value for key, value in found.own.items() if key not in ("kind", "problem", "unit")}
    return Algorithm(
        folder=found.path.resolve().name,
        values=found.values,
        kind=found.spec.kind,
        problem=entry["problem"],
        unit=found.unit,
        asked=found.spec.asked,
        backend=entry["backend"],
        status=entry["status"],
        message=entry["message"] or "",
        energy=entry["energy"],
        standard_error=entry["standard_error"],
        exact_energy=entry["exact_energy"],
        steps=entry["steps"],
        evaluations=entry["evaluations"],
        seconds=entry["seconds"],
        ranks=None if outcome is None else outcome.ranks,
        failovers=[dict(one) for one in entry["failovers"]],
        prediction=None if entry["prediction"] is None else dict(entry["prediction"]),
        result=own,
        provenance=without_packages(found.spec.provenance),
    )


def _failure(point: Unread) -> Failure:
    return Failure(values=point.values, message=point.reason)
