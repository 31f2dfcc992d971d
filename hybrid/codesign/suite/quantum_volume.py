"""Quantum volume's model circuits, also where they are not square: the share of heavy outputs."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import CXGate
from qiskit.quantum_info import Statevector, random_unitary
from qiskit.synthesis import TwoQubitBasisDecomposer

from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Score, Size, Task, check_between
from hybrid.codesign.suite.statistics import mean, proportion

N_CIRCUITS = 10
"""Random ones of each width and depth."""


class QuantumVolume(Benchmark):
    """The probability of heavy outputs of random circuits: strings that are more probable than the median.

    A layer pairs the qubits at random and gives each pair a random gate of SU(4). A perfect computer reaches about
    (1 + ln 2)/2 = 0.85 in wide circuits, noise alone 1/2; a quantum volume of 2^n is claimed where circuits of n qubits
    and n layers are above 2/3 by two standard errors. Without a depth, circuits are square. The exact probabilities are
    computed here, of the state vector.

    References:
        A. W. Cross, L. S. Bishop, S. Sheldon, P. D. Nation, J. M. Gambetta, Phys. Rev. A 100, 032328 (2019);
        C. H. Baldwin, K. Mayer, N. C. Brown, C. Ryan-Anderson, D. Hayes, Quantum 6, 707 (2022), for its statistics.
    """

    name = "quantum-volume"
    title = "Quantum volume circuits"
    sizes: ClassVar = {
        "quick": (Size(2),),
        "small": (Size(2), Size(3), Size(4), Size(5)),
        "full": (Size(2), Size(3), Size(4), Size(5), Size(6), Size(8), Size(10)),
    }
    shots = 500
    most = 16

    def check(self, size: Size) -> None:
        """See `Benchmark.check`; any depth will do."""
        check_between(self.name, size, self.least, self.most)

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """Ten random circuits with their heavy outputs; see `Benchmark.circuits`."""
        random = np.random.default_rng(seed)
        tasks = []
        for _ in range(N_CIRCUITS):
            circuit = model_circuit(size.n_qubits, size.depth or size.n_qubits, random)
            p = Statevector(circuit).probabilities()
            heavy = np.flatnonzero(p > np.median(p))
            facts = {"heavy": heavy.tolist(), "exact": float(p[heavy].sum())}
            tasks.append(Task(circuit, shots=shots, facts=facts))
        return tasks

    def reference(self, size: Size, *, seed: int) -> float:
        """The exact mean probability of heavy outputs of the same circuits."""
        return float(np.mean([task.facts["exact"] for task in self.circuits(size, shots=1, seed=seed)]))

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The mean probability of heavy outputs; as a detail, what is left of it, from 0 for noise to 1.

        The detail is (h - 1/2) / (h_exact - 1/2), whose error is that of the measured h circuit by circuit.
        """
        del size
        measured = []
        for task, answer in zip(tasks, answers, strict=True):
            heavy = set(task.facts["heavy"])
            hits = sum(number for bits, number in answer.counts.items() if int(bits, 2) in heavy)
            measured.append(proportion(hits, sum(answer.counts.values())))
        exact = np.array([task.facts["exact"] for task in tasks])
        found = mean(measured)
        room = float(exact.mean()) - 0.5
        away = [Estimate(one.value - right, one.standard_error) for one, right in zip(measured, exact, strict=True)]
        left = Estimate((found.value - 0.5) / room, mean(away).standard_error / room)
        return Score(found.value, found.standard_error, {"of_the_exact_excess": left})


def model_circuit(n: int, depth: int, random: np.random.Generator) -> QuantumCircuit:
    """A random circuit of quantum volume, in CX gates and gates on single qubits.

    Args:
        n: Number of qubits.
        depth: Number of layers.
        random: Drawn from.
    """
    circuit, synthesis = QuantumCircuit(n), TwoQubitBasisDecomposer(CXGate())
    for _ in range(depth):
        order = random.permutation(n)
        for k in range(0, n - 1, 2):
            pair = [int(order[k]), int(order[k + 1])]
            circuit.compose(synthesis(random_unitary(4, seed=random)), pair, inplace=True)
    return circuit
