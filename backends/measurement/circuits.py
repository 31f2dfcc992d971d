"""Measured circuits on a target: one for each parameter row and each group of terms, transpiled once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.exceptions import QiskitError

from backends.instructions import is_standard, written_out
from backends.measurement.groups import Measurements, basis_change, measurements
from backends.measurement.outcomes import Outcomes, from_counts
from circuits.errors import Refused


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


def measured_circuits(circuit: QuantumCircuit, observables, target: Any, *, level: int) -> MeasuredCircuits:
    """Transpile a circuit for a target, and the basis changes of its observables behind it.

    Args:
        circuit: Without measurements.
        observables: On the circuit's qubits.
        target: A Qiskit BackendV2.
        level: Qiskit's optimization level; the transpiler's seed is fixed, so the result is always the same.
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


def transpiled(circuit: QuantumCircuit, target: Any, *, level: int) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """The circuit on the target's qubits and gates, and where each original qubit ends up.

    Whatever is no standard gate means its definition, so that a target reads it as every other backend does.

    Raises:
        Refused: if a gate cannot be written in the target's gates; the transpiler's reason is passed on.
    """
    plain = written_out(circuit, is_standard)
    try:
        moved = transpile(plain, target, optimization_level=level, seed_transpiler=0)
    except QiskitError as err:
        raise Refused(f"the circuit cannot be brought to the gates of {target.name}: {err}") from err
    if moved.layout is None:
        return moved, tuple(range(circuit.num_qubits))
    return moved, tuple(moved.layout.final_index_layout())


def translated(circuit: QuantumCircuit, target: Any) -> QuantumCircuit:
    """One-qubit gates already on the target's qubits, in the target's gates."""
    place = list(range(circuit.num_qubits)) if circuit.num_qubits == target.num_qubits else None
    return transpile(circuit, target, initial_layout=place, optimization_level=1, seed_transpiler=0)


def measure(circuit: QuantumCircuit, layout: tuple[int, ...]) -> QuantumCircuit:
    """Measure the target's qubit ``layout[q]`` into bit q."""
    full = QuantumCircuit(circuit.num_qubits, len(layout))
    full.compose(circuit, inplace=True)
    full.measure(layout, range(len(layout)))
    return full


def outcomes_of(result: Any, n_circuits: int) -> list[Outcomes]:
    """Outcomes of every circuit in a Qiskit result."""
    return [from_counts(result.get_counts(k)) for k in range(n_circuits)]
