"""What came of an algorithm, apart from the objects that it worked with: it can be sent to another process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybrid.algorithms.summary import Summary
from hybrid.runs.algorithm import Status, StoredOutcome, read_outcome, read_spec
from hybrid.terminal.words import measured, with_unit


@dataclass(frozen=True)
class AlgorithmResult:
    """The end of an algorithm.

    Attributes:
        title: What was done to what.
        told: The results as pairs of a name and a text.
        folder: Where the record lies.
        kind: Of the algorithm.
        problem: Name of the problem.
        unit: Of the energies.
        stored: What result.json says; of one that was stopped only its status and message.
    """

    title: str
    told: tuple[tuple[str, str], ...]
    folder: Path
    kind: str
    problem: str
    unit: str
    stored: StoredOutcome

    @property
    def status(self) -> Status:
        """How it ended."""
        return self.stored.status

    @property
    def begun(self) -> bool:
        """Whether there is an energy."""
        return self.stored.energy is not None

    @property
    def energy(self) -> float:
        """In the unit; NaN where there is none."""
        return np.nan if self.stored.energy is None else self.stored.energy

    @property
    def standard_error(self) -> float:
        """Of the energy; 0 where it is exact."""
        return self.stored.standard_error or 0.0

    @property
    def exact_energy(self) -> float | None:
        """The lowest energy of the problem; None where it is not known."""
        return self.stored.exact_energy

    @property
    def backend(self) -> str:
        """Name of the last backend."""
        return self.stored.backend

    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text, for tables."""
        return list(self.told)

    def line(self) -> str:
        """On one line of text."""
        if self.status == "stopped":
            return f"stopped: {self.stored.message}"
        own = dict(self.stored.model_extra or {})
        value = measured(self.energy, self.standard_error, self.unit) if self.begun else _share(own)
        error = ""
        if self.begun and self.exact_energy is not None:
            error = "  error " + with_unit(f"{self.energy - self.exact_energy:+.1e}", self.unit)
        return f"{value}{error}  {self.status} on {self.backend}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form: what a run's result says, and what is the algorithm's own."""
        known = {"algorithm": self.kind, "problem": self.problem, "unit": self.unit, "folder": str(self.folder)}
        kept = {key: value for key, value in self.stored.model_dump().items() if key not in ("kind", *known)}
        return known | kept


def result_of(summary: Summary, folder: Path) -> AlgorithmResult:
    """The end of an algorithm whose result is in its folder.

    Args:
        summary: What it has found.
        folder: Where its record lies.
    """
    stored = read_outcome(folder)
    assert stored is not None
    return AlgorithmResult(summary.title(), tuple(summary.rows()), folder, *_asked(folder), stored)


def stopped(folder: Path, message: str) -> AlgorithmResult:
    """An algorithm that a signal has stopped.

    Args:
        folder: Where its record lies.
        message: How it goes on.
    """
    stored = StoredOutcome(status="stopped", message=message)
    kind, problem, unit = _asked(folder)
    rows = (("status", "stopped"), ("message", message), ("record", str(folder)))
    return AlgorithmResult(f"{kind} of {problem}", rows, folder, kind, problem, unit, stored)


def _asked(folder: Path) -> tuple[str, str, str]:
    spec = read_spec(folder)
    return spec.kind, str(spec.asked.get("problem", "?")), spec.unit


def _share(own: dict[str, Any]) -> str:
    return f"accuracy {own['accuracy']:.1%}" if isinstance(own.get("accuracy"), float) else "no energy"
