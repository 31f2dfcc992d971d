from itertools import product

import networkx as nx
import numpy as np
import pytest

import hybrid
from circuits import maxcut, pauli_terms, tfim
from circuits import qaoa as ansatz
from circuits.errors import Refused
from hybrid.algorithms.qaoa import interpolate, transferred

LAYERS = 4


@pytest.fixture(scope="module")
def cubic():
    return maxcut(nx.random_regular_graph(3, 8, seed=3))


@pytest.fixture(scope="module")
def found(cubic, tmp_path_factory):
    return hybrid.qaoa(cubic, layers=LAYERS, backend="lightning", folder=tmp_path_factory.mktemp("qaoa"))


def brute_force(problem):
    graph = problem.structure
    return max(graph.cut_weight("".join(bits)) for bits in product("01", repeat=problem.n_qubits))


def test_every_layer_improves_the_ratio(cubic, found):
    assert all(run.status == "converged" for run in found.runs)
    assert found.ratio[0] > 0.6924  # what one layer guarantees on any cubic graph (Farhi et al. 2014)
    assert np.all(np.diff(found.ratio) > 0.005)
    assert found.ratio[-1] == pytest.approx(-found.energy / brute_force(cubic), abs=1e-9)


def test_interpolation_beats_random_starts(cubic, found, tmp_path):
    rng = np.random.default_rng(0)
    energies = []
    for k in range(5):
        theta = np.concatenate([rng.uniform(-np.pi / 4, np.pi / 4, LAYERS), rng.uniform(-np.pi, np.pi, LAYERS)])
        run = hybrid.minimize(
            ansatz(cubic, layers=LAYERS), cubic, theta=theta, backend="lightning", folder=tmp_path / str(k)
        )
        energies.append(run.energy)
    assert found.energy < min(energies) + 1e-6
    assert found.energy < np.median(energies) - 0.01


def test_the_best_cut_is_that_of_brute_force(cubic, found):
    assert found.cut == brute_force(cubic) == -found.value
    assert found.hits > found.samples / 3  # a uniform sample would hold some 2 in 100
    assert found.bits in str(found)


def test_angles_of_another_graph_are_better_than_the_ramp(found, tmp_path):
    other = maxcut(nx.random_regular_graph(5, 8, seed=4))
    run = hybrid.qaoa(other, layers=LAYERS, start=found, backend="lightning", folder=tmp_path / "run").runs[0]
    ramp = hybrid.minimize(ansatz(other, layers=LAYERS), other, max_steps=1, backend="lightning", folder=tmp_path / "r")
    assert run.history.energy[0] < ramp.history.energy[0] - 0.1
    gamma = transferred(found.theta, found.problem, other)[LAYERS:]
    assert gamma == pytest.approx(found.theta[LAYERS:] * np.sqrt(3 / 5))


def test_interpolation_is_the_formula_of_the_paper():
    u = np.array([0.3, -1.0, 2.5])
    padded = np.concatenate([[0.0], u, [0.0]])  # u_0 = u_(p+1) = 0
    expected = [(i - 1) / 3 * padded[i - 1] + (3 - i + 1) / 3 * padded[i] for i in range(1, 5)]
    assert interpolate(u) == pytest.approx(expected)


def test_a_diagonal_problem_that_is_no_graph(tmp_path):
    file = tmp_path / "terms.txt"
    file.write_text("1.0 ZII\n-0.5 IZZ\n0.25 ZIZ\n")
    result = hybrid.qaoa(pauli_terms(file), layers=2, samples=200, backend="lightning", folder=tmp_path / "run")
    assert result.cut is None
    assert result.value == pytest.approx(result.problem.exact_energy())


@pytest.mark.parametrize(
    ("problem", "change", "words"),
    [
        (tfim(3), {}, ["diagonal"]),
        (maxcut([(0, 1)]), {"layers": 0}, ["layers", "0"]),
        (maxcut([(0, 1)]), {"start": [0.1, 0.2, 0.3]}, ["start", "(3,)"]),
        (maxcut([(0, 1)]), {"layers": 1, "start": [0.1] * 4}, ["start", "(4,)"]),
        (maxcut([(0, 1)]), {"optimizer": "lbgfs"}, ["lbfgs"]),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_written(problem, change, words, tmp_path):
    with pytest.raises(Refused) as caught:
        hybrid.qaoa(problem, folder=tmp_path / "run", **change)
    for word in words:
        assert word in str(caught.value)
    assert not (tmp_path / "run").exists()
