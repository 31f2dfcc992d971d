"""Handing a record of the suite to other programs: Metriq's, QED-C's, or any that reads CSV."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from circuits.errors import RecordFailed, Refused, unknown
from hybrid.codesign.suite.formats.files import Exported, Written
from hybrid.routing.exports import check_data_may_be_exported
from hybrid.runs.benchmark.folder import read_record
from hybrid.runs.benchmark.record import LABEL, BenchRecord
from hybrid.runs.files import write

FORMATS: Mapping[str, str] = {
    "csv": "hybrid.codesign.suite.formats.table:written",
    "metriq": "hybrid.codesign.suite.formats.metriq:written",
    "qedc": "hybrid.codesign.suite.formats.qedc:written",
}
"""Name to ``module:function``; a new format is a file and a line."""

ONE_FILE = ("csv",)
"""Formats of a single file; the others fill a folder."""


def export_bench(
    source: str | Path | BenchRecord, path: str | Path | None = None, *, kind: str = "csv", overwrite: bool = False
) -> Exported:
    """Write a record of the suite in another format.

    Args:
        source: The benchmark's folder, finished or not, the file of its record, or the record.
        path: The file for ``"csv"``, else the folder in which the files go; by default ``export.csv`` or a folder
            ``metriq`` or ``qedc`` in the benchmark's own.
        kind: ``"csv"``, ``"metriq"`` or ``"qedc"``.
        overwrite: Whether files that are there already may be replaced.

    Returns:
        What was written, and what was left out since the format has no truthful place for it.

    Raises:
        Refused: for an unknown format, a source that is no benchmark, one of which the format takes nothing, or files
            that are there already. Nothing is written then.
        PolicyViolation: if a policy does not allow it.
        RecordFailed: if a file cannot be written.
    """
    if kind not in FORMATS:
        raise unknown("format of a benchmark", kind, FORMATS)
    record = source if isinstance(source, BenchRecord) else read_record(source)
    if path is None:
        if isinstance(source, BenchRecord):
            raise Refused("where the export goes is missing: give the path of a file or a folder")
        beside = Path(source) if Path(source).is_dir() else Path(source).parent
        path = beside / ("export.csv" if kind in ONE_FILE else kind)
    path = Path(path)
    check_data_may_be_exported([LABEL], kind)
    found = _writer(kind)(record)
    if not found.files:
        reasons = "; ".join(found.left_out) or "no unit of it was done"
        raise Refused(f"the benchmark has nothing that the format {kind} takes: {reasons}; --format csv takes all")
    targets = {path if kind in ONE_FILE else path / name: content for name, content in found.files.items()}
    if not overwrite:
        taken = [file for file in targets if file.exists()]
        if taken:
            raise Refused(f"{taken[0]} is there already; name another place with --output, or add --force")
    for file, content in targets.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise RecordFailed(f"{file.parent} cannot be made: {err.strerror}") from err
        write(file, content)
    return Exported(path, kind, tuple(targets), found.left_out)


def _writer(kind: str) -> Callable[[BenchRecord], Written]:
    module, _, name = FORMATS[kind].partition(":")
    return getattr(import_module(module), name)
