"""Graphs as users give them: lists of edges, and objects of networkx and rustworkx."""

import operator
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, SupportsIndex, Union

from circuits.errors import Refused, shown
from circuits.problems.checks import finite

if TYPE_CHECKING:
    import networkx
    import rustworkx

GraphLike = Union[
    Iterable[Iterable[SupportsIndex | float]], "networkx.Graph", "rustworkx.PyGraph", "rustworkx.PyDiGraph"
]
"""Pairs (u, v) or triples (u, v, weight) of whole-number labels, or a graph object."""

UNDIRECTED = "give graph.to_undirected()"
"""The cure where a direction says nothing."""

MAX_EDGES = 200_000
"""More would exceed `MAX_LETTERS` even on the fewest nodes that can have them."""

LARGEST_LABEL = 10**18


@dataclass(frozen=True)
class Edges:
    """The edges of a graph, as they were given.

    Attributes:
        edges: (u, v, weight), the weight None where none was given. Labels are whole numbers, or, of a networkx graph
            that has others, its node objects.
        nodes: All nodes of a graph object, in its order; None for a list, which knows no more nodes than its edges do.
        directed: Whether the graph object gives its edges a direction.
        multigraph: Whether the graph object may hold several edges between two nodes.
    """

    edges: tuple[tuple[Any, Any, float | None], ...]
    nodes: tuple[Hashable, ...] | None = None
    directed: bool = False
    multigraph: bool = False


def read_edges(graph: GraphLike) -> Edges:
    """The edges of any graph that is given as an argument.

    A rustworkx graph is known by its node indices, not by the objects on its nodes. The weight of an edge is the
    attribute "weight" in networkx; in rustworkx the object on the edge, or its entry "weight" if it is a dictionary.

    Raises:
        Refused: for something else, an edge that is none, a weight that is not finite, or more than `MAX_EDGES` edges.

    >>> read_edges([(0, 1), (1, 2, 0.5)]).edges
    ((0, 1, None), (1, 2, 0.5))
    """
    if isinstance(graph, (str, bytes, Mapping)):
        raise _no_graph(graph)
    if hasattr(graph, "weighted_edge_list") and hasattr(graph, "node_indices"):
        return _from_rustworkx(graph)
    if hasattr(graph, "nodes") and hasattr(graph, "adj") and hasattr(graph, "is_directed"):
        return _from_networkx(graph)
    given: Any = graph
    try:
        rows = [tuple(islice(row, 4)) for row in islice(given, MAX_EDGES + 1)]
    except TypeError as err:
        raise _no_graph(graph) from err
    return Edges(_checked(rows))


def _no_graph(graph: object) -> Refused:
    return Refused(
        f"edges must be pairs or triples such as [[0, 1], [1, 2, 0.5]], or a graph of networkx or rustworkx, "
        f"not {shown(graph)}"
    )


def _from_rustworkx(graph: Any) -> Edges:
    from rustworkx import PyDiGraph

    edges = _checked(graph.weighted_edge_list())
    return Edges(edges, tuple(graph.node_indices()), isinstance(graph, PyDiGraph), graph.multigraph)


def _from_networkx(graph: Any) -> Edges:
    labels = [_label(node) for node in graph.nodes]
    whole = None not in labels
    edges = _checked(graph.edges(data=True), whole=whole)
    return Edges(edges, tuple(labels if whole else graph.nodes), graph.is_directed(), graph.is_multigraph())


def _checked(rows: Collection[Sequence[Any]], *, whole: bool = True) -> tuple[tuple[Any, Any, float | None], ...]:
    if len(rows) > MAX_EDGES:
        raise Refused(f"the graph has more than {MAX_EDGES} edges; at most so many are read")
    return tuple(_edge(row, k, whole) for k, row in enumerate(rows))


def _edge(row: Sequence[Any], k: int, whole: bool) -> tuple[Any, Any, float | None]:
    u, v = (_label(end) if whole else end for end in (*row, None, None)[:2])
    if len(row) not in (2, 3) or u is None or v is None:
        raise Refused(
            f"edge {k} must be a pair of whole numbers [u, v], or [u, v, weight] where edges have weights; "
            f"not {shown(list(row))}"
        )
    payload = row[2] if len(row) == 3 else None
    if isinstance(payload, Mapping):
        payload = payload.get("weight")
    return u, v, None if payload is None else finite(payload, f"the weight of edge {k}")


def _label(value: Any) -> int | None:
    """The value as an int, or None if it is no whole number."""
    try:
        number = operator.index(value)
    except TypeError:
        return None
    return None if isinstance(value, bool) or abs(number) > LARGEST_LABEL else number
