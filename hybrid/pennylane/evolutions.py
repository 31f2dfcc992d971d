"""Evolutions exp(-i t G) as the devices take them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pennylane as qml
from pennylane.exceptions import DeviceError
from pennylane.math import get_trainable_indices, imag, is_abstract, requires_grad, unwrap
from pennylane.ops import Adjoint, Controlled, Evolution, Exp, Pow
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
    found = tape.copy(operations=list(map(_kept, tape.operations)))
    parameters = found.get_parameters(trainable_only=False)
    same = len(parameters) == len(tape.get_parameters(trainable_only=False))  # numbers in generators are none any more
    found.trainable_params = tape.trainable_params if same else get_trainable_indices(parameters)
    return (found,), lambda results: results[0]


def _kept(operation: Any) -> Any:
    """An evolution, also one that is undone, repeated or controlled, as one that can be given another time."""
    if isinstance(operation, Kept):
        return operation
    if isinstance(operation, Evolution):
        return Kept(operation.base, operation.param)
    if isinstance(operation, Exp):
        return Kept(operation.base, -imag(operation.coeff)) if _is_turn(operation) else operation
    if not isinstance(operation, SymbolicOp) or not isinstance(inner := _kept(operation.base), Kept):
        return operation
    if isinstance(operation, Adjoint):
        return Kept(inner.base, -inner.param)
    if isinstance(operation, Pow):
        return Kept(inner.base, operation.z * inner.param)
    if isinstance(operation, Controlled):
        controls = zip(operation.control_wires, operation.control_values, strict=True)
        held = [qml.dot([0.5, -0.5 if value else 0.5], [qml.I(wire), qml.Z(wire)]) for wire, value in controls]
        return Kept(qml.prod(*held, inner.base), inner.param)  # exp(-i t P G) turns where the projector P holds
    return operation


def _is_turn(operation: Exp) -> bool:
    """Whether exp(c G) is an evolution: G is Hermitian and has no free numbers, and c is imaginary.

    Raises:
        DeviceError: where c is a number that JAX has not computed yet.
    """
    if any(map(requires_grad, operation.base.data)) or not operation.base.is_verified_hermitian:
        return False
    if is_abstract(operation.coeff):
        if isinstance(operation.base, qml.Identity):
            return True  # a global phase, as PennyLane's decompositions end with
        raise DeviceError(
            f"whether the coefficient of exp({operation.base}) is imaginary is not known while JAX compiles or maps: "
            "write qml.evolve(generator, time)"
        )
    (coefficient,) = map(complex, unwrap([operation.coeff]))  # pyright: ignore[reportArgumentType]
    return coefficient.real == 0


def written_out(operation: Any) -> list[Any]:
    """An operation as others: as PennyLane decomposes it, or as a turn in the eigenbasis of its generator.

    exp(-i t G) = V exp(-i t D) V^dagger, where D is diagonal, turns by one free angle whatever G is.

    Raises:
        DecompositionUndefinedError: for what has no decomposition.
    """
    if not isinstance(operation, Kept) or operation.has_decomposition or not _is_small(operation):
        return list(map(_kept, operation.decomposition()))
    wires = operation.base.wires
    values, vectors = np.linalg.eigh(_matrix(operation.base))
    words: Any = qml.pauli_decompose(np.diag(values), wire_order=wires, pauli=True)
    diagonal, time = words.operation(wire_order=wires), operation.param
    undo, do = (qml.QubitUnitary(matrix, wires=wires) for matrix in (vectors.conj().T, vectors))
    return [undo, Kept(diagonal, time), do]


def _is_small(operation: Kept) -> bool:
    """Whether the generator is Hermitian, given in numbers, and on few wires."""
    if len(operation.base.wires) > MOST_WIRES or any(map(requires_grad, operation.base.data)):
        return False
    matrix = _matrix(operation.base)
    return bool(np.allclose(matrix, matrix.conj().T))


def _matrix(operation: Any) -> np.ndarray:
    return np.asarray(operation.matrix(wire_order=operation.wires), dtype=complex)
