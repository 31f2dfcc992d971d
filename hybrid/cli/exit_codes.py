"""What the exit code of a command says."""

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

WORDS = (
    "Exit codes: 0 done, 1 the record could not be written, 2 wrong input, 3 not converged, 4 refused by policy or "
    "budget, 5 a provider failed, 75 stopped by a signal with all work saved (continue with --resume)."
)


def of_error(err: ToolkitError) -> int:
    """The code for an error."""
    if isinstance(err, PolicyViolation | BudgetExceeded):
        return NOT_ALLOWED
    if isinstance(err, FailedJob | LostJob | ProviderUnreachable):
        return PROVIDER_FAILED
    if isinstance(err, RecordFailed):
        return UNRECORDED
    assert isinstance(err, Refused)
    return WRONG_INPUT


def of_outcomes(outcomes: "Sequence[Outcome]", n_points: int) -> int:
    """The code for a study, of whose points some may not have been begun."""
    if len(outcomes) < n_points:
        return STOPPED
    if errors := [outcome.error for outcome in outcomes if outcome.error is not None]:
        return max(map(of_error, errors))
    statuses = {outcome.result.status for outcome in outcomes if outcome.result is not None}
    if "stopped" in statuses:
        return STOPPED
    return DONE if statuses <= {"converged"} else NOT_CONVERGED
