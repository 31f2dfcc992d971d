"""What a vendor last measured of a device: the numbers that its answers depend on, with their date."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

LARGE = 0.2
"""Relative change of a median that is worth telling."""


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

    def drift(self, since: "Calibration") -> str:
        """What changed since an earlier calibration, in words; empty if nothing was measured anew.

        Args:
            since: The earlier one, of the same qubits.
        """
        if self.date == since.date:
            return ""
        told = []
        for words, now, then in zip(MEDIANS, _medians(self), _medians(since), strict=True):
            if now is not None and then and abs(now / then - 1) > LARGE:
                told.append(f"{words} from {then:.3g} to {now:.3g}")
        changes = f": {', '.join(told)}" if told else f"; no median changed by more than {LARGE:.0%}"
        return f"{self.device} was calibrated anew ({since.date}, now {self.date}){changes}"


MEDIANS = ("T1 (s)", "T2 (s)", "readout error", "error of two-qubit gates")


def _medians(calibration: Calibration) -> tuple[float | None, ...]:
    qubits = calibration.qubits.values()
    columns = (
        [one.t1_s for one in qubits],
        [one.t2_s for one in qubits],
        [one.readout_error for one in qubits],
        [gate.error for gate in calibration.gates if len(gate.qubits) == 2],
    )
    known = [[value for value in column if value is not None] for column in columns]
    return tuple(median(column) if column else None for column in known)


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
