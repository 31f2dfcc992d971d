"""What the results of all algorithms have in common: they print themselves, in a terminal and in a notebook."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from qiskit import QuantumCircuit

from circuits import tables
from hybrid.runs import prepared
from hybrid.workload.arguments import BackendLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Summary(ABC):
    """A result that shows itself as a title and a few rows.

    Attributes:
        unchecked: Why no check of the record computes its own numbers anew; empty where one does, or where runs stand
            behind them that are checked.
        computed: Keys of its content whose numbers are computed from those of the stages, and may differ by rounding on
            another processor; all others are numbers of the stages, to the last bit.
    """

    unchecked: ClassVar[str] = ""
    computed: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def title(self) -> str:
        """What was done to what."""

    @abstractmethod
    def plot(self) -> "Figure":
        """A picture of the results."""

    @abstractmethod
    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text, for tables."""

    @abstractmethod
    def content(self) -> dict[str, Any]:
        """What result.json keeps of it: "status", "energy", "standard_error", "exact_energy", and what is its own."""

    def __str__(self) -> str:
        return tables.text(self.rows(), title=self.title())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return tables.html(self.rows(), title=self.title())


class PreparesState(Summary):
    """A result that ends with a circuit and its parameters: a state, which can be looked at and sampled."""

    @abstractmethod
    def prepared(self) -> tuple[QuantumCircuit, np.ndarray]:
        """The circuit and its parameters, shape (params,), radians."""

    def state(self) -> np.ndarray:
        """The exact state at the end, up to a global phase; as `hybrid.Result.state`."""
        return prepared.state(*self.prepared())

    def sample(
        self, *, shots: int = 1000, seed: int | None = None, backend: BackendLike = "statevector"
    ) -> dict[str, int]:
        """Counts of measuring all qubits of that state; as `hybrid.Result.sample`.

        Args:
            shots: How many.
            seed: Of the draws; a new one each time if None.
            backend: As for `hybrid.minimize`.
        """
        return prepared.sample(*self.prepared(), shots=shots, seed=seed, backend=backend)
