"""PennyLane's operations as Qiskit's gates: what each means, with its angles free where it turns by angles.

Both libraries give a matrix to every gate; the names that stand here are those whose matrices are the same, up to the
order of qubits (PennyLane's first wire is the most significant, Qiskit's first qubit the least).
"""

from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import (
    CCXGate,
    CCZGate,
    CHGate,
    CPhaseGate,
    CRXGate,
    CRYGate,
    CRZGate,
    CSwapGate,
    CXGate,
    CYGate,
    CZGate,
    ECRGate,
    HGate,
    PauliEvolutionGate,
    PhaseGate,
    RXGate,
    RXXGate,
    RYGate,
    RYYGate,
    RZGate,
    RZZGate,
    SGate,
    SwapGate,
    SXGate,
    TGate,
    U2Gate,
    UGate,
    UnitaryGate,
    XGate,
    YGate,
    ZGate,
    iSwapGate,
)  # fmt: skip
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused

Angle: TypeAlias = Any
"""A number of radians or, where it is free, a ParameterExpression, which has no stubs for type checkers."""

FIXED: dict[str, Any] = {
    "PauliX": XGate, "PauliY": YGate, "PauliZ": ZGate, "Hadamard": HGate, "S": SGate, "T": TGate, "SX": SXGate,
    "CNOT": CXGate, "CY": CYGate, "CZ": CZGate, "CH": CHGate, "SWAP": SwapGate, "ISWAP": iSwapGate, "ECR": ECRGate,
    "CSWAP": CSwapGate, "CCZ": CCZGate, "Toffoli": CCXGate,
}  # fmt: skip
"""Gates without angles."""

TURNING: dict[str, Any] = {
    "RX": RXGate, "RY": RYGate, "RZ": RZGate, "PhaseShift": PhaseGate, "U1": PhaseGate, "U2": U2Gate, "U3": UGate,
    "CRX": CRXGate, "CRY": CRYGate, "CRZ": CRZGate, "ControlledPhaseShift": CPhaseGate, "CPhase": CPhaseGate,
    "IsingXX": RXXGate, "IsingYY": RYYGate, "IsingZZ": RZZGate,
}  # fmt: skip
"""Gates whose angles are the same numbers in the same order."""

NAMED = frozenset({*FIXED, *TURNING, "Identity", "GlobalPhase", "Rot", "Barrier"})
"""Operations whose meaning is in their names and angles alone."""

MOST_KEPT = 10_000
"""Generators that are kept, since PennyLane takes up to a millisecond for one."""

MOST_WIRES = 6
"""Wires of an operation that is taken as a matrix, where it has no better meaning."""

MOST_TERMS = 128
"""Pauli terms of a generator that is taken as one evolution."""

TOLERANCE = 1e-12


def is_known(operation: Any, *, free: bool = False) -> bool:
    """Whether `append` takes it as it is, so that it need not be decomposed.

    Args:
        operation: PennyLane's.
        free: Whether its parameters are to be free: then a matrix is no answer.
    """
    if operation.name in NAMED:
        return True
    if operation.num_params and generator(operation) is not None:
        return True
    return not free and len(operation.wires) <= MOST_WIRES and bool(operation.has_matrix)


def generator(operation: Any) -> SparsePauliOp | None:
    """G of an operation exp(i angle G) with one angle, on its wires in their order, the first wire as qubit 0.

    Returns:
        The generator; None where the operation has none, or one whose Pauli terms do not commute, and where its
        number is complex, and so no angle, as in PennyLane's ``exp(G, 1j * angle)``.
    """
    if operation.num_params != 1 or not _is_angle(operation.data[0]) or not operation.has_generator:
        return None
    if (held := plainly_held(operation)) is None:
        return _generator(operation)
    key = (type(operation), tuple(operation.wires), held)
    if key not in _KEPT:
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = _generator(operation)
    return _KEPT[key]


def _is_angle(x: Any) -> bool:
    return np.ndim(x) == 0 and "complex" not in str(getattr(x, "dtype", type(x)))


def plainly_held(operation: Any) -> tuple[tuple[str, Any], ...] | None:
    """What an operation holds beside its angles and wires, such as a Pauli word, if that is text and numbers alone."""
    held = tuple(sorted(operation.hyperparameters.items()))
    return held if all(_is_plain(value) for _, value in held) else None


_KEPT: dict[Hashable, SparsePauliOp | None] = {}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) or (isinstance(value, tuple) and all(map(_is_plain, value)))


def _generator(operation: Any) -> SparsePauliOp | None:
    sentence = words(operation.generator())
    if sentence is None or len(sentence) > MOST_TERMS:
        return None
    found = paulis(sentence, list(operation.wires))
    commute = all(np.all(found.paulis.commutes(pauli)) for pauli in found.paulis)
    real = np.max(np.abs(np.imag(np.asarray(found.coeffs, dtype=complex))), initial=0.0) <= TOLERANCE
    return found if commute and real else None


def append(circuit: QuantumCircuit, operation: Any, qubits: Sequence[int], angles: Sequence[Angle]) -> None:
    """Put one of PennyLane's operations at the end of a circuit.

    Args:
        circuit: Changed in place.
        operation: That `is_known`.
        qubits: One for each of the operation's wires.
        angles: In place of its parameters; a matrix among them is read from the operation.

    Raises:
        Refused: for an operation without a unitary meaning, by name.
    """
    name = operation.name
    if name in ("Identity", "Barrier"):
        return
    if name == "GlobalPhase":
        circuit.global_phase -= angles[0]
    elif name in FIXED:
        circuit.append(FIXED[name](), qubits)
    elif name in TURNING:
        circuit.append(TURNING[name](*angles), qubits)
    elif name == "Rot":
        phi, theta, omega = angles
        circuit.rz(phi, qubits[0])
        circuit.ry(theta, qubits[0])
        circuit.rz(omega, qubits[0])
    elif operation.num_params and (found := generator(operation)) is not None:
        evolve(circuit, found, qubits, angles[0])
    elif operation.has_matrix and len(qubits) <= MOST_WIRES:
        circuit.append(UnitaryGate(np.asarray(operation.matrix(), dtype=complex), label=None), list(qubits)[::-1])
    else:
        raise unknown_operation(operation)


def evolve(circuit: QuantumCircuit, found: SparsePauliOp, qubits: Sequence[int], angle: Angle) -> None:
    """Put exp(i angle G) at the end of a circuit; the identity's part of G becomes a global phase."""
    identity = np.all(found.paulis.z == 0, axis=1) & np.all(found.paulis.x == 0, axis=1)
    weights = np.real(np.asarray(found.coeffs))
    circuit.global_phase += angle * float(np.sum(weights[identity]))
    rest = found[~identity]
    if len(rest):
        circuit.append(PauliEvolutionGate(SparsePauliOp(rest.paulis, weights[~identity]), time=-1.0 * angle), qubits)


def words(observable: Any) -> Any:
    """An operator of PennyLane's as a sentence of Pauli words; None where it is none and too large to decompose.

    Sums, products and multiples are taken apart, so that only their parts need be small.
    """
    if observable.pauli_rep is not None:
        return observable.pauli_rep
    from pennylane.ops import Prod, SProd, Sum
    from pennylane.pauli import PauliSentence, PauliWord

    if isinstance(observable, SProd):
        inner = words(observable.base)
        return None if inner is None else complex(observable.scalar) * inner
    if isinstance(observable, Sum | Prod):
        parts = [words(part) for part in observable.operands]
        if any(part is None for part in parts):
            return None
        if isinstance(observable, Sum):
            return sum(parts, PauliSentence())
        product = PauliSentence({PauliWord({}): 1.0})
        for part in parts:
            product = product @ part
        return product
    return _decomposed(observable)


def _decomposed(observable: Any) -> Any:
    if len(observable.wires) > MOST_WIRES or not (observable.has_matrix or observable.has_sparse_matrix):
        return None
    import pennylane as qml
    from pennylane.pauli import PauliSentence

    matrix = observable.matrix() if observable.has_matrix else observable.sparse_matrix().toarray()
    if not np.any(matrix):
        return PauliSentence()  # which PennyLane does not decompose
    found = qml.pauli_decompose(np.asarray(matrix), wire_order=observable.wires, check_hermitian=False, pauli=True)
    found.simplify(TOLERANCE)
    return found


def paulis(sentence: Any, wires: Sequence[Any]) -> SparsePauliOp:
    """A sentence of PennyLane's as an operator, qubit k being the k-th wire."""
    place = {wire: k for k, wire in enumerate(wires)}
    terms = [
        ("".join(word.values()), [place[wire] for wire in word], complex(coefficient))
        for word, coefficient in sentence.items()
    ]
    return SparsePauliOp.from_sparse_list(terms or [("", [], 0.0)], num_qubits=len(wires))


def unknown_operation(operation: Any) -> Refused:
    """What to raise for an operation that no circuit of gates can hold."""
    from pennylane.operation import Channel

    if isinstance(operation, Channel):
        return Refused(
            f"{operation.name} is noise, and a circuit holds gates: give the noise to the backend, as noise=..., or "
            "run the circuit on 'default.mixed' by object"
        )
    return Refused(f"{operation.name} has no unitary meaning as gates, so that no circuit can hold it")
