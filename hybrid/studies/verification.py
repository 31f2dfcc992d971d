"""Verifying a sweep: each of its points as a run of its own, and one sentence on all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuits.errors import RecordFailed, Refused
from hybrid.algorithms.verification import verify
from hybrid.runs import folder as folders
from hybrid.runs.files import read_json, write_json
from hybrid.studies.sweep import slug
from hybrid.survey.record import differing, read
from hybrid.verification.verification import FILE, Check, Verification

SWEEP = "sweep.json"
SURVEY = "survey"
"""In place of a point's name: what the files of a survey make of its runs."""

SUBMITTED = Path("batch", "submissions.json")


@dataclass(frozen=True)
class PointVerification:
    """What came of one point.

    Attributes:
        name: Of the point.
        verification: Of its run; None where there is none that could be checked.
        problem: Why the point did not pass; empty if it did.
    """

    name: str
    verification: Verification | None
    problem: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        checked = {"verdict": "failed", "checks": []} if self.verification is None else self.verification.to_dict()
        return {"point": self.name, "passed": not self.problem, "problem": self.problem} | {
            key: checked[key] for key in ("verdict", "checks")
        }


@dataclass(frozen=True)
class SweepVerification:
    """All points of one sweep.

    Attributes:
        folder: Of the sweep.
        points: In the order of the grid, those without a run included.
        unwritten: Why the verification could not be written into the folder; empty if it was.
    """

    folder: Path
    points: tuple[PointVerification, ...]
    unwritten: str = ""

    @property
    def passed(self) -> bool:
        """Whether every point has a run that converged and of which everything was checked and holds."""
        return not any(point.problem for point in self.points)

    def sentence(self) -> str:
        """What came of all points together, those by name that did not pass."""
        wrong = [f"{point.name} ({point.problem})" for point in self.points if point.problem]
        total = f"{self.folder}: {len(self.points) - len(wrong)} of {len(self.points)} points passed"
        return f"{total}; not {', '.join(wrong)}" if wrong else f"{total}: all converged, and all that they claim holds"

    def rows(self) -> list[dict[str, str]]:
        """A row for each point: its name, the verdict, and what is wrong with it."""
        return [
            {
                "point": point.name,
                "verdict": "failed" if point.verification is None else point.verification.verdict,
                "checks": "" if point.verification is None else _counted(point.verification),
                "what": point.problem,
            }
            for point in self.points
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, the content of verification.json."""
        points = [point.to_dict() for point in self.points]
        return {"folder": str(self.folder), "passed": self.passed, "sentence": self.sentence(), "points": points}


def verify_sweep(
    folder: Path, *, on_point: Callable[[str], None] = lambda name: None, signers: Path | None = None
) -> SweepVerification:
    """Check every point of a sweep.

    Args:
        folder: Of the sweep.
        on_point: Called with the name of each point before it is checked.
        signers: A file of those who may have signed the points, in OpenSSH's format; then one of them must have.

    Returns:
        The `SweepVerification`; it is written to ``verification.json`` in the folder, too, if that can be written. A
        point that was asked for and has no run fails.
    """
    points = []
    for name in names(folder):
        on_point(name)
        points.append(_point(folder / name, name, signers))
    if folders.is_survey(folder):
        on_point(SURVEY)
        points.append(_survey(folder))
    verification = SweepVerification(folder, tuple(points))
    try:
        write_json(folder / FILE, verification.to_dict())
    except RecordFailed as err:
        return SweepVerification(folder, verification.points, unwritten=str(err))
    return verification


def names(folder: Path) -> list[str]:
    """The points of a sweep, those without a run included, in the order of the grid where the folder knows it."""
    heads = (folders.SPEC, folders.ALGORITHM)
    found = sorted({head.parent.name for name in heads for head in folder.glob(f"*/{name}")})
    known: list[str] = []
    if (folder / SUBMITTED).is_file():
        known = [str(name) for name in read_json(folder / SUBMITTED).get("names", ())]
    elif (folder / SWEEP).is_file():
        values = [point.get("values", {}) for point in read_json(folder / SWEEP).get("points", ())]
        known = [",".join(f"{name}={slug(value)}" for name, value in one.items()) for one in values]
    return list(dict.fromkeys([*known, *found]))


def _survey(folder: Path) -> PointVerification:
    """Whether what a survey's files say follows from its runs, and what was promised holds."""
    try:
        problem = differing(folder)
        found = read(folder)
    except Refused as err:
        return PointVerification(SURVEY, None, str(err))
    if not problem and found.status != "converged":
        problem = found.verdict.doubt if found.verdict is not None and found.verdict.doubt else "it has not ended"
    check = Check("surrogate", "failed" if problem else "passed", problem or "computed from the runs again: the same")
    return PointVerification(SURVEY, Verification(folder, (check,)), problem)


def _point(place: Path, name: str, signers: Path | None) -> PointVerification:
    if not (folders.is_run(place) or folders.is_algorithm(place)):
        return PointVerification(name, None, "it has no run")
    try:
        verification = verify(place, signers=signers)
    except Refused as err:
        return PointVerification(name, None, str(err))
    return PointVerification(name, verification, problem_of(verification))


def problem_of(verification: Verification) -> str:
    """Why a run did not pass, by the first check that says so; empty if it did."""
    if verification.passed:
        return ""
    ranks = {"failed": 0, "unchecked": 1}
    order = sorted(verification.checks, key=lambda check: (ranks.get(check.outcome, 2), check.name != "status"))
    check = order[0]
    return check.finding if check.name == "status" else f"{check.name} {check.outcome}: {check.finding}"


def _counted(verification: Verification) -> str:
    claimed = [check for check in verification.checks if check.outcome != "none"]
    return f"{sum(check.outcome == 'passed' for check in claimed)} of {len(claimed)}"
