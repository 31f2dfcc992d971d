"""Reading a circuit gate by gate, down to the gates that a backend knows."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, ControlledGate, Gate, Instruction, ParameterExpression, Qubit
from qiskit.circuit.library import GlobalPhaseGate, PauliEvolutionGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator, SparseObservable, SparsePauliOp
from qiskit.synthesis import LieTrotter, MatrixExponential, QDrift, SuzukiTrotter
from qiskit.transpiler.passes import HighLevelSynthesis

from circuits.errors import Refused

SILENT = ("barrier", "delay", "id")
"""Instructions that leave every state as it is."""

PLAIN = (Gate, Instruction, ControlledGate)
"""Types of what a user makes of a circuit; Qiskit's own gates have classes of their own."""

LIBRARIES = ("qiskit.circuit.", "qiskit.quantum_info.", "qiskit_aer.")
"""Modules whose operations are known by their names; Qiskit's readers of OpenQASM make users' own."""

STRUCTURAL = (*SILENT, "measure", "reset", "break_loop", "continue_loop", "store")
"""Instructions that are no gates, and those that leave every state as it is: none is ever taken apart."""

TAKEN = {*get_standard_gate_name_mapping(), "barrier", "diagonal", "mcphase", "mcx", "pauli", "unitary"}
"""Names that mean a standard operation, here or inside a simulator."""


EXACT_SYNTHESES = (LieTrotter, SuzukiTrotter, MatrixExponential)
"""Syntheses of an evolution that make no error where all its strings commute."""


Placed = tuple[Instruction, tuple[int, ...]]
"""An operation and the qubits that it acts on, as indices into its circuit, in the operation's own order."""


def flatten(circuit: QuantumCircuit, keep: Callable[[Instruction], bool]) -> Iterator[Placed]:
    """The circuit's gates in order; a gate that is not kept is replaced by its definition, again and again.

    Resets of qubits that nothing has acted on yet do nothing, and are left out.

    Args:
        circuit: Unitary circuit, parametrized or not.
        keep: Whether the caller knows what to do with a gate.

    Yields:
        ``(operation, qubits)``; global phases come as a ``GlobalPhaseGate`` on no qubits.

    Raises:
        Refused: for a gate that is not kept and has no definition, by name.
    """
    yield from _flatten(circuit, tuple(range(circuit.num_qubits)), keep, set())


def _flatten(
    circuit: QuantumCircuit, outer: tuple[int, ...], keep: Callable[[Instruction], bool], touched: set[int]
) -> Iterator[Placed]:
    phase = circuit.global_phase
    if isinstance(phase, ParameterExpression) or phase != 0:
        yield GlobalPhaseGate(phase), ()
    index = {qubit: k for k, qubit in enumerate(circuit.qubits)}
    for instruction in circuit.data:
        operation, name = instruction.operation, instruction.name
        borrowed = not instruction.is_standard_gate() and borrows_name(operation)
        if name in SILENT and not borrowed:
            continue
        qubits = tuple([outer[index[qubit]] for qubit in instruction.qubits])
        if name == "reset" and touched.isdisjoint(qubits):
            continue
        if not borrowed and (name == "global_phase" or keep(operation)):
            touched.update(qubits)
            yield operation, qubits
            continue
        yield from _flatten(_known(definition_of(operation), operation, qubits), qubits, keep, touched)


def written_out(circuit: QuantumCircuit, keep: Callable[[Instruction], bool]) -> QuantumCircuit:
    """The circuit with every operation that is not kept replaced by its definition, again and again.

    Resets at the start are left out, as in `flatten`; barriers, delays, identities, measurements and blocks stay.

    Args:
        circuit: Any circuit.
        keep: Whether an operation stays as it is.

    Raises:
        Refused: for an operation that is not kept and has no definition, by name.
    """
    return _written(circuit, keep, touched=set())


def _written(circuit: QuantumCircuit, keep: Callable[[Instruction], bool], touched: set[Qubit]) -> QuantumCircuit:
    plain = circuit.copy_empty_like()
    _write(circuit, plain, (plain.qubits, plain.clbits), keep, touched)
    return plain


def _write(
    circuit: QuantumCircuit,
    plain: QuantumCircuit,
    bits: tuple[Sequence[Qubit], Sequence[Clbit]],
    keep: Callable[[Instruction], bool],
    touched: set[Qubit],
) -> None:
    place = dict(zip(circuit.qubits, bits[0], strict=True)) | dict(zip(circuit.clbits, bits[1], strict=True))
    for instruction in circuit.data:
        operation, borrowed = instruction.operation, borrows_name(instruction.operation)
        on, into = [place[bit] for bit in instruction.qubits], [place[bit] for bit in instruction.clbits]
        if operation.name == "reset" and touched.isdisjoint(on):
            continue
        if hasattr(operation, "blocks"):
            blocks = [_written(block, keep, set(block.qubits)) for block in operation.blocks]
            plain.append(operation.replace_blocks(blocks), on, into)
            touched.update(on)
        elif not borrowed and (operation.name in STRUCTURAL or keep(operation)):
            plain.append(operation, on, into, copy=False)
            touched.update(on if operation.name not in SILENT else ())
        else:
            inside = _known(definition_of(operation), operation, tuple(plain.find_bit(bit).index for bit in on))
            plain.global_phase += inside.global_phase
            _write(inside, plain, (on, into), keep, touched)


def _known(definition: QuantumCircuit | None, operation: Instruction, qubits: tuple[int, ...]) -> QuantumCircuit:
    if definition is None:
        raise Refused(
            f"gate '{operation.name}' on qubits {list(qubits)} is unknown here and has no definition in simpler "
            "gates; write it with Qiskit's standard gates or as a UnitaryGate"
        )
    return definition


def definition_of(operation: Instruction) -> QuantumCircuit | None:
    """An operation in simpler gates: its own definition, or Qiskit's synthesis of what has none, such as a Clifford.

    Raises:
        Refused: for an operation whose definition depends on numbers that are still free, or differs at each reading.
    """
    if isinstance(operation, PauliEvolutionGate) and isinstance(operation.synthesis, QDrift):
        raise Refused(
            "a PauliEvolutionGate with QDrift synthesis draws its gates anew each time it is read, so it is no "
            "certain circuit; write the gates of one draw out (circuit.decompose('PauliEvolution')), or take LieTrotter"
        )
    try:
        definition = getattr(operation, "definition", None)
    except Exception as err:
        cure = "; give its angles as numbers, or write it with gates whose angles may be free" * is_free(operation)
        raise Refused(
            f"gate '{operation.name}' cannot be written in simpler gates: {getattr(err, 'message', err)}{cure}"
        ) from err
    if definition is not None or type(operation) in PLAIN:
        return definition
    return _synthesized(operation)


def _synthesized(operation: Instruction) -> QuantumCircuit | None:
    """Qiskit's high-level synthesis of an operation without a definition, on its own qubits; None if it has none."""
    alone = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    alone.append(operation, alone.qubits, alone.clbits)
    try:
        made = HighLevelSynthesis(qubits_initially_zero=False)(alone)
    except QiskitError:
        return None
    untouched = [type(one.operation) for one in made.data] == [type(operation)]
    return None if untouched else made


def is_standard(operation: Instruction) -> bool:
    """Whether an operation is a standard gate, which every target reads in the same way."""
    return operation.name in TAKEN and not homemade(operation)


def borrows_name(operation: Any) -> bool:
    """Whether a user's own gate bears a standard gate's name; it means its definition, whatever the name says."""
    return operation.name in TAKEN and homemade(operation) and definition_of(operation) is not None


def homemade(operation: Any) -> bool:
    """Whether an operation was made of a circuit, an OpenQASM definition or a class of the user's own."""
    kind = getattr(operation, "base_class", type(operation))
    return kind in PLAIN or not (kind.__module__ or "").startswith(LIBRARIES)


def not_unitary(circuit: QuantumCircuit) -> Iterator[Instruction]:
    """What makes a circuit more than one unitary: measurements, resets, channels, blocks; inside definitions, too.

    Resets of qubits that nothing has acted on yet do nothing, and are not among them.

    Raises:
        Refused: for an operation whose definition cannot be read.
    """
    yield from _not_unitary(circuit, range(circuit.num_qubits), set())


def _not_unitary(circuit: QuantumCircuit, outer: Sequence[int], touched: set[int]) -> Iterator[Instruction]:
    place = dict(zip(circuit.qubits, outer, strict=True))
    for instruction in circuit.data:
        operation = instruction.operation
        on = [place[qubit] for qubit in instruction.qubits]
        inside = None if instruction.is_standard_gate() else _inside(operation)
        if inside is not None:
            yield from _not_unitary(inside, on, touched)
        elif operation.name not in SILENT and not (operation.name == "reset" and touched.isdisjoint(on)):
            if not is_unitary(operation):
                yield operation
            touched.update(on)


def hides(operation: Instruction) -> bool:
    """Whether there is anything in an operation's definition that is no unitary."""
    inside = _inside(operation)
    return inside is not None and any(
        True for _ in _not_unitary(inside, range(inside.num_qubits), {*range(inside.num_qubits)})
    )


def is_unitary(operation: Instruction) -> bool:
    """Whether an operation is a gate, or like one, as far as it shows without its definition."""
    return isinstance(operation, Gate) or has_matrix(operation, operation.num_qubits)


def _inside(operation: Instruction) -> QuantumCircuit | None:
    """The definition of what may hide something in it: what a user made, or what Qiskit itself calls no gate."""
    if operation.name in STRUCTURAL or hasattr(operation, "blocks"):
        return definition_of(operation) if borrows_name(operation) else None
    return definition_of(operation) if homemade(operation) or not is_unitary(operation) else None


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
    if operation.num_qubits > max_qubits and definition_of(operation) is not None:
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
        strings do not commute, so that the gate means its Trotter synthesis (its ``definition``), or if it has a
        synthesis of another kind, which may mean anything.
    """
    if type(gate.synthesis) not in EXACT_SYNTHESES or getattr(gate.synthesis, "atomic_evolution", None) is not None:
        return None
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
