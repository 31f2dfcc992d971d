"""The energy of a hydrogen molecule at the exact minimum of a variational circuit."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Score, Size, Task

HAMILTONIAN = SparsePauliOp.from_list(
    [
        ("IIII", -0.09057898608834784),
        *((label, 0.17218393261915538) for label in ("IIIZ", "IZII")),
        *((label, -0.22575349222402408) for label in ("IIZI", "ZIII")),
        *((label, 0.12091263261776637) for label in ("IIZZ", "ZZII")),
        ("IZIZ", 0.16892753870087907),
        *((label, 0.16614543256382422) for label in ("IZZI", "ZIIZ")),
        ("ZIZI", 0.1746434306830044),
        *((label, 0.045232799946057854) for label in ("XXXX", "XXYY", "YYXX", "YYYY")),
    ]
)
"""H2 at 0.735 angstrom in the basis STO-3G, Hartree-Fock orbitals, Jordan-Wigner, spin up before spin down, hartree."""

HARTREE_FOCK, EXCITED = 0b0101, 0b1010
"""The states that the circuit mixes."""


class H2VQE(Benchmark):
    """Error of the energy of H2, |E - E_exact|, in hartree.

    The circuit has one angle, that of the double excitation, cos(theta)|0101> + sin(theta)|1010>; the angle is the
    exact minimum, so that the error is the device's alone. Chemical accuracy is 0.0016.

    References:
        A. Peruzzo et al., Nat. Commun. 5, 4213 (2014); P. J. J. O'Malley et al., Phys. Rev. X 6, 031007 (2016).
    """

    name = "vqe-h2"
    title = "VQE of H2"
    unit = "hartree"
    higher_is_better = False
    sizes: ClassVar = {"quick": (Size(4),), "small": (Size(4),), "full": (Size(4),)}
    least = most = 4

    def check(self, size: Size) -> None:
        """The molecule has 4 qubits; see `Benchmark.check`.

        Raises:
            Refused: for any other size.
        """
        if size != Size(4):
            raise Refused(f"{self.name} has the size 4 alone, not {size}")

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """One circuit, asked for the energy; see `Benchmark.circuits`."""
        del size, seed
        theta, exact = minimum()
        return [Task(double_excitation(theta), observables=(HAMILTONIAN,), shots=shots, facts={"exact": exact})]

    def reference(self, size: Size, *, seed: int) -> float:
        """The circuit reaches the exact energy."""
        del size, seed
        return 0.0

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The error of the energy, and the energy itself; see `Benchmark.score`."""
        del size
        return energy_error(answers[0], tasks[0].facts["exact"])


def energy_error(answer: Answer, exact: float) -> Score:
    """The distance of an energy from the exact one, as a score.

    Args:
        answer: Whose only value is the energy.
        exact: The exact one, in the same unit.
    """
    energy = Estimate(float(answer.values[0]), float(answer.standard_errors[0]))
    details = {"energy": energy, "exact_energy": Estimate(exact)}
    return Score(abs(energy.value - exact), energy.standard_error, details)


def minimum() -> tuple[float, float]:
    """The best angle, radians, and the energy there, hartree: the lowest state of the two that the circuit mixes."""
    kept = [HARTREE_FOCK, EXCITED]
    block = np.real(HAMILTONIAN.to_matrix()[np.ix_(kept, kept)])
    energies, states = np.linalg.eigh(block)
    return math.atan2(states[1, 0], states[0, 0]), float(energies[0])


def double_excitation(theta: float) -> QuantumCircuit:
    """cos(theta)|0101> + sin(theta)|1010>, theta in radians."""
    circuit = QuantumCircuit(4)
    circuit.ry(2 * theta, 1)
    circuit.cx(1, 3)
    circuit.cx(1, 0)
    circuit.x(0)
    circuit.cx(0, 2)
    return circuit
