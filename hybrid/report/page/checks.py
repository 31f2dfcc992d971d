"""What a verification checked, and what each check can tell and cannot."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuits.errors import Refused
from hybrid.report.page.html import Html, section, table, tag
from hybrid.runs.detects import detects
from hybrid.runs.files import read_json
from hybrid.runs.folder import RESULT

FILE = "verification.json"

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


def verified(path: Path) -> Verified:
    """The verification in the folder of a run or an algorithm.

    Args:
        path: Of the folder.

    Raises:
        Refused: if it is damaged.
    """
    file = path / FILE
    if not file.exists():
        return Verified()
    content = read_json(file)
    try:
        checks = tuple({key: str(check[key]) for key in ("name", "outcome", "finding")} for check in content["checks"])
        return Verified(str(content["verdict"]), checks, _older(file, path / RESULT))
    except (TypeError, KeyError) as err:
        raise Refused(f"{file} is damaged ({type(err).__name__}: {err}); remove it, or verify the run again") from err


def _older(file: Path, result: Path) -> bool:
    return result.exists() and file.stat().st_mtime < result.stat().st_mtime


def checks(path: Path, found: Verified, what: str = "run") -> Html:
    """The checks as a table, with what each could and could not detect.

    Args:
        path: Of the folder.
        found: The verification.
        what: Is verified: a "run" or an "algorithm".
    """
    if found.verdict is None:
        command = tag("code", f"hybrid verify {shlex.quote(str(path))}")
        return section(
            "Verification", tag("p", f"The {what} was not verified. ", command, " checks it by other means.")
        )
    return section(
        "Verification",
        tag("p", f"Verdict: {found.verdict}.", class_="status"),
        table(
            ("Check", "Outcome", "Finding", "Detects", "Cannot detect"),
            [_row(check) for check in found.checks],
            caption=f"Checks of the {what}",
            folds=True,
        ),
    )


def _row(check: dict[str, str]) -> tuple[Any, ...]:
    name, outcome = check["name"], check["outcome"]
    told = tag("span", SIGNS.get(outcome, outcome), class_=f"outcome {outcome if outcome in SIGNS else 'none'}")
    return name, told, check["finding"], *detects(name)
