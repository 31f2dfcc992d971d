"""The exit codes of the commands."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from circuits.errors import (
    BudgetExceeded,
    FailedJob,
    LostJob,
    PolicyViolation,
    ProviderUnreachable,
    RecordFailed,
    Refused,
    ToolkitError,
)

if TYPE_CHECKING:
    from hybrid.studies.outcome import Outcome

DONE, UNRECORDED, WRONG_INPUT, NOT_CONVERGED, NOT_ALLOWED, PROVIDER_FAILED, STOPPED = 0, 1, 2, 3, 4, 5, 75

HELP = (
    "Exit codes: 0 done, 1 the record could not be written, 2 wrong input, 3 not converged, 4 refused by policy or "
    "budget, 5 a provider failed, 75 stopped by a signal with all work saved (continue with --resume)."
)


def of_error(err: ToolkitError) -> int:
    """The exit code of a command that ends in an error."""
    if isinstance(err, PolicyViolation | BudgetExceeded):
        return NOT_ALLOWED
    if isinstance(err, FailedJob | LostJob | ProviderUnreachable):
        return PROVIDER_FAILED
    if isinstance(err, RecordFailed):
        return UNRECORDED
    assert isinstance(err, Refused)
    return WRONG_INPUT


def of_outcomes(outcomes: "Sequence[Outcome]", n_points: int) -> int:
    """The exit code of a study.

    Args:
        outcomes: Of the points that have ended, in any order.
        n_points: Number of points of the study; a study with fewer outcomes was stopped.

    Returns:
        The highest code of the points' errors if there are any; otherwise `STOPPED`, `NOT_CONVERGED` or `DONE`.
    """
    if len(outcomes) < n_points:
        return STOPPED
    if errors := [outcome.error for outcome in outcomes if outcome.error is not None]:
        return max(map(of_error, errors))
    statuses = {outcome.result.status for outcome in outcomes if outcome.result is not None}
    if "stopped" in statuses:
        return STOPPED
    return DONE if statuses <= {"converged", "finished"} else NOT_CONVERGED
