"""exp(-i angle H) for a sum H of commuting Pauli terms, in Qiskit's standard gates where there is one."""

from collections.abc import Sequence

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.circuit.parameterexpression import ParameterValueType
from qiskit.quantum_info import SparsePauliOp

from circuits.problems.checks import EVOLUTION

Terms = Sequence[tuple[str, list[int], complex]]
"""(letters, qubits, coefficient) of each Pauli term."""

GATES = {"X": "rx", "Y": "ry", "Z": "rz", "XX": "rxx", "YY": "ryy", "ZZ": "rzz"}


def n_gates(operator: SparsePauliOp) -> int:
    """How much `evolve` appends, in gates as `check_circuit_size` counts them.

    >>> n_gates(SparsePauliOp(["XX", "IZ", "XY", "II"]))
    7
    """
    x, z = operator.paulis.x, operator.paulis.z
    weight = np.count_nonzero(x | z, axis=1)
    two_alike = (weight == 2) & (np.count_nonzero(x, axis=1) % 2 == 0) & (np.count_nonzero(z, axis=1) % 2 == 0)
    return int(np.sum(np.where((weight == 1) | two_alike, 1, EVOLUTION)[weight > 0]))


def evolve(circuit: QuantumCircuit, terms: Terms, angle: ParameterValueType) -> None:
    """Append exp(-i angle H), without its global phase, to the circuit.

    Args:
        circuit: Changed in place.
        terms: Of H, as ``SparsePauliOp.to_sparse_list`` gives them, which takes long on many qubits: with real
            coefficients, commuting, on the circuit's qubits.
        angle: Number, Parameter or expression; radians over the unit of the coefficients. rx, ry, rz,
            rxx, ryy, rzz turn by 2 * coefficient * angle; any other string becomes a PauliEvolutionGate on its
            own qubits.
    """
    for letters, qubits, coefficient in terms:
        strength = float(coefficient.real)
        if not qubits:
            continue
        if letters in GATES:
            getattr(circuit, GATES[letters])(2 * strength * angle, *qubits)
        else:
            order = sorted(range(len(qubits)), key=qubits.__getitem__)
            label = "".join(letters[k] for k in reversed(order))
            circuit.append(PauliEvolutionGate(SparsePauliOp(label), strength * angle), [qubits[k] for k in order])
