"""Random layers of gates that several applications are made of."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from qiskit import QuantumCircuit

WORDS = ((), ("s",), ("h",), ("sx",), ("h", "s"), ("s", "h"))
"""A Clifford gate of one qubit for each of the six ways to permute the axes X, Y, Z."""

PAULIS = ("id", "x", "y", "z")


def random_cliffords(circuit: QuantumCircuit, qubits: Iterable[int], random: np.random.Generator) -> None:
    """Append to each qubit one of the 24 Clifford gates of one qubit, each as probable.

    Args:
        circuit: Is changed.
        qubits: Numbers.
        random: Drawn from.
    """
    for qubit in qubits:
        for gate in WORDS[random.integers(len(WORDS))]:
            getattr(circuit, gate)(qubit)
        random_pauli(circuit, qubit, random)


def random_pauli(circuit: QuantumCircuit, qubit: int, random: np.random.Generator) -> str:
    """Append I, X, Y or Z to a qubit, each as probable; I is no gate.

    Args:
        circuit: Is changed.
        qubit: Its number.
        random: Drawn from.

    Returns:
        Which one.
    """
    gate = PAULIS[random.integers(4)]
    if gate != "id":
        getattr(circuit, gate)(qubit)
    return "I" if gate == "id" else gate.upper()


def chain_pairs(n: int, offset: int) -> list[tuple[int, int]]:
    """Disjoint pairs of neighbours on a chain: from qubit 0 on, or from qubit 1 on.

    >>> chain_pairs(5, 0), chain_pairs(5, 1)
    ([(0, 1), (2, 3)], [(1, 2), (3, 4)])
    """
    return [(k, k + 1) for k in range(offset, n - 1, 2)]


def part_of(counts: Mapping[str, int], qubits: Sequence[int]) -> dict[str, int]:
    """Counts of some qubits alone.

    Args:
        counts: Of all qubits, qubit 0 rightmost.
        qubits: Which; the first is rightmost in the result.

    >>> part_of({"010": 3, "110": 2}, [1, 0])
    {'01': 5}
    """
    found: dict[str, int] = {}
    for bits, number in counts.items():
        key = "".join(bits[-1 - qubit] for qubit in reversed(qubits))
        found[key] = found.get(key, 0) + number
    return found
