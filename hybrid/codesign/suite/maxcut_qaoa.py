"""QAOA of one layer for the maximum cut of random cubic graphs, with angles that are known in closed form."""

import math
from collections.abc import Sequence
from typing import ClassVar

import networkx as nx
import numpy as np
from qiskit import QuantumCircuit

from circuits.errors import Refused
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Score, Size, Task
from hybrid.codesign.suite.cuts import Edges, cut_values, moments

DEGREE = 3
"""Of every node."""

BETA, GAMMA = math.pi / 8, math.atan(1 / math.sqrt(DEGREE - 1))
"""The best angles of one layer on a graph of this degree without triangles, radians."""


class MaxCutQAOA(Benchmark):
    """Approximation ratio of the maximum cut of a random cubic graph after exp(i beta sum X) exp(-i gamma H).

    Without triangles every edge is cut with the probability 1/2 + 1/(3 sqrt 3) = 0.6924, which is also what one layer
    guarantees on any cubic graph with its best angles; the ratio to the largest cut is at least that, 0.5 being
    guessing if all edges can be cut.

    References:
        E. Farhi, J. Goldstone, S. Gutmann, arXiv:1411.4028 (2014);
        Z. Wang, S. Hadfield, Z. Jiang, E. G. Rieffel, Phys. Rev. A 97, 022304 (2018), for the angles.
    """

    name = "maxcut-qaoa"
    title = "MaxCut QAOA"
    sizes: ClassVar = {
        "quick": (Size(4),),
        "small": (Size(6), Size(8)),
        "full": (Size(6), Size(8), Size(12), Size(16)),
    }

    least, most = DEGREE + 1, 24  # the largest cut is found by trying all

    def check(self, size: Size) -> None:
        """A cubic graph has an even number of nodes; see `Benchmark.check`.

        Raises:
            Refused: for a depth, an odd number of qubits, or one out of range.
        """
        super().check(size)
        if size.n_qubits % 2:
            raise Refused(f"{self.name} has even numbers of qubits alone, such as {size.n_qubits + 1}, not {size}")

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """One circuit; see `Benchmark.circuits`."""
        graph = cubic(size, seed)
        facts = {"edges": sorted(sorted(edge) for edge in graph.edges), "max_cut": max_cut(graph)}
        return [Task(one_layer(graph), shots=shots, facts=facts)]

    def reference(self, size: Size, *, seed: int) -> float:
        """From the closed form of each edge; see `cut_probability`."""
        graph = cubic(size, seed)
        return sum(cut_probability(graph, *edge) for edge in graph.edges) / max_cut(graph)

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The mean cut over the maximum; see `Benchmark.score`."""
        del size
        facts, counts = tasks[0].facts, answers[0].counts
        edges: Edges = [(u, v, 1.0) for u, v in facts["edges"]]
        cuts, seen = cut_values(list(counts), edges), list(counts.values())
        mean = moments(cuts / facts["max_cut"], seen)
        details = {
            "cut_fraction": moments(cuts / len(edges), seen),
            "optimal_probability": moments((cuts == facts["max_cut"]).astype(float), seen),
        }
        return Score(mean.value, mean.standard_error, details)


def cubic(size: Size, seed: int) -> nx.Graph:
    """A random graph with three edges at each node."""
    return nx.random_regular_graph(DEGREE, size.n_qubits, seed=seed)


def one_layer(graph: nx.Graph) -> QuantumCircuit:
    """The circuit, with H = sum over edges of ZZ / 2."""
    circuit = QuantumCircuit(graph.number_of_nodes())
    circuit.h(range(circuit.num_qubits))
    for u, v in sorted(sorted(edge) for edge in graph.edges):
        circuit.rzz(GAMMA, u, v)
    circuit.rx(-2 * BETA, range(circuit.num_qubits))
    return circuit


def cut_probability(graph: nx.Graph, u: int, v: int, *, beta: float = BETA, gamma: float = GAMMA) -> float:
    """The probability that one layer cuts an edge, in closed form for any graph without weights.

    With d and e further edges at u and v, and f triangles on the edge, it is
    1/2 + sin(4 beta) sin(gamma) (cos^d gamma + cos^e gamma) / 4
    - sin^2(2 beta) cos^(d + e - 2f) gamma (1 - cos^f 2 gamma) / 4.

    Args:
        graph: Without weights.
        u: One end of the edge.
        v: The other.
        beta: Of the layer, radians.
        gamma: Of the layer, radians.

    References:
        Z. Wang, S. Hadfield, Z. Jiang, E. G. Rieffel, Phys. Rev. A 97, 022304 (2018), theorem 1.
    """
    d, e = graph.degree[u] - 1, graph.degree[v] - 1
    f = len(set(graph[u]) & set(graph[v]))
    cos = math.cos(gamma)
    single = math.sin(4 * beta) * math.sin(gamma) * (cos**d + cos**e) / 4
    double = math.sin(2 * beta) ** 2 * cos ** (d + e - 2 * f) * (1 - math.cos(2 * gamma) ** f) / 4
    return 0.5 + single - double


def max_cut(graph: nx.Graph) -> int:
    """Edges of the largest cut, by trying all with the last node on one side."""
    n = graph.number_of_nodes()
    sides = np.arange(1 << (n - 1), dtype=np.int32)
    cuts = np.zeros(sides.size, dtype=np.int16)
    for u, v in graph.edges:
        cuts += (((sides >> u) ^ (sides >> v)) & 1).astype(np.int16)
    return int(cuts.max())
