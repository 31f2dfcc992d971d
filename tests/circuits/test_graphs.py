import itertools

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits import Refused, maxcut

ALL_EDGES = list(itertools.combinations([3, -1, 40, 7, 0], 2))


def best_cut(edges):
    nodes = sorted({node for edge in edges for node in edge[:2]})
    sides = (dict(zip(nodes, sides, strict=True)) for sides in itertools.product([0, 1], repeat=len(nodes)))
    return max(sum(w for u, v, w in edges if side[u] != side[v]) for side in sides)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(ALL_EDGES), min_size=1, unique=True),
    st.lists(st.floats(-5, 5), min_size=10, max_size=10),
)
def test_energy_is_the_negative_cut_weight(edges, weights):
    weighted = [(u, v, w) for (u, v), w in zip(edges, weights, strict=False)]
    # a sum of ten numbers below 5
    assert maxcut(weighted).exact_energy() == pytest.approx(-best_cut(weighted), abs=1e-12)


def test_every_assignment_has_its_cut_as_energy():
    problem = maxcut([(10, 20, 1.5), (20, 30, -2.0), (30, 10), (30, 40)])
    assert problem.structure.nodes == (10, 20, 30, 40)
    energies = problem.hamiltonian.to_matrix().diagonal().real
    for index, energy in enumerate(energies):
        assert energy == pytest.approx(-problem.structure.cut_weight(f"{index:04b}"), abs=1e-12)


def test_file_graph_and_edges_agree(tmp_path):
    path = tmp_path / "graph.txt"
    path.write_text("# a square with a diagonal\n0 1\n1 2 # comment\n\n2 3 1.0\n3 0\n0 2 0.5\n")
    edges = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2, 0.5)]
    graph = networkx.Graph()
    graph.add_weighted_edges_from([(*edge[:2], edge[2] if len(edge) > 2 else 1.0) for edge in edges])
    expected = maxcut(edges).hamiltonian
    assert maxcut(path).hamiltonian == maxcut(str(path)).hamiltonian == expected
    assert maxcut(graph).hamiltonian.equiv(expected)
    assert maxcut(maxcut(edges).source["edges"]).hamiltonian == expected
    assert maxcut(path).unit == "weight"


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([], "no edges"),
        (5, "pairs or triples"),
        ([(0,)], "edge 0 must be"),
        ([(0, 1), ("a", 2)], "edge 1 must be"),
        ([(0, 0)], "to itself"),
        ([(0, 1), (1, 0)], "twice"),
        ([(0, 1, float("nan"))], "weight of edge 0 must be a finite"),
        ("no/such/file", "cannot be read"),
        (networkx.empty_graph(2), "has no edge"),
    ],
)
def test_bad_graphs_are_refused(edges, words):
    with pytest.raises(Refused, match=words):
        maxcut(edges)


@pytest.mark.parametrize("line", ["0", "0 1 2 3", "a b", "0 1 x", "0 1 inf", "0.5 1"])
def test_bad_line_is_named(tmp_path, line):
    path = tmp_path / "graph.txt"
    path.write_text(f"0 1\n{line}\n")
    with pytest.raises(Refused, match=r"graph\.txt:2"):
        maxcut(path)
