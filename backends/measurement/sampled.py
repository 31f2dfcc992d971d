"""Checks of a request for counts of bit strings."""

from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from backends.checks import as_rows, check_circuit, check_request, check_unitary
from circuits.errors import Refused


def sampled_circuit(
    circuit: QuantumCircuit, parameters: Any, shots: int, seed: int | None = None
) -> tuple[QuantumCircuit, np.ndarray]:
    """Check a request for counts; returns the circuit without its final measurements, and one row of parameters.

    Raises:
        Refused: if measurements stand anywhere but at the end, leave a qubit out, or permute the bits.
    """
    check_circuit(circuit)
    check_request(None, shots, seed)
    if any(instruction.operation.name == "measure" for instruction in circuit.data):
        _check_measured(circuit)
        circuit = circuit.copy()
        circuit.remove_final_measurements()
    check_unitary(circuit)
    rows = as_rows(parameters, circuit)
    if len(rows) != 1:
        raise Refused(f"sample() takes one row of parameters, not {len(rows)}")
    return circuit, rows[0]


def _check_measured(circuit: QuantumCircuit) -> None:
    targets: dict[int, int] = {}
    for instruction in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
        if instruction.operation.name == "measure":
            targets[qubits[0]] = circuit.find_bit(instruction.clbits[0]).index
        elif instruction.operation.name != "barrier" and any(q in targets for q in qubits):
            raise Refused("the circuit measures in its middle; only measurements at its very end can be sampled")
    if targets != {q: q for q in range(circuit.num_qubits)}:
        raise Refused(
            "sample() measures every qubit q into bit q; leave the measurements out or use circuit.measure_all()"
        )
