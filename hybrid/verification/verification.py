"""Verifying a finished run by other means than those that made it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from circuits import tables
from circuits.errors import RecordFailed, Refused, ToolkitError
from hybrid.loop.repeat import JournalEnded
from hybrid.runs.chain import told
from hybrid.runs.detects import detects
from hybrid.runs.evidence import examine
from hybrid.runs.files import write_json
from hybrid.runs.folder import check_run
from hybrid.runs.uncertainty import Uncertainty
from hybrid.terminal.progress import Progress
from hybrid.verification.checks import CHECKS
from hybrid.verification.claim import Claim, claim
from hybrid.verification.finding import Outcome
from hybrid.workload.arguments import BackendLike, OptimizerLike

FILE = "verification.json"

COLUMNS = ("check", "outcome", "finding", "detects", "cannot detect")


@dataclass(frozen=True)
class Check:
    """One check of a run.

    Attributes:
        name: What was checked, a key of `CHECKS`.
        outcome: "passed"; "failed"; "unchecked" where something is claimed that could not be checked here; "none" where
            nothing of the kind is claimed.
        finding: What was measured, against what bound; or why it was not checked.
    """

    name: str
    outcome: Outcome
    finding: str

    @property
    def detects(self) -> str:
        """Which faults it shows; empty of a check that is not known."""
        return detects(self.name)[0]

    @property
    def misses(self) -> str:
        """Which faults it cannot show."""
        return detects(self.name)[1]

    def to_dict(self) -> dict[str, str]:
        """JSON-able form."""
        return {
            "name": self.name,
            "outcome": self.outcome,
            "finding": self.finding,
            "detects": self.detects,
            "misses": self.misses,
        }


@dataclass(frozen=True)
class Verification:
    """All checks of one run.

    Attributes:
        folder: Of the run.
        checks: In a fixed order.
        unwritten: Why the verification could not be written into the folder; empty if it was.
        uncertainty: Intervals of the run's energy, made again from its journal; None where they could not be.
    """

    folder: Path
    checks: tuple[Check, ...]
    unwritten: str = ""
    uncertainty: Uncertainty | None = None

    @property
    def verdict(self) -> Literal["passed", "failed", "incomplete"]:
        """Outcome of all checks: "failed" if any failed, else "incomplete" if any was unchecked, else "passed"."""
        outcomes = {check.outcome for check in self.checks}
        return "failed" if "failed" in outcomes else "incomplete" if "unchecked" in outcomes else "passed"

    @property
    def passed(self) -> bool:
        """Whether everything that the run claims was checked and holds."""
        return self.verdict == "passed"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, the content of verification.json."""
        return {
            "folder": str(self.folder),
            "passed": self.passed,
            "verdict": self.verdict,
            "checks": [check.to_dict() for check in self.checks],
            "uncertainty": None if self.uncertainty is None else self.uncertainty.to_dict(),
        }

    def table(self) -> Table:
        """The checks as a table for a terminal."""
        colours = {"passed": "green", "failed": "bold red", "unchecked": "yellow", "none": "dim"}
        title = f"Verification of {self.folder}: {self.verdict}"
        table = Table(title=title, title_justify="left", title_style="bold")
        table.add_column("check")
        table.add_column("outcome", no_wrap=True)
        table.add_column("finding", overflow="fold")
        for check in self.checks:
            table.add_row(check.name, Text(check.outcome, style=colours[check.outcome]), _told(check))
        return table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.table()
        if self.unwritten:
            yield Text(f"not written down: {self.unwritten}")

    def __str__(self) -> str:
        return "\n".join(f"{check.outcome:<10}{check.name}: {check.finding}" for check in self.checks)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [(c.name, c.outcome, c.finding, c.detects, c.misses) for c in self.checks]
        notes = [f"not written down: {self.unwritten}"] if self.unwritten else []
        return tables.html(rows, title=f"Verification: {self.verdict}", columns=COLUMNS, notes=notes)


def verify(
    folder: str | Path,
    *,
    backend: BackendLike | None = None,
    optimizer: OptimizerLike | None = None,
    signers: str | Path | None = None,
) -> Verification:
    """Check a run: that its record is whole, that its journal leads to its result, and that its numbers are right.

    The loop is replayed from the journal, the exact energy is computed anew, the energy on engines that the run did not
    use and again on its own, the gradient by differences. A run that has not ended or not converged fails, and what
    could not be checked is no pass.

    Args:
        folder: Of a run.
        backend: Needed only if the run used a backend object, or secret options: no folder holds those.
        optimizer: Needed only if the run used an object of Optax's; without it, the loop is not replayed.
        signers: A file of those who may have signed the run, in OpenSSH's format; then one of them must
            have.

    Returns:
        The `Verification`; it is written to ``verification.json`` in the folder, too, if that can be written.

    Raises:
        Refused: if the folder holds no run, or files so damaged that nothing can be checked; what was changed is named.
    """
    path = Path(folder)
    try:
        claimed = claim(path, backend, optimizer, None if signers is None else Path(signers))
        _ = claimed.work, claimed.backend  # what cannot even be made is refused
    except Refused as err:
        check_run(path)
        if not (faults := examine(path).faults):
            raise
        raise Refused(
            f"{path} was changed after it was written: {told(faults)}. Nothing can be checked: {err}"
        ) from err
    checks = []
    with Progress(f"verifying {path.name}", len(CHECKS)) as progress:
        for name in CHECKS:
            progress.update(len(checks), name)
            checks.append(_check(name, claimed))
    return written(Verification(path, tuple(checks), uncertainty=_uncertainty(claimed)))


def written(verification: Verification) -> Verification:
    """The same, written into its folder; if that cannot be written, it says so.

    Args:
        verification: All checks.
    """
    try:
        write_json(verification.folder / FILE, verification.to_dict())
    except RecordFailed as err:
        return replace(verification, unwritten=str(err))
    return verification


def _uncertainty(claimed: Claim) -> Uncertainty | None:
    """The intervals as they follow from the journal; what is wrong with them, the checks say."""
    if claimed.result is None or claimed.result.uncertainty is None:
        return None
    try:
        return claimed.uncertainty
    except (ToolkitError, JournalEnded):
        return None


def _told(check: Check) -> Text:
    """What a check found, with what it detects and what it cannot on the lines below."""
    found = Text(check.finding)
    if check.detects and check.outcome != "none":
        found.append(f"\ndetects: {check.detects}\ncannot detect: {check.misses}", style="dim")
    return found


def _check(name: str, claimed: Claim) -> Check:
    try:
        finding = CHECKS[name](claimed)
        return Check(name, finding.outcome, finding.text)
    except Refused as err:
        return Check(name, "unchecked", str(err))
    except ToolkitError as err:
        return Check(name, "failed", str(err))
