"""The unit of work that a backend takes, one circuit, rows of parameters, observables; and what comes back."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.checks import ObservablesLike, as_observables, as_rows, check_request, check_unitary
from circuits import tables


@dataclass(frozen=True, eq=False)
class Batch:
    """Every row of parameters against every observable, with one wanted precision or number of shots.

    Attributes:
        circuit: Unitary circuit, without measurements.
        observables: Hermitian operators on the circuit's qubits; a single one is taken as a sequence of one.
        parameters: Shape (rows, params) or (params,), radians, in ``circuit.parameters`` order.
        precision: Wanted standard error of each value, in the observable's unit. Exact values satisfy any.
        shots: Shots for each measured circuit; an exact simulator then samples, too.
        seed: The same seed gives the same values.

    Raises:
        Refused: if circuit, observables and parameters do not fit each other.
    """

    circuit: QuantumCircuit
    observables: tuple[SparsePauliOp, ...]
    parameters: np.ndarray
    precision: float | None = None
    shots: int | None = None
    seed: int | None = None

    def __init__(
        self,
        circuit: QuantumCircuit,
        observables: ObservablesLike,
        parameters: ArrayLike = (),
        precision: float | None = None,
        shots: int | None = None,
        seed: int | None = None,
    ):
        check_unitary(circuit)
        check_request(precision, shots, seed)
        put = object.__setattr__
        put(self, "circuit", circuit)
        put(self, "observables", as_observables(observables, circuit.num_qubits))
        put(self, "parameters", as_rows(parameters, circuit))
        put(self, "precision", precision)
        put(self, "shots", None if shots is None else int(shots))
        put(self, "seed", seed)

    @property
    def n_rows(self) -> int:
        """Number of parameter rows."""
        return len(self.parameters)

    @property
    def n_evaluations(self) -> int:
        """A batch is evaluated once."""
        return 1

    @property
    def n_final(self) -> int:
        """Nothing follows a batch."""
        return 0

    @property
    def derivative(self) -> bool:
        """A batch asks for values only."""
        return False


@dataclass(frozen=True, eq=False)
class Expectations:
    """Result of a batch.

    Attributes:
        values: Expectation values, shape (rows, observables), in the observables' unit.
        standard_errors: Statistical errors of the values, same shape; zeros where there are none.
        shots: Shots taken for each measured circuit, 0 where none were.
        seconds: Time by phase: "compile", "execute", "queue", whichever there were.
        bias: Estimated size of the values' systematic errors, same shape: what truncation or mitigation may have moved
            them by; zeros, the default, where they are exact or only a device's noise is in them.
    """

    values: np.ndarray
    standard_errors: np.ndarray
    shots: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    bias: np.ndarray = None  # pyright: ignore[reportAssignmentType] - an array from here on

    def __post_init__(self):
        if self.bias is None:
            object.__setattr__(self, "bias", np.zeros_like(self.values))

    def _cells(self, row: int) -> list[str]:
        measured = zip(self.values[row], self.standard_errors[row], strict=True)
        return [str(row), *(f"{value:.8g}" + (f" ± {error:.2g}" if error else "") for value, error in measured)]

    def _table(self) -> dict[str, Any]:
        rows, observables = self.values.shape
        shots = f"{self.shots:,} shots for each measured circuit" if self.shots else "without shots"
        title = f"{rows} rows of parameters, {shots}; in the observables' unit"
        columns = ("row", *(f"observable {k}" for k in range(observables)))
        return {"rows": tables.ends(rows, self._cells), "title": title, "columns": columns}

    def __str__(self) -> str:
        return tables.text(**self._table())

    def _repr_html_(self) -> str:
        return tables.html(**self._table())


class Evaluate(Protocol):
    """A circuit and observables made ready for many rows of parameters."""

    def __call__(
        self,
        parameters: ArrayLike,
        precision: float | None = None,
        shots: int | None = None,
        seed: int | None = None,
    ) -> Expectations:
        """Values, with the meaning of a `Batch` of these parameters."""
        ...
