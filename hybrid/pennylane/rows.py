"""One circuit for each row of angles, of operations of any form: PennyLane's own expansion goes wrong on some.

PennyLane's `broadcast_expand` keeps the number of rows in copies of MultiRZ, and fails on products, multiples, powers
and exponentials of operations, and on those undone or controlled.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import pennylane as qml
from pennylane.math import get_interface, ndim, stack
from pennylane.ops import Adjoint, Controlled, ControlledOp, ControlledQubitUnitary, Evolution, Exp, Pow, SProd
from pennylane.ops.functions import bind_new_parameters
from pennylane.ops.op_math import CompositeOp, SymbolicOp
from pennylane.tape import QuantumScript
from pennylane.transforms import split_to_single_terms
from pennylane.transforms.core import CompilePipeline

from circuits.interop.pennylane_gates import is_known
from hybrid.pennylane.evolutions import Kept, keep_generators
from hybrid.pennylane.measurements import is_sum

WRITTEN_OUT = (
    qml.AngleEmbedding, qml.IQPEmbedding, qml.QAOAEmbedding, qml.BasicEntanglerLayers, qml.StronglyEntanglingLayers,
    qml.CRot, qml.CPhaseShift00, qml.CPhaseShift01, qml.CPhaseShift10, qml.PSWAP,
    qml.OrbitalRotation,
)  # fmt: skip
"""Operations that PennyLane writes with rows of angles as others that have these rows."""


def turns_by_angles(operation: Any) -> bool:
    """Whether an operation is one that the devices take, whose parameters are all angles: its rows stay together."""
    if isinstance(operation, SymbolicOp | CompositeOp) or any(operation.ndim_params):
        return False
    return is_known(with_any_angles(operation), free=True)


def with_any_angles(operation: Any) -> Any:
    """An operation that turns by rows of angles, with one row of other angles."""
    found: Any = bind_new_parameters(operation, [0.0] * operation.num_params)
    found._check_batching()  # copies such as of MultiRZ keep what was counted before
    return found


def is_written_out(operation: Any) -> bool:
    """Whether an operation turns by angles, or is written as others that do, with the rows that it has."""
    if isinstance(operation, Adjoint):
        return is_written_out(operation.base)
    return isinstance(operation, WRITTEN_OUT) or turns_by_angles(operation)


@qml.transform
def rows_apart(tape: Any, together: Callable[[Any], bool] | None = None) -> tuple[Sequence[Any], Callable[[Any], Any]]:
    """A circuit for each row of angles, and their results put together.

    Args:
        tape: With or without rows.
        together: Which operations may keep their rows: where all do, the rows of expectation values of sums of Pauli
            words stay one circuit. None if each row must be a circuit of its own.
    """
    n_rows = tape.batch_size
    rows = [one for one in tape.operations if one.batch_size is not None]
    if not rows or (together is not None and is_sum(tape) and all(map(together, rows))):
        return (tape,), lambda results: results[0]
    tapes = [
        QuantumScript(
            [row(one, k) for one in tape.operations],
            tape.measurements,
            shots=tape.shots,
            trainable_params=tape.trainable_params,
        )
        for k in range(n_rows)
    ]
    depth = (len(tape.measurements) > 1) + tape.shots.has_partitioned_shots
    return tapes, lambda results: _together(results, depth)


def _together(results: Sequence[Any], depth: int) -> Any:
    """Results of rows, nested in tuples to a depth, as tuples of arrays whose first axis is that of the rows."""
    if depth:
        return tuple(_together(parts, depth - 1) for parts in zip(*results, strict=True))
    if isinstance(results[0], dict):
        return list(results)
    return stack(results)


def row(operation: Any, k: int) -> Any:
    """What an operation does in the k-th row."""
    if operation.batch_size is None:
        return operation
    if isinstance(operation, CompositeOp):
        return type(operation)(*(row(one, k) for one in operation.operands))
    if isinstance(operation, Evolution):
        return Kept(row(operation.base, k), _number(operation.param, k))
    if isinstance(operation, Exp):
        return Exp(row(operation.base, k), _number(operation.scalar, k))
    if isinstance(operation, SProd):
        return SProd(_number(operation.scalar, k), row(operation.base, k))
    if isinstance(operation, Adjoint):
        return Adjoint(row(operation.base, k))
    if isinstance(operation, Pow):
        return Pow(row(operation.base, k), _number(operation.z, k))
    if type(operation) in (Controlled, ControlledOp, ControlledQubitUnitary):
        return Controlled(
            row(operation.base, k), operation.control_wires, operation.control_values, operation.work_wires
        )
    given = zip(operation.data, operation.ndim_params, strict=True)
    found: Any = bind_new_parameters(operation, [x if ndim(x) == expected else x[k] for x, expected in given])
    if found.batch_size is not None:
        found._check_batching()  # copies such as of MultiRZ keep what was counted before
    return found


@qml.transform
def in_full_precision(tape: Any) -> tuple[Sequence[Any], Callable[[Any], Any]]:
    """Let angles of 32 bits or fewer have 64 where JAX works with such: PennyLane's derivatives need it."""
    narrow = {k: x for k, x in enumerate(tape.get_parameters(trainable_only=False)) if _is_narrow(x)}
    if not narrow or not jax.config.read("jax_enable_x64"):
        return (tape,), lambda results: results[0]
    wider = {k: x.astype("float64") for k, x in narrow.items()}
    found = tape.bind_new_parameters(list(wider.values()), list(wider))
    found.trainable_params = tape.trainable_params
    return (found,), lambda results: results[0]


def _is_narrow(x: Any) -> bool:
    return get_interface(x) == "jax" and x.dtype.name in ("float16", "bfloat16", "float32")


def _number(x: Any, k: int) -> Any:
    return x[k] if ndim(x) else x


def for_each_row(method: Any, *, again: bool = False) -> Any:
    """A way to differentiate, such as `qml.gradients.param_shift`, for circuits with rows of angles, too.

    Args:
        method: PennyLane's.
        again: Whether JAX differentiates derivatives again.
    """

    def expand(tape: Any, **options: Any) -> tuple[Sequence[Any], Callable[[Any], Any]]:
        pipeline = CompilePipeline()
        pipeline.add_transform(rows_apart)
        pipeline.add_transform(keep_generators)
        pipeline.add_transform(in_full_precision)
        if again and not tape.shots:
            pipeline.add_transform(split_to_single_terms)  # whose numbers JAX takes for free ones
        if method.expand_transform is not None:
            pipeline.add_transform(qml.transform(method.expand_transform), **options)
            pipeline.add_transform(rows_apart)
        tapes, finish = pipeline((tape,))
        return tapes, lambda results: finish(results)[0]

    return qml.transform(
        method.tape_transform,
        expand_transform=expand,
        classical_cotransform=method.classical_cotransform,
        final_transform=True,
    )
