"""The quantum Fourier transform, run backwards on states whose transform is known."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit

from hybrid.codesign.suite.benchmark import Answer, Benchmark, Score, Size, Task
from hybrid.codesign.suite.statistics import mean, proportion

N_NUMBERS = 5
"""That are transformed, drawn at random."""


class Fourier(Benchmark):
    """The probability of reading x after the inverse Fourier transform of the transform of |x>, over random x.

    The transform of |x> is a product state: qubit j is (|0> + exp(2 pi i x / 2^(j+1)) |1>) / sqrt(2) where the order of
    qubits is left reversed. The inverse transform takes n(n-1)/2 controlled phases, between all pairs of qubits.

    References:
        D. Coppersmith, IBM Research Report RC19642 (1994), arXiv:quant-ph/0201067; T. Lubinski et al., IEEE Trans.
        Quantum Eng. 4, 3100332 (2023), arXiv:2110.03137, whose second method this is.
    """

    name = "qft"
    title = "Quantum Fourier transform"
    sizes: ClassVar = {
        "quick": (Size(3),),
        "small": (Size(3), Size(5)),
        "full": (Size(3), Size(5), Size(8), Size(12)),
    }
    least = 1
    most = 62

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """One circuit for each number; see `Benchmark.circuits`."""
        numbers = np.random.default_rng(seed).integers(2**size.n_qubits, size=N_NUMBERS)
        return [
            Task(back_transformed(size.n_qubits, int(x)), shots=shots, facts={"answer": f"{x:0{size.n_qubits}b}"})
            for x in numbers
        ]

    def reference(self, size: Size, *, seed: int) -> float:
        """Every shot reads x."""
        del size, seed
        return 1.0

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The mean probability of the right answer."""
        del size
        found = mean(
            [
                proportion(answer.counts.get(task.facts["answer"], 0), sum(answer.counts.values()))
                for task, answer in zip(tasks, answers, strict=True)
            ]
        )
        return Score(found.value, found.standard_error)


def back_transformed(n: int, x: int) -> QuantumCircuit:
    """The Fourier transform of |x>, prepared qubit by qubit, and the inverse transform after it.

    Args:
        n: Number of qubits.
        x: From 0 to 2^n - 1; bit j is read in qubit j.
    """
    circuit = QuantumCircuit(n)
    for j in range(n):
        circuit.h(j)
        circuit.p(2 * math.pi * (x % 2 ** (j + 1)) / 2 ** (j + 1), j)
    circuit.barrier()
    for j in range(n):
        for k in range(j):
            circuit.cp(-math.pi / 2 ** (j - k), k, j)
        circuit.h(j)
    return circuit
