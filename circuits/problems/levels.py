"""The lowest levels of a small problem, by diagonalization."""

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from circuits.background import in_background
from circuits.errors import Refused
from circuits.problems.chemistry import Molecule
from circuits.problems.excitations import on_qubits
from circuits.problems.problem import Problem

MAX_QUBITS = 12
DENSE = 1024
"""Largest matrix that is diagonalized whole."""


def lowest_levels(problem: Problem, n_levels: int) -> np.ndarray:
    """The lowest eigenvalues of H, each as often as it is degenerate; for a molecule with its numbers of electrons.

    Args:
        problem: On at most 12 qubits.
        n_levels: How many.

    Returns:
        Shape (levels,), ascending, in the problem's unit; fewer if there are not so many.

    Raises:
        Refused: above 12 qubits.

    >>> from circuits.problems.spin import tfim
    >>> lowest_levels(tfim(2), 4).round(6).tolist()
    [-2.236068, -1.0, 1.0, 2.236068]
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import eigsh

    if problem.n_qubits > MAX_QUBITS:
        raise Refused(f"levels are computed on at most {MAX_QUBITS} qubits, and {problem.name} has {problem.n_qubits}")
    states = _sector(problem)
    H = csr_matrix(problem.hamiltonian.to_matrix(sparse=True))[states][:, states]
    if len(states) <= DENSE:
        return in_background(lambda _: np.linalg.eigvalsh(H.toarray()))[:n_levels]
    start = np.random.default_rng(0).standard_normal(len(states)).astype(complex)
    return np.sort(eigsh(H, k=n_levels, which="SA", v0=start, ncv=max(40, 4 * n_levels), return_eigenvectors=False))


def _sector(problem: Problem) -> np.ndarray:
    """The basis states in question: all, or those with the molecule's electrons of each spin."""
    states = np.arange(2**problem.n_qubits)
    molecule = problem.structure
    if not isinstance(molecule, Molecule):
        return states
    n = molecule.n_orbitals
    up, down = (_counted(problem, range(first, first + n)) for first in (0, n))
    return states[(up == molecule.n_alpha) & (down == molecule.n_beta)]


def _counted(problem: Problem, orbitals: range) -> np.ndarray:
    """How many of these spin orbitals are occupied in each basis state."""
    terms = [("", [], len(orbitals) / 2), *(("Z", [p], -0.5) for p in orbitals)]
    number = on_qubits(problem, SparsePauliOp.from_sparse_list(terms, 2 * len(orbitals)))
    assert number is not None  # it commutes with symmetries that determinants share
    return np.rint(np.real(number.to_matrix(sparse=True).diagonal())).astype(int)
