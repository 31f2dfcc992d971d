"""exp(-i angle H) for a sum H of commuting Pauli terms, in Qiskit's standard gates where there is one."""

from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp

GATES = {"X": "rx", "Y": "ry", "Z": "rz", "XX": "rxx", "YY": "ryy", "ZZ": "rzz"}


def evolve(circuit: QuantumCircuit, operator: SparsePauliOp, angle: Any) -> None:
    """Append exp(-i angle H), without its global phase, to the circuit.

    Args:
        circuit: Changed in place.
        operator: H with real coefficients and terms that commute, on the circuit's qubits.
        angle: Number, Parameter or expression; radians over the unit of the coefficients. rx, ry, rz,
            rxx, ryy, rzz turn by 2 * coefficient * angle; any other string becomes a PauliEvolutionGate on its
            own qubits.
    """
    for letters, qubits, coefficient in operator.to_sparse_list():
        strength = float(coefficient.real)
        if not qubits:
            continue
        if letters in GATES:
            getattr(circuit, GATES[letters])(2 * strength * angle, *qubits)
        else:
            order = sorted(range(len(qubits)), key=qubits.__getitem__)
            label = "".join(letters[k] for k in reversed(order))
            circuit.append(PauliEvolutionGate(SparsePauliOp(label), strength * angle), [qubits[k] for k in order])
