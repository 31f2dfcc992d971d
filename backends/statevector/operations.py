"""How many operations and bytes a value with its gradient takes, to hold against what a machine can do."""

from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from backends.base import Precision
from backends.checks import as_observables
from backends.statevector.design import Design
from backends.statevector.lower import lower
from backends.statevector.observe import by_x_mask, supports, windows
from backends.statevector.parts.program import PartsProgram
from backends.statevector.plan import Apply, moves


def roofline(circuit: QuantumCircuit, observable: Any, precision: Precision) -> dict[str, float]:
    """Operations in products of matrices, and bytes of states read and written, for one value with its gradient.

    Of native kernels see `NativeProgram.work` and `PartsProgram.work`. Else counted are blocks (forward, undone on
    lambda, cotangent), moves, and the observable's windows and diagonals; what does not touch whole states is left out.

    Returns:
        ``flops`` and ``bytes``.
    """
    real = np.dtype(np.float64 if precision == "double" else np.float32)
    (H,) = as_observables(observable, circuit.num_qubits)
    n = circuit.num_qubits
    design = Design(lower(circuit), real, (H,))
    if design.parts is not None:
        program = PartsProgram(design.lowered, design.parts, real)
        return program.work(program.terms(H))
    if design.native is not None:
        return design.native.work((H,))
    plan = design.plan
    flops = numbers = 0.0
    for step in plan.steps:
        if isinstance(step, Apply):
            before, after = 2.0 ** len(step.front), 2.0 ** len(step.after)
            rows = 2.0 ** (step.width + (not step.real))
            columns = 2.0 ** (step.present + (not step.real))
            flops += 2 * rows * before + 2 * columns * after + 2 * columns * (after if before < after else before)
            numbers += 2 * (before + after) + 2 * max(before, after)
    numbers += sum(2 * 2.0 ** len(new) for _, new in moves(plan))
    groups = by_x_mask(H)
    products = len(windows(supports(groups), n, plan.width))
    flops += products * 2 * 2.0**plan.width * 2.0 ** (n + 1)
    numbers += (5 * products + 2.5 + 2) * 2.0 ** (n + 1)
    return {"flops": flops, "bytes": numbers * real.itemsize}
