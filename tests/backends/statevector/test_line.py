"""Orders of a circuit's qubits on a line."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from backends.statevector.parts.line import near_each_other


def bandwidth(order, edges):
    """How far apart an order leaves the ends of an edge, at most."""
    place = {node: k for k, node in enumerate(order)}
    return max(abs(place[a] - place[b]) for a, b in edges)


def test_neighbours_stand_as_near_each_other_as_in_scipys_order():
    rng, ours, theirs = np.random.default_rng(5), [], []
    for _ in range(60):
        n = int(rng.integers(4, 30))
        edges = {
            tuple(sorted(rng.choice(n, 2, replace=False).tolist())) for _ in range(int(rng.integers(n // 2, 2 * n)))
        }
        neighbours = [{node} for node in range(n)]
        for a, b in edges:
            neighbours[a].add(b)
            neighbours[b].add(a)
        order = near_each_other(neighbours)
        assert sorted(order) == list(range(n))
        ends = np.array([*edges, *(edge[::-1] for edge in edges)]).T
        graph = coo_array((np.ones(ends.shape[1]), tuple(ends)), shape=(n, n)).tocsr()
        ours.append(bandwidth(order, edges))
        theirs.append(bandwidth(reverse_cuthill_mckee(graph, symmetric_mode=True).tolist(), edges))
    assert sum(ours) <= 1.02 * sum(theirs)


def test_a_shuffled_chain_is_found_again():
    places = np.random.default_rng(2).permutation(25)
    neighbours = [set() for _ in places]
    for a, b in zip(places[:-1].tolist(), places[1:].tolist(), strict=True):
        neighbours[a].add(b)
        neighbours[b].add(a)
    assert near_each_other(neighbours) in (places.tolist(), places[::-1].tolist())
