"""Runs side by side: what each reached, and what it took."""

import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from backends.providers.hardware import Charge
from circuits import tables
from circuits.errors import Refused
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.agreement import Agreement, agreement
from hybrid.runs.algorithm import read_spec, runs_of
from hybrid.runs.crate.unpack import unpacked
from hybrid.runs.entries import RunEntry
from hybrid.runs.history import History
from hybrid.runs.listing import entry_of
from hybrid.runs.prediction import predicted
from hybrid.runs.result import Result
from hybrid.terminal import words
from hybrid.terminal.progress import Progress
from hybrid.terminal.words import duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE_WIDTH = 96
"""Columns of a terminal below which runs are a list instead of a table."""

COLUMNS = ("run", "energy", "status", "steps", "evaluations", "time", "predicted", "shots", "money")


@dataclass(frozen=True, eq=False)
class Compared:
    """One run of a comparison.

    Attributes:
        label: What sets it apart from the others: backend, optimizer, or its folder.
        entry: What a list of runs says of it; see `hybrid.runs.listing.entry_of`.
        predicted_s: Wall time that its plan expected of the whole run; None where that was not known.
        sent: What its jobs at vendors came to; None where there were none.
        shots: For each measured circuit, where it counted; None for exact values or a device's default.
        history: Every evaluation.
    """

    label: str
    entry: RunEntry
    predicted_s: float | None
    sent: Charge | None
    shots: int | None
    history: History

    @property
    def seconds(self) -> float | None:
        """Wall time in all; None for a run that has not ended."""
        return (self.entry["seconds"] or {}).get("total")

    @property
    def money_usd(self) -> float | None:
        """What vendors charged, in US dollars; None where a price is not known."""
        return 0.0 if self.sent is None else self.sent.usd if self.sent.priced else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "label": self.label,
            **self.entry,
            "predicted_seconds": self.predicted_s,
            "shots_per_circuit": self.shots,
            "shots_sent": 0 if self.sent is None else self.sent.shots,
            "money_usd": self.money_usd,
        }

    def cells(self) -> tuple[str, ...]:
        """The columns of the table, as text."""
        entry, sent = self.entry, self.sent
        each = "exact" if self.shots is None else f"{self.shots:,} a circuit"
        price = self.money_usd
        return (
            self.label,
            words.energy({**entry, "unit": ""}).rstrip(),
            entry["status"],
            words.value_text("steps", entry["steps"]),
            words.value_text("evaluations", entry["evaluations"]),
            "-" if self.seconds is None else duration(self.seconds),
            "-" if self.predicted_s is None else duration(self.predicted_s, digits=2),
            each if sent is None else f"{sent.shots:,}",
            "not known" if price is None else f"${price:,.2f}",
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs side by side; prints as a table, shows itself in a notebook, and can be drawn.

    Attributes:
        runs: In the order that was asked for.
        failures: Label and reason of what has no run.
        agreements: Whether what was given second, third and so on came to the same as what was given first, and in
            what they differ; of sweeps, each point with that of its name.
    """

    runs: tuple[Compared, ...]
    failures: tuple[tuple[str, str], ...] = ()
    agreements: tuple[Agreement, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        failed = [{"label": label, "status": "failed", "message": reason} for label, reason in self.failures]
        told = [one.to_dict() for one in self.agreements]
        return {"runs": [run.to_dict() for run in self.runs] + failed, "agreements": told}

    def plot(self) -> "Figure":
        """How near each run has come, against its evaluations and against the time that they took.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.report.side_by_side import Line, side_by_side

        exact = [run.entry["exact_energy"] for run in self.runs]
        return side_by_side(
            [Line(run.label, run.history.energy, run.history.standard_error, run.history.seconds) for run in self.runs],
            exact_energy=exact[0] if len(set(exact)) == 1 else None,
            unit=self.runs[0].entry["unit"],
            title=" / ".join(sorted({run.entry["problem"] for run in self.runs})[:2]),
        )

    @property
    def title(self) -> str:
        """Names of the problems, the unit, and the exact energy where all share one."""
        unit = self.runs[0].entry["unit"]
        problems = ", ".join(dict.fromkeys(run.entry["problem"] for run in self.runs))
        exact = {run.entry["exact_energy"] for run in self.runs}
        known = next(iter(exact)) if len(exact) == 1 else None
        return (
            f"{problems}: energies"
            + ("" if unit in ("", "1") else f" in {unit}")
            + ("" if known is None else f", exact {known:.10f}")
        )

    def table(self) -> Table:
        """All runs as a table for a terminal."""
        table = Table(title=self.title, title_justify="left", title_style="bold", expand=False)
        for column in COLUMNS:
            justify = "left" if column in ("run", "status") else "right"
            table.add_column(column, justify=justify, overflow="fold", no_wrap=column in ("energy", "evaluations"))
        for run in self.runs:
            table.add_row(*run.cells())
        return table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width >= TABLE_WIDTH:
            yield self.table()
        else:
            yield Text(self.title, style="bold")
            for run in self.runs:
                label, energy, *others = run.cells()
                facts = [f"{name} {cell}" for name, cell in zip(COLUMNS[2:], others, strict=True)]
                yield Text(f"{label}: {energy}; {', '.join(facts)}")
        for label, reason in self.failures:
            yield Text(f"{label}: failed: {reason}")
        for one in self.agreements:
            yield Text(str(one))

    def __str__(self) -> str:
        console = Console(width=130, color_system=None, markup=False, force_jupyter=False)
        with console.capture() as capture:
            console.print(self)
        return capture.get().rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = [f"{label}: failed: {reason}" for label, reason in self.failures]
        notes += map(str, self.agreements)
        return tables.html([run.cells() for run in self.runs], title=self.title, columns=COLUMNS, notes=notes)


def compare(runs: Iterable["Result | str | Path"], *, failures: Iterable[tuple[str, str]] = ()) -> Comparison:
    """Show runs side by side: energies with their errors, steps, evaluations, seconds, predictions, shots and money.

    Args:
        runs: Results, folders of runs, or folders of sweeps or
            algorithms, whose points or runs are then compared, or crates of these; at least one. A run that
            has not ended is shown as far as it has come.
        failures: Label and reason of what was to be compared and has no run.

    Returns:
        A `Comparison`, which prints as a table and has a picture.

    Raises:
        Refused: if there is no run, a folder holds none, or the energies are in different units.

    Examples:
        >>> import hybrid, tempfile
        >>> from circuits import tfim, hardware_efficient
        >>> def run(name):
        ...     place = f"{tempfile.mkdtemp()}/{name}"
        ...     return hybrid.minimize(
        ...         hardware_efficient(2, layers=1), tfim(2), backend="reference", optimizer=name, folder=place
        ...     )
        >>> [run.label for run in compare([run("lbfgs"), run("rotosolve")]).runs]
        ['lbfgs', 'rotosolve']
    """
    if isinstance(runs, str | Path | Result):
        raise Refused("runs must be a list of results or of folders; put the one that was given in brackets")
    if not isinstance(runs, Iterable):
        raise Refused(f"runs must be a list of results or of folders, not {runs!r}")
    with ExitStack() as unpacking:
        groups = [_places(run, unpacking) for run in runs]
        return _laid_out(groups, tuple(failures))


@dataclass(frozen=True)
class _Place:
    """A run that is compared.

    Attributes:
        path: Of its folder.
        known: Where the one who asked knows it to be: in the crate, if it was unpacked from one.
    """

    path: Path
    known: Path


def _laid_out(groups: Sequence[Sequence[_Place]], failed: tuple[tuple[str, str], ...]) -> Comparison:
    places = [place for group in groups for place in group]
    if not places:
        reasons = "".join(f"; {label}: {reason}" for label, reason in failed)
        raise Refused(f"there is no run to compare{reasons or ': give results of hybrid.minimize, or their folders'}")
    entries: list[RunEntry] = [{**entry_of(place.path), "folder": str(place.known)} for place in places]
    if len(units := {entry["unit"] for entry in entries}) > 1:
        raise Refused(f"the energies are in {' and '.join(sorted(units))}: compare runs of one problem")
    labels = list(_labels([_settings(entry) for entry in entries]))
    compared = []
    with Progress("reading runs", len(places)) as progress:
        for label, place, entry in zip(labels, places, entries, strict=True):
            progress.update(len(compared), label)
            compared.append(_compared(label, place.path, entry))
    count = Counter(place.known.name for place in places)
    names = {place: place.known.name if count[place.known.name] == 1 else str(place.known) for place in places}
    found = [agreement(one.path, other.path, names=(names[one], names[other])) for one, other in _pairs(groups)]
    return Comparison(tuple(compared), failed, tuple(one for one in found if one is not None))


def _pairs(groups: Sequence[Sequence[_Place]]) -> Iterator[tuple[_Place, _Place]]:
    """Each run of a later group with that of the first which it may repeat: the only one, or the one of its name."""
    first = groups[0] if groups else []
    named = {place.known.name: place for place in first}
    for group in groups[1:]:
        for place in group:
            if len(first) == len(group) == 1:
                yield first[0], place
            elif place.known.name in named:
                yield named[place.known.name], place


def _places(run: "Result | str | Path", unpacking: ExitStack) -> list[_Place]:
    """The folder of a run, or those of a sweep's points or of an algorithm's runs; of a crate what is in it."""
    if isinstance(run, Result):
        return [_Place(run.folder, run.folder)]
    if not isinstance(run, str | Path):
        raise Refused(f"runs must be results or folders, and {run!r} is neither")
    known = path = Path(run)
    if path.is_file() and zipfile.is_zipfile(path):
        path = unpacked(path, Path(unpacking.enter_context(tempfile.TemporaryDirectory())))
    if not path.is_dir():
        raise Refused(f"{path}: no such folder; give the folder of a run, as `hybrid runs` lists it, or a crate")
    if folders.is_benchmark(path):
        raise Refused(f"{path} holds a benchmark: compare it with another one, as in hybrid compare EARLIER {path}")
    if folders.is_algorithm(path):
        stages = runs_of(path)
        if not stages:
            raise Refused(
                f"{known}: no stage of this {read_spec(path).kind} is a run that could be laid beside others; "
                f"`hybrid show {known}` shows what came out"
            )
        return [_Place(stage, known / stage.name) for stage in stages]
    points = sorted(spec.parent for spec in path.glob("*/spec.json"))
    if points and not folders.is_run(path):
        return [_Place(point, known / point.name) for point in points]
    folders.check_run(path)
    return [_Place(path, known)]


def _compared(label: str, place: Path, entry: RunEntry) -> Compared:
    spec = folders.read_spec(place)
    path = place / folders.JOURNAL
    content = journal.read(path) if path.exists() else None
    jobs = [] if content is None else [row for row in content.jobs if row.counts]
    evaluations = () if content is None else content.evaluations
    expected = predicted(spec.plan)
    return Compared(
        label,
        entry,
        None if expected is None or expected.seconds is None else expected.seconds.expected,
        sum((row.charge for row in jobs), Charge()) if jobs else None,
        spec.workload.shots,
        History.from_evaluations(evaluations, len(spec.workload.theta)),
    )


def _settings(entry: RunEntry) -> dict[str, str]:
    """What runs may differ in, as text; what tells most of them apart first."""
    optimizer = entry["optimizer"]
    options = {key: value for key, value in optimizer.items() if key != "kind"}
    place = Path(entry["folder"])
    return {
        "stage": place.name if folders.is_algorithm(place.parent) else "",
        "problem": entry["problem"],
        "backend": entry["backend"],
        "optimizer": str(optimizer["kind"]),
        "options": words.value_text("options", options),
        "seed": f"seed {entry['seed']}",
        "accuracy": f"accuracy {entry['accuracy']:g}",
        "folder": Path(entry["folder"]).name,
        "path": entry["folder"],
    }


def _labels(settings: Sequence[dict[str, str]]) -> Iterator[str]:
    """As few of the settings as tell the runs apart; a single run is called by its backend."""
    differing = [key for key in settings[0] if len({each[key] for each in settings}) > 1]
    chosen: list[str] = [] if len(settings) > 1 else ["backend"]
    for key in differing:
        if len({tuple(each[name] for name in chosen) for each in settings}) == len(settings):
            break
        chosen.append(key)
    return (", ".join(each[key] for key in chosen if each[key]) for each in settings)
