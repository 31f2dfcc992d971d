"""The quantum approximate optimization algorithm, for Hamiltonians that are diagonal."""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from circuits.ansatz.evolution import evolve, n_gates
from circuits.errors import Refused, shown
from circuits.problems.checks import check_circuit_size, whole
from circuits.problems.operators import OperatorLike
from circuits.problems.problem import Problem, as_problem

STEP = 0.75
"""Length of one step of the linear ramp that the parameters start from."""


def qaoa(problem: Problem | OperatorLike, *, layers: int = 1) -> QuantumCircuit:
    """QAOA, prod_k exp(i beta_k sum_q X_q) exp(-i gamma_k H) |+...+>.

    With these signs small positive angles anneal towards the minimum of H. The starting point is the linear ramp
    gamma_k = dt s_k / h, beta_k = dt (1 - s_k) with s_k = (k + 1/2) / layers, dt = 0.75, and h the strongest field
    (root of summed squares) that a qubit feels.

    Args:
        problem: With a diagonal Hamiltonian, such as `circuits.maxcut`, or a diagonal operator alone.
        layers: At least 1.

    Returns:
        Circuit with parameters ``beta[k]``, then ``gamma[k]``; beta in radians, gamma in radians over
        the problem's unit.

    Raises:
        Refused: for a bad number of layers, a Hamiltonian with X or Y, one that is constant, or more gates than fit.

    References:
        E. Farhi, J. Goldstone, S. Gutmann, A quantum approximate optimization algorithm, arXiv:1411.4028 (2014).

    >>> from circuits.problems.graphs import maxcut
    >>> qaoa(maxcut([(0, 1), (1, 2)]), layers=3).num_parameters
    6
    """
    layers = whole(layers, "layers", at_least=1)
    problem = as_problem(problem)
    cost = problem.hamiltonian.simplify(atol=0.0, rtol=0.0)
    if np.any(cost.paulis.x):
        raise Refused(f"qaoa needs a diagonal Hamiltonian, but {problem.name} has X or Y; use hamiltonian_variational")
    felt = fields(cost)
    if not np.any(felt):
        raise Refused(f"{problem.name} is constant: there is nothing to optimize")
    what = f"qaoa of {problem.name} with {shown(layers)} layers"
    check_circuit_size(layers * (n_gates(cost) + problem.n_qubits), what)
    beta, gamma = ParameterVector("beta", layers), ParameterVector("gamma", layers)
    circuit = QuantumCircuit(problem.n_qubits, name="qaoa")
    circuit.h(range(problem.n_qubits))
    terms = cost.to_sparse_list()
    for k in range(layers):
        evolve(circuit, terms, gamma[k])
        circuit.rx(-2 * beta[k], range(problem.n_qubits))
    ramp = (np.arange(layers) + 0.5) / layers
    start = np.concatenate([STEP * (1 - ramp), STEP * ramp / np.max(felt)])
    circuit.metadata = {"ansatz": "qaoa", "theta": start.tolist()}
    return circuit


def fields(cost: SparsePauliOp) -> np.ndarray:
    """Root of the summed squares of a diagonal operator's terms on each qubit, shape (qubits,)."""
    size = np.abs(np.asarray(cost.coeffs, dtype=complex))
    unit = np.max(size) or 1.0  # whose square may be too large or too small for a float
    return unit * np.sqrt((size / unit) ** 2 @ cost.paulis.z)
