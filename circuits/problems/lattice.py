"""Bonds between sites: chains, rings and any other graph, and their colouring into disjoint bonds."""

from collections.abc import Sequence

from circuits.errors import Refused, shown
from circuits.problems.edges import UNDIRECTED, Edges, GraphLike, read_edges

Edge = tuple[int, int]


def bonds(
    n: int, *, periodic: bool = False, edges: GraphLike | None = None, directed: bool = False
) -> tuple[Edge, ...]:
    """The bonds of an open chain, a ring, or the given graph.

    Args:
        n: Number of sites, 0 to n - 1.
        periodic: Close the chain to a ring; needs three sites.
        edges: Pairs of sites, or a graph of networkx or rustworkx whose nodes are sites.
        directed: Whether a bond (i, j) differs from (j, i), so that a directed graph says something.

    Returns:
        Pairs (i, j), in the order given.

    Raises:
        Refused: for a pair that is no pair of sites, has a weight, joins a site to itself or comes twice, and for a
            directed graph where bonds have no direction.

    >>> bonds(3, periodic=True)
    ((0, 1), (1, 2), (2, 0))
    """
    if not isinstance(periodic, bool):
        raise Refused(f"periodic must be true or false, not {shown(periodic)}")
    if edges is not None:
        if periodic:
            raise Refused("give either periodic=True or edges, not both: edges name every bond themselves")
        return _checked(read_edges(edges), n, directed)
    chain = tuple((i, i + 1) for i in range(n - 1))
    if not periodic:
        return chain
    if n < 3:
        raise Refused(f"a periodic chain needs at least 3 sites, not {n}: with fewer, a bond would count twice")
    return (*chain, (n - 1, 0))


def colouring(edges: Sequence[Edge]) -> tuple[tuple[Edge, ...], ...]:
    """Split bonds into colours, so that bonds of one colour share no site (greedy, in the order given).

    The first colour is a maximal matching: every bond touches one of its bonds.

    >>> colouring([(0, 1), (1, 2), (2, 3)])
    (((0, 1), (2, 3)), ((1, 2),))
    """
    colours: list[list[Edge]] = []
    taken: list[set[int]] = []
    for edge in edges:
        k = next((k for k, sites in enumerate(taken) if sites.isdisjoint(edge)), len(colours))
        if k == len(colours):
            colours.append([])
            taken.append(set())
        colours[k].append(edge)
        taken[k].update(edge)
    return tuple(tuple(colour) for colour in colours)


def _checked(graph: Edges, n: int, directed: bool) -> tuple[Edge, ...]:
    if graph.directed and not directed:
        raise Refused(f"the graph is directed, but bonds have no direction; {UNDIRECTED}")
    strangers = [node for node in graph.nodes or () if not _is_site(node, n)]
    if strangers:
        raise Refused(f"the graph has the node {shown(strangers[0])}, but the {n} sites are numbered 0 to {n - 1}")
    seen: set[frozenset[int] | Edge] = set()
    for k, (i, j, weight) in enumerate(graph.edges):
        if weight is not None and (graph.nodes is None or weight != 1.0):
            raise Refused(
                f"edge {k} must be a pair of sites such as [0, 1], without the weight {weight:g}: all bonds are alike"
            )
        if not (_is_site(i, n) and _is_site(j, n)):
            raise Refused(f"edge {k} joins sites {i} and {j}, but the {n} sites are numbered 0 to {n - 1}")
        if i == j:
            raise Refused(f"edge {k} joins site {i} to itself")
        bond = (i, j) if graph.directed else frozenset((i, j))
        if bond in seen:
            raise Refused(f"edge {k} joins sites {i} and {j} a second time; name each bond once")
        seen.add(bond)
    return tuple((i, j) for i, j, _ in graph.edges)


def _is_site(node: object, n: int) -> bool:
    return isinstance(node, int) and 0 <= node < n
