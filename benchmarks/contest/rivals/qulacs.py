"""Qulacs: its own backpropagation through a parametric circuit, in double precision, on all cores."""

import numpy as np
from qiskit.circuit import Instruction
from qiskit.circuit.library import PauliEvolutionGate

from backends.angles import compile_angles
from backends.gradients.value_and_gradient import as_function
from backends.instructions import exponents, flatten, has_matrix, matrix_of, terms
from contest.rivals.gates import ROTATIONS
from contest.workloads import Case

LETTERS = {"X": 1, "Y": 2, "Z": 3}
FIXED = {"h": "H", "x": "X", "y": "Y", "z": "Z", "cx": "CNOT", "cz": "CZ", "swap": "SWAP"}


def backprop(case: Case):
    """Value and gradient with H applied once: backpropagation from H psi, and <psi|H psi>.

    `backprop` would apply H again; `backprop_inner_product` is its inner part and gives half of its result.
    """
    import qulacs

    n = case.circuit.num_qubits
    circuit, angles = _circuit(case, qulacs)
    observable = _observable(case, qulacs)
    psi, image, work = (qulacs.QuantumState(n) for _ in range(3))

    def evaluate(rows, seed):
        values, gradients = np.empty(len(rows)), np.empty(rows.shape)
        for k, (row, alphas) in enumerate(zip(rows, angles.values(rows), strict=True)):
            for index, alpha in enumerate(alphas):
                circuit.set_parameter(index, alpha)
            psi.set_zero_state()
            circuit.update_quantum_state(psi)
            observable.apply_to_state(work, psi, image)
            values[k] = qulacs.state.inner_product(psi, image).real
            gradients[k] = angles.jacobian(row).T @ (2 * np.array(circuit.backprop_inner_product(image)))
        return values, gradients

    return as_function(case.circuit, evaluate, None)


def _circuit(case: Case, qulacs):
    """The circuit, and its angles: Qulacs turns by exp(+i angle/2 P), so that they are minus Qiskit's."""
    circuit, angles = qulacs.ParametricQuantumCircuit(case.circuit.num_qubits), []
    for gate, qubits in flatten(case.circuit, _keep):
        if gate.name == "global_phase":
            continue
        for letters, angle in _rotations(gate):
            acting = [(q, LETTERS[letter]) for q, letter in zip(qubits, letters, strict=True) if letter != "I"]
            angles.append(-angle)
            _turn(circuit, *(list(part) for part in zip(*acting, strict=True)))
        if gate.name in FIXED:
            getattr(circuit, f"add_{FIXED[gate.name]}_gate")(*qubits)
        elif gate.name not in ROTATIONS and not isinstance(gate, PauliEvolutionGate):
            circuit.add_dense_matrix_gate(list(qubits), matrix_of(gate))
    return circuit, compile_angles(angles, case.circuit.parameters)


def _rotations(gate: Instruction):
    if isinstance(gate, PauliEvolutionGate):
        return [(label[::-1], angle) for label, angle in exponents(gate) or ()]
    return [(letters, factor * gate.params[0]) for letters, factor in ROTATIONS.get(gate.name, ())]


def _turn(circuit, qubits: list[int], letters: list[int]) -> None:
    if len(qubits) == 1:
        add = {1: circuit.add_parametric_RX_gate, 2: circuit.add_parametric_RY_gate, 3: circuit.add_parametric_RZ_gate}
        add[letters[0]](qubits[0], 0.0)
    else:
        circuit.add_parametric_multi_Pauli_rotation_gate(qubits, letters, 0.0)


def _keep(gate: Instruction) -> bool:
    return gate.name in ROTATIONS or isinstance(gate, PauliEvolutionGate) or has_matrix(gate, 2)


def _observable(case: Case, qulacs):
    observable = qulacs.Observable(case.circuit.num_qubits)
    for label, value in terms(case.observable):
        letters = (f"{letter} {q}" for q, letter in enumerate(reversed(label)) if letter != "I")
        observable.add_operator(value, " ".join(letters))
    return observable
