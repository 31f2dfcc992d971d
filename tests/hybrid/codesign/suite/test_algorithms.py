"""Optimization, chemistry, physics and learning in the suite, against answers from elsewhere."""

import math
from itertools import product

import networkx as nx
import numpy as np
import pytest
from qiskit.quantum_info import Statevector

from circuits.errors import Refused
from hybrid.codesign.suite.benchmark import Answer, Size
from hybrid.codesign.suite.hamiltonian_simulation import exact, trotter
from hybrid.codesign.suite.linear_ramp_qaoa import ramp
from hybrid.codesign.suite.maxcut_qaoa import cubic, cut_probability, max_cut, one_layer
from hybrid.codesign.suite.registry import application
from hybrid.codesign.suite.vqe_h2 import HAMILTONIAN, double_excitation, minimum

SIZES = {
    "maxcut-qaoa": Size(6),
    "lr-qaoa": Size(5, 3),
    "vqe-h2": Size(4),
    "vqe-chain": Size(5),
    "hamiltonian-simulation": Size(4, 2),
    "quantum-kernel": Size(2),
}


def perfect(task, seed=0):
    """What a perfect computer answers: counts by drawing from the exact distribution, values exactly."""
    state = Statevector(task.circuit.assign_parameters(list(task.parameters)))
    if not task.observables:
        state.seed(seed)
        return Answer(counts=state.sample_counts(task.shots))
    values = np.array([state.expectation_value(observable).real for observable in task.observables])
    return Answer(values=values, standard_errors=np.zeros(len(values)))


def guessing(task, seed=0):
    """What noise alone answers."""
    rng = np.random.default_rng(seed)
    n = task.circuit.num_qubits
    drawn, counts = np.unique(rng.integers(0, 1 << n, task.shots), return_counts=True)
    return Answer(counts={f"{x:0{n}b}": int(k) for x, k in zip(drawn, counts, strict=True)})


@pytest.mark.parametrize("name", SIZES)
def test_a_perfect_computer_reaches_the_reference(name):
    benchmark, size = application(name), SIZES[name]
    benchmark.check(size)
    tasks = benchmark.circuits(size, shots=20_000, seed=11)
    found = benchmark.score(size, tasks, [perfect(task, k) for k, task in enumerate(tasks)])
    reference = benchmark.reference(size, seed=11)
    assert found.value == pytest.approx(reference, abs=max(5 * found.standard_error, 1e-9))
    again = benchmark.circuits(size, shots=20_000, seed=11)
    assert [task.circuit for task in again] == [task.circuit for task in tasks]


@pytest.mark.parametrize(("name", "worth"), [("lr-qaoa", 0.0), ("hamiltonian-simulation", 0.0), ("maxcut-qaoa", None)])
def test_guessing_is_worth_nothing(name, worth):
    benchmark, size = application(name), SIZES[name]
    tasks = benchmark.circuits(size, shots=20_000, seed=5)
    found = benchmark.score(size, tasks, [guessing(task, k) for k, task in enumerate(tasks)])
    if worth is None:  # half of the edges are cut
        worth = len(tasks[0].facts["edges"]) / 2 / tasks[0].facts["max_cut"]
    assert found.value == pytest.approx(worth, abs=max(5 * found.standard_error, 0.01))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_cut_probabilities_of_wang_et_al_are_those_of_the_state(seed):
    graph = cubic(Size(8), seed)
    p = Statevector(one_layer(graph)).probabilities()
    outcomes = np.arange(p.size)
    for u, v in graph.edges:
        cut = ((outcomes >> u) ^ (outcomes >> v)) & 1
        assert cut_probability(graph, u, v) == pytest.approx(p @ cut, abs=1e-12)


def test_an_edge_without_triangles_is_cut_as_farhi_goldstone_and_gutmann_say():
    graph = nx.petersen_graph()  # cubic, no triangle
    assert {round(cut_probability(graph, u, v), 12) for u, v in graph.edges} == {
        round(0.5 + 1 / (3 * math.sqrt(3)), 12)
    }
    assert round(cut_probability(graph, 0, 1), 4) == 0.6925
    assert max_cut(graph) == 12


def test_a_triangle_lowers_the_probability_as_the_state_says():
    graph = nx.Graph([(0, 1), (1, 2), (2, 0), (0, 3), (1, 4)])
    cut = ((np.arange(32) >> 0) ^ (np.arange(32) >> 1)) & 1
    p = Statevector(one_layer(graph)).probabilities()
    assert cut_probability(graph, 0, 1) == pytest.approx(p @ cut, abs=1e-12)


@pytest.mark.parametrize("n", [4, 6])
def test_every_cubic_instance_is_better_than_the_guaranteed_ratio(n):
    ratios = [application("maxcut-qaoa").reference(Size(n), seed=seed) for seed in range(10)]
    assert min(ratios) > 0.6924
    assert max(ratios) < 1.0


def test_the_ramp_is_that_of_metriq():
    circuit = ramp([1.0, 0.5], 3)
    angles = [float(one.operation.params[0]) for one in circuit.data if one.operation.name == "rzz"]
    turns = [float(one.operation.params[0]) for one in circuit.data if one.operation.name == "rx"]
    assert angles == pytest.approx([2 * 0.6 * k / 3 * weight for k, weight in product((1, 2, 3), (1.0, 0.5))])
    assert turns[::3] == pytest.approx([-2 * 0.3 * k / 3 for k in (3, 2, 1)])


def test_longer_ramps_cut_more_of_a_chain():
    ratios = [application("lr-qaoa").reference(Size(20, p), seed=1) for p in (1, 3, 10, 30)]
    assert ratios == sorted(ratios)
    assert ratios[0] > 0.05
    assert ratios[-1] > 0.9


def test_a_ramp_passes_where_guessing_does_not():
    benchmark, size = application("lr-qaoa"), Size(6, 5)
    tasks = benchmark.circuits(size, shots=1000, seed=2)
    good = benchmark.score(size, tasks, [perfect(task, k) for k, task in enumerate(tasks)])
    bad = benchmark.score(size, tasks, [guessing(task, k) for k, task in enumerate(tasks)])
    assert good.details["p_value"].value < 1e-6
    assert bad.details["p_value"].value > 1e-3
    assert good.details["random_approx_ratio"].value == pytest.approx(0.5, abs=0.01)  # a chain can be cut everywhere


def test_the_energy_of_h2_is_that_of_the_literature():
    theta, energy = minimum()
    assert energy == pytest.approx(-1.1373, abs=1e-4)  # full configuration interaction in STO-3G at 0.735 angstrom
    assert energy == pytest.approx(np.linalg.eigvalsh(HAMILTONIAN.to_matrix())[0], abs=1e-10)
    state = Statevector(double_excitation(theta))
    assert state.expectation_value(HAMILTONIAN).real == pytest.approx(energy, abs=1e-10)
    hartree_fock = Statevector.from_label("0101").expectation_value(HAMILTONIAN).real
    assert hartree_fock == pytest.approx(-1.117, abs=1e-3)


def test_the_hamiltonian_of_h2_is_made_from_integrals():
    pytest.importorskip("pyscf")
    from circuits.problems.chemistry import molecule

    made = molecule("H 0 0 0; H 0 0 0.735").hamiltonian
    assert np.max(np.abs((made - HAMILTONIAN).simplify().coeffs)) < 1e-8


def test_an_energy_below_the_exact_one_is_an_error_too():
    benchmark = application("vqe-h2")
    tasks = benchmark.circuits(Size(4), shots=100, seed=0)
    low = Answer(values=np.array([tasks[0].facts["exact"] - 0.02]), standard_errors=np.array([0.01]))
    found = benchmark.score(Size(4), tasks, [low])
    assert found.value == pytest.approx(0.02)
    assert found.details["energy"].value < found.details["exact_energy"].value


def test_more_steps_follow_the_exact_evolution_as_the_square():
    ideal, losses = exact(5), []
    for steps in (4, 8, 16):
        p = Statevector(trotter(Size(5, steps))).probabilities()
        losses.append(float(np.max(np.abs(p - ideal))))
    assert losses[0] / losses[1] == pytest.approx(4, rel=0.1)  # second order
    assert losses[1] / losses[2] == pytest.approx(4, rel=0.1)


def test_a_noisy_kernel_learns_less():
    benchmark, size = application("quantum-kernel"), Size(3)
    tasks = benchmark.circuits(size, shots=200, seed=3)
    good = benchmark.score(size, tasks, [perfect(task, k) for k, task in enumerate(tasks)])
    bad = benchmark.score(size, tasks, [guessing(task, k) for k, task in enumerate(tasks)])
    assert good.details["self_overlap"].value == 1.0
    assert bad.details["self_overlap"].value == pytest.approx(1 / 8, abs=0.1)
    assert good.value > bad.value


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("maxcut-qaoa", Size(7), "even"),
        ("maxcut-qaoa", Size(26), "24"),
        ("lr-qaoa", Size(5), "layers, such as 5x3"),
        ("vqe-h2", Size(5), "size 4 alone"),
        ("vqe-chain", Size(4, 2), "qubits alone"),
        ("hamiltonian-simulation", Size(4), "Trotter steps"),
        ("quantum-kernel", Size(11), "10"),
    ],
)
def test_sizes_that_there_are_not(name, size, words):
    with pytest.raises(Refused, match=words):
        application(name).check(size)
