"""Measured circuits on a target: one for each parameter row and each group of terms, transpiled once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import Target

from backends.measurement.groups import Measurements, basis_change, measurements
from backends.measurement.outcomes import Outcomes, from_counts
from backends.measurement.targets import OptimizationLevel, translated, transpiled


@dataclass(frozen=True, eq=False)
class MeasuredCircuits:
    """A circuit on a target's qubits and gates, with what must follow it to measure each group.

    Attributes:
        circuit: On the target's qubits, parameters still free.
        parameters: The original circuit's parameters, the columns of a row.
        layout: Qubit of the target that holds each of the original qubits at the end.
        tails: For each group the change of basis, on the target's qubits and gates.
        plan: The groups.
    """

    circuit: QuantumCircuit
    parameters: tuple
    layout: tuple[int, ...]
    tails: tuple[QuantumCircuit, ...]
    plan: Measurements

    def rotated(self, rows: np.ndarray) -> Iterator[QuantumCircuit]:
        """Circuits in each group's basis, not measured yet: groups of the first row, then of the next."""
        for row in rows:
            bound = self.circuit.assign_parameters(
                dict(zip(self.parameters, row, strict=True)), inplace=False, strict=False
            )
            for tail in self.tails:
                full = bound.copy()
                full.compose(tail, inplace=True)
                yield full

    def measured(self, rows: np.ndarray) -> list[QuantumCircuit]:
        """The same circuits, original qubit q measured into bit q."""
        return [measure(circuit, self.layout) for circuit in self.rotated(rows)]

    def estimate(self, outcomes: list[Outcomes], n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Values and standard errors, shape (rows, observables) each, from the outcomes of `measured`."""
        n_groups = len(self.tails)
        rows = [self.plan.estimate(outcomes[k * n_groups : (k + 1) * n_groups]) for k in range(n_rows)]
        values, errors = zip(*rows, strict=True) if rows else ((), ())
        shape = (n_rows, len(self.plan.constants))
        return np.reshape(values, shape), np.reshape(errors, shape)


def measured_circuits(
    circuit: QuantumCircuit,
    observables: Sequence[SparsePauliOp],
    target: BackendV2 | Target,
    *,
    level: OptimizationLevel,
) -> MeasuredCircuits:
    """Bring a circuit to a target, and the basis changes of its observables behind it.

    Args:
        circuit: Without measurements.
        observables: On the circuit's qubits.
        target: As for `transpiled`.
        level: As for `transpiled`.
    """
    plan = measurements(observables)
    moved, layout = transpiled(circuit, target, level=level)
    tails = []
    for group in plan.groups:
        change = basis_change(group.basis)
        placed = QuantumCircuit(moved.num_qubits)
        placed.compose(change, qubits=layout, inplace=True)
        tails.append(translated(placed, target))
    return MeasuredCircuits(moved, tuple(circuit.parameters), layout, tuple(tails), plan)


def measure(circuit: QuantumCircuit, qubits: Sequence[int]) -> QuantumCircuit:
    """Measure the target's qubit ``qubits[k]`` into bit k."""
    full = QuantumCircuit(circuit.num_qubits, len(qubits))
    full.compose(circuit, inplace=True)
    full.measure(list(qubits), range(len(qubits)))
    return full


def outcomes_of(result: Any, n_circuits: int) -> list[Outcomes]:
    """Outcomes of every circuit in a Qiskit result."""
    return [from_counts(result.get_counts(k)) for k in range(n_circuits)]
