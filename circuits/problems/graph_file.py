"""Weighted graphs in text files: plain lists of edges, the format of Gset, rudy and Biq Mac, and DIMACS.

Gset and its relatives begin with a line "nodes edges" that looks like an edge. It is taken for a header where what
follows fits it and it would make no sense as an edge, for an edge where what follows does not fit, and the file is
refused where both readings make sense.
"""

import os
import re
from dataclasses import dataclass

from circuits.errors import Refused, printable, shown
from circuits.files import read_text
from circuits.problems.checks import finite
from circuits.problems.edges import MAX_EDGES

MAX_BYTES = 8 << 20

WeightedEdges = list[tuple[int, int, float]]

_LABEL = re.compile(r"[-+]?[0-9]{1,18}")
_DIMACS = ("edge", "edges", "col")


@dataclass(frozen=True)
class _Line:
    """An edge, its weight None where none stands there, and where it stands."""

    u: int
    v: int
    weight: float | None
    where: str


@dataclass(frozen=True)
class _Header:
    nodes: int
    edges: int
    where: str


def read_graph(path: str | os.PathLike[str]) -> WeightedEdges:
    """The edges of a graph in a text file.

    A line is ``u v`` or ``u v weight``; the weight is 1 where there is none. ``#`` begins a comment, as do lines that
    start with ``%``. A first line ``nodes edges``, as in Gset, rudy and Biq Mac files, announces what follows. In
    DIMACS files the lines are ``c comment``, ``p edge nodes edges``, ``e u v``.

    Args:
        path: The file, of at most 8 MiB and `MAX_EDGES` edges.

    Returns:
        (u, v, weight) in the file's labels.

    Raises:
        Refused: for an unreadable file or line; for a header that what follows does not fit, or a first line that may
            be a header or an edge.
    """
    text = read_text(path, "graph file", max_bytes=MAX_BYTES)
    name = printable(path)
    lines, header = _parse(text, name)
    if not lines:
        raise Refused(f"the graph file {name} has no edges")
    if header is None and len(lines) > 1 and lines[0].weight is None:
        header = _gset_header(lines[0], lines[1:])
        lines = lines if header is None else lines[1:]
    if header is not None:
        _check_header(header, lines)
    return [(line.u, line.v, 1.0 if line.weight is None else line.weight) for line in lines]


def _parse(text: str, name: str) -> tuple[list[_Line], _Header | None]:
    lines: list[_Line] = []
    header: _Header | None = None
    marked = False  # whether edges start with "e"
    for number, row in enumerate(text.split("\n"), start=1):
        words = row.partition("#")[0].split()
        if not words or words[0] == "c" or words[0].startswith("%"):
            continue
        where = f"{name}:{number}"
        if words[0] == "p":
            if header is not None or lines:
                raise Refused(f"{where}: a second header, or one after edges: {shown(row)}")
            header, marked = _dimacs_header(words, where), True
        elif words[0] == "e" or marked:
            if words[0] != "e" or not (marked or not lines):
                raise Refused(f"{where}: either each edge is 'e u v', as in DIMACS files, or none; not {shown(row)}")
            marked = True
            lines.append(_edge(words[1:], where, row))
        else:
            lines.append(_edge(words, where, row))
        if len(lines) > MAX_EDGES:
            raise Refused(f"{where}: this is edge {len(lines)}; at most {MAX_EDGES} are read")
    return lines, header


def _edge(words: list[str], where: str, row: str) -> _Line:
    if len(words) not in (2, 3) or not all(_LABEL.fullmatch(word) for word in words[:2]):
        raise Refused(f"{where}: an edge is 'u v' or 'u v weight' with whole numbers u, v; not {shown(row)}")
    weight = None
    if len(words) == 3:
        try:
            weight = finite(float(words[2]), f"{where}: the weight")
        except ValueError as err:
            if isinstance(err, Refused):
                raise
            raise Refused(f"{where}: the weight is no number in {shown(row)}") from err
    return _Line(int(words[0]), int(words[1]), weight, where)


def _dimacs_header(words: list[str], where: str) -> _Header:
    if len(words) != 4 or words[1] not in _DIMACS or not all(word.isdecimal() and len(word) < 19 for word in words[2:]):
        raise Refused(f"{where}: the header of a DIMACS graph is 'p edge nodes edges'; not {shown(' '.join(words))}")
    return _Header(int(words[2]), int(words[3]), where)


def _gset_header(first: _Line, rest: list[_Line]) -> _Header | None:
    """The first line as a header "nodes edges", or None if it is an edge."""
    header = _Header(first.u, first.v, first.where)
    labels = {label for line in rest for label in (line.u, line.v)}
    weighted = all(line.weight is not None for line in rest)
    fits_edges, fits_nodes = len(rest) == header.edges, _fits_labels(header, labels)
    if header.nodes < 2 or not (fits_nodes or (fits_edges and weighted)):
        return None
    no_edge = header.nodes == header.edges or any({line.u, line.v} == {first.u, first.v} for line in rest)
    if fits_nodes and fits_edges and (weighted or no_edge or header.edges > header.nodes):
        return header
    reads = f"{first.where}: '{first.u} {first.v}' may be a header (nodes, edges) or an edge"
    cure = "write the header as 'p edge nodes edges' with lines 'e u v', or give the edge its weight, 1"
    if fits_nodes and fits_edges:
        raise Refused(f"{reads}, and both make sense; {cure}")
    if weighted or (header.edges > header.nodes and labels in (_numbers(header, 0), _numbers(header, 1))):
        follow = f"{len(rest)} edges between nodes {min(labels)} to {max(labels)} follow"
        raise Refused(f"{reads}: {follow}, which does not fit a header, and the others are unlike it; {cure}")
    return None


def _numbers(header: _Header, first: int) -> set[int]:
    return set(range(first, header.nodes + first)) if 0 < header.nodes <= 2 * MAX_EDGES else set()


def _fits_labels(header: _Header, labels: set[int]) -> bool:
    return (min(labels) >= 1 and max(labels) <= header.nodes) or (min(labels) >= 0 and max(labels) < header.nodes)


def _check_header(header: _Header, lines: list[_Line]) -> None:
    if len(lines) != header.edges:
        raise Refused(f"{header.where}: the header announces {header.edges} edges, but {len(lines)} follow")
    labels = {label for line in lines for label in (line.u, line.v)}
    if labels and not _fits_labels(header, labels):
        raise Refused(
            f"{header.where}: the header announces {header.nodes} nodes, numbered from 1 or 0, but the edges name "
            f"nodes {min(labels)} to {max(labels)}"
        )
