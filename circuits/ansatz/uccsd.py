"""Unitary coupled cluster with single and double excitations."""

from itertools import combinations, product
from math import comb

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import PauliEvolutionGate

from circuits.errors import Refused
from circuits.problems.checks import EVOLUTION, check_circuit_size
from circuits.problems.chemistry import Molecule
from circuits.problems.excitations import generator
from circuits.problems.operators import OperatorLike
from circuits.problems.problem import Problem, as_problem

Excitation = tuple[tuple[int, ...], tuple[int, ...]]
"""(occupied, virtual) spin orbitals; both ascending."""


def uccsd(problem: Problem | OperatorLike) -> QuantumCircuit:
    """Disentangled UCCSD, prod_k exp(theta_k (T_k - T_k+)) |Hartree-Fock>.

    The T_k move one or two electrons from occupied to virtual orbitals and keep the number of each spin. Doubles act
    first, then singles. With i1 < i2 occupied and a1 < a2 virtual spin orbitals (spin up before spin down), a double is
    T = a+_a1 a+_a2 a_i2 a_i1. Each excitation is one PauliEvolutionGate of its commuting strings, on the qubits that
    it touches, by the molecule's mapping. Where qubits of the molecule are tapered, excitations that lead out of the
    sector are left out: their angles are zero at the minimum.

    Args:
        problem: From `circuits.molecule`.

    Returns:
        Circuit with one parameter ``theta[k]`` for each excitation, radians; zeros, the starting point, are
        Hartree-Fock.

    Raises:
        Refused: if the problem is no molecule, has no excitation, or more than fit.

    References:
        A. Peruzzo et al., A variational eigenvalue solver on a photonic quantum processor, Nat. Commun. 5, 4213 (2014).
        F. A. Evangelista, G. K.-L. Chan, G. E. Scuseria, Exact parameterization of fermionic wave functions via
        unitary coupled cluster theory, J. Chem. Phys. 151, 244112 (2019), for the order of the factors.
    """
    problem = as_problem(problem)
    molecule = problem.structure
    if not isinstance(molecule, Molecule) or problem.reference_state is None:
        raise Refused(f"uccsd needs a molecule, and {problem.name} is none; make the problem with circuits.molecule")
    check_circuit_size(
        EVOLUTION * n_excitations(molecule.n_orbitals, molecule.n_alpha, molecule.n_beta), f"uccsd of {problem.name}"
    )
    moves = excitations(molecule.n_orbitals, molecule.n_alpha, molecule.n_beta)
    if not moves:
        raise Refused(
            f"{problem.name} has no excitation: its orbitals are all filled or all empty, and Hartree-Fock is exact; "
            f"choose a larger basis or active space"
        )
    found = [generator(problem, virtual, occupied) for occupied, virtual in moves]
    turning = [one for one in found if one is not None]
    if not turning:
        raise Refused(
            f"no single or double excitation of {problem.name} stays in the sector of symmetries to which it is "
            f"tapered; make the molecule without taper, or choose a larger basis or active space"
        )
    circuit = problem.reference_state.copy_empty_like(name="uccsd")
    circuit.compose(problem.reference_state, inplace=True)
    theta = ParameterVector("theta", len(turning))
    for angle, (operator, qubits) in zip(theta, turning, strict=True):
        circuit.append(PauliEvolutionGate(operator, angle), qubits)
    circuit.metadata = {"ansatz": "uccsd", "theta": [0.0] * len(turning)}
    return circuit


def n_excitations(n_orbitals: int, n_alpha: int, n_beta: int) -> int:
    """How many `excitations` there are.

    >>> n_excitations(2, 1, 1)
    3
    """
    singles = [n * (n_orbitals - n) for n in (n_alpha, n_beta)]
    pairs = [comb(n, 2) * comb(n_orbitals - n, 2) for n in (n_alpha, n_beta)]
    return singles[0] * singles[1] + sum(pairs) + sum(singles)


def excitations(n_orbitals: int, n_alpha: int, n_beta: int) -> list[Excitation]:
    """Doubles, then singles, that keep the number of electrons of each spin; in a fixed order.

    >>> excitations(2, 1, 1)
    [((0, 2), (1, 3)), ((0,), (1,)), ((2,), (3,))]
    """
    singles, pairs = [], []
    for n_electrons, first in ((n_alpha, 0), (n_beta, n_orbitals)):
        occupied = range(first, first + n_electrons)
        virtual = range(first + n_electrons, first + n_orbitals)
        singles.append([((i,), (a,)) for i, a in product(occupied, virtual)])
        pairs += list(product(combinations(occupied, 2), combinations(virtual, 2)))
    mixed = [((i, j), (a, b)) for ((i,), (a,)), ((j,), (b,)) in product(*singles)]
    return mixed + pairs + singles[0] + singles[1]
