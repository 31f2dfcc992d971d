"""A request for counts of bit strings: what is measured, and how the counts are written.

A circuit without measurements is measured in every qubit. Of one that measures, the classical bits are counted, written
as Qiskit writes them: bit 0 of a register is its rightmost character, the first register is the rightmost word. A bit
that nothing is measured into is 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Instruction

from backends.checks import as_rows, check_circuit, check_request
from backends.instructions import SILENT, hides, is_unitary, written_out
from backends.measurement.outcomes import Outcomes
from circuits.errors import Refused


@dataclass(frozen=True, eq=False)
class Sampling:
    """A checked request for counts.

    Attributes:
        circuit: Gates alone, after which `qubits` are measured; or, where `middle` says something, the whole circuit.
        row: Parameters, shape (params,), radians.
        read: For each classical bit the qubit that is read into it at the end; None for a bit that stays 0.
        registers: Sizes of the classical registers, the first one first.
        middle: What the circuit does besides gates that measurements at its end follow; empty if nothing.
    """

    circuit: QuantumCircuit
    row: np.ndarray
    read: tuple[int | None, ...]
    registers: tuple[int, ...]
    middle: str

    @property
    def qubits(self) -> tuple[int, ...]:
        """The qubits to measure after the gates, ascending; at least one."""
        return tuple(sorted({q for q in self.read if q is not None})) or (0,)

    def at_end(self, backend: str) -> QuantumCircuit:
        """The gates, for a backend that can only measure after them.

        Raises:
            Refused: if the circuit does more than that.
        """
        if self.middle:
            raise Refused(
                f"{self.middle}, and '{backend}' measures at the end only; the backend 'aer' samples such circuits"
            )
        return self.circuit

    def of_qubits(self, outcomes: Outcomes) -> dict[str, int]:
        """Counts from what `qubits` gave, one column for each of them."""
        return self.classical(outcomes).to_counts(self.registers)

    def classical(self, outcomes: Outcomes) -> Outcomes:
        """What the classical bits hold, one column for each, from what `qubits` gave, one column for each of them."""
        bits = np.zeros((len(outcomes.bits), len(self.read)), dtype=np.uint8)
        for bit, qubit in enumerate(self.read):
            if qubit is not None:
                bits[:, bit] = outcomes.bits[:, self.qubits.index(qubit)]
        return Outcomes(bits, outcomes.counts)

    def of_all(self, outcomes: Outcomes) -> dict[str, int]:
        """Counts from what all qubits gave, column q for qubit q."""
        return self.of_qubits(Outcomes(outcomes.bits[:, list(self.qubits)], outcomes.counts))


def sampling(circuit: QuantumCircuit, parameters: Any, *, shots: int, seed: int | None = None) -> Sampling:
    """Check a request for counts.

    Args:
        circuit: With or without measurements. Resets at its start do nothing, and resets at its end change no count.
        parameters: Shape (params,), radians, in ``circuit.parameters`` order.
        shots: How many bit strings to draw.
        seed: Root of the random numbers.

    Raises:
        Refused: if the request means nothing, whatever the backend.
    """
    check_circuit(circuit)
    check_request(None, shots, seed)
    rows = as_rows(parameters, circuit)
    if len(rows) != 1:
        raise Refused(f"sample() takes one row of parameters, not {len(rows)}")
    whole = written_out(circuit, lambda operation: not hides(operation))
    gates, emptied, read, middle = _taken_off(whole)
    if measures(whole):
        loose = [bit for bit in whole.clbits if not whole.find_bit(bit).registers]
        whole.add_register(*([ClassicalRegister(bits=loose)] if loose else ()))
        return Sampling(whole if middle else gates, rows[0], read, _registers(whole), middle)
    if middle:
        whole.measure_all()
        return Sampling(whole, rows[0], (), _registers(whole), middle)
    everything = tuple(None if q in emptied else q for q in range(circuit.num_qubits))
    return Sampling(gates, rows[0], everything, (circuit.num_qubits,), "")


def _taken_off(whole: QuantumCircuit) -> tuple[QuantumCircuit, set[int], tuple[int | None, ...], str]:
    """A circuit without the measurements and resets at its end.

    Returns:
        The gates; the qubits that are reset after them; for each classical bit the qubit that is read into it; and in
        words what the circuit does besides, empty if nothing.
    """
    gates = QuantumCircuit(whole.num_qubits, global_phase=whole.global_phase)
    read: list[int | None] = [None] * whole.num_clbits
    measured: set[int] = set()
    emptied: set[int] = set()
    for instruction in whole.data:
        operation, name = instruction.operation, instruction.operation.name
        on = [whole.find_bit(qubit).index for qubit in instruction.qubits]
        if name == "measure":
            read[whole.find_bit(instruction.clbits[0]).index] = None if on[0] in emptied else on[0]
            measured.update(on)
        elif name == "reset":
            emptied.update(on)
        elif name in SILENT:
            if measured.union(emptied).isdisjoint(on):
                gates.append(operation, on, copy=False)
        else:
            middle = _middle(operation, on, measured, emptied)
            if middle:
                return gates, emptied, tuple(read), middle
            gates.append(operation, on, copy=False)
    return gates, emptied, tuple(read), ""


def _middle(operation: Instruction, on: list[int], measured: set[int], emptied: set[int]) -> str:
    if hasattr(operation, "blocks"):
        return f"the circuit has an instruction '{operation.name}', which decides on gates while it runs"
    if operation.num_clbits or not is_unitary(operation):
        return f"the circuit has an instruction '{operation.name}', which is no gate"
    for done, qubits in (("measures", measured), ("resets", emptied)):
        again = sorted(qubits.intersection(on))
        if again:
            return f"the circuit {done} qubit {again[0]} and goes on with it"
    return ""


def measures(circuit: QuantumCircuit) -> bool:
    """Whether a circuit measures anything, in its blocks, too."""
    return any(
        instruction.operation.name == "measure" or any(map(measures, getattr(instruction.operation, "blocks", ())))
        for instruction in circuit.data
    )


def _registers(circuit: QuantumCircuit) -> tuple[int, ...]:
    """Sizes of the classical registers; of one that holds all bits where they share some or stand in another order."""
    in_order = [bit for register in circuit.cregs for bit in register] == circuit.clbits
    return tuple(map(len, circuit.cregs)) if in_order else (circuit.num_clbits,)
