"""A pub as work that a plan finds a place for."""

from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import backends
from backends.base import Backend, Samples
from circuits.errors import Refused, unknown
from hybrid.routing.plan import candidates, check_possible, rank
from hybrid.routing.routed import Routed
from hybrid.workload.arguments import BackendLike
from hybrid.workload.workload import LABELS

ASKED = "asked for by name"
"""Why a pub is computed where nobody chose."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What all kinds of pubs have in common as work: evaluated once, without derivatives or memory of their own.

    Attributes:
        circuit: With its parameters free.
        observables: On the circuit's qubits.
        rows: Of parameters, shape (rows, params), radians.
        precision: Wanted standard error of each value, in the observables' unit; None where none was said.
        shots: Of each row; None where values are asked for.
        accuracy: As in `Routed`.
        label: Classification of the data.
    """

    circuit: QuantumCircuit
    observables: tuple[SparsePauliOp, ...]
    rows: np.ndarray
    precision: float | None
    shots: int | None
    accuracy: float
    label: str

    n_evaluations = 1
    n_final = 0
    derivative = False
    held_bytes = 0
    holder = ""

    @property
    def n_rows(self) -> int:
        """How many rows of parameters there are."""
        return len(self.rows)

    @property
    def first(self) -> np.ndarray:
        """The first row."""
        return self.rows[0]


@dataclass(frozen=True, eq=False)
class AskedValues(Asked):
    """Expectation values.

    Attributes:
        exactly: Whether values with a statistical error are no answer.
    """

    exactly: bool

    @property
    def description(self) -> str:
        """Sizes, on one line."""
        how = "exactly" if self.exactly else "" if self.precision is None else f"within {self.precision:g}"
        n_terms = sum(map(len, self.observables))
        return f"{self.circuit.num_qubits} qubits, {self.n_rows} rows, {n_terms} terms {how}".rstrip()

    def check(self, backend: Backend) -> None:
        """Refuse a backend that counts where exact values are asked for."""
        can = backend.capabilities()
        if self.exactly and not can.exact:
            raise Refused(
                f"a precision of 0 asks for exact values, and '{can.name}' has none; give a positive precision, or "
                "None for what it takes by default"
            )


@dataclass(frozen=True, eq=False)
class AskedCounts(Asked):
    """Measured bit strings."""

    @property
    def description(self) -> str:
        """Sizes, on one line."""
        return f"{self.circuit.num_qubits} qubits, {self.n_rows} rows, {self.shots} shots each"

    def check(self, backend: Backend) -> None:
        """Refuse a backend that hands out no bit strings."""
        if not isinstance(backend, Samples):
            raise Refused(f"'{backend.capabilities().name}' hands out no measured bit strings")


def place(asked: Routed, backend: BackendLike) -> tuple[Backend, str]:
    """Where a pub is computed, and why there.

    Args:
        asked: The pub.
        backend: "auto" for the first one of the plan, or the one to take.

    Raises:
        Refused: if no backend can do it; the message gives the reason of each.
        PolicyViolation: if the data's label forbids what could.
    """
    if backend == "auto":
        chosen = rank(asked, candidates(backend)).chosen
        return chosen.backend, chosen.reason
    check_possible(asked, [backend])
    return backends.get(backend), ASKED


def checked_backend(backend: BackendLike) -> BackendLike:
    """The backend that a name or an object means, made once; "auto" stays what it is.

    Raises:
        Refused: for a name that nobody has.
    """
    return backend if isinstance(backend, str) and backend == "auto" else backends.get(backend)


def checked_label(label: str) -> str:
    """A classification of data.

    Raises:
        Refused: for a word that is none.
    """
    if label not in LABELS:
        raise unknown("data label", str(label), LABELS)
    return label
