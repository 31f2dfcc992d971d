import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

import backends
import hybrid
from circuits import hardware_efficient, molecule, tfim, uccsd
from circuits.errors import Refused
from circuits.problems.levels import lowest_levels
from hybrid.algorithms.deflated import Deflated, zero_projector


def with_its_electrons(problem):
    """Levels of a molecule with two electrons and no spin: all others are lifted by a thousand hartree."""
    z = [SparsePauliOp.from_sparse_list([("Z", [q], 1.0)], 4).to_matrix() for q in range(4)]
    one = np.eye(16)
    up, down = one - (z[0] + z[1]) / 2, one - (z[2] + z[3]) / 2
    wrong = (up - one) @ (up - one) + (down - one) @ (down - one)
    return np.linalg.eigvalsh(problem.hamiltonian.to_matrix() + 1000 * wrong)[:4]


def test_three_levels_of_a_chain(tmp_path):
    problem = tfim(3)
    result = hybrid.vqd(
        hardware_efficient(3, layers=3), problem, levels=3, backend="lightning", accuracy=1e-7, folder=tmp_path
    )
    exact = np.linalg.eigvalsh(problem.hamiltonian.to_matrix())[:3]
    assert np.min(np.diff(exact)) > 0.1
    # A state within eps of a level shifts those above by eps; each is known to the accuracy.
    assert result.energies == pytest.approx(exact, abs=1e-6)
    assert result.exact == pytest.approx(exact, abs=1e-10)
    assert max(np.max(level.overlaps, initial=0.0) for level in result.levels) < 1e-6
    assert "level 2" in str(result)


def test_all_levels_of_hydrogen(tmp_path):
    problem = molecule("H 0 0 0; H 0 0 0.735")
    result = hybrid.vqd(uccsd(problem), problem, levels=3, backend="statevector", folder=tmp_path)
    exact = with_its_electrons(problem)
    assert result.energies == pytest.approx(exact[:3], abs=1e-6)
    assert lowest_levels(problem, 9) == pytest.approx(exact, abs=1e-9)


def test_levels_of_many_states_are_those_of_free_fermions():
    # Open critical Ising chain: the k-th mode costs 4 sin((2k + 1) pi / (4n + 2)).
    n = 11
    ground = 1 - 1 / np.sin(np.pi / (2 * (2 * n + 1)))
    levels = lowest_levels(tfim(n), 3)
    modes = [4 * np.sin((2 * k + 1) * np.pi / (4 * n + 2)) for k in range(2)]
    assert levels == pytest.approx([ground, ground + modes[0], ground + modes[1]], abs=1e-8)


@pytest.fixture
def pair():
    circuit = hardware_efficient(3, layers=2)
    theta, below = np.random.default_rng(5).uniform(-2, 2, (2, circuit.num_parameters))
    states = [Statevector(circuit.assign_parameters(row)).data for row in (theta, below)]
    overlap = abs(np.vdot(*states)) ** 2
    assert 0.01 < overlap < 0.99
    return circuit, theta, below, overlap


def test_penalized_energies_are_exact_where_the_backend_is(pair):
    circuit, theta, below, overlap = pair
    H = tfim(3).hamiltonian
    backend = backends.get("statevector")
    deflated = Deflated(backend, circuit, below[None], 2.5)
    energy = backend.prepare(circuit, H)(theta).values[0, 0]
    assert deflated.prepare(circuit, H)(theta).values[0, 0] == pytest.approx(energy + 2.5 * overlap, abs=1e-12)
    value, gradient = deflated.value_and_grad(circuit, H)(theta)
    shifted = Deflated(backends.get("reference"), circuit, below[None], 2.5).value_and_grad(circuit, H)(theta)
    assert value == pytest.approx(shifted[0], abs=1e-12)
    assert gradient == pytest.approx(shifted[1], abs=1e-10)
    assert np.linalg.norm(gradient) > 0.1


@pytest.mark.parametrize("name", ["statevector", "aer"])
def test_overlaps_are_sampled_with_shots(pair, name):
    circuit, theta, below, overlap = pair
    shots = 4000
    deflated = Deflated(backends.get(name), circuit, np.array([below, theta]), 1.0)
    sampled = deflated.overlaps(circuit, theta, shots=shots, seed=3)
    spread = np.sqrt(overlap * (1 - overlap) / shots)
    assert 0 < abs(sampled[0] - overlap) < 5 * spread
    assert sampled[1] == 1.0
    told = deflated.prepare(circuit, zero_projector(3))(theta, shots=shots, seed=3)
    assert told.standard_errors[0, 0] > 0.9 * spread


def test_levels_from_samples(tmp_path):
    result = hybrid.vqd(
        hardware_efficient(1, layers=1),
        SparsePauliOp(["Z", "X"], [1.0, 0.5]),
        levels=2,
        starts=1,
        optimizer="rotosolve",
        accuracy=0.1,
        shots=2000,
        max_steps=30,
        backend="reference",
        folder=tmp_path,
    )
    for level, exact in zip(result.levels, [-np.sqrt(1.25), np.sqrt(1.25)], strict=True):
        assert level.standard_error > 0
        assert level.energy == pytest.approx(exact, abs=0.1 + 5 * level.standard_error)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"levels": 0}, "levels"), ({"levels": 9}, "2\\^3"), ({"penalty": -1.0}, "penalty"), ({"starts": 0}, "starts")],
)
def test_wrong_input_is_refused(change, words, tmp_path):
    with pytest.raises(Refused, match=words):
        hybrid.vqd(hardware_efficient(3), tfim(3), folder=tmp_path / "run", **change)
    assert not (tmp_path / "run").exists()


SPREAD = {
    "one spin": ("Z", [1.0]),
    "two fields": (["IZ", "ZI"], [1.0, 0.25]),
    "a bond": ("ZZ", [0.5]),
    "two commuting bonds": (["YY", "XX"], [0.4, 1.1]),
}
"""Spectra that reach from minus to plus the sum of the coefficients: no gap can be larger."""


@pytest.mark.parametrize("case", SPREAD)
def test_all_levels_of_the_widest_spectra(case, tmp_path):
    H = SparsePauliOp(*SPREAD[case])
    exact = np.linalg.eigvalsh(H.to_matrix())
    ansatz = hardware_efficient(H.num_qubits, layers=3)
    result = hybrid.vqd(ansatz, H, levels=len(exact), backend="statevector", folder=tmp_path)
    assert np.sort(result.energies) == pytest.approx(exact, abs=1e-5)
    assert result.status == "converged"


def test_a_penalty_that_only_equals_the_gap_leaves_a_mixture_and_says_so(tmp_path):
    result = hybrid.vqd(hardware_efficient(1), "Z", levels=2, penalty=1.9, backend="statevector", folder=tmp_path)
    assert result.energies[1] < 0.99
    assert result.status == "mixed"
    assert "mixed" in str(result)


def test_large_registers_are_refused():
    with pytest.raises(Refused, match="2\\^17"):
        zero_projector(17)
