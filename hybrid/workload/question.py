"""What a minimization asks, in words that are the same in every process: who asks the same gets the same bits."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate

from hybrid.workload.workload import Workload

LIBRARY = "qiskit.circuit.library"
"""Gates from there are known by their names; all others by what they are made of."""


SETTINGS = ("optimizer", "accuracy", "max_steps", "seed", "shots", "label")
"""Of a workload, besides what is minimized."""


def question(work: Workload, settings: Sequence[str] = SETTINGS) -> dict[str, Any]:
    """The workload as JSON-able values, but for its starting point; circuit and Hamiltonian as digests.

    Args:
        work: The workload.
        settings: Which of its settings count.
    """
    return {
        "problem": work.problem.name,
        "hamiltonian": _digest(sorted(work.problem.hamiltonian.to_list())),
        "circuit": _digest(_words(work.circuit)),
        **{key: work.optimizer.describe() if key == "optimizer" else getattr(work, key) for key in settings},
    }


def differing(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """The keys in which two questions differ."""
    return [key for key in asked if kept.get(key) != asked[key]]


def _digest(content: Any) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def _words(circuit: QuantumCircuit) -> list[Any]:
    words: list[Any] = [str(circuit.global_phase)]
    for instruction in circuit.data:
        gate = instruction.operation
        generator = gate.operator.to_list() if isinstance(gate, PauliEvolutionGate) else None  # pyright: ignore
        where = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
        kind = getattr(gate, "base_class", type(gate))  # of gates that are singletons
        parts = None if kind.__module__.startswith(LIBRARY) else getattr(gate, "definition", None)
        name = gate.name if parts is None else _words(parts)
        words.append((name, where, [str(np.asarray(p).tolist()) for p in gate.params], generator))
    return words
