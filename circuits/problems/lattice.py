"""Bonds between sites: chains, rings and any other graph, and their colouring into disjoint bonds."""

from collections.abc import Iterable, Sequence
from typing import Any

from circuits.errors import Refused

Edge = tuple[int, int]


def bonds(n: int, *, periodic: bool = False, edges: Iterable[Any] | None = None) -> tuple[Edge, ...]:
    """The bonds of an open chain, a ring, or the given graph.

    Args:
        n: Number of sites, 0 to n - 1.
        periodic: Close the chain to a ring; needs three sites.
        edges: Pairs of sites, or a graph with an ``edges`` attribute such as networkx has.

    Returns:
        Pairs (i, j), in the order given.

    Raises:
        Refused: for a pair that is no pair of sites, joins a site to itself or comes twice.

    >>> bonds(3, periodic=True)
    ((0, 1), (1, 2), (2, 0))
    """
    if not isinstance(periodic, bool):
        raise Refused(f"periodic must be true or false, not {periodic!r}")
    if edges is not None:
        if periodic:
            raise Refused("give either periodic=True or edges, not both: edges name every bond themselves")
        return _checked(getattr(edges, "edges", edges), n)
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


def _checked(edges: Any, n: int) -> tuple[Edge, ...]:
    try:
        pairs = [tuple(edge) for edge in edges]
    except TypeError as err:
        raise Refused(f"edges must be pairs of sites such as [[0, 1], [1, 2]], not {edges!r}") from err
    seen: set[frozenset[int]] = set()
    checked = []
    for k, pair in enumerate(pairs):
        sites = [_site(site) for site in pair]
        if len(pair) != 2 or None in sites:
            raise Refused(f"edge {k} must be a pair of sites such as [0, 1], not {list(pair)!r}")
        i, j = sites
        if not (0 <= i < n and 0 <= j < n):
            raise Refused(f"edge {k} joins sites {i} and {j}, but the {n} sites are numbered 0 to {n - 1}")
        if i == j:
            raise Refused(f"edge {k} joins site {i} to itself")
        if frozenset((i, j)) in seen:
            raise Refused(f"edge {k} joins sites {i} and {j} a second time; name each bond once")
        seen.add(frozenset((i, j)))
        checked.append((i, j))
    return tuple(checked)


def _site(value: Any) -> Any:
    """The value as an int, or None if it is none."""
    if isinstance(value, (bool, float, str)):
        return None
    try:
        return int(value.__index__())
    except AttributeError:
        return None
