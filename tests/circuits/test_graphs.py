import itertools

import networkx
import numpy as np
import pytest
import rustworkx
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits import Refused, hardware_efficient, heisenberg, maxcut, tfim

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
    # a sum of ten numbers below 5; weights far below the largest may be lost in rounding
    if not 0.0 < max(abs(w) for *_, w in weighted) < 1e-100:
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


def rustworkx_graph(edges, n=None):
    graph = rustworkx.PyGraph()
    graph.add_nodes_from([f"node {k}" for k in range(n or 1 + max(max(edge[:2]) for edge in edges))])
    graph.add_edges_from([(*edge[:2], edge[2] if len(edge) > 2 else None) for edge in edges])
    return graph


def named(graph):
    return networkx.relabel_nodes(graph, lambda node: ("site", node))


TRIANGLE = [(0, 1, 2.0), (1, 2), (2, 0, {"weight": 0.5})]
WEIGHTED = networkx.Graph([(0, 1, {"weight": 2.0}), (1, 2), (2, 0, {"weight": 0.5})])


@pytest.mark.parametrize(
    "graph",
    [
        rustworkx_graph(TRIANGLE),
        WEIGHTED,
        named(WEIGHTED),
        networkx.MultiGraph([(0, 1), (0, 1), (1, 2), (2, 0, {"weight": 0.2}), (0, 2, {"weight": 0.3})]),
        rustworkx_graph([(0, 1, 1.5), (1, 2), (2, 0, 0.5), (1, 0, 0.5)]),
        np.array([(0, 1), (1, 2)]),
        WEIGHTED.edges(data=True),
    ],
    ids=lambda graph: type(graph).__name__,
)
def test_graphs_of_every_library(graph):
    # the heaviest two edges are cut: 2 + 1
    expected = -2.0 if isinstance(graph, np.ndarray) else -3.0
    problem = maxcut(graph)
    assert problem.exact_energy() == pytest.approx(expected, abs=1e-12)
    assert problem.n_qubits == 3
    assert maxcut(problem.source["edges"]).exact_energy() == pytest.approx(expected, abs=1e-12)


def test_nodes_that_are_no_numbers_keep_their_order():
    grid = networkx.grid_2d_graph(2, 3)
    problem = maxcut(grid)
    assert problem.structure.nodes == tuple(grid.nodes)
    assert problem.exact_energy() == -7.0  # bipartite: every edge is cut


def test_spin_models_and_topologies_take_graphs():
    bonds = [(0, 2), (2, 1), (3, 0)]
    graph = networkx.Graph(bonds)
    graph.add_node(4)  # a site without bonds
    for model in (tfim, heisenberg):
        expected = model(5, edges=bonds).hamiltonian
        assert model(5, edges=graph).hamiltonian.equiv(expected)
        assert model(5, edges=rustworkx_graph(bonds, 5)).hamiltonian.equiv(expected)
    directed = rustworkx.PyDiGraph()
    directed.add_nodes_from(range(3))
    directed.add_edges_from_no_data([(2, 0), (0, 2), (1, 2)])
    arrows = [(2, 0), (0, 2), (1, 2)]
    for topology in (directed, networkx.DiGraph(arrows)):
        circuit = hardware_efficient(3, layers=1, topology=topology)
        pairs = [tuple(circuit.find_bit(q).index for q in gate.qubits) for gate in circuit.get_instructions("cx")]
        assert sorted(pairs) == sorted(arrows)


def lonely(graph):
    graph.add_node(99)
    return graph


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([], "no edges"),
        (5, "pairs or triples"),
        ("", "cannot be read"),
        ({(0, 1): 2.0}, "pairs or triples"),  # whose weights a loop over it would lose
        ([(0,)], "edge 0 must be"),
        ([(0, 1), ("a", 2)], "edge 1 must be"),
        (["01"], "edge 0 must be"),
        ([(0, 1, 2, 3)], "edge 0 must be"),
        ([(0, 10**400)], "edge 0 must be"),
        ([(0, 0)], "to itself"),
        ([(0, 1), (1, 0)], "twice"),
        ([(0, 1, float("nan"))], "weight of edge 0 must be a finite"),
        ([(0, 1, 1e308), (1, 2, 1e308)], "add up to more than 1e\\+150"),
        (((k, k + 1) for k in itertools.count()), "more than 200000 edges"),
        ([(k, k + 1) for k in range(20_000)], "20001 terms on 20001 qubits"),
        ("no/such/file", "cannot be read"),
        (networkx.empty_graph(2), "has no edge"),
        (networkx.Graph(), "no edges"),
        (rustworkx.PyGraph(), "no edges"),
        (lonely(networkx.path_graph(3)), "node 99 has no edge"),
        (rustworkx_graph([(0, 1)], 3), "node 2 has no edge"),
        (networkx.Graph([("a", "b"), ("b", "b")]), "from node 'b' to itself"),
        (rustworkx_graph([(0, 1), (1, 1)]), "from node 1 to itself"),
        (networkx.Graph([(0, 1, {"weight": "heavy"})]), "weight of edge 0"),
        (rustworkx_graph([(0, 1, "heavy")]), "weight of edge 0"),
        (networkx.DiGraph([(0, 1), (1, 2)]), "is directed.*to_undirected"),
        (networkx.MultiDiGraph([(0, 1)]), "is directed"),
        (rustworkx.generators.directed_path_graph(3), "is directed"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_bad_graphs_are_refused(edges, words):
    with pytest.raises(Refused, match=words) as refusal:
        maxcut(edges)
    assert "built-in" not in str(refusal.value)


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (WEIGHTED, "edge 0 .* without the weight 2: all bonds are alike"),
        (rustworkx_graph(TRIANGLE), "without the weight 2"),
        (named(WEIGHTED), r"the node \('site', 0\), but the 3 sites are numbered 0 to 2"),
        (lonely(networkx.path_graph(3)), "the node 99"),
        (networkx.DiGraph([(0, 1)]), "is directed"),
        (networkx.MultiGraph([(0, 1), (0, 1)]), "a second time"),
        (networkx.Graph([(1, 1)]), "joins site 1 to itself"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_graphs_that_are_no_lattice_are_refused(graph, words):
    with pytest.raises(Refused, match=words):
        tfim(3, edges=graph)


@pytest.mark.parametrize("line", ["0", "0 1 2 3", "a b", "0 1 x", "0 1 inf", "0.5 1", "0 1_0", f"0 {10**30}"])
def test_bad_line_is_named(tmp_path, line):
    path = tmp_path / "graph.txt"
    path.write_text(f"0 1\n{line}\n")
    with pytest.raises(Refused, match=r"graph\.txt:2"):
        maxcut(path)


K4 = "1 2{}\n1 3{}\n1 4{}\n2 3{}\n2 4{}\n3 4{}\n"
HEADED = {
    "Gset": ("4 6\n" + K4.replace("{}", " 1"), 4, -4.0),
    "negative weights": ("4 6\n" + K4.replace("{}", " -1") + "\n", 4, 0.0),
    "rudy without weights": ("4 6\n" + K4.replace("{}", ""), 4, -4.0),
    "from 0": ("4 6\n" + K4.translate(str.maketrans("1234", "0123")).replace("{}", ""), 4, -4.0),
    "comments first": ("# K4\n% more\n\n4 6\n" + K4.replace("{}", " 2.5"), 4, -10.0),
    "a ring, whose header would be a loop": ("5 5\n1 2\n2 3\n3 4\n4 5\n5 1\n", 5, -4.0),
    "a path, whose header would be its last edge": ("4 3\n1 2\n2 3\n3 4\n", 4, -3.0),
    "a star with weights": ("4 3\n1 2 1\n1 3 1\n1 4 1\n", 4, -3.0),
    "DIMACS": (
        "c K4\np edge 4 6\n" + "".join(f"e {row}\n" for row in K4.replace("{}", "").split("\n") if row),
        4,
        -4.0,
    ),
    "DIMACS col": ("p col 4 1\ne 4 2\n", 2, -1.0),
    "DIMACS without header": ("c none\ne 1 2\ne 2 3\n", 3, -2.0),
    "no header: of no nodes": ("0 1\n1 2 0.5\n", 3, -1.5),
    "no header: labels go beyond, with weights": ("1 2\n2 3 0.5\n3 4 0.25\n", 4, -1.75),
    "no header: labels go beyond": ("3 4\n1 2\n2 3\n3 5\n9 1\n", 6, -5.0),
    "no header: other number of edges": ("2 1\n1 3\n3 0\n0 2\n", 4, -4.0),
}


@pytest.mark.parametrize("kind", HEADED)
def test_headers_are_no_edges(kind, tmp_path):
    text, n_nodes, energy = HEADED[kind]
    (tmp_path / "graph.txt").write_text(text)
    problem = maxcut(tmp_path / "graph.txt")
    assert (problem.n_qubits, problem.exact_energy()) == (n_nodes, energy)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3 2\n1 2\n1 3\n", ":1: '3 2' may be a header .* and both make sense"),  # a path, or a triangle
        ("4 6\n1 2\n1 3\n1 4\n2 3\n2 4\n", "5 edges between nodes 1 to 4 follow, which does not fit"),
        ("4 6\n1 2 1\n1 3 1\n", "2 edges between nodes 1 to 3 follow"),
        ("4 2\n1 2 1\n1 5 1\n", "2 edges between nodes 1 to 5 follow"),
        ("p edge 4 6\ne 1 2\n", ":1: the header announces 6 edges, but 1 follow"),
        ("p edge 2 1\ne 1 3\n", "announces 2 nodes, .* name nodes 1 to 3"),
        ("p edge 2 1\n1 2\n", ":2: either each edge is 'e u v'"),
        ("1 2\ne 2 3\n", ":2: either each edge is 'e u v'"),
        ("p cnf 2 1\n1 -2 0\n", ":1: the header of a DIMACS graph"),
        ("p edge 2 1\np edge 2 1\ne 1 2\n", ":2: a second header"),
        ("%%MatrixMarket matrix coordinate real general\n4 4 2\n1 2 1\n3 4 1\n", "from node 4 to itself"),
    ],
)
def test_headers_that_do_not_fit_are_refused(text, words, tmp_path):
    (tmp_path / "graph.txt").write_text(text)
    with pytest.raises(Refused, match=words):
        maxcut(tmp_path / "graph.txt")
