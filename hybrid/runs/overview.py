"""Lists of runs as a table that shows itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from circuits import tables
from hybrid.runs.entries import RunEntry
from hybrid.runs.listing import listing
from hybrid.terminal.words import energy

COLUMNS = ("folder", "problem", "backend", "energy", "status", "date")

MOST_ROWS = 100
"""Of more runs, the oldest and the newest are shown."""


@dataclass(frozen=True)
class Runs(Sequence[RunEntry]):
    """Runs in a folder, oldest first; a table in a terminal and in a notebook.

    Attributes:
        entries: For each run what `hybrid.runs.listing.entry_of` says: "folder" (for `hybrid.load`), "problem",
            "energy" and "standard_error" in the "unit", "status", "created_utc" and more.
    """

    entries: tuple[RunEntry, ...]

    @overload
    def __getitem__(self, index: int) -> RunEntry: ...
    @overload
    def __getitem__(self, index: slice) -> "Runs": ...
    def __getitem__(self, index: int | slice) -> "RunEntry | Runs":
        return Runs(self.entries[index]) if isinstance(index, slice) else self.entries[index]

    def __len__(self) -> int:
        return len(self.entries)

    def rows(self) -> list[tuple[str, ...]]:
        """The table's cells, in the order of `COLUMNS`."""
        return [_cells(entry) for entry in self.entries]

    def _shown(self) -> list[Sequence[str]]:
        return tables.ends(len(self), lambda k: _cells(self.entries[k]), MOST_ROWS)

    def __str__(self) -> str:
        if not self.entries:
            return "no runs here"
        return tables.text(self._shown(), columns=COLUMNS)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return tables.html(self._shown(), columns=COLUMNS) if self.entries else "<p>no runs here</p>"


def runs(folder: str | Path | None = None) -> Runs:
    """The runs in a folder and one level of sweeps below it, oldest first.

    Args:
        folder: Where to look; by default where runs without a folder of their own go, ``$HYBRID_RUNS`` or ``runs/``,
            and wherever else a run was begun that is still there.

    Returns:
        A list that shows itself as a table: folder, problem, backend, energy ± standard error, status, date (UTC).

    Raises:
        Refused: if a folder was named that does not exist.
    """
    return Runs(tuple(listing(None if folder is None else Path(folder))))


def _cells(entry: RunEntry) -> tuple[str, ...]:
    date = str(entry.get("created_utc", ""))[:16].replace("T", " ")
    place, problem, backend = (str(entry[key]) for key in ("folder", "problem", "backend"))
    return place, problem, backend, energy(entry), str(entry["status"]), date
