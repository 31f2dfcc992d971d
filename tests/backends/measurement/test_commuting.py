"""Terms that commute as wholes are measured together after Clifford circuits."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit.transpiler import CouplingMap, Target

from backends.measurement.circuits import measured_circuits
from backends.measurement.commuting import diagonalized
from backends.measurement.groups import measurements
from backends.measurement.targets import transpiled
from circuits import molecule


def turned(n, rng):
    circuit = QuantumCircuit(n)
    for q in range(n):
        circuit.ry(rng.normal(), q)
        circuit.rz(rng.normal(), q)
    for q in range(n - 1):
        circuit.cx(q, q + 1)
    return circuit


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_values_without_noise_are_those_of_the_state_also_after_routing(n, seed):
    rng = np.random.default_rng(seed)
    labels = ["".join(rng.choice(list("IXYZ"), n)) for _ in range(12)]
    observables = [SparsePauliOp(labels, rng.normal(size=12)).simplify(), SparsePauliOp(labels[0], -2.0)]
    plan, circuit = measurements(observables, "commuting"), turned(n, rng)
    line = Target.from_configuration(["rz", "sx", "x", "cx"], coupling_map=CouplingMap.from_line(max(n, 2)))
    moved, layout = transpiled(circuit, line, level=1)
    program = measured_circuits(moved, layout, plan, line, parameters=())
    probabilities = [
        Statevector(full).probabilities(list(tail.layout))
        for full, tail in zip(program.rotated(np.zeros((1, 0))), program.tails, strict=True)
    ]
    exact = [Statevector(circuit).expectation_value(observable).real for observable in observables]
    assert plan.expectations(probabilities) == pytest.approx(exact, abs=1e-9)


def test_a_bell_basis_tells_xx_yy_and_zz_at_once():
    circuit, support, signs = diagonalized(["XX", "YY", "ZZ"])
    assert circuit.num_nonlocal_gates() <= 2
    assert np.linalg.matrix_rank(support.astype(int)) == 2
    assert sorted(signs.tolist()) in ([-1, 1, 1], [-1, -1, -1])  # XX YY = -ZZ


def test_a_molecule_needs_far_fewer_groups():
    H = molecule("Li 0 0 0; H 0 0 1.6", active_space=(2, 5)).hamiltonian
    few, many = measurements([H], "commuting"), measurements([H])
    assert len(few.groups) < 0.5 * len(many.groups)
    assert sum(group.bound[0] for group in few.groups) == pytest.approx(sum(g.bound[0] for g in many.groups))


def test_multiples_of_the_identity_need_no_group():
    assert measurements([SparsePauliOp("II", 3.0)], "commuting").groups == ()
