"""Time evolution of a spin chain in Trotter steps, against the exact evolution."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector
from scipy.sparse.linalg import expm_multiply

from circuits.errors import Refused
from circuits.problems.spin import tfim
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Score, Size, Task, check_between
from hybrid.codesign.suite.fidelity import hellinger, normalized

TIME = 1.0
"""Over which the chain evolves, in inverse couplings."""


class HamiltonianSimulation(Benchmark):
    """Fidelity of the outcomes after a quench of the Ising chain with those of the exact evolution.

    |1010...> evolves for a unit of time under H = -sum Z_j Z_j+1 - sum X_j, in second-order Trotter steps; a size is
    qubits x steps. The score is QED-C's: the Hellinger fidelity with the exact distribution, on a scale on which random
    outcomes are worth 0. More steps follow the evolution better and suffer more noise.

    References:
        T. Lubinski et al., IEEE Trans. Quantum Eng. 4, 3100332 (2023), arXiv:2110.03137.
    """

    name = "hamiltonian-simulation"
    title = "Hamiltonian simulation"
    sizes: ClassVar = {
        "quick": (Size(3, 2),),
        "small": (Size(3, 2), Size(5, 3)),
        "full": (Size(3, 2), Size(5, 3), Size(8, 4), Size(10, 4)),
    }
    most = 14
    shots = 4000  # more than outcomes; see `hellinger`

    def check(self, size: Size) -> None:
        """Steps must be given; see `Benchmark.check`.

        Raises:
            Refused: for a size without steps, or with too few or too many qubits.
        """
        check_between(self.name, size, self.least, self.most)
        if size.depth is None:
            raise Refused(f"{self.name} needs qubits x Trotter steps, such as {size.n_qubits}x2, not {size}")

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """One circuit; see `Benchmark.circuits`."""
        del seed
        return [Task(trotter(size), shots=shots, facts={"exact": exact(size.n_qubits)})]

    def reference(self, size: Size, *, seed: int) -> float:
        """What the steps alone leave, for very many shots."""
        del seed
        ideal = exact(size.n_qubits)
        stepped = Statevector(trotter(size)).probabilities()
        overlap = float(np.sum(np.sqrt(stepped * ideal)))
        return normalized(Estimate(overlap**2), ideal).value

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The normalized fidelity, and the Hellinger fidelity itself; see `Benchmark.score`."""
        del size
        ideal = tasks[0].facts["exact"]
        found = hellinger(answers[0].counts, ideal)
        scaled = normalized(found, ideal)
        return Score(scaled.value, scaled.standard_error, {"hellinger_fidelity": found})


def start(n: int) -> list[int]:
    """The sites that are 1 at first: every other one."""
    return list(range(1, n, 2))


def trotter(size: Size) -> QuantumCircuit:
    """The circuit: half a step of X, then ZZ and X in turn, half a step of X."""
    n, steps = size.n_qubits, size.depth or 1
    step = TIME / steps
    circuit = QuantumCircuit(n)
    circuit.x(start(n))
    circuit.rx(-step, range(n))
    for k in range(steps):
        for j in (*range(0, n - 1, 2), *range(1, n - 1, 2)):
            circuit.rzz(-2 * step, j, j + 1)
        circuit.rx(-2 * step if k < steps - 1 else -step, range(n))
    return circuit


def exact(n: int) -> np.ndarray:
    """Probabilities of the outcomes after the exact evolution, shape (2**n,)."""
    state = np.zeros(1 << n, dtype=complex)
    state[sum(1 << j for j in start(n))] = 1.0
    evolved = expm_multiply(-1j * TIME * tfim(n).hamiltonian.to_matrix(sparse=True), state)
    return np.abs(evolved) ** 2
