"""Amplifying the noise of a circuit: gates on several qubits are run, undone, and run again.

G becomes G (G^dagger G)^k, which is G without noise, and 2k + 1 times as noisy with it. A factor between two odd
numbers is reached by folding only some gates once more, spread evenly over the circuit.

References:
    Giurgica-Tiron et al., IEEE QCE 2020, 306, for folding single gates.
"""

from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.transpiler import Target

from circuits.errors import Refused


def folded(circuit: QuantumCircuit, factor: float, target: Target) -> tuple[QuantumCircuit, float]:
    """A circuit with the noise of its gates on several qubits amplified.

    Args:
        circuit: In the target's gates, without measurements.
        factor: At least 1.
        target: The gates that there are.

    Returns:
        The circuit, and the factor by which it has more such gates: the nearest that their number allows.

    Raises:
        Refused: for a gate whose inverse the target does not have.
    """
    many = [k for k, one in enumerate(circuit.data) if is_folded(one)]
    extra = round((factor - 1) / 2 * len(many))  # pairs G^dagger G
    if not extra:
        return circuit, 1.0
    ends = np.floor(np.arange(1, len(many) + 1) * extra / len(many) + 1e-9).astype(int)
    pairs = dict(zip(many, np.diff(ends, prepend=0).tolist(), strict=True))
    full: Any = circuit.copy_empty_like()
    for k, one in enumerate(circuit.data):
        full._append(one)
        for _ in range(pairs.get(k, 0)):
            full._append(_undone(one, target))
            full._append(one)
    return full, 1 + 2 * extra / len(many)


def is_folded(instruction: Any) -> bool:
    """Whether it is a gate on several qubits, which is where a device's noise is."""
    return len(instruction.qubits) > 1 and instruction.operation.name not in ("barrier", "delay")


def _undone(instruction: Any, target: Target) -> Any:
    gate = instruction.operation
    inverse = gate.inverse()
    if inverse.name not in target.operation_names:
        raise Refused(
            f"mitigation 'zne' undoes gates to amplify their noise, and the device has no gate that undoes its "
            f"'{gate.name}'; leave 'zne' out"
        )
    return instruction.replace(operation=inverse)
