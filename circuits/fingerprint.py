"""What circuits and operators mean, as digests that are the same in every process and after QPY.

A circuit is put into words: nested tuples of numbers, strings and bytes that hold everything its meaning depends on,
and neither names of circuits and registers nor labels. Standard gates are known by their names and parameters, a gate
that was composed by what it is composed of, an evolution by its operator and, where the operator's strings do not
commute, by its product formula. Two circuits with the same words mean the same; another order of gates on different
qubits has other words although it means the same.
"""

import hashlib
from functools import cache
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import (
    CASE_DEFAULT,
    AnnotatedOperation,
    BoxOp,
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
    Duration,
    Gate,
    IfElseOp,
    Instruction,
    Operation,
    ParameterExpression,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.annotated_operation import Modifier
from qiskit.circuit.classical import expr
from qiskit.circuit.library import (
    DiagonalGate,
    HamiltonianGate,
    Initialize,
    LinearFunction,
    PauliEvolutionGate,
    PauliGate,
    PermutationGate,
    StatePreparation,
    UnitaryGate,
)
from qiskit.quantum_info import Clifford, SparseObservable, SparsePauliOp
from qiskit.synthesis.evolution import LieTrotter, MatrixExponential, SuzukiTrotter

from circuits.errors import Refused, shown
from circuits.problems.operators import PROJECTORS

Words = tuple[Any, ...]

_STANDARD = "qiskit.circuit.library.standard_gates"
_BY_PARAMETERS = (
    DiagonalGate,
    HamiltonianGate,
    Initialize,
    LinearFunction,
    PauliGate,
    PermutationGate,
    StatePreparation,
    UnitaryGate,
)
"""Gates of Qiskit's library that their names and parameters say all about; a definition would take long to make."""

_FORMULAS = (LieTrotter, SuzukiTrotter, MatrixExponential)
"""Ways to make an evolution that their settings say all about."""

_ROWS = 16
"""Strings whose commutators with all others are taken at once."""


def fingerprint(subject: QuantumCircuit | SparsePauliOp) -> str:
    """A digest of what a circuit or an operator means.

    Args:
        subject: A circuit, or an operator as a sum of Pauli strings with numbers as coefficients. Every bit of an
            operator's coefficients counts, and the order of its terms does not.

    Returns:
        SHA-256 in hexadecimal digits. It differs where the meaning may differ, and is the same in every process.

    Raises:
        Refused: if the circuit holds an operation whose meaning cannot be told from outside.

    >>> from qiskit.quantum_info import SparsePauliOp
    >>> fingerprint(SparsePauliOp(["X", "Z"], [1, 2])) == fingerprint(SparsePauliOp(["Z", "X"], [2, 1]))
    True
    """
    if isinstance(subject, SparsePauliOp):
        return _sha256(("operator", subject.num_qubits, *sorted(_pauli_rows(subject)))).hexdigest()
    return _sha256(words(subject)).hexdigest()


def difference(one: QuantumCircuit, other: QuantumCircuit) -> str | None:
    """The first thing in which two circuits differ in meaning, in words, or None.

    >>> one, other = QuantumCircuit(1), QuantumCircuit(1)
    >>> one.rx(0.1, 0), other.rx(0.2, 0)  # doctest: +ELLIPSIS
    (...)
    >>> difference(one, other)
    "instruction 0, 'rx'"
    """
    first, second = words(one), words(other)
    if ascii(first) == ascii(second):
        return None
    for k, (a, b) in enumerate(zip(first, second, strict=False)):
        if ascii(a) != ascii(b):
            return _HEAD[k] if k < len(_HEAD) else f"instruction {k - len(_HEAD)}, '{one.data[k - len(_HEAD)].name}'"
    return "the number of instructions"


_HEAD = ("the number of qubits", "the classical bits", "the classical variables", "the parameters", "the global phase")


def _sha256(content: Any) -> Any:
    """Of nested tuples of Python's own numbers, strings and bytes, whose ASCII form says every bit."""
    return hashlib.sha256(ascii(content).encode())


def words(circuit: QuantumCircuit) -> list[Words]:
    """What a circuit means: its bits, variables, parameters and global phase, then each instruction.

    Raises:
        Refused: if the circuit holds an operation whose meaning cannot be told from outside.
    """
    return _circuit(circuit, {})


_Known = dict[int, tuple[QuantumCircuit, bytes]]
"""Definitions that were read, by identity, with their digests: many gates may share one."""

_Places = dict[Any, int]
"""Number of each qubit among the qubits, and of each classical bit among those."""


def _circuit(circuit: QuantumCircuit, known: _Known, outer: _Places | None = None) -> list[Words]:
    """The words of a circuit, or of a block of a control flow, whose bits have places in the circuit around it."""
    places = outer or {bit: k for bits in (circuit.qubits, circuit.clbits) for k, bit in enumerate(bits)}
    registers = [tuple(places[bit] for bit in register) for register in circuit.cregs]
    declared = {
        "input": circuit.iter_input_vars(),
        "captured": sorted(circuit.iter_captured_vars(), key=lambda variable: variable.name),
        "declared": circuit.iter_declared_vars(),
        "stretch": circuit.iter_declared_stretches(),
        "captured stretch": sorted(circuit.iter_captured_stretches(), key=lambda stretch: stretch.name),
    }
    head = [
        ("qubits", circuit.num_qubits),
        ("clbits", circuit.num_clbits, *(registers if outer is None else sorted(registers))),
        ("variables", *((kind, v.name, str(v.type)) for kind, found in declared.items() for v in found)),
        ("parameters", *(parameter.name for parameter in circuit.parameters)),
        ("phase", _value(circuit.global_phase, places)),
    ]
    return [*head, *(_instruction(k, item, places, known) for k, item in enumerate(circuit.data))]


def _instruction(k: int, item: Any, places: _Places, known: _Known) -> Words:
    qubits, clbits = [[places[bit] for bit in bits] for bits in (item.qubits, item.clbits)]
    try:
        if isinstance(item.operation, ControlFlowOp):  # whose blocks hold their bits in any order
            return sorted(qubits), sorted(clbits), _control_flow(item, places, known)
        return qubits, clbits, _operation(item.operation, places, known)
    except Refused as err:
        raise Refused(f"instruction {k}, '{item.name}': {err}") from err


def _control_flow(item: Any, places: _Places, known: _Known) -> Words:
    operation, bits = item.operation, (*item.qubits, *item.clbits)
    settings = [part for part in operation.params if not isinstance(part, QuantumCircuit)]
    if isinstance(operation, (IfElseOp, WhileLoopOp)):
        settings = [operation.condition]
    elif isinstance(operation, SwitchCaseOp):
        settings = [operation.target, *(labels for labels, _ in operation.cases_specifier())]
    elif isinstance(operation, BoxOp):
        settings = [operation.duration, operation.unit, *map(repr, operation.annotations)]
    blocks = [
        _circuit(
            block, known, {inner: places[bit] for inner, bit in zip((*block.qubits, *block.clbits), bits, strict=True)}
        )
        for block in operation.blocks
    ]
    return "control flow", operation.name, [_value(setting, places) for setting in settings], *blocks


def _operation(operation: Any, places: _Places, known: _Known) -> Words:
    kind = getattr(operation, "base_class", type(operation))  # of gates that are singletons
    if _is_standard(kind):
        return "standard", operation.name, *(_value(x, places) for x in operation.params)
    if isinstance(operation, AnnotatedOperation):
        return "annotated", _operation(operation.base_op, places, known), *map(_modifier, operation.modifiers)
    if isinstance(operation, Clifford):
        return "clifford", operation.num_qubits, np.packbits(operation.tableau).tobytes()
    parts = composition(operation)
    if parts is not None:
        return "composed", _digest(parts, known)
    if kind is PauliEvolutionGate:
        return _evolution(operation, places)
    if not isinstance(operation, Instruction):
        raise Refused(f"an object of class {kind.__qualname__} does not say what it does; give it as a gate")
    size = operation.num_qubits, operation.num_clbits
    settings = *(_value(x, places) for x in operation.params), getattr(operation, "unit", None)
    if kind in _BY_PARAMETERS:
        return "library", operation.name, *size, *settings
    return "opaque", operation.name, *size, *settings, _matrix(operation)


def _matrix(operation: Any) -> Words | None:
    """Of an opaque gate that has one of its own."""
    if hasattr(operation, "__array__"):
        return _array(np.asarray(operation, dtype=complex))
    own = isinstance(operation, Gate) and type(operation).to_matrix is not Gate.to_matrix
    return _array(np.asarray(operation.to_matrix(), dtype=complex)) if own else None


@cache
def _is_standard(kind: type) -> bool:
    """Whether a gate's name says all about it; that of an open control names the state of the control."""
    return kind.__module__.startswith(_STANDARD) and getattr(kind, "_standard_gate", None) is not None


def composition(operation: Operation) -> QuantumCircuit | None:
    """What an operation is composed of, or None where its name and settings say what it does.

    Raises:
        Refused: if its definition cannot be made.
    """
    if not isinstance(operation, Instruction) or isinstance(operation, ControlFlowOp) or _is_known(operation):
        return None
    try:
        return operation.definition
    except Exception as err:
        raise Refused(f"it has no definition that could be read ({shown(str(err))})") from err


def _is_known(operation: Any) -> bool:
    """Whether Qiskit's name for an operation, with its settings, says what it does."""
    kind = getattr(operation, "base_class", type(operation))
    if kind is PauliEvolutionGate:
        return type(operation.synthesis) in _FORMULAS and getattr(operation.synthesis, "atomic_evolution", None) is None
    return _is_standard(kind) or (kind in _BY_PARAMETERS and not operation.name.endswith("_dg"))


def _digest(circuit: QuantumCircuit, known: _Known) -> bytes:
    if id(circuit) not in known:
        known[id(circuit)] = circuit, _sha256(_circuit(circuit, known)).digest()
    return known[id(circuit)][1]


def _modifier(modifier: Modifier) -> Words:
    return type(modifier).__name__, *(_value(value, {}) for _, value in sorted(vars(modifier).items()))


def _evolution(gate: PauliEvolutionGate, places: _Places) -> Words:
    operators = gate.operator if isinstance(gate.operator, list) else [gate.operator]
    content = _value(gate.time, places), *(_value(operator, places) for operator in operators)
    formula: Any = gate.synthesis
    if isinstance(formula, MatrixExponential) or _commute(operators):
        return "exponential", *content
    return "product formula", formula.order, formula.reps, formula.preserve_order, *content


def _commute(operators: list[Any]) -> bool:
    """Whether all strings commute; projectors are not looked into."""
    if any(isinstance(operator, SparseObservable) and _has_projectors(operator) for operator in operators):
        return False
    parts = [
        SparsePauliOp.from_sparse_observable(operator) if isinstance(operator, SparseObservable) else operator
        for operator in operators
    ]
    # Sums of bytes are right modulo 256, and so is their parity. Where strings do not commute, the first rows tell.
    x, z = (np.concatenate([getattr(part.paulis, bits) for part in parts]).view(np.uint8) for bits in "xz")
    if not np.any(x) or not np.any(z):
        return True
    return not any(np.any((x[k : k + _ROWS] @ z.T + z[k : k + _ROWS] @ x.T) % 2) for k in range(0, len(x), _ROWS))


def _has_projectors(operator: Any) -> bool:
    return bool(np.any(np.asarray(operator.bit_terms) & PROJECTORS))


def _value(value: Any, places: _Places) -> Any:
    """A parameter or setting of an operation."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float, complex, np.number, np.bool_)):
        return _number(value)
    if isinstance(value, ParameterExpression):
        return _expression(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, (list, tuple)):
        return "list", *(_value(item, places) for item in value)
    if isinstance(value, range):
        return "range", value.start, value.stop, value.step
    if isinstance(value, Clbit):
        return "clbit", places[value]
    if isinstance(value, ClassicalRegister):
        return "register", *(places[bit] for bit in value)
    if isinstance(value, SparsePauliOp):
        return "operator", value.num_qubits, *_pauli_rows(value)
    if isinstance(value, SparseObservable):
        observable: Any = value
        parts = (observable.bit_terms, observable.indices, observable.boundaries, observable.coeffs)
        return "observable", observable.num_qubits, *(_array(np.asarray(part)) for part in parts)
    if isinstance(value, expr.Expr):
        return _classical(value, places)
    if value is CASE_DEFAULT:
        return "default"
    if isinstance(value, Duration):
        return "duration", repr(value)
    raise Refused(f"it holds {shown(value)} of class {type(value).__qualname__}, whose meaning cannot be told")


def _number(value: Any) -> Any:
    """Real numbers of all types as floats, where nothing is lost."""
    if isinstance(value, (complex, np.complexfloating)):
        number = complex(value)
        return number.real if number.imag == 0.0 else number
    if isinstance(value, (int, np.integer)) and abs(int(value)) >= 2**53:
        return int(value)
    return float(value)


def _expression(value: Any) -> Any:
    if not value.parameters:
        return _number(value.numeric(strict=False))
    if value.is_symbol():
        return "parameter", str(value)
    steps = value._qpy_replay  # the only exact account of an expression: its text leaves digits out
    return "expression", *((str(step.op), _side(step.lhs), _side(step.rhs)) for step in steps)


def _side(value: Any) -> Any:
    return None if value is None else _expression(value) if isinstance(value, ParameterExpression) else _number(value)


def _array(value: np.ndarray) -> Words:
    kinds = {"b": ">i8", "i": ">i8", "u": ">u8", "f": ">f8", "c": ">c16"}
    if value.dtype.kind not in kinds:
        return "array", value.shape, *(_value(item, {}) for item in value.ravel().tolist())
    return "array", value.shape, value.dtype.kind, value.astype(kinds[value.dtype.kind]).tobytes()


def _pauli_rows(operator: SparsePauliOp) -> list[Words]:
    """Bits of X, bits of Z and the coefficient of each term."""
    x, z = (np.packbits(bits, axis=1) for bits in (operator.paulis.x, operator.paulis.z))
    coefficients = np.asarray(operator.coeffs)
    if coefficients.dtype == object:
        ends = [ascii(_value(c, {})).encode() for c in coefficients]
    else:
        ends = [(c.real if c.imag == 0.0 else c).tobytes() for c in coefficients.astype(">c16")]
    return [(row_x.tobytes(), row_z.tobytes(), end) for row_x, row_z, end in zip(x, z, ends, strict=True)]


def _classical(node: expr.Expr, places: _Places) -> Words:
    """A classical expression as a tree."""
    parts: list[Any] = [type(node).__name__, str(node.type)]
    if isinstance(node, expr.Var):
        return *parts, node.name if node.standalone else _value(node.var, places)
    if isinstance(node, expr.Stretch):
        return *parts, node.name
    if isinstance(node, expr.Value):
        return *parts, _value(node.value, places)
    children = [getattr(node, name) for name in ("operand", "left", "right", "target", "index") if hasattr(node, name)]
    operator = str(getattr(node, "op", ""))
    return *parts, operator, *(_classical(child, places) for child in children)
