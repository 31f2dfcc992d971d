"""GHZ fidelity: how well a device makes the state (|0...0> + |1...1>) / sqrt(2)."""

import math
from collections.abc import Sequence
from typing import ClassVar

from qiskit import QuantumCircuit

from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Score, Size, Task
from hybrid.codesign.suite.statistics import parity, proportion, weighted


class GHZ(Benchmark):
    """Fidelity of the n-qubit GHZ state from n + 1 measured circuits, without tomography.

    F = (P(0...0) + P(1...1)) / 2 + 1/(2n) sum_{k=1}^{n} (-1)^k <M_k>, with
    M_k = (cos(k pi / n) X + sin(k pi / n) Y) on every qubit: the populations, and the coherence between them.

    References:
        O. Gühne, C.-Y. Lu, W.-B. Gao, J.-W. Pan, Phys. Rev. A 76, 030305 (2007).
    """

    name = "ghz"
    title = "GHZ fidelity"
    sizes: ClassVar = {
        "quick": (Size(3),),
        "small": (Size(3), Size(5)),
        "full": (Size(3), Size(5), Size(8), Size(12), Size(16)),
    }

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """One circuit for the populations, then one for each M_k; see `Benchmark.circuits`."""
        del seed
        n = size.n_qubits
        tasks = [Task(prepared(n), shots=shots)]
        for k in range(1, n + 1):
            circuit = prepared(n)
            circuit.rz(-k * math.pi / n, range(n))  # turns M_k to X on every qubit
            circuit.h(range(n))
            tasks.append(Task(circuit, shots=shots, facts={"k": k}))
        return tasks

    def reference(self, size: Size, *, seed: int) -> float:
        """The state itself has fidelity 1."""
        del size, seed
        return 1.0

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The fidelity, with populations and coherence as details; see `Benchmark.score`."""
        n, first = size.n_qubits, dict(answers[0].counts)
        populations = proportion(first.get("0" * n, 0) + first.get("1" * n, 0), sum(first.values()))
        parities = [parity(answer.counts) for answer in answers[1:]]
        coherence = weighted([(-1) ** task.facts["k"] / n for task in tasks[1:]], parities)
        fidelity = weighted([0.5, 0.5], [populations, coherence])
        details: dict[str, Estimate] = {"populations": populations, "coherence": coherence}
        return Score(fidelity.value, fidelity.standard_error, details)


def prepared(n: int) -> QuantumCircuit:
    """A circuit that makes the GHZ state of n qubits along a chain, from its middle, so that the depth is n/2 + 1."""
    circuit = QuantumCircuit(n)
    middle = n // 2
    circuit.h(middle)
    for k in range(middle, n - 1):
        circuit.cx(k, k + 1)
        if (mirrored := 2 * middle - k) > 0:
            circuit.cx(mirrored, mirrored - 1)
    for k in range(2 * middle - (n - 1), 0, -1):
        circuit.cx(k, k - 1)
    return circuit
