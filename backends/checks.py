"""Checks and conversions of what is asked of a backend: circuits, observables, parameters, shots."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.instructions import not_unitary
from circuits.errors import Refused
from circuits.problems.operators import OperatorLike, as_hermitian
from circuits.problems.problem import Problem

ObservableLike = Problem | OperatorLike
"""A Hermitian operator of Qiskit's kinds or PennyLane's, a Pauli label such as ``"XIZ"``, or a `circuits.Problem`."""

ObservablesLike = ObservableLike | Sequence[ObservableLike]
"""One observable, or several."""

MOST_SHOTS = 10**9
"""Shots of one circuit beyond which a request is taken for a mistake."""


def check_circuit(circuit: Any) -> None:
    """Refuse what is no circuit, or one without qubits."""
    if not isinstance(circuit, QuantumCircuit):
        raise Refused(f"circuit must be a Qiskit QuantumCircuit, not {type(circuit).__name__}")
    if not circuit.num_qubits:
        raise Refused("the circuit has no qubits")


def check_unitary(circuit: QuantumCircuit) -> None:
    """Refuse a circuit that has no well-defined expectation value: measured, reset, or steered by classical bits."""
    check_circuit(circuit)
    for operation in not_unitary(circuit):
        if operation.name == "measure":
            raise Refused(
                "the circuit has measurements, but an expectation value is asked, and that is of the state before "
                "them: leave them out"
            )
        raise Refused(
            f"the circuit has a '{operation.name}' instruction; only unitary gates have an expectation value here"
        )


def check_request(precision: float | None, shots: int | None, seed: int | None) -> None:
    """Refuse a precision, a number of shots or a seed that means nothing."""
    for name, given in (("precision", precision), ("shots", shots), ("seed", seed)):
        if isinstance(given, bool):
            raise Refused(f"{name} must be a number, not {given}")
    if precision is not None and shots is not None:
        raise Refused("a batch takes a precision or a number of shots, not both")
    if precision is not None and not (isinstance(precision, Real) and np.isfinite(precision) and precision > 0):
        raise Refused(f"precision must be a positive number, not {precision!r}")
    if shots is not None and not (isinstance(shots, Real) and shots >= 1 and float(shots).is_integer()):
        raise Refused(f"shots must be a positive whole number, not {shots!r}")
    if shots is not None and shots > MOST_SHOTS:
        raise Refused(f"{shots} shots of one circuit are taken for a mistake; {MOST_SHOTS} are the most")
    if seed is not None and not (isinstance(seed, Integral) and seed >= 0):
        raise Refused(f"seed must be a whole number, zero or above, not {seed!r}")


def as_observables(observables: ObservablesLike, n_qubits: int) -> tuple[SparsePauliOp, ...]:
    """Convert one operator, a Problem or a sequence of them; check that each fits the circuit.

    Args:
        observables: Any of `ObservablesLike`.
        n_qubits: Of the circuit.

    Returns:
        A tuple of SparsePauliOp with coefficients that are finite and real.

    Raises:
        Refused: if one is no Hermitian operator, or acts on another number of qubits.
    """
    given: Any = (observables,) if is_single(observables) else observables
    converted = tuple(_as_operator(observable, k, n_qubits) for k, observable in enumerate(given))
    if not converted:
        raise Refused("no observable was given")
    for k, operator in enumerate(converted):
        if operator.num_qubits != n_qubits:
            raise Refused(f"observable {k} acts on {operator.num_qubits} qubits, but the circuit has {n_qubits}")
    return converted


def is_single(observables: ObservablesLike) -> bool:
    """Whether one operator is meant, and no sequence of them."""
    return not isinstance(observables, Sequence) or isinstance(observables, str)


def _as_operator(observable: ObservableLike, k: int, n_qubits: int) -> SparsePauliOp:
    given = observable.hamiltonian if isinstance(observable, Problem) else observable
    return as_hermitian(given, f"observable {k}", n_qubits)


def as_rows(parameters: Any, circuit: QuantumCircuit) -> np.ndarray:
    """Parameters as an array of shape (rows, params); check their number and that they are finite."""
    if np.iscomplexobj(parameters):
        raise Refused("parameters must be real numbers; complex ones were given")
    try:
        theta = np.asarray(parameters, dtype=np.float64)
    except (TypeError, ValueError) as err:
        raise Refused(f"parameters must be real numbers of shape (params,) or (rows, params): {err}") from err
    rows = theta.reshape(1, -1) if theta.ndim <= 1 else theta
    if rows.ndim == 2 and rows.shape[1] == circuit.num_parameters and np.isfinite(rows).all():
        return rows
    names = [p.name for p in circuit.parameters]
    if rows.ndim != 2 or rows.shape[1] != len(names):
        some = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        raise Refused(
            f"the circuit has {len(names)} free parameters{f' ({some})' if names else ''}, "
            f"but parameters of shape {theta.shape} were given"
        )
    row, column = np.argwhere(~np.isfinite(rows))[0]
    raise Refused(f"parameter {names[column]} in row {row} is {rows[row, column]}; it must be a finite number")
