"""What a verification checked, and what each check can tell and cannot."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.report.page.html import Html, section, table, tag
from hybrid.runs.account import Account
from hybrid.runs.files import read_json
from hybrid.runs.folder import RESULT

FILE = "verification.json"

DETECTS = {
    "record": (
        "A result, journal or question that was changed after the end, or belongs to another run.",
        "A record that was forged as a whole, digests included.",
    ),
    "chain": (
        "Rows of the journal, or files beside it, that were changed, removed, put in or swapped: each has a name.",
        "A chain that was made anew by somebody who may write the whole folder; a signature or a kept head shows it.",
    ),
    "signature": (
        "A record that is not the one that was signed, or that nobody who may sign has signed.",
        "Whether those who signed knew what they signed.",
    ),
    "replay": (
        "A result that does not follow from the evaluations by the optimizer that is named; lost or added evaluations.",
        "Whether the values of the evaluations themselves are right.",
    ),
    "status": ("A run that was stopped, stalled, or ran out of steps.", "A local minimum: at rest is not lowest."),
    "exact energy": (
        "An exact energy that is not the lowest eigenvalue of the recorded Hamiltonian.",
        "A Hamiltonian that does not describe what was meant.",
    ),
    "energy on other engines": (
        "A fault of the engine that the run used: other programs compute the energy of the same circuit.",
        "A fault that all engines share, such as a circuit that is not the one that was meant.",
    ),
    "energy repeated": (
        "An energy that chance, or a passing fault of the machine, has made.",
        "A systematic fault of the backend, which repeats itself.",
    ),
    "variational bound": (
        "An energy below the exact one, which no state has.",
        "Any fault that raises the energy.",
    ),
    "gradient": (
        "Gradients that are not the slopes of the energies, near the answer and along one random direction.",
        "Faults elsewhere, and of runs on sampled values, where it is not made.",
    ),
    "precision": (
        "An accuracy that was asked for and that rounding, shots or bias cannot give.",
        "A bias that nobody estimated.",
    ),
}
"""For each check what it detects, and what it cannot."""

SIGNS = {"passed": "✓ passed", "failed": "✗ failed", "unchecked": "? unchecked", "none": "– nothing to check"}


@dataclass(frozen=True)
class Verified:
    """What a run's verification says.

    Attributes:
        verdict: "passed", "failed" or "incomplete"; None where the run was never verified.
        checks: Each with "name", "outcome" and "finding".
        stale: Whether the result was written after it.
    """

    verdict: str | None = None
    checks: tuple[dict[str, str], ...] = ()
    stale: bool = False


def verified(run: Account) -> Verified:
    """The verification in a run's folder.

    Raises:
        Refused: if it is damaged.
    """
    file = run.path / FILE
    if not file.exists():
        return Verified()
    content = read_json(file)
    try:
        checks = tuple({key: str(check[key]) for key in ("name", "outcome", "finding")} for check in content["checks"])
        return Verified(str(content["verdict"]), checks, _older(file, run.path / RESULT))
    except (TypeError, KeyError) as err:
        raise Refused(f"{file} is damaged ({type(err).__name__}: {err}); remove it, or verify the run again") from err


def _older(file: Path, result: Path) -> bool:
    return result.exists() and file.stat().st_mtime < result.stat().st_mtime


def checks(run: Account, found: Verified) -> Html:
    """The checks as a table, with what each could and could not detect."""
    if found.verdict is None:
        command = tag("code", f"hybrid verify {run.path}")
        return section("Verification", tag("p", "The run was not verified. ", command, " checks it by other means."))
    return section(
        "Verification",
        tag("p", f"Verdict: {found.verdict}.", class_="status"),
        table(
            ("Check", "Outcome", "Finding", "Detects", "Cannot detect"),
            [_row(check) for check in found.checks],
            caption="Checks of the run",
            folds=True,
        ),
    )


def _row(check: dict[str, str]) -> tuple[Any, ...]:
    name, outcome = check["name"], check["outcome"]
    told = tag("span", SIGNS.get(outcome, outcome), class_=f"outcome {outcome if outcome in SIGNS else 'none'}")
    return name, told, check["finding"], *DETECTS.get(name, ("", ""))
