"""Measured circuits on a target: one for each parameter row and each group of terms, transpiled once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction, Measure
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from backends.measurement.groups import Measurements
from backends.measurement.outcomes import Outcomes
from backends.measurement.targets import placed_at, translated
from circuits.errors import Refused


@dataclass(frozen=True, eq=False)
class Tail:
    """What follows a circuit to measure one group.

    Attributes:
        circuit: The change of basis, on the target's qubits and gates.
        layout: Qubit of the target that holds each of the original qubits after it.
    """

    circuit: QuantumCircuit
    layout: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class MeasuredCircuits:
    """A circuit on a target's qubits and gates, with what must follow it to measure each group.

    Attributes:
        circuit: On the target's qubits, parameters still free.
        parameters: The original circuit's parameters, the columns of a row.
        layout: Qubit of the target that holds each of the original qubits at the end of the circuit.
        tails: For each group the change of basis.
        plan: The groups.
        together: Sets of the target's qubits that one measurement must read, see `measure`.
    """

    circuit: QuantumCircuit
    parameters: tuple
    layout: tuple[int, ...]
    tails: tuple[Tail, ...]
    plan: Measurements
    together: tuple[tuple[int, ...], ...]

    def bound(self, row: np.ndarray) -> QuantumCircuit:
        """The circuit with the parameters of a row, before any change of basis."""
        return self.circuit.assign_parameters(dict(zip(self.parameters, row, strict=True)), inplace=False, strict=False)

    def rotated(self, rows: np.ndarray) -> Iterator[QuantumCircuit]:
        """Circuits in each group's basis, not measured yet: groups of the first row, then of the next."""
        for row in rows:
            bound = self.bound(row)
            for tail in self.tails:
                yield followed(bound, tail)

    def measured(self, rows: np.ndarray) -> list[QuantumCircuit]:
        """The same circuits, original qubit q measured into bit q."""
        layouts = [tail.layout for tail in self.tails] * len(rows)
        return [
            measure(circuit, layout, self.together) for circuit, layout in zip(self.rotated(rows), layouts, strict=True)
        ]

    def estimate(self, outcomes: list[Outcomes], n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Values and standard errors, shape (rows, observables) each, from the outcomes of `measured`."""
        n_groups = len(self.tails)
        rows = [self.plan.estimate(outcomes[k * n_groups : (k + 1) * n_groups]) for k in range(n_rows)]
        values, errors = zip(*rows, strict=True) if rows else ((), ())
        shape = (n_rows, len(self.plan.constants))
        return np.reshape(values, shape), np.reshape(errors, shape)


def followed(circuit: QuantumCircuit, tail: Tail) -> QuantumCircuit:
    """A circuit on the target with a change of basis behind it."""
    full = circuit.copy()
    full.compose(tail.circuit, inplace=True)
    return full


def measured_circuits(
    moved: QuantumCircuit,
    layout: tuple[int, ...],
    plan: Measurements,
    target: BackendV2 | Target,
    *,
    parameters: Sequence[Any],
    together: tuple[tuple[int, ...], ...] = (),
) -> MeasuredCircuits:
    """A circuit with what must follow it to measure a plan's groups.

    Args:
        moved: Without measurements, on the target; as `transpiled` gives it.
        layout: As `transpiled` gives it.
        plan: Of observables on the original circuit's qubits.
        target: As for `transpiled`.
        parameters: The original circuit's, the columns of a row.
        together: As for `measure`.

    Raises:
        Refused: as `measure`.
    """
    measured_at_once(layout, together)  # refused here, before anything is run
    tails = []
    for group in plan.groups:
        if group.clifford is not None:
            tails.append(Tail(*placed_at(group.clifford, layout, target)))
            continue
        placed = QuantumCircuit(moved.num_qubits)
        placed.compose(group.change, qubits=layout, inplace=True)
        tails.append(Tail(translated(placed, target), layout))
    return MeasuredCircuits(moved, tuple(parameters), layout, tuple(tails), plan, together)


def measure(circuit: QuantumCircuit, qubits: Sequence[int], together: Sequence[tuple[int, ...]] = ()) -> QuantumCircuit:
    """Measure the target's qubit ``qubits[k]`` into bit k.

    Args:
        circuit: Without measurements.
        qubits: Of the circuit.
        together: Sets of qubits that one measurement must read; every other qubit is measured alone.

    Raises:
        Refused: if only a part of such a set is to be measured.
    """
    full = QuantumCircuit(circuit.num_qubits, len(qubits))
    full.compose(circuit, inplace=True)
    for group in measured_at_once(qubits, together):
        measurement = Measure() if len(group) == 1 else Instruction("measure", len(group), len(group), [])
        full.append(measurement, group, [qubits.index(qubit) for qubit in group])
    return full


def measured_at_once(qubits: Sequence[int], together: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The sets in which some qubits are measured: those that belong together, and each other one alone.

    Args:
        qubits: The target's that are measured.
        together: Sets of the target's qubits that one measurement must read.

    Raises:
        Refused: if only a part of what belongs together is measured.
    """
    joint = [group for group in together if not set(group).isdisjoint(qubits)]
    for group in joint:
        if not set(group) <= set(qubits):
            missing = sorted(set(group).difference(qubits))
            raise Refused(
                f"the noise model has one measurement error for qubits {list(group)} together, and {missing} of them "
                "are not measured; use a circuit on all of them, or a noise model with an error for each"
            )
    rest = set(qubits).difference(*joint)
    return joint + [(q,) for q in qubits if q in rest]


def check_alone(together: Sequence[tuple[int, ...]]) -> None:
    """Refuse to measure on the way, qubit by qubit, what must be measured together."""
    if together:
        raise Refused(
            f"the noise model has one measurement error for qubits {list(together[0])} together, which a circuit that "
            "measures on the way would leave out; use a noise model with an error for each qubit"
        )


def with_partners(qubits: Sequence[int], layout: Sequence[int], together: Sequence[tuple[int, ...]]) -> list[int]:
    """Some of a circuit's qubits, and behind them its other ones that must be measured together with them.

    Args:
        qubits: The target's that shall be measured.
        layout: All of the target's qubits that the circuit lies on.
        together: As for `measure`.
    """
    touched = [group for group in together if not set(group).isdisjoint(qubits)]
    return [*qubits, *(q for group in touched for q in group if q not in qubits and q in layout)]
