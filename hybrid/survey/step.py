"""One run of a survey: what was proposed and predicted, and what came."""

import math
from dataclasses import dataclass
from typing import Any

from hybrid.survey.proposals import Proposal

FINISHED = ("converged", "finished")
"""Statuses of a run whose energy is what was asked for."""


@dataclass(frozen=True)
class Reading:
    """What a run came to.

    Attributes:
        energy: In the problem's unit.
        standard_error: Of the energy.
        accuracy: To which it was minimized.
        exact_energy: The right answer, or None where it is unknown.
        status: How the run has ended.
        unit: Of the energy.
        problem: Its name.
        result_sha256: Digest of the run's result.json.
    """

    energy: float
    standard_error: float
    accuracy: float
    exact_energy: float | None
    status: str
    unit: str
    problem: str
    result_sha256: str


@dataclass(frozen=True)
class Step:
    """A run that has ended.

    Attributes:
        proposal: Where it was made, why, and what was predicted.
        reading: What came.
    """

    proposal: Proposal
    reading: Reading

    @property
    def z(self) -> float | None:
        """How far the energy is from what was predicted, in standard deviations of both together; None of a first."""
        told = self.proposal
        if told.mean is None or told.deviation is None:
            return None
        noise = math.hypot(self.reading.standard_error, self.reading.accuracy)
        return (self.reading.energy - told.mean) / math.hypot(told.deviation, noise)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "run": self.proposal.number,
            **self.proposal.to_dict(),
            "energy": self.reading.energy,
            "standard_error": self.reading.standard_error,
            "exact_energy": self.reading.exact_energy,
            "z": self.z,
            "status": self.reading.status,
            "result_sha256": self.reading.result_sha256,
        }
