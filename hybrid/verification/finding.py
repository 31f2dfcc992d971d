"""What a check has found."""

from typing import Literal, NamedTuple

Outcome = Literal["passed", "failed", "unchecked", "none"]


class Finding(NamedTuple):
    """What a check has found.

    Attributes:
        outcome: "passed"; "failed"; "unchecked" where something is claimed that could not be checked here; "none"
            where nothing of the kind is claimed.
        text: What was measured, against what bound; or why it was not checked.
    """

    outcome: Outcome
    text: str
