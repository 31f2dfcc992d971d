"""Mirror circuits: random layers and their inverses, whose right answer is known at any size."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Clifford, Pauli

from circuits.errors import Refused
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Score, Size, Task, check_between
from hybrid.codesign.suite.layers import chain_pairs, random_cliffords, random_pauli
from hybrid.codesign.suite.statistics import mean

N_CIRCUITS = 10
"""Random ones of each width and depth."""


class Mirror(Benchmark):
    """Polarization of random mirror circuits of a width and a depth: 1 is perfect, 0 is noise alone.

    A circuit is random Clifford gates on single qubits, depth/2 layers, a random Pauli on every qubit, and all of it
    undone in reverse: a perfect computer answers one bit string. A layer is random Clifford gates on single qubits and
    then CX gates on neighbours in a chain, each pair with probability 1/2; barriers keep compilers from undoing layers
    at compile time. With h_k the probability of strings at Hamming distance k from the right one,
    S = 4^n/(4^n - 1) sum_k (-1/2)^k h_k - 1/(4^n - 1).

    The depth counts layers with CX gates, so it is even; without one it is the width, or one more where that is odd.

    References:
        T. Proctor, K. Rudinger, K. Young, E. Nielsen, R. Blume-Kohout, Nat. Phys. 18, 75 (2022),
        doi:10.1038/s41567-021-01409-7; R. Blume-Kohout, K. C. Young, Quantum 4, 362 (2020), for width x depth.
    """

    name = "mirror"
    title = "Mirror circuits"
    sizes: ClassVar = {
        "quick": (Size(2, 2), Size(3, 4)),
        "small": tuple(Size(n, depth) for n in (2, 3, 4, 5) for depth in (2, 4, 8, 16)),
        "full": tuple(Size(n, depth) for n in (2, 3, 4, 6, 8, 12) for depth in (2, 4, 8, 16, 32, 64)),
    }
    shots = 500

    def check(self, size: Size) -> None:
        """Refuse an odd depth; see `Benchmark.check`."""
        check_between(self.name, size, self.least, self.most)
        if (size.depth or 2) % 2:
            raise Refused(f"{self.name} needs an even number of layers, half of them undoing the others, not {size}")

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """Ten random circuits with their right answers; see `Benchmark.circuits`."""
        random = np.random.default_rng(seed)
        tasks = []
        for _ in range(N_CIRCUITS):
            circuit, answer = mirrored(size.n_qubits, size.depth or 2 * ((size.n_qubits + 1) // 2), random)
            tasks.append(Task(circuit, shots=shots, facts={"answer": answer}))
        return tasks

    def reference(self, size: Size, *, seed: int) -> float:
        """Every shot reads the right answer."""
        del size, seed
        return 1.0

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The mean polarization; as a detail the mean probability of the right answer."""
        del size
        pairs = [(task.facts["answer"], answer.counts) for task, answer in zip(tasks, answers, strict=True)]
        found = mean([polarization(counts, right) for right, counts in pairs])
        hits = [counts.get(right, 0) / sum(counts.values()) for right, counts in pairs]
        error = float(np.std(hits, ddof=1)) / len(hits) ** 0.5
        return Score(found.value, found.standard_error, {"right_answers": Estimate(float(np.mean(hits)), error)})


def mirrored(n: int, depth: int, random: np.random.Generator) -> tuple[QuantumCircuit, str]:
    """A random mirror circuit and its right answer.

    Args:
        n: Number of qubits.
        depth: Number of layers with gates on two qubits, even.
        random: Drawn from.
    """
    half = QuantumCircuit(n)
    random_cliffords(half, range(n), random)
    half.barrier()
    for _ in range(depth // 2):
        random_cliffords(half, range(n), random)
        half.barrier()
        for pair in chain_pairs(n, int(random.integers(2)) if n > 2 else 0):
            if random.integers(2):
                half.cx(*pair)
        half.barrier()
    middle = QuantumCircuit(n)
    letters = [random_pauli(middle, qubit, random) for qubit in range(n)]
    middle.barrier()
    moved = Pauli("".join(reversed(letters))).evolve(Clifford(half), frame="h")
    answer = "".join("1" if flips else "0" for flips in reversed(moved.x))
    circuit = half.copy()
    circuit.compose(middle, inplace=True)
    circuit.compose(half.inverse(), inplace=True)
    return circuit, answer


def polarization(counts: Mapping[str, int], right: str) -> Estimate:
    """The effective polarization of one circuit, with the error from its shots.

    Args:
        counts: Bit strings to counts.
        right: The right answer.
    """
    n, shots = len(right), sum(counts.values())
    distances = np.array([sum(a != b for a, b in zip(bits, right, strict=True)) for bits in counts])
    weights, p = (-0.5) ** distances, np.array(list(counts.values())) / shots
    raw = float(weights @ p)
    near = np.append(p * shots, 1.0) / (shots + 1)  # one shot of average weight 0 more, so that the error is never zero
    spread = np.append(weights, 0.0)
    variance = float(near @ spread**2 - (near @ spread) ** 2) / shots
    scale = 1 / (1 - 4.0**-n)
    return Estimate(scale * (raw - 4.0**-n), scale * variance**0.5)
