"""Chains as free fermions, against statevectors and diagonalization."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from circuits.problems.spin import tfim
from hybrid.codesign.suite.free_fermions import Chain, correlations


@pytest.mark.parametrize("n", [2, 3, 6])
def test_correlations_of_a_random_circuit(n):
    rng = np.random.default_rng(n)
    layers = [(rng.uniform(-3, 3, n - 1), rng.uniform(-3, 3, n)) for _ in range(4)]
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for z, x in layers:
        for j in range(n - 1):
            circuit.rzz(z[j], j, j + 1)
        for j in range(n):
            circuit.rx(x[j], j)
    state = Statevector(circuit)

    def value(letters, places):
        return state.expectation_value(SparsePauliOp.from_sparse_list([(letters, places, 1.0)], n)).real

    bonds, fields = correlations(n, layers)
    np.testing.assert_allclose(bonds, [value("ZZ", [j, j + 1]) for j in range(n - 1)], atol=1e-12)
    np.testing.assert_allclose(fields, [value("X", [j]) for j in range(n)], atol=1e-12)
    assert np.max(np.abs(bonds)) > 0.05


@pytest.mark.parametrize(("n", "field"), [(2, 1.0), (7, 0.6), (8, 1.4)])
def test_ground_energy(n, field):
    exact = np.linalg.eigvalsh(tfim(n, field=field).hamiltonian.to_matrix())[0]
    assert Chain.uniform(n, field=field).ground_energy() == pytest.approx(exact, abs=1e-10)
