"""Where the error of an energy comes from: ansatz, optimizer, the device's noise, and statistics."""

from dataclasses import dataclass
from typing import Any

from pydantic import FiniteFloat

from circuits import tables
from hybrid.terminal.words import with_unit
from hybrid.workload.spec import RecordModel


class Share(RecordModel):
    """What one cause adds to the distance from the exact energy.

    Attributes:
        cause: "ansatz", "optimizer", "ansatz and optimizer", "noise" or "statistics".
        size: In the unit of the energies.
        interval: Half width of the 95 % interval of the size, in the same unit; 0 where it is exact.
        note: How it is known.
    """

    cause: str
    size: FiniteFloat
    interval: FiniteFloat
    note: str


@dataclass(frozen=True)
class ErrorBudget:
    """The distance of an energy from the exact one, divided among its causes.

    Attributes:
        shares: By cause; their sizes add up to the distance.
        unit: Of the energies.
    """

    shares: tuple[Share, ...]
    unit: str

    @property
    def total(self) -> float:
        """The energy less the exact one."""
        return sum(share.size for share in self.shares)

    def rows(self) -> list[tuple[str, str, str]]:
        """Cause, size with its interval and unit, and note, as text."""
        return [(share.cause, self._text(share.size, share.interval), share.note) for share in self.shares]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form; `of_dict` reads it."""
        return {"unit": self.unit, "shares": [share.model_dump() for share in self.shares]}

    @classmethod
    def of_dict(cls, content: dict[str, Any]) -> "ErrorBudget":
        """From its JSON-able form."""
        return cls(tuple(Share.model_validate(share) for share in content["shares"]), str(content["unit"]))

    def __str__(self) -> str:
        return "\n".join(
            [f"{cause:<22}{size:<32}{note}" for cause, size, note in self.rows()]
            + [f"{'total':<22}{self._text(self.total, 0.0)}"]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return tables.html([*self.rows(), ("total", self._text(self.total, 0.0), "above the exact energy")])

    def _text(self, size: float, interval: float) -> str:
        if not interval:
            return with_unit(f"{size:+.2g}", self.unit)
        return with_unit(f"{size:+.2g} ± {interval:.1g}", self.unit) + " (95 %)"


def error_budget(
    *,
    energy: float,
    standard_error: float,
    bias: float,
    exact: float | None,
    validated: float | None,
    reachable: float | None,
    noisy: bool,
    unit: str,
) -> ErrorBudget | None:
    """Divide the error of an energy among its causes.

    Args:
        energy: That the run ended with.
        standard_error: Of the energy.
        bias: Estimated size of its systematic error.
        exact: The exact energy; None where it is not known.
        validated: The energy at the same angles without noise and shots; None where it is not known.
        reachable: The lowest energy that was found for any angles without noise; None where it is not known.
        noisy: Whether the device's noise is in the energy.
        unit: Of all these.

    Returns:
        The budget; None where too little is known to divide anything.
    """
    if exact is None or validated is None:
        return None
    interval = 1.96 * standard_error
    shares = []
    if reachable is None:
        note = "not told apart: the best angles are not known"
        shares.append(Share(cause="ansatz and optimizer", size=validated - exact, interval=0.0, note=note))
    else:
        found = "at most: what descents without noise from the answer and the start left"
        shares.append(Share(cause="ansatz", size=reachable - exact, interval=0.0, note=found))
        angles = "the angles, beside the best that were found"
        shares.append(Share(cause="optimizer", size=validated - reachable, interval=0.0, note=angles))
    if noisy:
        left = f", its bias estimated as {bias:.1g}" if bias else ""
        note = f"the energy less the exact one at the same angles{left}"
        shares.append(Share(cause="noise", size=energy - validated, interval=interval, note=note))
        shares.append(Share(cause="statistics", size=0.0, interval=interval, note="of the shots: the noise's ±"))
    else:
        note = "of the shots: the energy less the exact one at the same angles"
        shares.append(Share(cause="statistics", size=energy - validated, interval=interval, note=note))
    return ErrorBudget(tuple(shares), unit)
