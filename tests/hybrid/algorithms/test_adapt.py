from dataclasses import replace

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

import hybrid
from circuits import molecule, tfim, uccsd
from circuits.errors import Refused
from hybrid.algorithms.pools import generators

CHEMICAL_ACCURACY = 1.6e-3
"""1 kcal/mol in hartree."""


@pytest.fixture(scope="module")
def h2():
    return molecule("H 0 0 0; H 0 0 0.735")


@pytest.fixture(scope="module")
def lih():
    return molecule("Li 0 0 0; H 0 0 1.6", active_space=(2, 5))


def gradients_by_commutators(problem, pool, circuit):
    """<i [G, H]> of every operator, with dense matrices."""
    psi = Statevector(circuit).data
    H = problem.hamiltonian.to_matrix()
    found = []
    for generator in generators(problem, pool):
        terms = [
            (letters, [generator.qubits[place] for place in places], c)
            for letters, places, c in generator.operator.to_sparse_list()
        ]
        G = SparsePauliOp.from_sparse_list(terms, problem.n_qubits).to_matrix()
        found.append(np.vdot(psi, 1j * (G @ H - H @ G) @ psi).real)
    return np.array(found)


@pytest.mark.parametrize("pool", ["fermionic", "qubit"])
def test_hydrogen_needs_one_operator(h2, pool, tmp_path):
    result = hybrid.adapt(h2, pool=pool, backend="lightning", folder=tmp_path)
    assert result.status == "converged"
    assert len(result.theta) == 1 < uccsd(h2).num_parameters
    assert abs(result.error) < 1e-8  # far below the accuracy asked for, 1e-6: a parabola's minimum
    assert result.runs[0].error > CHEMICAL_ACCURACY


@pytest.mark.parametrize("pool", ["fermionic", "qubit"])
def test_the_gradients_of_the_pool_are_its_commutators(h2, pool, tmp_path):
    result = hybrid.adapt(h2, pool=pool, backend="reference", folder=tmp_path)
    before = gradients_by_commutators(h2, pool, h2.reference_state)
    assert result.gradient_norms[0] == pytest.approx(np.linalg.norm(before), abs=1e-10)
    assert result.gradient_norms[0] > 0.1
    best = generators(h2, pool)[int(np.argmax(np.abs(before) > np.max(np.abs(before)) - 1e-9))]
    assert result.chosen[0].name == best.name
    after = gradients_by_commutators(h2, pool, result.circuit.assign_parameters(result.theta))
    assert result.gradient_norms[1] == pytest.approx(np.linalg.norm(after), abs=1e-10)


def test_lithium_hydride_to_chemical_accuracy_with_fewer_parameters(lih, tmp_path):
    result = hybrid.adapt(lih, max_operators=5, accuracy=1e-5, backend="statevector", folder=tmp_path)
    assert result.runs[0].error > 10 * CHEMICAL_ACCURACY
    assert 0 < result.error < CHEMICAL_ACCURACY
    assert len(result.theta) * 4 < uccsd(lih).num_parameters
    assert np.all(np.diff([run.energy for run in result.runs]) < 0)
    assert result.status == "max_operators"
    assert result.chosen[-1].name in str(result)


def test_an_energy_below_the_exact_one_is_never_a_success(h2, tmp_path):
    wrong = replace(h2, solve=lambda: h2.exact_energy() + 0.01)
    result = hybrid.adapt(wrong, backend="reference", folder=tmp_path)
    assert result.status == "below_exact"


def test_the_qubit_pool_is_strings_with_an_odd_number_of_y(lih):
    pool = generators(lih, "qubit")
    labels = [generator.operator.paulis[0].to_label() for generator in pool]
    assert {len(label) for label in labels} == {2, 4}
    assert all(set(label) <= {"X", "Y"} and label.count("Y") % 2 for label in labels)
    assert len({(label, generator.qubits) for label, generator in zip(labels, pool, strict=True)}) == len(pool)


def test_a_pool_of_ones_own(tmp_path):
    problem = tfim(3)
    pool = ["IZY", "ZYI", "IYZ", "YZI", "IIY", "IYI", "YII"]
    result = hybrid.adapt(problem, pool=pool, tolerance=1e-4, backend="lightning", folder=tmp_path)
    assert result.status == "converged"
    assert result.error == pytest.approx(0.0, abs=1e-5)
    assert len(result.chosen) > 1


@pytest.mark.parametrize(
    ("problem", "change", "words"),
    [
        (tfim(3), {}, "none; give operators"),
        (tfim(3), {"pool": "fermionc"}, "did you mean 'fermionic'"),
        (tfim(3), {"pool": []}, "sequence of operators"),
        (tfim(3), {"pool": ["XY"]}, r"pool\[0\] acts on 2 qubits"),
        (tfim(3), {"pool": ["XYZ", SparsePauliOp(["IIX", "IIZ"])]}, r"pool\[1\] has strings that do not commute"),
        (tfim(3), {"pool": ["XYZ"], "tolerance": 0}, "tolerance"),
        (tfim(3), {"pool": ["XYZ"], "max_operators": 0}, "max_operators"),
    ],
)
def test_wrong_input_is_refused(problem, change, words, tmp_path):
    with pytest.raises(Refused, match=words):
        hybrid.adapt(problem, folder=tmp_path / "run", **change)
    assert not (tmp_path / "run").exists()
