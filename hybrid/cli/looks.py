"""One look at what was submitted: the points of a study, or all studies; how it is drawn, and what it says as JSON."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuits.errors import ProviderUnreachable, Refused

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hybrid.sites.status import PointStatus

UNENDED = ("pending", "running", "unknown")

ORDER = {"running": 0, "failed": 1, "pending": 2}
"""Of the points that a terminal without room for all shows."""


@dataclass(frozen=True)
class StudyLook:
    """Where the points of one study stand.

    Attributes:
        folder: Of its record.
        points: In the order of the grid.
    """

    folder: Path
    points: "list[PointStatus]"

    @property
    def counts(self) -> Counter[str]:
        """How many points are in each state."""
        return Counter(point.state for point in self.points)

    @property
    def state(self) -> object:
        """What is equal in two looks if nothing has changed but times and numbers."""
        return [point.state for point in self.points]

    @property
    def has_ended(self) -> bool:
        """Whether nothing waits or runs any more."""
        return not any(self.counts[state] for state in UNENDED)

    def check_known(self) -> None:
        """Refuse a look at points that may wait or run, or not.

        Raises:
            ProviderUnreachable: if there are any.
        """
        if silent := [point for point in self.points if point.state == "unknown"]:
            raise ProviderUnreachable(f"{len(silent)} of its points may wait or run, or not: {silent[0].message}")

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        points = [point.to_dict() for point in self.points]
        return {"folder": str(self.folder), "counts": self.counts, "points": points}

    def drawn(self, width: int, *, most: int | None = None) -> "list[RenderableType]":
        """What a console prints.

        Args:
            width: Its columns.
            most: Rows that there is room for; those at work come first then. None for all rows, in their own order.
        """
        from rich.text import Text

        from hybrid.terminal.rows import listed

        crowded = most is not None and len(self.points) > most
        points = sorted(self.points, key=lambda point: ORDER.get(point.state, 3))[:most] if crowded else self.points
        more = f"; {len(self.points) - len(points)} not shown" * crowded
        return [listed([_row(point) for point in points], width), Text(in_words(self.counts) + more)]


@dataclass(frozen=True)
class StudiesLook:
    """Where all studies stand that were submitted.

    Attributes:
        counts_of: How many points of each are in each state, by the folders of their records.
    """

    counts_of: dict[Path, Counter[str]]

    @property
    def state(self) -> object:
        """As for `StudyLook`."""
        return self.counts_of

    @property
    def has_ended(self) -> bool:
        """As for `StudyLook`."""
        return not any(counts[state] for counts in self.counts_of.values() for state in UNENDED)

    def check_known(self) -> None:
        """A list says of each study what can be known, and that is all."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"runs": [{"folder": str(folder), "counts": counts} for folder, counts in self.counts_of.items()]}

    def drawn(self, width: int, *, most: int | None = None) -> "list[RenderableType]":
        """As for `StudyLook`; the newest ones are shown where there is no room for all."""
        from rich.text import Text

        from hybrid.terminal.rows import listed

        if not self.counts_of:
            return [Text("nothing was submitted yet")]
        rows = [{"run": near(folder), "points": in_words(counts)} for folder, counts in self.counts_of.items()]
        return [listed(rows[-most:] if most else rows, width)]


Look = StudyLook | StudiesLook


def look(folder: Path | None) -> Look:
    """Where a study stands, or all that were submitted, in the home of runs and wherever the index knows of one.

    Args:
        folder: Of the study; None for all.

    Raises:
        Refused: if nothing was submitted to the folder, or its record is damaged.
    """
    from hybrid.runs import index
    from hybrid.runs.places import home
    from hybrid.sites.record import is_submitted
    from hybrid.sites.status import status

    if folder is not None:
        return StudyLook(folder, status(folder))
    found, seen = {}, set()
    for path in [*sorted(home().glob("*")), *index.known()]:
        try:
            if path.resolve() in seen or not is_submitted(path):
                continue
            counts = Counter(point.state for point in status(path))
        except Refused:  # `hybrid status RUN` says what is wrong with it
            counts = Counter(damaged=1)
        seen.add(path.resolve())
        found[path] = counts
    return StudiesLook(found)


def in_words(counts: Counter[str]) -> str:
    """Numbers of points by their states, on one line."""
    return ", ".join(f"{number} {state}" for state, number in counts.most_common())


def near(path: Path) -> str:
    """The path from here, where it lies below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _row(point: "PointStatus") -> dict[str, str]:
    """The cells of a point; what there is nothing to say of is empty."""
    from hybrid.terminal.words import duration, energy

    code = "" if point.exit_code is None else f" (exit code {point.exit_code})"
    said = point.message or point.reason
    times = {"elapsed": point.elapsed_s, "left": point.left_s}
    return {
        "point": str(point.number),
        "name": point.name,
        "state": point.state + (f": {said}" if said else "") + code,
        "energy": energy(point.to_dict()),
        "job": point.job,
        "node": point.node,
        **{name: "" if seconds is None else duration(seconds, digits=2) for name, seconds in times.items()},
        "evaluations": "" if point.evaluations is None else f"{point.evaluations:,}",
        "output": near(point.output),
    }
