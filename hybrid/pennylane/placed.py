"""Which backend computes what a device is asked for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend, States
from circuits.errors import Refused
from hybrid.primitives.asked import AskedCounts, AskedValues, place


@dataclass(frozen=True, eq=False)
class _AskedGradient(AskedValues):
    """Expectation values with their derivatives."""

    derivative = True  # pyright: ignore[reportAssignmentType]


@dataclass(frozen=True, eq=False)
class _AskedState(AskedValues):
    """Final states."""

    def check(self, backend: Backend) -> None:
        """Refuse a backend that hands out no states."""
        if not isinstance(backend, States):
            raise Refused(f"'{backend.capabilities().name}' hands out no states")


_KINDS: dict[str, type[AskedValues]] = {"values": AskedValues, "derivatives": _AskedGradient, "states": _AskedState}


def placed(
    what: str,
    circuit: QuantumCircuit,
    observables: tuple[SparsePauliOp, ...],
    rows: np.ndarray,
    *,
    backend: Any,
    shots: int | None = None,
) -> Backend:
    """The backend that computes it: the one asked for, or the plan's choice.

    Args:
        what: "values", "derivatives", "states", or "counts" of a number of shots.
        circuit: With its angles free.
        observables: On its qubits.
        rows: Of angles, radians, shape (rows, angles).
        backend: "auto", a name or an object.
        shots: Of each row.

    Raises:
        Refused: if none can.
    """
    asked: AskedCounts | AskedValues
    if what == "counts":
        asked = AskedCounts(circuit, observables, rows, precision=None, shots=shots, accuracy=np.inf, label="open")
    else:
        asked = _KINDS[what](
            circuit, observables, rows, precision=None, shots=None, accuracy=1e-6, label="open", exactly=True
        )
    return place(asked, backend)[0]
