"""The page: what it is made of, and the file that it is written to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.report.page.algorithm import algorithm_sections, title
from hybrid.report.page.benchmark import benchmark_sections
from hybrid.report.page.benchmark import title as benchmark_title
from hybrid.report.page.benchmark import under as under_benchmark
from hybrid.report.page.codesign import codesign_sections, codesigns_in, is_codesign
from hybrid.report.page.comparison import benchmark_comparison, comparison
from hybrid.report.page.html import Html, below, fold, join, tag
from hybrid.report.page.run import run_sections
from hybrid.report.page.survey import has_survey, survey_section
from hybrid.report.page.sweep import sweep_sections
from hybrid.runs import folder as folders
from hybrid.runs.account import Account, AlgorithmAccount, Unread, account, algorithm_account, is_sweep, points
from hybrid.runs.algorithm import read_spec
from hybrid.runs.benchmark.folder import read_record
from hybrid.runs.comparison import compare
from hybrid.runs.export import check_new
from hybrid.runs.files import write as write_file
from hybrid.runs.result import Result
from hybrid.terminal.words import counted

NAME = "report.html"

FEW = 3
"""Names that stand in a title; of more, their number."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may do with the page: show it."""


@dataclass(frozen=True)
class Report:
    """The page that was written.

    Attributes:
        path: Of the file.
        runs: How many runs it tells of.
    """

    path: Path
    runs: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"path": str(self.path), "runs": self.runs}


def report(runs: Result | str | Path | Iterable[Result | str | Path], path: str | Path | None = None) -> Path:
    """Write a page on runs for others to read: one HTML file that needs nothing else.

    Args:
        runs: A result, the folder of a run, of a sweep, of an algorithm, of a benchmark or of a co-design, or several
            of these, which are compared with those of their kind.
        path: Of the file, which is replaced if it is there; by default report.html in the folder, or where you are if
            there are several.

    Returns:
        Path of the page.

    Raises:
        Refused: if a folder holds none of these, or a damaged one, or is given twice; if runs have energies in
            different units, or a benchmark has nothing in common with the first.
        RecordFailed: if the file cannot be written.
    """
    given = [runs] if isinstance(runs, str | Path | Result) else list(runs)
    folders = [one.folder if isinstance(one, Result) else Path(one) for one in given]
    return write(folders, None if path is None else Path(path), overwrite=True).path


def write(folders: Sequence[Path], path: Path | None = None, *, overwrite: bool = False) -> Report:
    """Write the page on runs and sweeps.

    Args:
        folders: Of them; at least one.
        path: Of the file. By default report.html in the folder if there is only one, which is replaced, since it is
            made of that folder alone; else where you are.
        overwrite: Whether to replace another file that is there.

    Returns:
        What was written.

    Raises:
        Refused: if a folder holds neither, or a damaged run, or the file is there already.
        RecordFailed: if the file cannot be written.
    """
    own = path is None and len(folders) == 1
    path = path or (folders[0] / NAME if own else Path(NAME))
    check_new(path, overwrite=overwrite or own)
    content, runs = page(folders)
    write_file(path, content.encode())
    return Report(path, runs)


def page(folders: Sequence[Path]) -> tuple[Html, int]:
    """The page on runs and sweeps, and how many runs it tells of.

    Args:
        folders: Of them; at least one.

    Raises:
        Refused: if there is none, or one holds neither, or a damaged run.
        RecordFailed: if a file cannot be read.
    """
    if not folders:
        raise Refused("there is no run to report on: give its folder, as `hybrid runs` lists it")
    parts = [_part(folder) for folder in folders]
    runs = sum(part.runs for part in parts)
    if len(parts) == 1:
        (part,) = parts
        return _document(part.title, part.under, part.content), runs
    each = [fold(f"{part.title}, {part.under}", below(part.content)) for part in parts]
    sections = [*_compared(folders), tag("section", tag("h2", "Each of them"), each)]
    title = ("Comparison of " if len(sections) > 1 else "") + _titles(part.title for part in parts)
    return _document(title, _counts(folders, runs), join(sections)), runs


def _compared(places: Sequence[Path]) -> list[Html]:
    """Runs beside runs, and later benchmarks beside the first; what is alone of its kind is compared with nothing."""
    repeated = [place for k, place in enumerate(places) if place.resolve() in [one.resolve() for one in places[:k]]]
    if repeated:
        raise Refused(f"{repeated[0]} is given twice: name each record once")
    benchmarks = [place for place in places if folders.is_benchmark(place)]
    runs = [place for place in places if place not in benchmarks and not is_codesign(place) and not codesigns_in(place)]
    sections = [comparison(compare(runs))] if len(runs) > 1 else []
    return [*sections, benchmark_comparison(benchmarks)] if len(benchmarks) > 1 else sections


def _counts(places: Sequence[Path], runs: int) -> str:
    """How many records of each kind a page tells of."""
    benchmarks = sum(map(folders.is_benchmark, places))
    designs = sum(is_codesign(place) or len(codesigns_in(place)) for place in places)
    kinds = {"runs": runs - designs, "benchmarks": benchmarks, "co-designs": designs}
    return ", ".join(counted(number, kind) for kind, number in kinds.items() if number)


@dataclass(frozen=True)
class _Part:
    """What a folder comes to: its title, a line under it, its content, and the number of its runs."""

    title: str
    under: str
    content: Html
    runs: int


def _part(folder: Path) -> _Part:
    if not folder.is_dir():
        raise Refused(f"{folder}: no such folder; give that of a run or a sweep, as `hybrid runs` lists it")
    if folders.is_benchmark(folder):
        record = read_record(folder)
        return _Part(benchmark_title(record), under_benchmark(record, folder), benchmark_sections(record, folder), 0)
    if is_codesign(folder):
        name = str(read_spec(folder).asked.get("problem", "?"))
        return _Part(f"What limits {name}", folder.resolve().name, codesign_sections(folder), 1)
    if designs := codesigns_in(folder):
        each = [tag("section", tag("h2", place.name), below(codesign_sections(place))) for place in designs]
        return _Part(f"What limits {len(designs)} applications", folder.resolve().name, join(each), len(designs))
    if folders.is_algorithm(folder):
        found = algorithm_account(folder)
        return _Part(title(found), _under(found), algorithm_sections(found), len(found.runs) or 1)
    if not is_sweep(folder):
        run = account(folder)
        return _Part(run.record.spec.problem.name, _under(run), run_sections(run), 1)
    there = list(points(folder))
    runs = [point for point in there if not isinstance(point, Unread)]
    if not there:
        raise Refused(f"{folder}: the sweep has no point yet; run its study, or give another folder")
    if not runs:
        reasons = "; ".join(f"{point.name}: {point.reason}" for point in there if isinstance(point, Unread))
        raise Refused(f"{folder}: none of its runs can be read: {reasons}")
    what = "runs of a survey" if has_survey(folder) else "points of a sweep" if runs[0].values else "runs"
    under = f"{counted(len(there), what)}, {folder.resolve().name}"
    whole = [survey_section(folder)] if has_survey(folder) else []
    sections = join([*whole, sweep_sections(there)])
    return _Part(_titles(run.entry["problem"] for run in runs), under, sections, len(runs))


def _titles(names: Iterable[str]) -> str:
    """The first few of different names."""
    different = list(dict.fromkeys(names))
    left = len(different) - FEW
    return ", ".join(different[:FEW]) + (f" and {left} more" if left > 0 else "")


def _under(run: Account | AlgorithmAccount) -> str:
    begun = str(run.entry["created_utc"])[:16].replace("T", " ")
    return f"{run.entry['backend']}, {begun} UTC, {run.path.resolve().name}"


def _document(title: str, under: str, content: Html) -> Html:
    style = files("hybrid.report.page").joinpath("style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(style)),
    )
    body = tag("main", tag("header", tag("h1", title), tag("p", under)), content)
    return Html("<!DOCTYPE html>\n" + tag("html", head, tag("body", body), lang="en") + "\n")
