"""What a vendor last measured of a device: the numbers that its answers depend on, with their date."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits import tables

LARGE = 0.2
"""Relative change that is worth telling."""

QUANTITIES = (("T1", " µs", 1e6), ("T2", " µs", 1e6), ("readout error", "", 1.0), ("two-qubit error", "", 1.0))
"""What a device is judged by, the unit that it is shown in, and how many of these are one of the kept numbers."""


@dataclass(frozen=True)
class Qubit:
    """One qubit.

    Attributes:
        t1_s: Relaxation time, seconds; None where it was not measured.
        t2_s: Dephasing time, seconds; as `t1_s`.
        readout_error: Probability that a measurement tells the wrong bit; as `t1_s`.
    """

    t1_s: float | None = None
    t2_s: float | None = None
    readout_error: float | None = None


@dataclass(frozen=True)
class Gate:
    """One gate on certain qubits.

    Attributes:
        name: Of the gate.
        qubits: In its order.
        error: Average infidelity; None where it was not measured.
    """

    name: str
    qubits: tuple[int, ...]
    error: float | None = None


@dataclass(frozen=True)
class Change:
    """A number that was measured anew.

    Attributes:
        what: The quantity: "T1", "T2", "readout error" or "two-qubit error".
        where: Of which qubit, or of which gate on which qubits.
        then: Its earlier value; times in seconds.
        now: Its newest value.
    """

    what: str
    where: str
    then: float
    now: float

    def __str__(self) -> str:
        then, now, unit = (self.then, self.now, "")
        if self.what in ("T1", "T2"):
            then, now, unit = 1e6 * then, 1e6 * now, " µs"
        return f"{self.what} of {self.where} from {then:.3g} to {now:.3g}{unit} ({self.now / self.then - 1:+.0%})"


@dataclass(frozen=True)
class Calibration:
    """A device, or some of its qubits, at one time.

    Attributes:
        device: Its name.
        date: When the vendor last changed any of the numbers, ISO 8601.
        qubits: By their numbers on the device.
        gates: On these qubits alone.
    """

    device: str
    date: str
    qubits: dict[int, Qubit]
    gates: tuple[Gate, ...]

    def of(self, qubits: Iterable[int]) -> "Calibration":
        """The part that belongs to some qubits."""
        kept = set(qubits)
        return Calibration(
            self.device,
            self.date,
            {q: one for q, one in self.qubits.items() if q in kept},
            tuple(gate for gate in self.gates if kept >= set(gate.qubits)),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "device": self.device,
            "date": self.date,
            "qubits": {str(q): [one.t1_s, one.t2_s, one.readout_error] for q, one in self.qubits.items()},
            "gates": [[gate.name, list(gate.qubits), gate.error] for gate in self.gates],
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Calibration":
        """From what `to_dict` gave."""
        return cls(
            content["device"],
            content["date"],
            {int(q): Qubit(*numbers) for q, numbers in content["qubits"].items()},
            tuple(Gate(name, tuple(qubits), error) for name, qubits, error in content["gates"]),
        )

    def changes(self, since: "Calibration") -> list[Change]:
        """Of each quantity the number that has changed most, by its ratio, since an earlier calibration.

        Args:
            since: The earlier one, of the same qubits; what only one of the two has measured is left out.
        """
        then = {(what, where): value for what, where, value in since._numbers()}
        largest: dict[str, Change] = {}
        for what, where, now in self._numbers():
            before = then.get((what, where))
            if before is None or before == now:
                continue
            change = Change(what, where, before, now)
            if what not in largest or _size(change) > _size(largest[what]):
                largest[what] = change
        return list(largest.values())

    def drift(self, since: "Calibration") -> str:
        """What changed since an earlier calibration, in words; empty if nothing was measured anew.

        Args:
            since: The earlier one, of the same qubits.
        """
        if self.date == since.date:
            return ""
        large = [change for change in self.changes(since) if abs(change.now / change.then - 1) > LARGE]
        said = ", ".join(map(str, large))
        changes = f"; most changed {said}" if large else f"; nothing changed by more than {LARGE:.0%}"
        return f"{self.device} was calibrated anew ({since.date}, now {self.date}){changes}"

    def rows(self) -> list[tuple[str, str]]:
        """Medians and extremes of the numbers, as pairs of a name and a text for tables."""
        rows = [("calibrated", self.date), ("qubits", f"{len(self.qubits)}")]
        for what, unit, scale in QUANTITIES:
            values = scale * np.array([value for name, _, value in self._numbers() if name == what])
            if len(values):
                middle, low, high = np.median(values), np.min(values), np.max(values)
                rows.append((what, f"{middle:.3g}{unit} (median; {low:.3g} to {high:.3g}{unit})"))
        return rows

    def __repr__(self) -> str:
        return f"Calibration({self.device!r}, {len(self.qubits)} qubits, {self.date})"

    def __str__(self) -> str:
        return tables.text(self.rows(), title=self.device)

    def _repr_html_(self) -> str:
        return tables.html(self.rows(), title=self.device)

    def _numbers(self) -> Iterator[tuple[str, str, float]]:
        """Every number that was measured, above 0, with the quantity and the place that it belongs to."""
        for q, one in self.qubits.items():
            values = (("T1", one.t1_s), ("T2", one.t2_s), ("readout error", one.readout_error))
            for what, value in values:
                if value is not None and 0 < value < math.inf:
                    yield what, f"qubit {q}", value
        for gate in self.gates:
            if len(gate.qubits) == 2 and gate.error is not None and 0 < gate.error < math.inf:
                yield "two-qubit error", f"{gate.name} on {gate.qubits[0]}, {gate.qubits[1]}", gate.error


def _size(change: Change) -> float:
    return abs(math.log(change.now / change.then))


def from_properties(device: str, properties: Any) -> Calibration:
    """From the properties that IBM's devices and snapshots have.

    Args:
        device: Its name.
        properties: A BackendProperties of qiskit-ibm-runtime.
    """
    qubits = {}
    for number in range(len(properties.qubits)):
        measured = properties.qubit_property(number)
        values = (measured.get(name, (None,))[0] for name in ("T1", "T2", "readout_error"))
        qubits[number] = Qubit(*values)
    gates = tuple(
        Gate(gate.gate, tuple(gate.qubits), _error(gate)) for gate in properties.gates if len(gate.qubits) <= 2
    )
    return Calibration(device, properties.last_update_date.isoformat(), qubits, gates)


def _error(gate: Any) -> float | None:
    return next((float(one.value) for one in gate.parameters if one.name == "gate_error"), None)
