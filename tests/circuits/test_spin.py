import itertools

import networkx
import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

from circuits import Refused, heisenberg, tfim

EXACT = 1e-9  # of Lanczos, see test_exact


@pytest.mark.parametrize(("coupling", "field"), [(1.0, 1.0), (0.7, 1.3), (-1.0, 0.4), (1.0, 0.0), (0.0, -2.0)])
def test_tfim_ring_by_free_fermions(coupling, field):
    # Even sector of the ring: E = - sum_k sqrt(J^2 + h^2 - 2 J h cos k), k = (2m + 1) pi / n (Pfeuty 1970).
    n = 8
    k = (2 * np.arange(n) + 1) * np.pi / n
    energy = -np.sum(np.sqrt(coupling**2 + field**2 - 2 * coupling * field * np.cos(k)))
    assert tfim(n, coupling=coupling, field=field, periodic=True).exact_energy() == pytest.approx(energy, abs=EXACT)


def test_heisenberg_known_energies():
    # In Pauli matrices, 4 S.S: the four-site chain -3 - 2 sqrt 3, the four-site ring -8, the triangle -3.
    assert heisenberg(2).exact_energy() == pytest.approx(-3, abs=EXACT)
    assert heisenberg(4).exact_energy() == pytest.approx(-3 - 2 * np.sqrt(3), abs=EXACT)
    assert heisenberg(4, periodic=True).exact_energy() == pytest.approx(-8, abs=EXACT)
    assert heisenberg(3, periodic=True).exact_energy() == pytest.approx(-3, abs=EXACT)
    assert heisenberg(3, coupling=0.0, field=2.0).exact_energy() == pytest.approx(-6, abs=EXACT)


PROBLEMS = [
    tfim(5),
    tfim(1),
    tfim(6, periodic=True, field=0.3),
    tfim(5, edges=networkx.star_graph(4)),
    heisenberg(5),
    heisenberg(6, periodic=True, field=0.2),
    heisenberg(5, coupling=(1.0, 1.0, 0.5)),
    heisenberg(4, coupling=(1.0, 0.0, -0.5), edges=[(0, 1), (1, 2), (2, 0), (2, 3)]),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_layers_commute_and_sum_to_the_hamiltonian(problem):
    assert SparsePauliOp.sum(list(problem.layers)).equiv(problem.hamiltonian)
    for layer in problem.layers:
        assert all(a.commutes(b) for a in layer.paulis for b in layer.paulis)


def test_tfim_signs_and_site_order():
    assert tfim(3, coupling=2.0, field=0.5, edges=[(0, 2)]).hamiltonian.equiv(
        SparsePauliOp.from_list([("ZIZ", -2.0), ("IIX", -0.5), ("IXI", -0.5), ("XII", -0.5)])
    )


def test_anisotropic_axes_and_field():
    H = heisenberg(2, coupling=(1.0, 2.0, 3.0), field=0.5).hamiltonian
    assert H.equiv(SparsePauliOp.from_list([("XX", 1), ("YY", 2), ("ZZ", 3), ("IZ", -0.5), ("ZI", -0.5)]))


def test_reference_states():
    plus = tfim(3, coupling=0.0)
    assert Statevector(plus.reference_state).expectation_value(plus.hamiltonian).real == pytest.approx(-3)
    # Singlets on the bonds of a perfect matching have -3 for each of them and nothing on the others.
    chain = heisenberg(6)
    assert Statevector(chain.reference_state).expectation_value(chain.hamiltonian).real == pytest.approx(-9)
    dimers = heisenberg(4, edges=[(0, 3), (1, 2)])
    assert Statevector(dimers.reference_state).expectation_value(dimers.hamiltonian).real == pytest.approx(-6)


def test_source_makes_the_problem_again():
    for problem, make in ((heisenberg(4, coupling=(1, 2, 3), edges=[(0, 1), (3, 2)]), heisenberg), (tfim(4), tfim)):
        arguments = dict(problem.source)
        assert arguments.pop("kind") == make.__name__
        assert make(arguments.pop("n"), **arguments).hamiltonian == problem.hamiltonian


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((0,), {}, "n must be a whole number of at least 1, not 0"),
        ((2.5,), {}, "not 2.5"),
        (("4",), {}, "not '4'"),
        ((True,), {}, "not True"),
        ((4,), {"coupling": float("nan")}, "coupling must be a finite number"),
        ((4,), {"field": float("inf")}, "field must be a finite number"),
        ((4,), {"field": "strong"}, "field must be a finite number"),
        ((2,), {"periodic": True}, "at least 3 sites"),
        ((4,), {"periodic": True, "edges": [(0, 1)]}, "not both"),
        ((4,), {"periodic": "yes"}, "true or false"),
        ((4,), {"edges": [(0, 4)]}, "numbered 0 to 3"),
        ((4,), {"edges": [(-1, 0)]}, "numbered 0 to 3"),
        ((4,), {"edges": [(0, 1), (2, 2)]}, "edge 1 joins site 2 to itself"),
        ((4,), {"edges": [(0, 1), (1, 0)]}, "second time"),
        ((4,), {"edges": [(0, 1, 2)]}, "pair of sites"),
        ((4,), {"edges": [(0, 1.5)]}, "pair of whole numbers"),
        ((4,), {"edges": 7}, "edges must be pairs"),
        ((10**400,), {}, "about 10\\^400 terms on about 10\\^400 qubits"),
        ((10**9,), {}, "1999999999 terms on 1000000000 qubits, .* at most 67108864"),
        ((10**9,), {"edges": [(0, 1)]}, "1000000000 terms"),
        ((100,), {"edges": [(0, 10**400)]}, "pair of whole numbers"),
        ((100,), {"edges": ((i, i + 1) for i in itertools.count())}, "more than 200000 edges"),
        ((4,), {"coupling": 1e308}, "add up to more than"),
        ((4,), {"coupling": 10**400}, "coupling must be a finite number, not about 10\\^400"),
        ((4,), {"coupling": 1e-308, "field": 0.0}, "all below"),
    ],
)
def test_bad_input_is_refused(arguments, options, words):
    with pytest.raises(Refused, match=words):
        tfim(*arguments, **options)


def test_bad_axes_are_refused():
    with pytest.raises(Refused, match="one number or three"):
        heisenberg(4, coupling=(1.0, 2.0))
    with pytest.raises(Refused, match="coupling Jy must be a finite"):
        heisenberg(4, coupling=(1.0, float("nan"), 2.0))


def test_graphs_of_many_bonds_are_refused_before_they_are_coloured():
    with pytest.raises(Refused, match="spin model of 5000 sites and 4999 bonds has 19997 terms"):
        heisenberg(5000, edges=[(0, k) for k in range(1, 5000)])
