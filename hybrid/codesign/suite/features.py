"""Features of a circuit by which SupermarQ compares applications, each between 0 and 1."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.converters import circuit_to_dag

from hybrid.codesign.suite.benchmark import Task


@dataclass(frozen=True)
class Features:
    """What a circuit asks of a device; barriers count for nothing.

    Attributes:
        communication: Mean number of partners that a qubit has gates with, over that of a complete graph.
        critical_depth: Gates on two qubits along a longest path, over all of them.
        entanglement_ratio: Gates on two qubits over all gates.
        parallelism: Gates side by side in a layer on average, from 0 for one at a time to 1 for one on every qubit.
        liveness: Part of the qubits that are busy in a layer, on average.
        measurement: Part of the layers that reset a qubit; measurements at the end do not count.

    References:
        T. Tomesh et al., HPCA 2022, p. 587, arXiv:2202.11045.
    """

    communication: float
    critical_depth: float
    entanglement_ratio: float
    parallelism: float
    liveness: float
    measurement: float


def features(circuit: QuantumCircuit) -> Features:
    """The features of a circuit as it is given, its measurements included.

    A feature that would divide by nothing, as of a circuit without gates or of one qubit, is 0.

    Args:
        circuit: It is not changed.

    >>> bell = QuantumCircuit(2)
    >>> _ = bell.h(0), bell.cx(0, 1)
    >>> features(bell)
    Features(communication=1.0, critical_depth=1.0, entanglement_ratio=0.5, parallelism=0.0, liveness=0.75, ...)
    """
    n = circuit.num_qubits
    place = {qubit: k for k, qubit in enumerate(circuit.qubits)}
    dag = circuit_to_dag(circuit)
    dag.remove_all_ops_named("barrier")
    depth, n_gates = dag.depth(), len(dag.gate_nodes())
    pairs = [frozenset(place[qubit] for qubit in node.qargs) for node in dag.two_qubit_ops()]
    on_path = sum(1 for node in dag.longest_path() if len(getattr(node, "qargs", ())) == 2)
    busy = sum(len(node.qargs) for node in dag.topological_op_nodes())
    return Features(
        communication=_ratio(2 * len(set(pairs)), n * (n - 1)),
        critical_depth=_ratio(on_path, len(pairs)),
        entanglement_ratio=_ratio(len(pairs), n_gates),
        parallelism=max(_ratio(_ratio(n_gates, depth) - 1, n - 1), 0.0),
        liveness=_ratio(busy, n * depth),
        measurement=_measurement(circuit),
    )


def mean_features(circuits: Iterable[QuantumCircuit]) -> Features:
    """The mean of each feature over circuits.

    Args:
        circuits: At least one.
    """
    rows = [features(circuit) for circuit in circuits]
    return Features(**{field.name: float(np.mean([getattr(row, field.name) for row in rows])) for field in _FIELDS})


def measured(task: Task) -> QuantumCircuit:
    """The circuit of a task, with measurements of all qubits where counts are asked for and it names none."""
    if task.observables or task.circuit.num_clbits:
        return task.circuit
    circuit = task.circuit.copy()
    circuit.measure_all()
    return circuit


_FIELDS = fields(Features)


def _measurement(circuit: QuantumCircuit) -> float:
    """Part of the layers with a reset, once the measurements at the end are gone."""
    left: Any = circuit.remove_final_measurements(inplace=False)
    dag = circuit_to_dag(left)
    dag.remove_all_ops_named("barrier")
    resets = sum(any(node.name == "reset" for node in layer["graph"].op_nodes()) for layer in dag.layers())
    return _ratio(resets, dag.depth())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
