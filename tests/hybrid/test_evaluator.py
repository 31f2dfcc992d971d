"""Questions cut into tiles: any cut among ranks gives the same bits."""

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

import backends
from circuits import hardware_efficient, tfim
from hybrid.loop.evaluator import Evaluator
from hybrid.loop.terms import MOST_GROUPS, term_groups
from hybrid.optimizers.optimizer import Points
from hybrid.workload.workload import workload


def random_operator(n_qubits, n_terms):
    rng = np.random.default_rng(5)
    labels = sorted({"".join(rng.choice(list("IXYZ"), n_qubits)) for _ in range(n_terms)})
    return SparsePauliOp(labels, rng.normal(size=len(labels)))


CASES = {
    "exact": (hardware_efficient(4, layers=1), tfim(4), {}),
    "exact, larger": (hardware_efficient(11, layers=1), tfim(11), {}),
    "many terms": (hardware_efficient(5, layers=1), random_operator(5, 3000), {}),
    "shots": (hardware_efficient(3, layers=1), tfim(3), {"shots": 20}),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("gradient", [False, True])
def test_tiles_computed_apart_are_the_whole(name, gradient):
    circuit, problem, options = CASES[name]
    work = workload(circuit, problem, optimizer="adam", **options)
    n_rows = 17 if name == "exact" else 3  # of small exact circuits, 16 are one tile
    rows = np.random.default_rng(1).normal(size=(n_rows, circuit.num_parameters))
    points, backend = Points(rows, gradient), backends.get("statevector")
    whole = Evaluator(work, backend)
    told, tiles = whole(points, 3), whole.tiles(points)
    assert len(tiles) > 1
    other = Evaluator(work, backend)
    apart = [other.compute(points, 3, [tile]) for tile in reversed(tiles)]
    again = whole.combine(points, np.concatenate(apart[::-1]))
    assert again.values.tobytes() == told.values.tobytes()
    assert again.standard_errors.tobytes() == told.standard_errors.tobytes()
    assert (told.gradients is not None) == gradient
    if told.gradients is not None and again.gradients is not None:
        assert again.gradients.tobytes() == told.gradients.tobytes()


def test_tiles_have_noise_of_their_own():
    circuit, problem, options = CASES["shots"]
    evaluate = Evaluator(workload(circuit, problem, **options), backends.get("statevector"))
    points = Points(np.repeat([np.linspace(0.1, 1.0, circuit.num_parameters)], 8, axis=0), gradient=False)
    assert len(set(evaluate(points, 0).values)) > 1
    assert evaluate(points, 0).values.tobytes() != evaluate(points, 1).values.tobytes()


def test_groups_of_terms_sum_to_the_hamiltonian():
    circuit, H, _ = CASES["many terms"]
    backend = backends.get("statevector")
    work = workload(circuit, H, optimizer="adam")
    groups = term_groups(work, backend)
    assert 2 <= len(groups) <= MOST_GROUPS
    assert np.abs((sum(groups[1:], groups[0]) - H).simplify().coeffs).max() < 1e-12
    flips = [{row.tobytes() for row in group.paulis.x} for group in groups]
    assert sum(map(len, flips)) == len(set().union(*flips)), "terms that flip the same qubits stay together"
    theta = np.random.default_rng(2).normal(size=(1, circuit.num_parameters))
    told = Evaluator(work, backend)(Points(theta, gradient=True), 0)
    values, gradients = backends.get("lightning").value_and_grad(circuit, H)(theta)
    assert told.values == pytest.approx(values, abs=1e-10)
    assert told.gradients == pytest.approx(gradients, abs=1e-10)


def test_a_hamiltonian_of_few_terms_is_not_cut():
    work = workload(hardware_efficient(6, layers=2), tfim(6))
    assert term_groups(work, backends.get("statevector")) == (work.problem.hamiltonian,)
