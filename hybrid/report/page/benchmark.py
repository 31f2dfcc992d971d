"""The sections on a benchmark: scores, times by phase, the backends, and how to repeat it."""

import shlex
from functools import partial
from pathlib import Path

from hybrid.report.page.drawing import drawing
from hybrid.report.page.html import Html, code, facts, join, note, section, table, tag
from hybrid.report.page.repeat import machine
from hybrid.runs.benchmark.picture import picture
from hybrid.runs.benchmark.record import BenchRecord, Unit, number_text, queue_notes
from hybrid.terminal.words import counted, duration

SCORES = ("Application", "Size", "Backend", "Score", "Perfect", "Better", "Shots", "Circuits")

PHASES = ("transpile", "compile", "execute", "jobs", "queue", "classical", "total")

SAYS = "The score of each application and size on each backend, with its standard error"


def benchmark_sections(record: BenchRecord, folder: Path) -> Html:
    """What was measured, as far as it has come.

    Args:
        record: Of the benchmark.
        folder: Where it lies.
    """
    done = [unit for unit in record.units if unit.status == "done"]
    left = record.n_units - len(record.units)
    told = f"{len(done)} of {counted(record.n_units, 'units')} done"
    if left:
        told += f", {left} left; the same command with --folder {folder} goes on"
    parts = [section("Answer", tag("p", told + ".", class_="status"), _scores(record, done), _troubles(record))]
    if done:
        parts.append(section("Picture", drawing(partial(picture, record), name="benchmark", says=SAYS)))
        parts.append(section("Times", _times(record, done)))
    parts.append(section("Backends", facts((one.label, one.summary or one.spec.title) for one in record.backends)))
    parts.append(section("Machine and versions", machine(record.provenance, folder, None)))
    return join([*parts, section("How to repeat it", _repeat(record, folder))])


def _scores(record: BenchRecord, done: list[Unit]) -> Html | None:
    rows = [
        (
            *_place(record, unit),
            "-" if unit.score is None else number_text(unit.score, unit.unit),
            "-" if unit.reference is None else f"{unit.reference:.4g}",
            "higher" if unit.higher_is_better else "lower",
            unit.shots,
            unit.n_circuits,
        )
        for unit in done
    ]
    return table(SCORES, rows, caption="Scores", numbers=[*SCORES[3:5], *SCORES[6:]], folds=True) if rows else None


def _times(record: BenchRecord, done: list[Unit]) -> Html:
    away = any(one.place == "provider" for one in record.backends)
    told = {phase for phase in PHASES if any(getattr(unit.seconds, phase) is not None for unit in done)}
    known = [phase for phase in PHASES if (away if phase == "queue" else phase in told)]
    rows = [(*_place(record, unit), *(_time(unit, phase) for phase in known)) for unit in done]
    columns = [*SCORES[:3], *(phase.capitalize() for phase in known)]
    times = table(columns, rows, caption="Wall time by phase", numbers=columns[3:], folds=True)
    return join([times, *map(note, queue_notes(record))])


def _time(unit: Unit, phase: str) -> str:
    if phase == "queue":
        return unit.queue_time.text()
    seconds = getattr(unit.seconds, phase)
    return "-" if seconds is None else duration(seconds)


def _place(record: BenchRecord, unit: Unit) -> tuple[str, str, str]:
    return unit.application, unit.size, record.backends[unit.backend].label


def _troubles(record: BenchRecord) -> Html | None:
    """What was not done, with the reasons."""
    lines = [
        tag("li", f"{' '.join(_place(record, unit)[:2])} on {record.backends[unit.backend].label}: ", unit.reason)
        for unit in record.units
        if unit.status != "done"
    ]
    return tag("ul", lines) if lines else None


def _repeat(record: BenchRecord, folder: Path) -> Html:
    shown = code(f"hybrid show {shlex.quote(str(folder))}")
    see = [tag("p", "To see the record that is there:"), shown]
    if objects := [one.label for one in record.backends if one.spec.name is None]:
        return join([tag("p", f"It ran on Python objects that no record holds: {', '.join(objects)}."), *see])
    digests = [f"{name} (SHA-256 {digest})" for name, digest in record.circuits.items()]
    files = tag("p", "DIR is the folder with these circuits: ", "; ".join(digests), ".") if digests else None
    compared = f"--against {shlex.quote(str(folder))}"
    commands = "\n".join(f"{command} {compared}" for command in commands_of(record))
    return join([tag("p", "With the versions above:"), code(commands), files, *see])


def commands_of(record: BenchRecord) -> list[str]:
    """Commands that measure the same: one for all applications that have the same sizes, since none may be refused.

    Args:
        record: Of the benchmark.

    >>> record = BenchRecord(
    ...     suite="quick", shots=None, seed=1, backends=[], provenance={}, units=[],
    ...     sizes={"ghz": ["3"], "mirror": ["2x2"], "qft": ["3"]},
    ... )
    >>> for command in commands_of(record):
    ...     print(command)
    hybrid bench quick --backends '' --only ghz,qft --sizes 3 --seed 1
    hybrid bench quick --backends '' --only mirror --sizes 2x2 --seed 1
    """
    same: dict[tuple[str, ...], list[str]] = {}
    for name, sizes in record.sizes.items():
        same.setdefault(tuple(sizes), []).append(name)
    backends = shlex.quote(",".join(one.label for one in record.backends))
    after = f"{'' if record.shots is None else f' --shots {record.shots}'} --seed {record.seed}"
    return [
        f"hybrid bench {record.suite} --backends {backends}{' --circuits DIR' if record.circuits else ''} "
        f"--only {','.join(names)} --sizes {','.join(sizes)}{after}"
        for sizes, names in same.items()
    ]


def title(record: BenchRecord) -> str:
    """Of the page."""
    return f"Benchmark {record.suite}"


def under(record: BenchRecord, folder: Path) -> str:
    """The line under the title."""
    begun = str(record.provenance.get("created_utc", ""))[:16].replace("T", " ")
    return f"{', '.join(one.label for one in record.backends)}, {begun} UTC, {folder.resolve().name}"
