"""The pictures of records as files for a paper, each with the record and the file that its numbers come from."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from circuits.errors import RecordFailed, Refused
from hybrid.algorithms.loading import load, read
from hybrid.codesign.machine.model import machine_model
from hybrid.report.codesign import DRAW
from hybrid.report.page.codesign import SAYS, is_codesign
from hybrid.runs import folder as folders
from hybrid.runs.account import is_sweep
from hybrid.runs.benchmark.folder import read_record
from hybrid.runs.benchmark.picture import picture
from hybrid.runs.comparison import compare
from hybrid.runs.files import read_json, write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTIONS = "captions.md"

FORMATS = ("pdf", "svg")


class Drawn(NamedTuple):
    """A picture before it is drawn.

    Attributes:
        name: Of the file, without its ending.
        says: What is seen.
        source: Where its numbers stand.
        draw: Makes it.
    """

    name: str
    says: str
    source: str
    draw: "Callable[[], Figure]"


def save(records: Sequence[Path], place: Path) -> list[Path]:
    """Write the pictures of records as PDF and SVG, and their captions, which name the files that they come from.

    Args:
        records: Folders of runs, algorithms, benchmarks or of `hybrid codesign`.
        place: Folder of the files, which is made where it is missing; files of the same names are replaced.

    Returns:
        The files.

    Raises:
        Refused: for a folder that holds none of these or has no pictures, or a damaged record.
        RecordFailed: if a file cannot be written.
    """
    several = len(records) > 1
    found = [
        one._replace(name=f"{record.resolve().name}-{one.name}" if several else one.name)
        for record in records
        for one in _pictures(record)
    ]
    runs = [record for record in records if not folders.is_algorithm(record) and not folders.is_benchmark(record)]
    if len(runs) > 1:
        sources = ", ".join(str(run / folders.JOURNAL) for run in runs)
        found.append(
            Drawn("comparison", "The energies of all runs, step by step", sources, lambda: compare(runs).plot())
        )
    if len({one.name for one in found}) < len(found):
        raise Refused("figures: two records have folders of the same name, and so would their pictures; rename one")
    files, captions = [], ["# Figures\n"]
    try:
        place.mkdir(parents=True, exist_ok=True)
        for one in found:
            figure = one.draw()
            for ending in FORMATS:
                files.append(place / f"{one.name}.{ending}")
                figure.savefig(files[-1])
            captions.append(f"**{one.name}**: {one.says}. Numbers: {one.source}\n")
    except OSError as err:
        raise RecordFailed(f"{place}: the pictures cannot be written: {err.strerror}") from err
    write(place / CAPTIONS, "\n".join(captions).encode())
    return [*files, place / CAPTIONS]


def _pictures(record: Path) -> Iterator[Drawn]:
    """The pictures of one record."""
    if folders.is_benchmark(record):
        kept = read_record(record)
        says = "The score of each application and size on each backend, with its standard error"
        yield Drawn("scores", says, str(record / folders.BENCHMARK), lambda: picture(kept))
    elif folders.is_algorithm(record) and is_codesign(record):
        path = record / folders.RESULT
        if not path.exists():
            raise Refused(f"{record}: not finished: call hybrid codesign again with --folder {record}")
        for kind, content in read_json(path)["pictures"].items():
            yield Drawn(
                kind, SAYS[kind], f"{path}, pictures.{kind}", lambda kind=kind, content=content: DRAW[kind](content)
            )
    elif folders.is_algorithm(record):
        found = read(record)[0]
        yield Drawn("result", found.title(), str(record / folders.RESULT), found.plot)
    elif is_sweep(record):
        raise Refused(f"{record}: a sweep has its picture as sweep.png; ask for figures of one of its points")
    else:
        run = load(record)
        yield Drawn("convergence", f"{run.problem}: the energy, step by step", str(record / folders.JOURNAL), run.plot)
        says = "The time of the run against how many times faster each part is"
        yield Drawn("speedups", says, str(record / folders.JOURNAL), machine_model(record).plot)
