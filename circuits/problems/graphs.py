"""Problems on graphs, written as diagonal Hamiltonians."""

import math
import os
from collections.abc import Hashable
from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused, shown
from circuits.problems.checks import check_operator_size
from circuits.problems.edges import UNDIRECTED, Edges, GraphLike, read_edges
from circuits.problems.graph_file import read_graph
from circuits.problems.operators import LARGEST_SUM
from circuits.problems.problem import Problem


@dataclass(frozen=True)
class Graph:
    """A weighted graph on qubits.

    Attributes:
        nodes: The user's label of each qubit's node: whole numbers ascending, others in the order of their graph.
        edges: (i, j, weight) in qubit numbers.
    """

    nodes: tuple[Hashable, ...]
    edges: tuple[tuple[int, int, float], ...]

    def cut_weight(self, bits: str) -> float:
        """Weight of the edges between the nodes marked 0 and those marked 1.

        Args:
            bits: One character for each qubit, qubit 0 rightmost, as in a backend's counts.
        """
        if len(bits) != len(self.nodes) or set(bits) - {"0", "1"}:
            raise Refused(f"bits must be {len(self.nodes)} characters 0 or 1, not {shown(bits)}")
        side = bits[::-1]
        return math.fsum(weight for i, j, weight in self.edges if side[i] != side[j])


def maxcut(edges: GraphLike | str | os.PathLike[str]) -> Problem:
    """Maximum cut: minimize the negative cut weight, H = sum_(ij) w_ij (Z_i Z_j - 1) / 2.

    The constant is part of H: an energy of -7 is a cut of weight 7.

    Args:
        edges: Pairs (u, v) or triples (u, v, weight) of whole-number labels; a graph of networkx or rustworkx (see
            `circuits.problems.edges.read_edges`), where parallel edges add up; or the path of a text file, a plain list
            of edges or in the format of Gset or DIMACS (see `circuits.problems.graph_file.read_graph`). An edge
            without a weight has 1. Labels need not be consecutive: the nodes in ascending order are qubits 0, 1, ...;
            where they are no numbers, in the graph's own order.

    Returns:
        A `Problem` with ``structure`` a `Graph`. Energies are in the unit of the weights.

    Raises:
        Refused: for an unreadable file or edge, a directed graph, a self-loop, an edge named twice, a node without an
            edge, a weight that is not finite, or more nodes and edges than fit.

    References:
        E. Farhi, J. Goldstone, S. Gutmann, A quantum approximate optimization algorithm, arXiv:1411.4028 (2014).

    >>> maxcut([(0, 1), (1, 2), (2, 0)]).exact_energy()
    -2.0
    """
    if isinstance(edges, (str, os.PathLike)):
        graph = _graph(Edges(tuple(read_graph(edges))))
    else:
        graph = _graph(read_edges(edges))
    n = len(graph.nodes)
    check_operator_size(len(graph.edges) + 1, n, "MaxCut on this graph")
    if sum(abs(weight) for *_, weight in graph.edges) > LARGEST_SUM:
        raise Refused(f"the weights of the graph add up to more than {LARGEST_SUM:g}; take a larger unit")
    bonds = [("ZZ", [i, j], weight / 2) for i, j, weight in graph.edges]
    constant = ("", [], -math.fsum(weight for *_, weight in graph.edges) / 2)
    plus = QuantumCircuit(n, name="plus")
    plus.h(range(n))
    labels = graph.nodes if all(isinstance(node, int) for node in graph.nodes) else range(n)
    return Problem(
        name=f"MaxCut, {n} nodes, {len(bonds)} edges",
        hamiltonian=SparsePauliOp.from_sparse_list([*bonds, constant], n),
        unit="weight",
        source={"kind": "maxcut", "edges": [[labels[i], labels[j], weight] for i, j, weight in graph.edges]},
        reference_state=plus,
        structure=graph,
    )


def _graph(given: Edges) -> Graph:
    """Nodes on qubits and edges with weights."""
    if given.directed:
        raise Refused(f"the graph is directed, but a cut has no direction; {UNDIRECTED}")
    loop = next((u for u, v, _ in given.edges if u == v), None)
    if loop is not None:
        raise Refused(f"the graph has an edge from node {shown(loop)} to itself; a loop is never cut, take it out")
    joined = {node for u, v, _ in given.edges for node in (u, v)}
    lonely = [node for node in given.nodes or () if node not in joined]
    if lonely:
        raise Refused(f"node {shown(lonely[0])} has no edge: it is free to be on either side; take it out")
    if not joined:
        raise Refused("the graph has no edges")
    in_order = sorted(joined) if all(isinstance(node, int) for node in joined) else given.nodes or ()
    qubit = {node: k for k, node in enumerate(in_order)}
    weights: dict[frozenset[int], tuple[int, int, float]] = {}
    for u, v, weight in given.edges:
        i, j = qubit[u], qubit[v]
        known = weights.get(frozenset((i, j)))
        if known is not None and not given.multigraph:
            ends = f"{shown(u)} and {shown(v)}"
            raise Refused(f"the graph names the edge between {ends} twice; name it once, with the summed weight")
        weights[frozenset((i, j))] = (i, j, (known[2] if known else 0.0) + (1.0 if weight is None else weight))
    return Graph(tuple(in_order), tuple(weights.values()))
