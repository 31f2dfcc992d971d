"""Circuits with resets as circuits without: a qubit that is emptied goes on as a fresh one.

Resetting a qubit traces it out and puts |0> in its place. Giving the following gates a qubit that nothing has acted on,
and never looking at the old one again, is the same channel exactly, and is unitary. It takes a qubit for each reset.
"""

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.checks import check_unitary
from backends.instructions import hides, not_unitary, written_out


def without_resets(
    circuit: QuantumCircuit, observables: tuple[SparsePauliOp, ...]
) -> tuple[QuantumCircuit, tuple[SparsePauliOp, ...]]:
    """A circuit and observables with the same expectation values, where nothing is reset.

    Args:
        circuit: Of gates and resets.
        observables: On its qubits.

    Returns:
        Both as they are if nothing is reset but qubits that are still |0>; else on more qubits.

    Raises:
        Refused: for a circuit that measures or is steered by classical bits.

    >>> from qiskit import QuantumCircuit
    >>> circuit = QuantumCircuit(1)
    >>> _ = circuit.x(0), circuit.reset(0)
    >>> without_resets(circuit, (SparsePauliOp("Z"),))[1]
    (SparsePauliOp(['ZI'],
                  coeffs=[1.+0.j]),)
    """
    beside_gates = list(not_unitary(circuit))
    if not any(operation.name == "reset" for operation in beside_gates):
        if beside_gates:
            check_unitary(circuit)
        return circuit, observables
    written = written_out(circuit, lambda operation: not hides(operation))
    gates = written.copy_empty_like()
    for instruction in written.data:
        if instruction.operation.name != "reset":
            gates.append(instruction)
    check_unitary(gates)
    resets = sum(len(instruction.qubits) for instruction in written.data if instruction.operation.name == "reset")
    fresh = iter(range(circuit.num_qubits, circuit.num_qubits + resets))
    wide = QuantumCircuit(circuit.num_qubits + resets, global_phase=written.global_phase)
    wires = list(range(circuit.num_qubits))
    for instruction in written.data:
        on = [written.find_bit(qubit).index for qubit in instruction.qubits]
        if instruction.operation.name == "reset":
            for qubit in on:
                wires[qubit] = next(fresh)
        else:
            wide.append(instruction.operation, [wires[qubit] for qubit in on], copy=False)
    return wide, tuple(observable.apply_layout(wires, wide.num_qubits) for observable in observables)
