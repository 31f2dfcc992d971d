"""What became of one point of a study."""

from dataclasses import dataclass
from typing import Any

from circuits.errors import ToolkitError
from hybrid.algorithms.result import AlgorithmResult
from hybrid.runs.result import Result
from hybrid.studies.study import Point


@dataclass(frozen=True)
class Outcome:
    """What became of one point: a result, or the error that kept it from one.

    Attributes:
        point: The point.
        result: Of its run or algorithm; None after an error.
        error: Why there is no result; None if there is one.
    """

    point: Point
    result: Result | AlgorithmResult | None
    error: ToolkitError | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form: the sweep's values, and the result's summary or the error."""
        values = {"values": dict(self.point.values)}
        if self.result is None:
            return values | {"status": "failed", "message": str(self.error)}
        return values | self.result.to_dict()
