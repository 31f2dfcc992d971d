"""Values that Aer computes without counting: expectation values of states, and of states under noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.measurement.circuits import MeasuredCircuits
from backends.measurement.counted import result_of
from backends.simulators.readout import Readout

if TYPE_CHECKING:
    from qiskit_aer import AerSimulator


@dataclass(frozen=True, eq=False)
class SavedValues:
    """A circuit that saves expectation values at its end.

    Attributes:
        circuit: In the simulator's gates, parameters still free.
        parameters: The original circuit's, the columns of a row.
        n_observables: How many values it saves.
    """

    circuit: QuantumCircuit
    parameters: tuple[Any, ...]
    n_observables: int

    def values(self, simulator: "AerSimulator", rows: np.ndarray) -> np.ndarray:
        """Expectation values: (rows, params) -> (rows, observables)."""
        values = np.empty((len(rows), self.n_observables))
        for k, row in enumerate(rows):  # bound here: Aer's own parameter_binds leaves controlled rotations wrong (0.18)
            bound = self.circuit.assign_parameters(dict(zip(self.parameters, row, strict=True)), strict=False)
            data = result_of(simulator, bound, {}, "aer").data(0)
            values[k] = [np.real(data[str(o)]) for o in range(self.n_observables)]
        return values


def saved_values(
    moved: QuantumCircuit, layout: Sequence[int], parameters: Sequence[Any], observables: Sequence[SparsePauliOp]
) -> SavedValues:
    """Let a circuit save the values of observables.

    Args:
        moved: On the simulator's qubits and in its gates, parameters free or not.
        layout: The simulator's qubit that holds each of the original qubits.
        parameters: The original circuit's, the columns of a row.
        observables: On the original circuit's qubits.
    """
    full: Any = moved.copy()
    for k, observable in enumerate(observables):
        full.save_expectation_value(observable, list(layout), label=str(k))
    return SavedValues(full, tuple(parameters), len(observables))


Placed = Callable[[list[QuantumCircuit]], "tuple[AerSimulator, list[QuantumCircuit]]"]
"""From circuits on a device to a simulator, and circuits that it runs in their place."""


def noisy_values(place: Placed, program: MeasuredCircuits, readout: Readout, rows: np.ndarray) -> np.ndarray:
    """What infinitely many shots would give on a density matrix: (rows, params) -> (rows, observables).

    Args:
        place: Gives the simulator, with the density-matrix method and the noise of the qubits in use.
        program: The circuits in the basis of each group.
        readout: Errors of measurement, which are applied to the probabilities here.
        rows: Of parameters, radians.

    Raises:
        Refused: for errors of measurement that confusion matrices do not cover.
    """
    readout.check_exact()
    values = np.empty((len(rows), len(program.plan.constants)))
    for k, row in enumerate(rows):
        circuits: list[Any] = list(program.rotated(row[None]))
        for circuit in circuits:
            circuit.save_probabilities(list(program.layout), label="p")
        simulator, placed = place(circuits)
        probabilities = []
        for circuit in placed:
            p = np.asarray(result_of(simulator, circuit, {}, "aer").data(0)["p"])
            probabilities.append(readout.confused(p, program.layout))
        values[k] = program.plan.expectations(probabilities)
    return values
