"""Judging a finished run by other means than those that made it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from circuits.errors import Refused
from hybrid.runs import folder as folders
from hybrid.verification.checks import JUDGES, Claim
from hybrid.workload.spec import backend_of


@dataclass(frozen=True)
class Check:
    """One judgement.

    Attributes:
        name: What was looked at.
        outcome: "passed", "failed", or "skipped" where it cannot be judged.
        finding: What was measured, against what bound; why it was skipped.
    """

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    finding: str


@dataclass(frozen=True)
class Verification:
    """All judgements on one run."""

    folder: Path
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed, and something was judged."""
        outcomes = [check.outcome for check in self.checks]
        return "failed" not in outcomes and "passed" in outcomes

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        checks = [{"name": c.name, "outcome": c.outcome, "finding": c.finding} for c in self.checks]
        return {"folder": str(self.folder), "passed": self.passed, "checks": checks}

    def table(self) -> Table:
        """As a table for a terminal."""
        colours = {"passed": "green", "failed": "bold red", "skipped": "dim"}
        table = Table(title=f"Verification of {self.folder}", title_justify="left", title_style="bold")
        table.add_column("check")
        table.add_column("outcome", no_wrap=True)
        table.add_column("finding", overflow="fold")
        for check in self.checks:
            table.add_row(check.name, Text(check.outcome, style=colours[check.outcome]), Text(check.finding))
        return table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.table()

    def __str__(self) -> str:
        return "\n".join(f"{check.outcome:<8}{check.name}: {check.finding}" for check in self.checks)

    def _repr_html_(self) -> str:
        from html import escape

        cells = ("".join(f"<td>{escape(t)}</td>" for t in (c.name, c.outcome, c.finding)) for c in self.checks)
        rows = "".join(f"<tr>{row}</tr>" for row in cells)
        return f"<table><tr><th>check</th><th>outcome</th><th>finding</th></tr>{rows}</table>"


def verify(folder: str | Path, *, backend: Any = None) -> Verification:
    """Judge a finished run: the energy again on other engines, the variational bound, the gradient, the precision.

    Args:
        folder: Of a run that has ended.
        backend: Needed only if the run used a backend object, which no folder can hold.

    Returns:
        The `Verification`; it is written to ``verification.json`` in the folder, too.

    Raises:
        Refused: if the folder holds no finished run, or damaged files.
    """
    path = Path(folder)
    spec, circuit, problem = folders.read(path)
    if not (path / "result.json").exists():
        raise Refused(f"the run in {path} has not ended yet; continue it with resume, then verify")
    result = folders.read_json(path / "result.json")
    claim = Claim(
        circuit=circuit,
        problem=problem,
        backend=backend_of(spec, backend),
        theta=np.asarray(result["theta"], dtype=float),
        energy=result["energy"],
        standard_error=result["standard_error"],
        exact=spec["problem"]["exact_energy"],
        accuracy=spec["workload"]["accuracy"],
        shots=spec["workload"]["shots"],
        seed=spec["workload"]["seed"],
    )
    verification = Verification(path, tuple(_check(name, claim) for name in JUDGES))
    folders.write_json(path / "verification.json", verification.to_dict())
    return verification


def _check(name: str, claim: Claim) -> Check:
    try:
        return Check(name, *JUDGES[name](claim))
    except Refused as err:
        return Check(name, "skipped", str(err))
