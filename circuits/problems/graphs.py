"""Problems on graphs, written as diagonal Hamiltonians."""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused
from circuits.problems.checks import finite
from circuits.problems.problem import Problem


@dataclass(frozen=True)
class Graph:
    """A weighted graph on qubits.

    Attributes:
        nodes: The user's label of each qubit's node, ascending.
        edges: (i, j, weight) in qubit numbers.
    """

    nodes: tuple[int, ...]
    edges: tuple[tuple[int, int, float], ...]

    def cut_weight(self, bits: str) -> float:
        """Weight of the edges between the nodes marked 0 and those marked 1.

        Args:
            bits: One character for each qubit, qubit 0 rightmost, as in a backend's counts.
        """
        if len(bits) != len(self.nodes) or set(bits) - {"0", "1"}:
            raise Refused(f"bits must be {len(self.nodes)} characters 0 or 1, not {bits!r}")
        side = bits[::-1]
        return math.fsum(weight for i, j, weight in self.edges if side[i] != side[j])


def maxcut(edges: Iterable[Any] | str | os.PathLike) -> Problem:
    """Maximum cut: minimize the negative cut weight, H = sum_(ij) w_ij (Z_i Z_j - 1) / 2.

    The constant is part of H: an energy of -7 is a cut of weight 7.

    Args:
        edges: Pairs (u, v) or triples (u, v, weight) of whole-number labels; a networkx graph (its attribute "weight",
            1 where there is none); or the path of a text file with a line ``u v`` or ``u v weight`` for each edge, with
            comments after ``#``. Labels need not be consecutive: the nodes in ascending order are qubits 0, 1, ...

    Returns:
        A `Problem` with ``structure`` a `Graph`. Energies are in the unit of the weights.

    Raises:
        Refused: for an unreadable file or edge, a self-loop, an edge named twice, a node without an edge, a weight that
            is not finite.

    References:
        E. Farhi, J. Goldstone, S. Gutmann, A quantum approximate optimization algorithm, arXiv:1411.4028 (2014).

    >>> maxcut([(0, 1), (1, 2), (2, 0)]).exact_energy()
    -2.0
    """
    if isinstance(edges, (str, os.PathLike)):
        weighted = _read(Path(edges))
    elif hasattr(edges, "edges") and hasattr(edges, "nodes"):
        weighted = _from_networkx(edges)
    else:
        weighted = _from_sequence(edges)
    _check(weighted)
    nodes = tuple(sorted({node for u, v, _ in weighted for node in (u, v)}))
    qubit = {node: k for k, node in enumerate(nodes)}
    graph = Graph(nodes, tuple((qubit[u], qubit[v], weight) for u, v, weight in weighted))
    n = len(nodes)
    bonds = [("ZZ", [i, j], weight / 2) for i, j, weight in graph.edges]
    constant = ("", [], -math.fsum(weight for *_, weight in graph.edges) / 2)
    plus = QuantumCircuit(n, name="plus")
    plus.h(range(n))
    return Problem(
        name=f"MaxCut, {n} nodes, {len(bonds)} edges",
        hamiltonian=SparsePauliOp.from_sparse_list([*bonds, constant], n),
        unit="weight",
        source={"kind": "maxcut", "edges": [list(edge) for edge in weighted]},
        reference_state=plus,
        structure=graph,
    )


WeightedEdges = list[tuple[int, int, float]]


def _read(path: Path) -> WeightedEdges:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise Refused(f"the graph file {path} cannot be read: {err}") from err
    edges = []
    for number, line in enumerate(lines, start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        where = f"{path}:{number}"
        try:
            u, v = (int(word) for word in words[:2])
            weight = float(words[2]) if len(words) > 2 else 1.0
        except ValueError as err:
            raise Refused(f"{where}: an edge is 'u v' or 'u v weight' with whole numbers u, v; not '{line}'") from err
        if len(words) > 3:
            raise Refused(f"{where}: an edge is 'u v' or 'u v weight'; not '{line}'")
        edges.append((u, v, finite(weight, f"{where}: the weight")))
    return edges


def _from_networkx(graph: Any) -> WeightedEdges:
    lonely = [node for node in graph.nodes if not any(other != node for other in graph.adj[node])]
    if lonely:
        raise Refused(f"node {lonely[0]!r} has no edge to another node: it is free to be on either side; take it out")
    return _from_sequence([(u, v, data.get("weight", 1.0)) for u, v, data in graph.edges(data=True)])


def _from_sequence(edges: Iterable[Any]) -> WeightedEdges:
    try:
        rows = [tuple(edge) for edge in edges]
    except TypeError as err:
        raise Refused(f"edges must be pairs or triples such as [[0, 1], [1, 2, 0.5]], not {edges!r}") from err
    return [_edge(k, row) for k, row in enumerate(rows)]


def _edge(k: int, row: tuple) -> tuple[int, int, float]:
    labels = [label for label in row[:2] if hasattr(label, "__index__") and not isinstance(label, bool)]
    if len(row) not in (2, 3) or len(labels) != 2:
        raise Refused(f"edge {k} must be [u, v] or [u, v, weight] with whole numbers u, v; not {list(row)!r}")
    weight = finite(row[2], f"the weight of edge {k}") if len(row) == 3 else 1.0
    return int(labels[0]), int(labels[1]), weight


def _check(edges: WeightedEdges) -> None:
    if not edges:
        raise Refused("the graph has no edges")
    seen: set[frozenset[int]] = set()
    for u, v, _ in edges:
        if u == v:
            raise Refused(f"the graph has an edge from node {u} to itself; a loop is never cut, take it out")
        if frozenset((u, v)) in seen:
            raise Refused(f"the graph names the edge between {u} and {v} twice; name it once, with the summed weight")
        seen.add(frozenset((u, v)))
