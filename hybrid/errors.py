"""The errors that users of `hybrid` meet; the whole tree stands in `circuits.errors`."""

from circuits.errors import (
    BudgetExceeded,
    FailedJob,
    LostJob,
    PolicyViolation,
    ProviderBusy,
    ProviderUnreachable,
    RecordFailed,
    Refused,
    ToolkitError,
)

__all__ = [
    "BudgetExceeded",
    "FailedJob",
    "LostJob",
    "PolicyViolation",
    "ProviderBusy",
    "ProviderUnreachable",
    "RecordFailed",
    "Refused",
    "ToolkitError",
]
