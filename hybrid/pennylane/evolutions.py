"""Evolutions exp(-i t G) as the devices take them."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pennylane as qml
from pennylane.math import imag, requires_grad, unwrap
from pennylane.ops import Evolution, Exp
from pennylane.ops.functions import bind_new_parameters
from pennylane.ops.op_math import SymbolicOp

from circuits.interop.pennylane_gates import MOST_WIRES


class Kept(Evolution):
    """An evolution that keeps the numbers in its generator, which PennyLane's loses when it is given another time.

    Its time is a real number, of which PennyLane asks more than JAX can say while it compiles.
    """

    has_generator = True  # pyright: ignore[reportAssignmentType]

    def generator(self) -> Any:
        """G of exp(i t G)."""
        return -1 * self.base


@bind_new_parameters.register
def _bound(operation: Kept, params: Sequence[Any]) -> Kept:
    return Kept(operation.base, params[0])


@qml.transform
def keep_generators(tape: Any) -> tuple[Sequence[Any], Callable[[Any], Any]]:
    """Replace evolutions by ones that can be given another time."""
    kept = tape.copy(operations=list(map(_kept, tape.operations)), trainable_params=tape.trainable_params)
    return (kept,), lambda results: results[0]


def _kept(operation: Any) -> Any:
    if isinstance(operation, Evolution):
        return operation if isinstance(operation, Kept) else Kept(operation.base, operation.data[0])
    if not isinstance(operation, SymbolicOp) or (base := _kept(operation.base)) is operation.base:
        return operation
    found = copy.copy(operation)  # such as the evolution controlled, or undone
    found.hyperparameters["base"] = base
    return found


def written_out(operation: Any) -> list[Any]:
    """An operation as others: as PennyLane decomposes it, or as a turn in the eigenbasis of its generator.

    exp(-i t G) = V exp(-i t D) V^dagger, where D is diagonal, turns by one free angle whatever G is.

    Raises:
        DecompositionUndefinedError: for what has no decomposition.
    """
    if not isinstance(operation, Exp) or operation.has_decomposition or not _turns_by_time(operation):
        return list(map(_kept, operation.decomposition()))
    wires = operation.base.wires
    values, vectors = np.linalg.eigh(_matrix(operation.base))
    words: Any = qml.pauli_decompose(np.diag(values), wire_order=wires, pauli=True)
    diagonal, time = words.operation(wire_order=wires), -imag(operation.coeff)
    undo, do = (qml.QubitUnitary(matrix, wires=wires) for matrix in (vectors.conj().T, vectors))
    return [undo, Kept(diagonal, time), do]


def _turns_by_time(operation: Exp) -> bool:
    """Whether it is unitary by the time alone: the generator is Hermitian, given in numbers, and on few wires."""
    base = operation.base
    if len(base.wires) > MOST_WIRES or any(map(requires_grad, base.data)):
        return False
    matrix = _matrix(base)
    (coefficient,) = map(complex, unwrap([operation.coeff]))  # pyright: ignore[reportArgumentType]
    return bool(np.allclose(matrix, matrix.conj().T)) and coefficient.real == 0


def _matrix(operation: Any) -> np.ndarray:
    return np.asarray(operation.matrix(wire_order=operation.wires), dtype=complex)
