"""Hermitian operators as users give them, of Qiskit's kinds and PennyLane's, as Qiskit's SparsePauliOp."""

import sys
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator, Pauli, PauliList, ScalarOp, SparseObservable, SparsePauliOp

from circuits.errors import Refused, shown
from circuits.problems.checks import check_operator_size


class PennyLaneOperator(Protocol):
    """An operator of PennyLane's: Hamiltonian, Sum, Prod, SProd, Hermitian, Projector, PauliWord, PauliSentence, ..."""

    @property
    def wires(self) -> Iterable[Any]:
        """The wires that it acts on."""
        ...


OperatorLike = SparsePauliOp | SparseObservable | Pauli | Operator | ScalarOp | str | PennyLaneOperator
"""What is taken for an operator; a string is a Pauli label such as ``"XIZ"``, qubit 0 rightmost.

Qubits of an operator of PennyLane's: where the number of qubits is known, as from a circuit, and its wires are among
0, 1, ..., qubit q is wire q; else the wires that it acts on, in ascending order, are the qubits 0, 1, ...
"""

KINDS = "a SparsePauliOp, a SparseObservable, a Pauli, an Operator, a label such as 'XIZ' or an operator of PennyLane's"

MAX_MATRIX_QUBITS = 10
"""Of an Operator, which is a matrix: it becomes 4^n Pauli terms."""

LARGEST_SUM = 1e150
"""Of the absolute coefficients: squares of energies, as in a variance, stay finite."""

PROJECTORS = 0b1100
"""Bits that are set in a SparseObservable's letters 0, 1, +, -, r and l, and not in X, Y, Z."""

IMAGINARY = 1e-12
"""Imaginary parts up to this are taken for rounding."""


def as_hermitian(operator: OperatorLike, what: str, n_qubits: int | None = None) -> SparsePauliOp:
    """The operator as a SparsePauliOp with coefficients that are finite and real; rounding is taken out.

    Args:
        operator: Any of `OperatorLike`.
        what: Its name, for messages: "the Hamiltonian".
        n_qubits: Of the circuit that it is for, which tells the wires of PennyLane's operators apart; None where no
            circuit is known. Other operators are not checked against it.

    Raises:
        Refused: for something else, an operator on no qubit or with parameters, one that is not Hermitian or too large
            to build, or coefficients that are not finite, add up to more than `LARGEST_SUM`, or are all below its
            inverse.

    >>> as_hermitian("-XZ", "H")
    SparsePauliOp(['XZ'],
                  coeffs=[-1.+0.j])
    """
    converted = _converted(operator, what, n_qubits)
    if not converted.num_qubits:
        raise Refused(f"{what} acts on no qubit")
    coefficients = np.asarray(converted.coeffs)
    if coefficients.dtype == object:
        raise Refused(f"{what} has a coefficient with a free parameter; assign a number to it")
    if not np.all(np.isfinite(coefficients)):
        raise Refused(f"{what} has a coefficient that is not finite")
    if np.max(np.abs(np.imag(coefficients)), initial=0.0) > IMAGINARY:
        worst = int(np.argmax(np.abs(np.imag(coefficients))))
        raise Refused(
            f"{what} is not Hermitian: the coefficient of {shown(str(converted.paulis[worst]))} is "
            f"{complex(coefficients[worst]):.6g}, which must be real; (H + H.adjoint()) / 2 is its Hermitian part"
        )
    largest = float(np.max(np.abs(coefficients), initial=0.0))
    if largest > LARGEST_SUM / len(coefficients):
        raise Refused(f"the coefficients of {what} add up to more than {LARGEST_SUM:g}; take a larger unit")
    if 0.0 < largest < 1.0 / LARGEST_SUM:
        raise Refused(f"the coefficients of {what} are all below {1.0 / LARGEST_SUM:g}; take a smaller unit")
    if np.any(np.imag(coefficients)):
        return SparsePauliOp(converted.paulis, np.real(coefficients))
    return converted


def is_pennylane_operator(thing: object) -> bool:
    """Whether a thing is an operator of PennyLane's, which is not imported to find out."""
    if "pennylane" not in sys.modules:
        return False
    from circuits.interop import pennylane

    return pennylane.is_operator(thing)


def _converted(operator: OperatorLike, what: str, n_qubits: int | None) -> SparsePauliOp:
    given: Any = operator
    if isinstance(given, SparsePauliOp):
        check_operator_size(len(given), given.num_qubits or 0, what)
        return given
    if isinstance(given, SparseObservable):
        check_operator_size(_n_strings(given), given.num_qubits, what)
        return SparsePauliOp.from_sparse_observable(given)
    if isinstance(given, Operator | ScalarOp):
        return _from_matrix(given, what)
    if isinstance(given, PauliList):
        raise Refused(f"{what} is a PauliList, which is no operator; SparsePauliOp(paulis) is the sum of its elements")
    if is_pennylane_operator(given):
        from circuits.interop import pennylane

        return pennylane.observable(given, what, n_qubits)
    if isinstance(given, np.ndarray):
        raise Refused(f"{what} must be {KINDS}, not an array; Operator(matrix) of qiskit.quantum_info makes one of it")
    if not isinstance(given, Pauli | str):
        raise Refused(f"{what} must be {KINDS}, not {shown(given)}")
    try:
        return SparsePauliOp(Pauli(given))
    except QiskitError as err:
        raise Refused(f"{what} must be {KINDS}, not {shown(given)}") from err


def _from_matrix(operator: Operator | ScalarOp, what: str) -> SparsePauliOp:
    if operator.num_qubits is None or operator.input_dims() != operator.output_dims():
        raise Refused(f"{what} must act on qubits; its matrix has the dimensions {operator.dim}")
    if operator.num_qubits > MAX_MATRIX_QUBITS:
        raise Refused(
            f"{what} is a matrix on {operator.num_qubits} qubits, {shown(4**operator.num_qubits)} Pauli terms; at most "
            f"{MAX_MATRIX_QUBITS} qubits are taken as a matrix, give a SparsePauliOp"
        )
    return SparsePauliOp.from_operator(operator.to_operator(), atol=0.0, rtol=0.0).simplify(atol=IMAGINARY, rtol=0.0)


def _n_strings(observable: Any) -> int:
    """Pauli strings of the observable: a projector such as 0, + or r is the sum of two."""
    projector = np.asarray(observable.bit_terms) & PROJECTORS != 0
    counted = np.append(0, np.cumsum(projector))[np.asarray(observable.boundaries, dtype=np.int64)]
    return int(np.sum(2.0 ** np.minimum(np.diff(counted), 60)))
