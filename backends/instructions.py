"""Reading a circuit gate by gate, down to the gates that a backend knows."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlledGate, Gate, Instruction, ParameterExpression
from qiskit.circuit.library import GlobalPhaseGate, PauliEvolutionGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, SparseObservable, SparsePauliOp
from qiskit.transpiler.passes import HighLevelSynthesis

from circuits.errors import Refused

SILENT = ("barrier", "delay", "id")
"""Instructions that leave every state as it is."""

PLAIN = (Gate, Instruction, ControlledGate)
"""Types of what a user makes of a circuit; Qiskit's own gates have classes of their own."""

TAKEN = {*get_standard_gate_name_mapping(), "barrier", "mcphase", "mcx", "pauli", "unitary"}
"""Names that mean a standard operation, here or inside a simulator."""


def flatten(circuit: QuantumCircuit, keep: Callable[[Instruction], bool]) -> Iterator[tuple[Instruction, tuple]]:
    """The circuit's gates in order; a gate that is not kept is replaced by its definition, again and again.

    Args:
        circuit: Unitary circuit, parametrized or not.
        keep: Whether the caller knows what to do with a gate.

    Yields:
        ``(operation, qubits)`` with the qubits as indices into the circuit, in the gate's own order. Global phases come
        as a ``GlobalPhaseGate`` on no qubits.

    Raises:
        Refused: for a gate that is not kept and has no definition, by name.
    """
    yield from _flatten(circuit, tuple(range(circuit.num_qubits)), keep)


def _flatten(circuit, outer, keep):
    phase = circuit.global_phase
    if isinstance(phase, ParameterExpression) or phase != 0:
        yield GlobalPhaseGate(phase), ()
    index = {qubit: k for k, qubit in enumerate(circuit.qubits)}
    for instruction in circuit.data:
        operation, borrowed = instruction.operation, borrows_name(instruction.operation)
        if operation.name in SILENT and not borrowed:
            continue
        qubits = tuple(outer[index[qubit]] for qubit in instruction.qubits)
        if not borrowed and (operation.name == "global_phase" or keep(operation)):
            yield operation, qubits
            continue
        definition = _definition(operation)
        if definition is None:
            raise Refused(
                f"gate '{operation.name}' on qubits {list(qubits)} is unknown here and has no definition in simpler "
                "gates; write it with Qiskit's standard gates or as a UnitaryGate"
            )
        yield from _flatten(definition, qubits, keep)


def _definition(operation) -> QuantumCircuit | None:
    if isinstance(operation, AnnotatedOperation):
        alone = QuantumCircuit(operation.num_qubits)
        alone.append(operation, range(operation.num_qubits))
        return HighLevelSynthesis()(alone)
    return getattr(operation, "definition", None)


def borrows_name(operation: Any) -> bool:
    """Whether a user's own gate bears a standard gate's name; it means its definition, whatever the name says."""
    return operation.name in TAKEN and homemade(operation) and getattr(operation, "definition", None) is not None


def homemade(operation: Any) -> bool:
    """Whether an operation was made of a circuit, an OpenQASM definition or a class of the user's own."""
    kind = getattr(operation, "base_class", type(operation))
    return kind in PLAIN or not (kind.__module__ or "").startswith(("qiskit.circuit.", "qiskit_aer."))


def nested(circuit: QuantumCircuit) -> Iterator[Instruction]:
    """The operations of a circuit, and those inside the gates and instructions that a user made of circuits."""
    for instruction in circuit.data:
        yield instruction.operation
        if not instruction.is_standard_gate() and homemade(instruction.operation):
            yield from nested(getattr(instruction.operation, "definition", None) or QuantumCircuit())


def free(angle: Any) -> bool:
    """Whether a gate's parameter still depends on a free parameter of the circuit."""
    return isinstance(angle, ParameterExpression) and bool(angle.parameters)


def is_free(operation: Instruction) -> bool:
    """Whether any parameter of a gate is free."""
    return any(free(angle) for angle in getattr(operation, "params", ()))


def matrix_of(operation: Any) -> np.ndarray:
    """A gate's matrix as Qiskit gives it; bit j of its index belongs to the gate's qubit j."""
    return np.asarray(Operator(operation).data)


def terms(observable: SparsePauliOp) -> list[tuple[str, float]]:
    """Label and real coefficient of each term; the label's rightmost letter acts on qubit 0."""
    return list(zip(observable.paulis.to_labels(), np.real(np.asarray(observable.coeffs)).tolist(), strict=True))


def has_matrix(operation: Any, max_qubits: int) -> bool:
    """Whether Qiskit can give the gate's matrix; a larger gate counts only if it has no definition in smaller ones."""
    if operation.num_qubits > max_qubits and getattr(operation, "definition", None) is not None:
        return False
    return hasattr(operation, "__array__") or (not isinstance(operation, Gate) and hasattr(operation, "to_matrix"))


def exponents(gate: PauliEvolutionGate, time: Any = None) -> list[tuple[str, Any]] | None:
    """A Pauli evolution whose strings all commute, as a product of exponentials of single strings.

    exp(-i t sum_k c_k P_k) = prod_k exp(-i (a_k / 2) P_k)  with  a_k = 2 c_k t.

    Args:
        gate: The time, the coefficients, or both may be parametrized.
        time: Instead of the gate's own t.

    Returns:
        ``(label, a_k)`` for each string, the label's rightmost letter acting on the gate's first qubit; None if two
        strings do not commute, so that the gate means its Trotter synthesis (its ``definition``).
    """
    operators: list[Any] = gate.operator if isinstance(gate.operator, list) else [gate.operator]
    operators = [
        SparsePauliOp.from_sparse_observable(op) if isinstance(op, SparseObservable) else op for op in operators
    ]
    x = np.concatenate([op.paulis.x for op in operators]).astype(int)
    z = np.concatenate([op.paulis.z for op in operators]).astype(int)
    if np.any((x @ z.T + z @ x.T) % 2):
        return None
    time = gate.time if time is None else time
    return [
        (label, 2 * _real(coefficient, label) * time)
        for op in operators
        for label, coefficient in zip(op.paulis.to_labels(), op.coeffs, strict=True)
    ]


def _real(coefficient, label):
    if isinstance(coefficient, ParameterExpression):
        return coefficient
    if abs(coefficient.imag) > 1e-12:
        raise Refused(f"a PauliEvolutionGate has the complex coefficient {coefficient} at {label}: it is not unitary")
    return float(coefficient.real)
