"""The record of a benchmark as a user sees it: tables, pictures, comparisons."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from circuits import tables
from hybrid.runs.benchmark.folder import read_record
from hybrid.runs.benchmark.record import BenchRecord, Unit, number_text, queue_notes
from hybrid.terminal.words import duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hybrid.codesign.suite.formats.files import Exported
    from hybrid.runs.benchmark.compare import Differences

COLUMNS = ("application", "size", "backend", "score", "±", "perfect", "prepare", "run", "queue", "total")


@dataclass(frozen=True, eq=False)
class Bench:
    """What a benchmark measured; prints as a table, shows itself in a notebook, can be drawn and compared.

    Attributes:
        record: All of it, as it is kept.
        folder: Where it is kept; None for one that was read from a file.
    """

    record: BenchRecord
    folder: Path | None = None

    @classmethod
    def load(cls, path: str | Path) -> "Bench":
        """The benchmark in a folder, or in a file that ``hybrid bench --json`` wrote.

        Args:
            path: Of either; an unfinished one is taken as far as it is.

        Raises:
            Refused: if it holds none, or a damaged one.
        """
        path = Path(path)
        return cls(read_record(path), path if path.is_dir() else None)

    @property
    def units(self) -> list[Unit]:
        """Each application at each size on each backend, in the order of asking."""
        return self.record.units

    def label(self, unit: Unit) -> str:
        """The name of a unit's backend.

        Args:
            unit: Of this benchmark.
        """
        return self.record.backends[unit.backend].label

    def rows(self) -> list[dict[str, str]]:
        """Cells by the names of their columns, one row for each unit that was done."""
        return [
            dict(zip(COLUMNS, self._cells(unit), strict=True)) for unit in self.record.units if unit.status == "done"
        ]

    def troubles(self) -> list[str]:
        """A sentence for each unit that was not done, with the reason."""
        return [
            f"{unit.application} {unit.size} on {self.label(unit)}: {unit.status}: {unit.reason}"
            for unit in self.record.units
            if unit.status != "done"
        ]

    def notes(self) -> list[str]:
        """How the time in providers' queues is known, or why not."""
        return queue_notes(self.record)

    @property
    def failed(self) -> bool:
        """Whether a provider or a backend failed at a unit that it should have done."""
        return any(unit.status == "failed" for unit in self.record.units)

    def to_dict(self) -> dict[str, object]:
        """JSON-able form, whose schema is docs/bench.schema.json; `Bench.load` reads it back."""
        return self.record.model_dump(mode="json")

    def export(self, path: str | Path | None = None, *, kind: str = "csv", overwrite: bool = False) -> "Exported":
        """Write the record in a format that other programs read.

        Args:
            path: The file for ``"csv"``, else the folder in which the files go; by default in the benchmark's own.
            kind: ``"csv"``, ``"metriq"`` or ``"qedc"``.
            overwrite: Whether files that are there already may be replaced.

        Returns:
            What was written, and what was left out since the format has no truthful place for it.

        Raises:
            Refused: for an unknown format, one that takes nothing of the record, or files that are there already.
            PolicyViolation: if a policy does not allow it.
            RecordFailed: if a file cannot be written.
        """
        from hybrid.codesign.suite.formats.export import export_bench

        return export_bench(
            self.record if path is not None else self.folder or self.record, path, kind=kind, overwrite=overwrite
        )

    def plot(self) -> "Figure":
        """Scores with their error bars; of an application with sizes in qubits and layers a panel of squares.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.runs.benchmark.picture import picture

        return picture(self.record)

    def compare(self, earlier: "Bench | BenchRecord | str | Path") -> "Differences":
        """What is different from an earlier record, and whether more than chance.

        Args:
            earlier: A benchmark, or the path of its folder or file.

        Raises:
            Refused: if it is none, or has no unit in common with this one.
        """
        from hybrid.runs.benchmark.compare import differences

        return differences(earlier_record(earlier), self.record)

    def __str__(self) -> str:
        cells = [self._cells(unit) for unit in self.record.units if unit.status == "done"]
        table = tables.text(cells, title=self.title, columns=COLUMNS) if cells else self.title
        return "\n".join([table, *self.notes(), *self.troubles()])

    def __repr__(self) -> str:
        return f"<{self.title}{'' if self.folder is None else f' in {self.folder}'}>"

    def _repr_html_(self) -> str:
        cells = [self._cells(unit) for unit in self.record.units if unit.status == "done"]
        return tables.html(cells, title=self.title, columns=COLUMNS, notes=[*self.notes(), *self.troubles()])

    @property
    def title(self) -> str:
        """What was asked, and how much of it was done."""
        done = sum(unit.status == "done" for unit in self.record.units)
        return f"Benchmark {self.record.suite}: {done} of {self.record.n_units} done, seed {self.record.seed}"

    def _cells(self, unit: Unit) -> tuple[str, ...]:
        spent = unit.seconds
        prepare = [s for s in (spent.transpile, spent.compile) if s is not None]
        running = spent.execute if spent.jobs is None else spent.jobs
        away = any(one.place == "provider" for one in self.record.backends)
        return (
            f"{unit.application}, {unit.unit}" if unit.unit else unit.application,
            unit.size,
            self.label(unit),
            *("-" if unit.score is None else number_text(unit.score)).partition(" ± ")[::2],
            "-" if unit.reference is None else f"{unit.reference:.4g}",
            duration(sum(prepare)) if prepare else "-",
            "-" if running is None else duration(running),
            unit.queue_time.text() if away else "-",
            duration(spent.total),
        )


def earlier_record(earlier: "Bench | BenchRecord | str | Path") -> BenchRecord:
    """The record of a benchmark that was measured before.

    Args:
        earlier: A benchmark, its record, or the path of its folder or file.

    Raises:
        Refused: if the path holds none.
    """
    if isinstance(earlier, str | Path):
        return read_record(earlier)
    return earlier.record if isinstance(earlier, Bench) else earlier
