"""Trotter steps of the problem's own Hamiltonian, with the time of every part set free."""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from circuits.ansatz.evolution import evolve, n_gates
from circuits.errors import Refused, shown
from circuits.problems.checks import check_circuit_size, whole
from circuits.problems.operators import OperatorLike
from circuits.problems.problem import Problem, as_problem

STEP = 0.3
"""Time of one step in the starting point, over the largest coefficient."""

MAX_GROUPED = 4000
"""Terms that are grouped by what commutes; time and memory grow with their square, to 7 s and 1 GB."""


def hamiltonian_variational(problem: Problem | OperatorLike, *, layers: int) -> QuantumCircuit:
    """Hamiltonian-variational ansatz, prod_k prod_j exp(-i theta_kj H_j) |reference>.

    The parts H_j are the problem's layers, or, where it names none, groups of commuting terms of its Hamiltonian. The
    reference is the problem's reference state, or |0...0>. The starting point follows an annealing path from the last
    part, of which the reference is usually the ground state, to H: theta_kj = dt (k + 1/2) / layers, the last part dt.

    Args:
        problem: Any, or a Hermitian operator alone.
        layers: At least 1.

    Returns:
        Circuit with parameters ``theta[k * parts + j]``; radians over the problem's unit.

    Raises:
        Refused: for a bad number of layers, a Hamiltonian that is a multiple of the identity, more gates than fit, or
            more than `MAX_GROUPED` terms to be grouped.

    References:
        D. Wecker, M. B. Hastings, M. Troyer, Progress towards practical quantum variational algorithms,
        Phys. Rev. A 92, 042303 (2015).

    >>> from circuits.problems.spin import tfim
    >>> hamiltonian_variational(tfim(4), layers=3).num_parameters
    6
    """
    layers = whole(layers, "layers", at_least=1)
    problem = as_problem(problem)
    parts = _parts(problem)
    if not parts:
        raise Refused(f"{problem.name} is a multiple of the identity: there is nothing to vary")
    what = f"hamiltonian_variational of {problem.name} with {shown(layers)} layers"
    check_circuit_size(layers * sum(n_gates(part) for part in parts), what)
    circuit = QuantumCircuit(problem.n_qubits, name="hamiltonian_variational")
    if problem.reference_state is not None:
        circuit.compose(problem.reference_state, inplace=True)
    theta = ParameterVector("theta", layers * len(parts))
    terms = [part.to_sparse_list() for part in parts]
    for k in range(layers):
        for j in range(len(parts)):
            evolve(circuit, terms[j], theta[k * len(parts) + j])
    step = STEP / max(float(np.max(np.abs(np.asarray(part.coeffs, dtype=complex)))) for part in parts)
    times = np.outer((np.arange(layers) + 0.5) / layers, np.full(len(parts), step))
    times[:, -1] = step
    circuit.metadata = {"ansatz": "hamiltonian_variational", "theta": times.ravel().tolist()}
    return circuit


def _parts(problem: Problem) -> list[SparsePauliOp]:
    """The problem's layers or commuting groups, without identities."""
    if problem.layers:
        return list(problem.layers)
    operator = problem.hamiltonian.simplify(atol=0.0, rtol=0.0)
    moving = operator[np.any(operator.paulis.x | operator.paulis.z, axis=1)]
    if len(moving) > MAX_GROUPED:
        raise Refused(
            f"{problem.name} has {len(moving)} terms; at most {MAX_GROUPED} are grouped by what commutes, "
            f"name the parts yourself as the problem's layers"
        )
    return list(moving.group_commuting()) if len(moving) else []
