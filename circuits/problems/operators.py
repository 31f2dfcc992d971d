"""Hermitian operators as users give them, as Qiskit's SparsePauliOp."""

from typing import Any

import numpy as np
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Pauli, SparseObservable, SparsePauliOp

from circuits.errors import Refused, shown
from circuits.problems.checks import check_operator_size

PauliOperator = SparsePauliOp | SparseObservable | Pauli | str
"""What is taken for an operator; a string is a Pauli label such as ``"XIZ"``, qubit 0 rightmost."""

KINDS = "a SparsePauliOp, a SparseObservable, a Pauli or a label such as 'XIZ'"

LARGEST_SUM = 1e150
"""Of the absolute coefficients: squares of energies, as in a variance, stay finite."""

PROJECTORS = 0b1100
"""Bits that are set in a SparseObservable's letters 0, 1, +, -, r and l, and not in X, Y, Z."""

IMAGINARY = 1e-12
"""Imaginary parts up to this are taken for rounding."""


def as_hermitian(operator: PauliOperator, what: str) -> SparsePauliOp:
    """The operator as a SparsePauliOp with coefficients that are finite and real; rounding is taken out.

    Args:
        operator: Any of `PauliOperator`.
        what: Its name, for messages: "the Hamiltonian".

    Raises:
        Refused: for something else, an operator on no qubit or with parameters, one that is not Hermitian or too large
            to build, or coefficients that are not finite, add up to more than `LARGEST_SUM`, or are all below its
            inverse.

    >>> as_hermitian("-XZ", "H")
    SparsePauliOp(['XZ'],
                  coeffs=[-1.+0.j])
    """
    converted = _converted(operator, what)
    if not converted.num_qubits:
        raise Refused(f"{what} acts on no qubit")
    coefficients = np.asarray(converted.coeffs)
    if coefficients.dtype == object:
        raise Refused(f"{what} has a coefficient with a free parameter; assign a number to it")
    if not np.all(np.isfinite(coefficients)):
        raise Refused(f"{what} has a coefficient that is not finite")
    if np.max(np.abs(np.imag(coefficients)), initial=0.0) > IMAGINARY:
        raise Refused(f"{what} is not Hermitian: a coefficient is complex")
    largest = float(np.max(np.abs(coefficients), initial=0.0))
    if largest > LARGEST_SUM / len(coefficients):
        raise Refused(f"the coefficients of {what} add up to more than {LARGEST_SUM:g}; take a larger unit")
    if 0.0 < largest < 1.0 / LARGEST_SUM:
        raise Refused(f"the coefficients of {what} are all below {1.0 / LARGEST_SUM:g}; take a smaller unit")
    if np.any(np.imag(coefficients)):
        return SparsePauliOp(converted.paulis, np.real(coefficients))
    return converted


def _converted(operator: PauliOperator, what: str) -> SparsePauliOp:
    given: Any = operator
    if isinstance(given, SparsePauliOp):
        check_operator_size(len(given), given.num_qubits or 0, what)
        return given
    if isinstance(given, SparseObservable):
        check_operator_size(_n_strings(given), given.num_qubits, what)
        return SparsePauliOp.from_sparse_observable(given)
    if not isinstance(given, (Pauli, str)):
        raise Refused(f"{what} must be {KINDS}, not {shown(given)}")
    try:
        return SparsePauliOp(Pauli(given))
    except QiskitError as err:
        raise Refused(f"{what} must be {KINDS}, not {shown(given)}") from err


def _n_strings(observable: Any) -> int:
    """Pauli strings of the observable: a projector such as 0, + or r is the sum of two."""
    projector = np.asarray(observable.bit_terms) & PROJECTORS != 0
    counted = np.append(0, np.cumsum(projector))[np.asarray(observable.boundaries, dtype=np.int64)]
    return int(np.sum(2.0 ** np.minimum(np.diff(counted), 60)))
