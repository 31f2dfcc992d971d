"""Excitations of a molecule's electrons as generators on its qubits, by its mapping and without its tapered qubits."""

import numpy as np
from qiskit.quantum_info import PauliList, SparsePauliOp

from circuits.problems.chemistry import Molecule
from circuits.problems.encodings import encoded
from circuits.problems.jordan_wigner import excitation_generator
from circuits.problems.problem import Problem


def generator(
    problem: Problem, created: tuple[int, ...], annihilated: tuple[int, ...]
) -> tuple[SparsePauliOp, list[int]] | None:
    """Generator i (T - T+) of an excitation T, as `circuits.problems.jordan_wigner.excitation_generator` defines it.

    Args:
        problem: Of a molecule.
        created: Spin orbitals.
        annihilated: Spin orbitals, as many.

    Returns:
        The operator on as many qubits as it touches, and these qubits, ascending; None for an excitation that leads out
        of the sector to which the problem was tapered, or does nothing in it.
    """
    operator, qubits = excitation_generator(created, annihilated)
    molecule = problem.structure
    assert isinstance(molecule, Molecule)
    if molecule.mapping == "jordan_wigner" and problem.tapering is None:
        return operator, qubits
    whole = on_qubits(problem, _spread(operator, qubits, 2 * molecule.n_orbitals))
    return None if whole is None else _touched(whole)


def on_qubits(problem: Problem, operator: SparsePauliOp) -> SparsePauliOp | None:
    """An operator of a molecule's electrons on its problem's qubits; None if it leads out of the tapered sector.

    Args:
        problem: Of a molecule.
        operator: In the Jordan-Wigner form, on as many qubits as there are spin orbitals.
    """
    molecule = problem.structure
    assert isinstance(molecule, Molecule)
    turned = encoded(operator, molecule.mapping)
    return turned if problem.tapering is None else problem.tapering.reduced(turned)


def _spread(operator: SparsePauliOp, qubits: list[int], n_qubits: int) -> SparsePauliOp:
    return SparsePauliOp.from_sparse_list(
        [(letters, [qubits[k] for k in places], c) for letters, places, c in operator.to_sparse_list()], n_qubits
    )


def _touched(operator: SparsePauliOp) -> tuple[SparsePauliOp, list[int]] | None:
    operator = operator[np.asarray(operator.coeffs) != 0]
    qubits = np.flatnonzero(np.any(operator.paulis.x | operator.paulis.z, axis=0)).tolist()
    if not qubits:
        return None
    paulis = PauliList.from_symplectic(operator.paulis.z[:, qubits], operator.paulis.x[:, qubits])
    return SparsePauliOp(paulis, operator.coeffs), qubits
