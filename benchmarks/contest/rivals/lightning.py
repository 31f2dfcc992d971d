"""PennyLane Lightning: adjoint gradients from its device, without PennyLane's transforms around it.

Four configurations: the circuit as `backends.get("lightning")` converts it, or UCCSD in PennyLane's own gates for
excitations; and each with the terms of the observable shared out among threads.
"""

from dataclasses import replace

import numpy as np

import backends
from backends.angles import compile_angles
from backends.gradients.value_and_gradient import as_function
from backends.simulators.lightning import Lightning, Program, convert
from contest.rivals.excitations import Turn, steps
from contest.rivals.gates import without_rzx
from contest.workloads import Case


def adjoint(case: Case):
    return _evaluator(case, _program(case))


def on_card(case: Case):
    backend = backends.get("lightning.gpu", precision=case.workload.precision)
    return backend.value_and_grad(case.circuit, case.observable)


def batched(case: Case):
    return _evaluator(case, _in_batches(case, _program(case)))


def native(case: Case):
    return _evaluator(case, _native(case))


def native_batched(case: Case):
    return _evaluator(case, _in_batches(case, _native(case)))


def _program(case: Case) -> Program:
    return Lightning(precision=case.workload.precision)._program(without_rzx(case.circuit), (case.observable,))


def _in_batches(case: Case, program: Program) -> Program:
    import pennylane as qml

    dtype = np.complex128 if case.workload.precision == "double" else np.complex64
    device = qml.device("lightning.qubit", wires=case.circuit.num_qubits, c_dtype=dtype, batch_obs=True)
    return replace(program, device=device)


def _native(case: Case) -> Program:
    from pennylane.tape import QuantumScript

    program = _program(case)
    operations, places, angles = excitation_operations(case)
    tape = QuantumScript(operations, program.tape.measurements, trainable_params=places)
    return replace(program, tape=tape, angles=compile_angles(angles, case.circuit.parameters))


def excitation_operations(case: Case):
    """UCCSD as PennyLane operations, places of the free angles and these angles, in the form of `convert`.

    SingleExcitation(x, [a, i]) is exp(x/2 (|10><01| - |01><10|)), DoubleExcitation(x, [a, b, i, j]) likewise with
    |1100> and |0011>.
    """
    import pennylane as qml

    last = case.circuit.num_qubits - 1
    operations, places, angles = convert(case.problem.reference_state)
    for step in steps(case.problem):
        if not isinstance(step, Turn):
            operations.append(qml.CZ([last - q for q in step]))
            continue
        gate = qml.SingleExcitation if len(step.created) == 1 else qml.DoubleExcitation
        operations.append(gate(0.0, wires=[last - q for q in step.created + step.annihilated]))
        places.append(len(places))
        angles.append(2 * step.sign * case.circuit.parameters[step.index])
    return operations, places, angles


def _evaluator(case: Case, program: Program):
    def evaluate(rows, seed):
        values, gradients = np.empty(len(rows)), np.empty(rows.shape)
        for k, (row, angles) in enumerate(zip(rows, program.angles.values(rows), strict=True)):
            values[k], slopes = program.value_and_slopes(angles)
            gradients[k] = program.angles.jacobian(row).T @ slopes
        return values, gradients

    return as_function(case.circuit, evaluate, None)
