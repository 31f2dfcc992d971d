"""Pauli twirling: random Pauli gates before each gate on two qubits, and behind it those that undo them.

For a Clifford gate G and Paulis P there is a Pauli Q with Q G P = G up to a phase. The mean over random P leaves G as
it is, and of its errors only what is a random Pauli.

References:
    Wallman and Emerson, Phys. Rev. A 94, 052325 (2016).
"""

from functools import cache
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2
from qiskit.quantum_info import Clifford, Operator, Pauli
from qiskit.transpiler import Target

from backends.measurement.targets import translated
from backends.mitigation.folding import is_folded
from circuits.errors import Refused

LETTERS = ("I", "X", "Y", "Z")


class Twirl:
    """Draws twirled copies of circuits on one target.

    Args:
        target: In whose gates the Paulis are written.
        n_qubits: Of the circuits.
    """

    def __init__(self, target: BackendV2 | Target, n_qubits: int):
        self._pauli = cache(lambda letter, qubit: _pauli(letter, qubit, n_qubits, target))
        self._partners: dict[tuple[str, tuple[float, ...]], list[str]] = {}

    def __call__(self, circuit: QuantumCircuit, rng: np.random.Generator) -> QuantumCircuit:
        """A twirled copy of a circuit without free parameters.

        Args:
            circuit: In the target's gates, without measurements.
            rng: From which the Paulis are drawn.

        Raises:
            Refused: for a gate that Paulis do not pass: one on three qubits, or on two that is no Clifford gate.
        """
        places = {qubit: q for q, qubit in enumerate(circuit.qubits)}
        full: Any = circuit.copy_empty_like()

        def put(letters: str, where: list[int]) -> None:
            for letter, q in zip(letters, where, strict=True):
                for one in self._pauli(letter, q):
                    full._append(one.replace(qubits=(full.qubits[q],)))

        for one in circuit.data:
            if not is_folded(one):
                full._append(one)
                continue
            gate = one.operation
            if len(one.qubits) > 2:
                raise _refused(gate)
            known = (gate.name, tuple(map(float, gate.params)))
            if known not in self._partners:
                self._partners[known] = _partners(gate)
            partners = self._partners[known]
            where = [places[qubit] for qubit in one.qubits]
            before = int(rng.integers(16))
            put(LETTERS[before % 4] + LETTERS[before // 4], where)
            full._append(one)
            put(partners[before], where)
        return full


def _partners(gate: Any) -> list[str]:
    """For each pair of Paulis before a gate, the pair behind it that undoes it, first the first qubit's."""
    try:
        clifford = Clifford.from_operator(Operator(gate))
    except QiskitError as err:
        raise _refused(gate) from err
    found = []
    for k in range(16):
        label = Pauli(LETTERS[k // 4] + LETTERS[k % 4]).evolve(clifford, frame="s").to_label().lstrip("-i")
        found.append(label[::-1])
    return found


def _pauli(letter: str, qubit: int, n_qubits: int, target: BackendV2 | Target) -> list[Any]:
    if letter == "I":
        return []
    circuit = QuantumCircuit(n_qubits)
    getattr(circuit, letter.lower())(qubit)
    return list(translated(circuit, target).data)


def _refused(gate: Any) -> Refused:
    angles = f" with angles {[round(float(x), 6) for x in gate.params]}" if gate.params else ""
    return Refused(
        "mitigation 'twirling' takes gates on two qubits that turn Paulis into Paulis, such as cx, cz and ecr, and the "
        f"device's '{gate.name}'{angles} is none; leave 'twirling' out"
    )


def split(shots: int, parts: int) -> list[int]:
    """Shots shared among randomizations: as evenly as whole numbers can, and not one more or less.

    >>> split(1234, 5)
    [247, 247, 247, 247, 246]
    """
    parts = min(parts, shots)
    least, more = divmod(shots, parts)
    return [least + 1] * more + [least] * (parts - more)
