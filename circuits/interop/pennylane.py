"""PennyLane's circuits, operators and molecules as Qiskit's, and back.

Qubit q is the q-th wire: of the device, where a QNode's device names its wires, else of those in use, in ascending
order. PennyLane writes wire 0 first in its bit strings and labels, Qiskit writes qubit 0 last.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, ParameterExpression, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate
from qiskit.quantum_info import Operator, SparsePauliOp

from circuits.errors import Refused
from circuits.interop.pennylane_gates import (
    FIXED,
    TOLERANCE,
    TURNING,
    Angle,
    append,
    is_known,
    paulis,
    unknown_operation,
    words,
)

if TYPE_CHECKING:
    from pennylane import QNode
    from pennylane.operation import Operator as PennyLaneOperator
    from pennylane.qchem import Molecule
    from pennylane.tape import QuantumScript

LINEAR = 1e-9
"""Radians by which an angle may differ from a linear function of the arguments."""

MOST_DEPTH = 20
"""How often an operation is written as others before it is given up."""

Function = Callable[..., None]
"""A quantum function: called inside a QNode with theta, shape (params,), it puts the circuit's operations there."""


def from_pennylane(
    thing: "QNode | QuantumScript | PennyLaneOperator | Molecule",
    *args: object,
    wires: Sequence[Hashable] | None = None,
    **kwargs: object,
) -> tuple[QuantumCircuit, SparsePauliOp | None]:
    """A QNode, a tape, an operator or a molecule of PennyLane's as a circuit and an observable.

    Args:
        thing: A QNode; a tape (``QuantumScript``), whose trainable parameters become free; an operator or Hamiltonian
            that is a sum of Pauli words; a ``qml.qchem.Molecule``.
        *args: For a QNode its arguments, as it is called. Each number in arrays and floats among them becomes a free
            parameter; angles must be linear functions of them. The values only say where.
        wires: All wires in the order of the qubits; by default as this module says.
        **kwargs: For a QNode its keyword arguments, which stay as they are.

    Returns:
        The circuit, a Qiskit QuantumCircuit with parameters theta[0], theta[1], ... for the numbers in the arguments,
        one after the other, and the observable: that of the only expectation value, None where there is none. An
        operator gives an empty circuit; a molecule its Hartree-Fock state and its Hamiltonian in hartree.

    Raises:
        Refused: by name, for what has no meaning as gates, angles that are not linear, or an operator of other parts
            than Pauli words.

    >>> import pennylane as qml
    >>> circuit, observable = from_pennylane(qml.tape.QuantumScript([qml.RX(0.1, 0)], [qml.expval(qml.Z(0))]))
    >>> circuit.num_parameters, observable
    (1, SparsePauliOp(['Z'],
                  coeffs=[1.+0.j]))
    """
    import pennylane as qml
    from pennylane.operation import Operator as PennyLaneOperator
    from pennylane.tape import QuantumScript

    if isinstance(thing, qml.QNode):
        return _from_qnode(thing, wires, args, kwargs)
    if args or kwargs:
        raise Refused("arguments are for a QNode; a tape, an operator and a molecule take none")
    if isinstance(thing, QuantumScript):
        return _from_tape(thing, wires)
    if isinstance(thing, PennyLaneOperator):
        order = _order(list(thing.wires), wires)
        return QuantumCircuit(len(order)), operator(thing, order)
    if isinstance(thing, qml.qchem.Molecule):
        return _from_molecule(thing)
    raise Refused(
        f"an object of type {type(thing).__name__} is not PennyLane's: give a QNode, a tape, an operator or a Molecule"
    )


def operator(observable: Any, wires: Sequence[Any] | None = None) -> SparsePauliOp:
    """An operator of PennyLane's, qubit k being the k-th of the wires.

    Raises:
        Refused: where it is no sum of Pauli words.
    """
    sentence = words(observable)
    if sentence is None:
        name = getattr(observable, "name", type(observable).__name__)
        raise Refused(f"{name} is no sum of Pauli words, so that it cannot be an observable here")
    return paulis(sentence, _order(list(observable.wires), wires)).simplify(atol=0.0)


def is_operator(thing: object) -> bool:
    """Whether a thing is an operator of PennyLane's, one of fermions or bosons among them."""
    from pennylane.bose import BoseSentence, BoseWord
    from pennylane.fermi import FermiSentence, FermiWord
    from pennylane.operation import Operator as PennyLaneOperator
    from pennylane.pauli import PauliSentence, PauliWord

    kinds = (PennyLaneOperator, PauliWord, PauliSentence, FermiWord, FermiSentence, BoseWord, BoseSentence)
    return isinstance(thing, kinds)


def observable(given: Any, what: str, n_qubits: int | None = None) -> SparsePauliOp:
    """What `is_operator` as a sum of Pauli words.

    Args:
        given: PennyLane's.
        what: Its name, for messages: "the Hamiltonian".
        n_qubits: Of the circuit that it is for: where its wires are among 0 to n_qubits - 1, qubit q is wire q. None,
            or other wires: as this module says.

    Raises:
        Refused: where it is no sum of Pauli words, or acts on fermions or bosons.
    """
    from pennylane.bose import BoseSentence, BoseWord
    from pennylane.fermi import FermiSentence, FermiWord

    if isinstance(given, FermiWord | FermiSentence):
        raise Refused(
            f"{what} acts on fermions, and not yet on qubits: circuits.fermionic(operator, mapping='jordan_wigner'), "
            "or 'parity' or 'bravyi_kitaev', maps it"
        )
    if isinstance(given, BoseWord | BoseSentence):
        raise Refused(f"{what} acts on bosons, and not on qubits: map it with qml.binary_mapping or qml.unary_mapping")
    wires = list(given.wires)
    on_circuit = n_qubits is not None and all(_is_index(wire) and wire < n_qubits for wire in wires)
    return operator(given, range(n_qubits) if n_qubits is not None and on_circuit else None)


def to_pennylane(
    circuit: QuantumCircuit, observable: SparsePauliOp | None = None
) -> "tuple[Function, PennyLaneOperator | None]":
    """A circuit as a quantum function for QNodes, and an observable as an operator of PennyLane's.

    Args:
        circuit: Of gates; free angles must be linear in its parameters.
        observable: On its qubits.

    Returns:
        A function of theta, shape (params,), in ``circuit.parameters`` order, that applies the circuit to wires
        0, 1, ... (qubit q is wire q), differentiable in each of PennyLane's interfaces; and the operator, or None.

    Raises:
        Refused: for measurements, resets, and angles that are not linear.

    >>> import pennylane as qml
    >>> from qiskit.circuit import Parameter
    >>> circuit = QuantumCircuit(1); _ = circuit.ry(Parameter("t"), 0)
    >>> function, _ = to_pennylane(circuit)
    >>> round(float(qml.QNode(lambda t: (function([t]), qml.expval(qml.X(0)))[1], qml.device("default.qubit"))(0.5)), 6)
    0.479426
    """
    free = list(circuit.parameters)
    ready = [
        (part, [_linear(angle, free) for angle in part.angles]) for part in _parts(circuit, range(circuit.num_qubits))
    ]

    def function(theta: Any = ()) -> None:
        for part, angles in ready:
            part.queue([_at(angle, theta) for angle in angles])

    return function, None if observable is None else _sentence(observable).operation(range(circuit.num_qubits))


def convert(
    operations: Sequence[Any], wires: Sequence[Any], angles: Sequence[Sequence[Angle]] | None = None
) -> QuantumCircuit:
    """Operations that are all `is_known` as a circuit.

    Args:
        operations: PennyLane's.
        wires: All wires, in the order of the qubits.
        angles: In place of each operation's parameters; None for its own.
    """
    place = {wire: k for k, wire in enumerate(wires)}
    circuit = QuantumCircuit(len(wires))
    for k, operation in enumerate(operations):
        append(circuit, operation, [place[wire] for wire in operation.wires], angles[k] if angles else operation.data)
    return circuit


def decomposed(operations: Sequence[Any], free: Callable[[Any], bool], depth: int = 0) -> list[Any]:
    """Operations written as others until each is known.

    Args:
        operations: PennyLane's.
        free: Whether the parameters of an operation are to be free.
        depth: How often they have been written as others.

    Raises:
        Refused: by name, for what has no decomposition.
    """
    import pennylane as qml
    from pennylane.ops import Conditional, MidMeasure

    known = []
    for one in operations:
        if is_known(one, free=free(one)):
            known.append(one)
        elif isinstance(one, MidMeasure | Conditional):
            raise Refused(
                "the circuit measures on its way; put qml.defer_measurements before the conversion, which moves the "
                "measurements to the end"
            )
        elif depth < MOST_DEPTH and one.has_decomposition:
            with qml.QueuingManager.stop_recording():
                parts = one.decomposition()
            known += decomposed(parts, free, depth + 1)
        else:
            raise unknown_operation(one)
    return known


def _from_qnode(qnode: Any, wires: Sequence[Any] | None, args: tuple, kwargs: dict):
    from pennylane.workflow import construct_tape

    free = [k for k, value in enumerate(args) if _is_free(value)]
    start, split = _flat([args[k] for k in free])

    def tape_at(flat: Any) -> Any:
        given = list(args)
        for k, part in zip(free, split(flat), strict=True):
            given[k] = part
        return construct_tape(qnode, level="user")(*given, **kwargs)

    of_device = qnode.device.wires
    return _with_free(tape_at, start, wires if of_device is None or wires is not None else list(of_device))


def _from_tape(tape: Any, wires: Sequence[Any] | None):
    start, split = _flat(tape.get_parameters())
    return _with_free(lambda flat: tape.bind_new_parameters(split(flat), tape.trainable_params), start, wires)


def _flat(arrays: Sequence[Any]) -> tuple[np.ndarray, Callable[[Any], list[Any]]]:
    """Arrays as one row of numbers, and how such a row is made arrays again."""
    shapes = [np.shape(array) for array in arrays]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def split(flat: Any) -> list[Any]:
        return [flat[end - int(np.prod(shape)) : end].reshape(shape) for end, shape in zip(ends, shapes, strict=True)]

    return np.concatenate([np.ravel(np.asarray(array, dtype=float)) for array in arrays] or [np.zeros(0)]), split


def _with_free(
    tape_at: Callable[[Any], Any], start: np.ndarray, wires: Sequence[Any] | None
) -> tuple[QuantumCircuit, SparsePauliOp | None]:
    """The circuit of a tape that depends on numbers: its angles are linear in them, which JAX's derivatives show."""
    import jax

    tape, operations, turning, angles = _recorded(tape_at, start)
    with jax.enable_x64(True):
        try:
            slopes = np.asarray(jax.jacobian(angles)(start)) if turning else np.zeros((0, len(start)))
        except jax.errors.JAXTypeError as err:
            raise _unsteady(err) from err
        away = start + np.random.default_rng(0).uniform(0.3, 1.0, len(start))
        here, there = np.asarray(angles(start)), np.asarray(angles(away))
    bent = np.abs(here + slopes @ (away - start) - there) > LINEAR
    if np.any(bent):
        one = operations[turning[int(np.argmax(bent))][0]]
        raise Refused(
            f"an angle of {one.name} on wires {list(one.wires)} is not a linear function of the arguments; make that "
            "angle an argument of its own"
        )
    free = list(ParameterVector("theta", len(start)))
    constants = here - slopes @ start
    found = {place: _expression(constants[i], slopes[i], free) for i, place in enumerate(turning)}
    given = [[found.get((k, j), x) for j, x in enumerate(one.data)] for k, one in enumerate(operations)]
    in_use = [wire for one in operations for wire in one.wires] + [w for m in tape.measurements for w in m.wires]
    order = _order(in_use, wires)
    return convert(operations, order, given), _observable(tape, order)


def _recorded(tape_at: Callable[[Any], Any], start: np.ndarray):
    """The tape, its known operations, where their free parameters stand, and these as a function of the numbers."""
    import jax
    import jax.numpy as jnp
    from jax.core import Tracer

    def is_traced(value: Any) -> bool:
        return isinstance(value, Tracer)

    def known(flat: Any) -> tuple[Any, list[Any]]:
        tape = tape_at(flat)
        return tape, decomposed(tape.operations, lambda one: any(map(is_traced, one.data)))

    found: list[Any] = []

    def record(flat: Any) -> Any:
        found[:] = known(flat)
        return jnp.zeros(())

    with jax.enable_x64(True):
        try:
            jax.eval_shape(record, start)
        except jax.errors.JAXTypeError as err:
            raise _unsteady(err) from err
    tape, operations = found
    turning = [(k, j) for k, one in enumerate(operations) for j, x in enumerate(one.data) if is_traced(x)]

    @jax.jit
    def angles(flat: Any) -> Any:
        _, operations = known(flat)
        return jnp.stack([jnp.reshape(operations[k].data[j], ()) for k, j in turning]) if turning else jnp.zeros(0)

    return tape, operations, turning, angles


def _unsteady(err: Exception) -> Refused:
    return Refused(
        "the circuit's structure depends on the values of its arguments, so that no circuit with free parameters can "
        f"hold it: pass those as keywords, which stay as they are ({str(err).splitlines()[0]})"
    )


def _observable(tape: Any, order: Sequence[Any]) -> SparsePauliOp | None:
    from pennylane.measurements import ExpectationMP

    values = [m for m in tape.measurements if isinstance(m, ExpectationMP)]
    if len(values) > 1:
        raise Refused(
            f"the circuit has {len(values)} expectation values, and a workload has one: return the one to minimize, or "
            "their sum"
        )
    return operator(values[0].obs, order) if values else None


def _from_molecule(molecule: Any) -> tuple[QuantumCircuit, SparsePauliOp]:
    import pennylane as qml

    found: Any = qml.qchem.molecular_hamiltonian
    hamiltonian, n_qubits = found(molecule)
    circuit = QuantumCircuit(n_qubits)
    for q in range(molecule.n_electrons):
        circuit.x(q)
    return circuit, operator(hamiltonian, range(n_qubits))


def _is_free(value: Any) -> bool:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return False
    return array.dtype.kind == "f"


def _expression(constant: float, slopes: np.ndarray, free: Sequence[Any]) -> Angle:
    angle: Any = 0.0
    for slope, parameter in zip(slopes, free, strict=True):
        if abs(slope) > TOLERANCE:
            angle = angle + (parameter if abs(slope - 1.0) <= TOLERANCE else float(slope) * parameter)
    return angle + constant if abs(constant) > TOLERANCE else angle


def _order(in_use: Sequence[Any], wires: Sequence[Any] | None) -> list[Any]:
    """All wires in the order of the qubits."""
    used = list(dict.fromkeys(in_use))
    if wires is not None:
        order = list(wires)
        if missing := [wire for wire in used if wire not in order]:
            raise Refused(f"wire {missing[0]!r} is in use, but not among the wires {order}")
        return order
    return sorted(used) if all(map(_is_index, used)) else used


def _is_index(wire: Any) -> bool:
    return isinstance(wire, Integral) and not isinstance(wire, bool) and int(wire) >= 0


def _sentence(observable: SparsePauliOp) -> Any:
    from pennylane.pauli import PauliSentence, PauliWord

    sentence = PauliSentence()
    for label, qubits, coefficient in observable.to_sparse_list():
        sentence[PauliWord(dict(zip(qubits, label, strict=True)))] += complex(coefficient).real
    return sentence


_NAMES: dict[type, str] = {kind: name for name, kind in (FIXED | TURNING).items() if name not in ("U1", "CPhase")}


@dataclass(frozen=True)
class _Part:
    """One operation of PennyLane's.

    Attributes:
        name: PennyLane's.
        wires: That it acts on.
        angles: Its parameters, radians, perhaps free.
        rest: The word of a PauliRot, the matrix of a QubitUnitary.
    """

    name: str
    wires: tuple[int, ...]
    angles: tuple[Angle, ...] = ()
    rest: Any = None

    def queue(self, angles: Sequence[Any]) -> None:
        """Put it into the circuit that PennyLane is recording."""
        import pennylane as qml

        given = [*angles, *([] if self.rest is None else [self.rest])]
        getattr(qml, self.name)(*given, wires=list(self.wires))


def _parts(circuit: QuantumCircuit, wires: Sequence[int], depth: int = 0) -> Iterator[_Part]:
    """A circuit as operations of PennyLane's, gates that it does not have being written as others."""
    if circuit.global_phase != 0:
        yield _Part("GlobalPhase", (wires[0],), (-1.0 * circuit.global_phase,))
    for instruction in circuit.data:
        gate = instruction.operation
        on = tuple(wires[circuit.find_bit(q).index] for q in instruction.qubits)
        if gate.name in ("barrier", "id"):
            continue
        if not isinstance(gate, Gate):
            raise Refused(f"the circuit has a '{gate.name}' instruction; only gates become operations of PennyLane's")
        if (name := _NAMES.get(gate.base_class)) is not None:
            yield _Part(name, on, tuple(gate.params))
        elif (
            isinstance(gate, PauliEvolutionGate)
            and isinstance(gate.operator, SparsePauliOp)
            and _commute(gate.operator)
        ):
            yield from _rotations(gate.operator, gate.params[0], on)
        elif depth < MOST_DEPTH and gate.definition is not None and not isinstance(gate, UnitaryGate):
            yield from _parts(gate.definition, on, depth + 1)
        elif any(isinstance(x, ParameterExpression) and x.parameters for x in gate.params):
            raise Refused(f"gate '{gate.name}' has free angles and no definition; write it as others first")
        else:
            yield _Part("QubitUnitary", on[::-1], (), Operator(gate).data)


def _commute(operator: Any) -> bool:
    words = operator.paulis if isinstance(operator, SparsePauliOp) else None
    return words is not None and all(np.all(words.commutes(word)) for word in words)


def _rotations(operator: Any, time: Angle, on: tuple[int, ...]) -> Iterator[_Part]:
    for word, qubits, coefficient in operator.to_sparse_list():
        angle = 2.0 * complex(coefficient).real * time
        if word:
            yield _Part("PauliRot", tuple(on[q] for q in qubits), (angle,), word)
        else:
            yield _Part("GlobalPhase", on[:1], (0.5 * angle,))


def _linear(angle: Angle, free: Sequence[Any]) -> tuple[float, dict[int, float]]:
    """The constant of an angle, and its slope by each parameter that it depends on."""
    if isinstance(angle, float | int):
        return float(angle), {}
    slopes: dict[int, float] = {}
    for parameter in angle.parameters:
        slope = angle.gradient(parameter)
        if isinstance(slope, ParameterExpression) and slope.parameters:
            raise Refused(f"an angle is {angle}, which is not linear in {parameter.name}")
        slopes[free.index(parameter)] = float(complex(slope).real)
    constant = angle.bind(dict.fromkeys(angle.parameters, 0.0))
    return float(complex(constant).real), slopes


def _at(angle: tuple[float, dict[int, float]], theta: Any) -> Any:
    constant, slopes = angle
    return constant + sum(slope * theta[k] for k, slope in slopes.items())
