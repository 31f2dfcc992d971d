"""One device for one application: its error by causes, and what each number of the device does to it."""

import math
from typing import Any

from pydantic import FiniteFloat

from hybrid.codesign import words
from hybrid.codesign.sensitivity import Sensitivity
from hybrid.codesign.size import NORMAL, Size
from hybrid.runs.error_budget import ErrorBudget, Share
from hybrid.workload.spec import RecordModel

PERFECT = 1e-12
"""Below it, beside the energy, an error is rounding."""


class Mitigated(RecordModel):
    """The energy with mitigation.

    Attributes:
        words: What was done.
        value: In the problem's unit.
        standard_error: Of the shots that were drawn.
        bias: Estimate of what is left.
        shots: Of each circuit.
    """

    words: list[str]
    value: FiniteFloat
    standard_error: FiniteFloat
    bias: FiniteFloat
    shots: int


class DevicePoint(RecordModel):
    """What is known of one device for one application.

    Attributes:
        name: What is varied, with its values, or the device's name.
        device: The device's name.
        values: What is varied.
        numbers: Median of each noise parameter over its places, SI units; infinite ones are left out.
        method: How the noisy value was found: "density", "trajectories" or "model".
        unit: Of the energies.
        size: Gates, shots, time, money.
        exact: The exact energy; None where it is not known.
        optimum: The lowest energy that was found without noise.
        theta: Angles that are used, radians.
        noiseless: The energy at these angles without noise.
        noisy: The energy at these angles with it.
        standard_error: Of that, where it was drawn from shots; else 0.
        unadapted: The noisy energy at the angles of `optimum`; that of `noisy` unless angles are optimized anew.
        modelled: What the analytic model says in place of `noisy`.
        target: Wanted error.
        sensitivities: Of all parameters; of the model where `method` is not "density".
        mitigated: The energy with mitigation, if asked for.
    """

    name: str
    device: str
    values: dict[str, bool | float | int | str]
    numbers: dict[str, FiniteFloat]
    method: str
    unit: str
    size: Size
    exact: FiniteFloat | None
    optimum: FiniteFloat
    theta: list[FiniteFloat]
    noiseless: FiniteFloat
    noisy: FiniteFloat
    standard_error: FiniteFloat
    unadapted: FiniteFloat
    modelled: FiniteFloat
    target: FiniteFloat
    sensitivities: list[Sensitivity]
    mitigated: Mitigated | None = None

    @property
    def reference(self) -> float:
        """From which errors count: the exact energy, or the lowest without noise where that is not known."""
        return self.optimum if self.exact is None else self.exact

    @property
    def error(self) -> float:
        """The energy of infinitely many shots less the exact one, in the unit."""
        return self.noisy - self.reference

    @property
    def interval(self) -> float:
        """Half width of the error's 95 % interval: of the experiment's shots, and of those that were drawn here."""
        return NORMAL * math.hypot(self.size.standard_error, self.standard_error)

    @property
    def noise(self) -> float:
        """The part of the error that the device makes at these angles."""
        return self.noisy - self.noiseless

    @property
    def model_error(self) -> float:
        """What the analytic model says of the noise's part, less what it is."""
        return self.modelled - self.noisy

    def of(self, parameter: str) -> Sensitivity:
        """What one parameter, or a group of them, does.

        Args:
            parameter: Its name.
        """
        return next(one for one in self.sensitivities if one.parameter == parameter)

    def budget(self) -> ErrorBudget:
        """The error, divided among its causes."""
        drawn = NORMAL * self.standard_error
        unknown = self.exact is None
        note = "not known: no exact energy" if unknown else "the lowest energy without noise, less the exact one"
        shares = [
            Share(cause="ansatz", size=self.optimum - self.reference, interval=0.0, note=note),
            Share(cause="angles", size=self.noiseless - self.optimum, interval=0.0, note=self._of_angles()),
            Share(cause="noise", size=self.noise, interval=drawn, note=f"of the device, by {self.method}"),
        ]
        circuits = f"each of {self.size.circuits} circuits" if self.size.circuits > 1 else "one circuit"
        said = f"of {self.size.shots:,} shots of {circuits}"
        width = NORMAL * self.size.standard_error
        return ErrorBudget((*shares, Share(cause="statistics", size=0.0, interval=width, note=said)), self.unit)

    def _of_angles(self) -> str:
        if self.unadapted == self.noisy:
            return "those without noise are kept"
        return f"optimized anew under noise, which buys {words.energy(self.unadapted - self.noisy, self.unit)}"

    def limits(self) -> list[tuple[str, float]]:
        """What limits the application, and the error that goes where it is perfect, the largest first.

        T1 and T2, and the durations of gates, stand together, with the part of the gates' errors that is theirs.
        """
        apart = ("t1", "t2", "one_qubit_s", "two_qubit_s", "all")
        hardware = [(one.parameter, one.perfect) for one in self.sensitivities if one.parameter not in apart]
        causes = [("ansatz", self.optimum - self.reference), ("angles", self.noiseless - self.optimum)]
        return sorted((*causes, *hardware), key=lambda pair: -pair[1])

    @property
    def limit(self) -> str | None:
        """The first bottleneck: a parameter, "coherence", "gate_times", "ansatz" or "angles"; None for no error."""
        name, size = self.limits()[0]
        return None if size <= PERFECT * max(1.0, abs(self.reference)) else name

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        own = {"error": self.error, "interval": self.interval, "limit": self.limit, "model_error": self.model_error}
        times = {"solution_s": self.size.solution_s, "solution_usd": self.size.solution_usd}
        return self.model_dump() | own | times | {"budget": self.budget().to_dict()["shares"]}
