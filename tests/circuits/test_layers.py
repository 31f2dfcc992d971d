"""The layers' promise: parameters of one layer turn commuting gates, so that the metric there is a covariance."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp, Statevector

from backends import get
from circuits import hardware_efficient, molecule, uccsd
from circuits.layers import layers


def test_rotations_of_one_kind_make_a_layer():
    circuit = hardware_efficient(3, layers=2, rotations=["ry", "rz"])
    assert layers(circuit) == ((0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11))


def test_what_commutes_may_stand_anywhere():
    """RZZ on overlapping qubits, a CZ and a barrier between them, and RZ: one layer; the RX before them another."""
    t = ParameterVector("t", 5)
    circuit = QuantumCircuit(3)
    circuit.rx(t[0], 1)
    circuit.rzz(t[1], 0, 1)
    circuit.cz(0, 2)
    circuit.barrier()
    circuit.rzz(t[2], 1, 2)
    circuit.rz(t[3], 1)
    circuit.rx(t[4], 0)
    assert layers(circuit) == ((0,), (1, 2, 3), (4,))


def test_fixed_gates_in_between_separate():
    t = ParameterVector("t", 2)
    circuit = QuantumCircuit(2)
    circuit.rz(t[0], 0)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.rz(t[1], 1)
    assert layers(circuit) == ((0,), (1,))


def test_shared_parameters_join_layers():
    t = ParameterVector("t", 3)
    circuit = QuantumCircuit(1)
    circuit.rz(t[0], 0)
    circuit.rx(t[1], 0)
    circuit.rz(t[0] + 2 * t[2], 0)
    assert layers(circuit) == ((0, 2), (1,))


def test_each_parameter_is_in_one_block():
    for circuit in (uccsd(molecule("H 0 0 0; H 0 0 0.9; H 0 0 1.8; H 0 0 2.7")), QuantumCircuit(2)):
        assert sorted(k for block in layers(circuit) for k in block) == list(range(circuit.num_parameters))


def test_metric_within_a_layer_is_the_covariance_of_its_generators():
    """Stokes et al., eq. (9): g_jk = <K_j K_k> - <K_j><K_k> with K = P / 2 in the state before the layer."""
    circuit = hardware_efficient(3, layers=2, rotations=["rx", "rz"])
    theta = np.random.default_rng(0).normal(size=circuit.num_parameters)
    block = layers(circuit)[2]
    before = QuantumCircuit(3)
    for instruction in circuit.data:
        if any(set(x.parameters) & {circuit.parameters[k] for k in block} for x in instruction.operation.params):
            break
        before.append(instruction)
    place = {p: k for k, p in enumerate(circuit.parameters)}
    psi = Statevector(before.assign_parameters({p: theta[place[p]] for p in before.parameters}))
    K = [SparsePauliOp.from_sparse_list([("X", [q], 0.5)], 3) for q in range(3)]
    mean = np.array([psi.expectation_value(k).real for k in K])
    covariance = np.array([[psi.expectation_value(a @ b).real for b in K] for a in K]) - np.outer(mean, mean)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() > 0.01
    assert get("statevector").metric(circuit)(theta)[np.ix_(block, block)] == pytest.approx(covariance, abs=1e-12)
