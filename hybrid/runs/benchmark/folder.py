"""A benchmark's folder: each unit is measured once, so that it can be killed at any instant and called again.

bench.json          what was asked: suite, sizes, backends, seed, versions, machine
stages.sqlite       the chain of what was asked and of all units: see `hybrid.runs.stages`
units.jsonl         a line for each application, size and backend that has ended
jobs.sqlite         the jobs at providers, each written before it is sent; only where there is one
budget.sqlite       what these may cost, and have cost
result.json         the whole record, once all units have ended
lock                held by the one process that works on it
"""

from collections.abc import Iterable
from pathlib import Path

from circuits.errors import Refused
from hybrid.runs import algorithm as algorithms
from hybrid.runs import stages
from hybrid.runs.benchmark.record import FORMAT, VERSION, BenchRecord, BenchSpec, Measured, Unit
from hybrid.runs.files import checked, parsed, read_bytes, read_json, read_lines, to_json
from hybrid.runs.folder import BENCHMARK, is_benchmark

SPEC, UNITS, RESULT = BENCHMARK, "units.jsonl", "result.json"


def begin(path: Path, spec: BenchSpec) -> None:
    """Write what is asked into a folder that holds nothing else.

    Args:
        path: Of the folder, locked.
        spec: What is asked.

    Raises:
        Refused: if it holds a run or an algorithm.
        RecordFailed: if it cannot be written.
    """
    algorithms.check_free(path)
    stages.begin(path, SPEC, {SPEC: to_json(spec.model_dump())})


def read_spec(path: Path) -> BenchSpec:
    """What the benchmark in a folder was asked for.

    Raises:
        Refused: if the folder holds none, or it is damaged or of a later version.
    """
    file = path / SPEC
    content = read_json(file)
    _check_version(content, file)
    return checked(BenchSpec, content, file)


def units(path: Path) -> list[Unit]:
    """The units in a folder that have ended; of one that was tried again, the last."""
    return latest(read_lines(path / UNITS, Unit))


def latest(lines: Iterable[Unit]) -> list[Unit]:
    """Of units that were tried again the last ones.

    Args:
        lines: Of the file, in order.
    """
    return list({unit.place: unit for unit in lines}.values())


def stage_of(application: str, size: str, backend: int) -> str:
    """The name under which the journal keeps the jobs of a unit.

    Args:
        application: Of the unit.
        size: Of the unit, as text.
        backend: Its place in the record's list of backends, from 0.
    """
    return f"{application}-{size}-{backend}"


def backend_of_stage(spec: BenchSpec, stage: str) -> Measured:
    """The backend of a unit.

    Args:
        spec: What was asked.
        stage: As `stage_of` names it.

    Raises:
        Refused: if it is the name of no unit.
    """
    known = {
        stage_of(name, size, number): backend
        for name, sizes in spec.sizes.items()
        for size in sizes
        for number, backend in enumerate(spec.backends)
    }
    if stage not in known:
        raise Refused(f"{stage} is no unit of this benchmark")
    return known[stage]


def read_record(path: str | Path) -> BenchRecord:
    """The record of a benchmark, from its file or its folder, which may be unfinished.

    Args:
        path: Of either.

    Raises:
        Refused: if there is none, or it is damaged or of a later version.
    """
    path = Path(path)
    if path.is_dir():
        if not is_benchmark(path):
            raise Refused(f"{path} holds no benchmark: it has no {SPEC}; give the folder of one, or its JSON file")
        return record_of(read_spec(path), units(path))
    try:
        content = parsed(path, read_bytes(path))
    except Refused as err:
        raise Refused(f"{path} is no record of a benchmark, as hybrid bench --json writes it: {err}") from err
    _check_version(content, path)
    return checked(BenchRecord, content, path)


def record_of(spec: BenchSpec, ended: list[Unit]) -> BenchRecord:
    """The record of what was asked for and of the units that have ended, in the order of asking.

    Args:
        spec: What was asked for.
        ended: The units, in any order.
    """
    order = {(name, size): k for k, (name, size) in enumerate((n, s) for n, sizes in spec.sizes.items() for s in sizes)}
    ended = sorted(ended, key=lambda unit: (order[unit.application, unit.size], unit.backend))
    return BenchRecord(**{key: getattr(spec, key) for key in BenchSpec.model_fields}, units=ended)


def _check_version(content: dict, path: Path) -> None:
    if content.get("format") != FORMAT:
        raise Refused(f"{path} is no record of a benchmark: its format is {content.get('format')!r}, not '{FORMAT}'")
    if content.get("version") not in range(1, VERSION + 1):
        raise Refused(f"{path}: version {content.get('version')!r}; this one reads versions 1 to {VERSION}")
