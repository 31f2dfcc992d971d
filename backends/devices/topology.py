"""Which pairs of qubits are joined: the usual topologies by name, or any list of edges."""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Literal, get_args

import numpy as np

from circuits.errors import Refused, shown, unknown

Topology = Literal["line", "ring", "grid", "heavy-hex", "all-to-all"]

Edge = tuple[int, int]


MOST_EDGES = 10_000_000


def edges_of(edges: Topology | Iterable[Iterable[int]], n_qubits: int, *, directed: bool = False) -> tuple[Edge, ...]:
    """The joined pairs of qubits.

    Args:
        edges: A topology's name, or the pairs themselves. "grid" is as square as the number of qubits allows, its last
            row perhaps unfinished; "heavy-hex" is IBM's lattice of rows of qubits with bridges between them.
        n_qubits: Of the device.
        directed: Whether an edge and the same the other way are two.

    Raises:
        Refused: for an unknown name, pairs that are no pairs of qubits, and qubits that no path of edges joins.
    """
    if isinstance(edges, str):
        if edges not in get_args(Topology):
            raise unknown("topology", edges, get_args(Topology))
        if edges == "all-to-all" and n_qubits * (n_qubits - 1) // 2 > MOST_EDGES:
            raise Refused(f"{n_qubits} qubits all-to-all have more than {MOST_EDGES:,} edges; give fewer qubits")
        return _NAMED[edges](n_qubits)
    if not isinstance(edges, Iterable):
        raise Refused(f"edges of the device must be a topology's name, or pairs of qubits, not {shown(edges)}")
    found = tuple(_pair(edge, n_qubits) for edge in edges)
    seen: set[Edge] = set()
    for a, b in found:
        if (a, b) in seen or (not directed and (b, a) in seen):
            raise Refused(
                f"the edge {[a, b]} of the device is given twice"
                + " (directed = true makes two of its ways)" * (not directed)
            )
        seen.add((a, b))
    apart = _apart(found, n_qubits)
    if apart is not None:
        raise Refused(
            f"no path of edges joins qubit 0 of the device with qubit {apart}, so a circuit on both could not run; add "
            "an edge"
        )
    return found


def _pair(edge: Any, n_qubits: int) -> Edge:
    pair = tuple(edge) if isinstance(edge, Iterable) else ()
    whole = all(isinstance(q, int | np.integer) and not isinstance(q, bool) and 0 <= q < n_qubits for q in pair)
    if len(pair) != 2 or not whole or pair[0] == pair[1]:
        raise Refused(f"an edge of the device must be two different qubits from 0 to {n_qubits - 1}, not {shown(edge)}")
    return int(pair[0]), int(pair[1])


def _apart(edges: tuple[Edge, ...], n_qubits: int) -> int | None:
    """A qubit that no path joins with qubit 0."""
    seen = set(_reached(edges))
    return next((q for q in range(n_qubits) if q not in seen), None)


def _reached(edges: Iterable[Edge]) -> list[int]:
    """The qubits that paths join with qubit 0, the nearest first."""
    near: dict[int, list[int]] = defaultdict(list)
    for a, b in edges:
        near[a].append(b)
        near[b].append(a)
    order, seen = [0], {0}
    for q in order:  # grows while it is read
        fresh = [p for p in near[q] if p not in seen]
        seen.update(fresh)
        order += fresh
    return order


def _line(n_qubits: int) -> tuple[Edge, ...]:
    return tuple((q, q + 1) for q in range(n_qubits - 1))


def _ring(n_qubits: int) -> tuple[Edge, ...]:
    return _line(n_qubits) + (((0, n_qubits - 1),) if n_qubits > 2 else ())


def _grid(n_qubits: int) -> tuple[Edge, ...]:
    width = math.isqrt(max(n_qubits - 1, 0)) + 1
    along = [(q, q + 1) for q in range(n_qubits - 1) if (q + 1) % width]
    return tuple(sorted([*along, *((q, q + width) for q in range(n_qubits - width))]))


def _all_to_all(n_qubits: int) -> tuple[Edge, ...]:
    return tuple((a, b) for a in range(n_qubits) for b in range(a + 1, n_qubits))


def _heavy_hex(n_qubits: int) -> tuple[Edge, ...]:
    """The qubits of a lattice that are nearest to its corner, numbered along its rows.

    Rows of qubits in a line; between two rows a bridge at every fourth place, which begins at 0 and at 2 in turns.
    """
    width = 4 * max(1, math.ceil(math.sqrt(n_qubits / 5))) + 1
    edges, start, bridge = [], 0, 0
    while start < 2 * n_qubits:
        edges += [(start + k, start + k + 1) for k in range(width - 1)]
        bridges = list(range(bridge, width, 4))
        after = start + width + len(bridges)
        for k, place in enumerate(bridges):
            edges += [(start + place, start + width + k), (start + width + k, after + place)]
        start, bridge = after, 2 - bridge
    number = {q: k for k, q in enumerate(sorted(_reached(edges)[:n_qubits]))}
    return tuple(sorted((number[a], number[b]) for a, b in edges if a in number and b in number))


_NAMED = {"line": _line, "ring": _ring, "grid": _grid, "heavy-hex": _heavy_hex, "all-to-all": _all_to_all}
