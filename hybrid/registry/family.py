"""Which problems and circuits are alike, so that the angles of one are a start for the other.

A family is what must be the same: the kind of problem with its words and counts, the kind of ansatz, and the number of
its parameters. Features are the numbers that may differ: distances of atoms, couplings, the size and degree of a graph.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from circuits import Problem
from circuits.problems import geometry

PER_LAYER = ("qaoa", "hamiltonian_variational")
"""Ansatz circuits whose parameters belong to layers, so that they mean the same on any number of qubits."""

COUNTS = ("active_space", "charge", "spin", "sector")
"""Numbers of a problem's source that are part of its kind: between two of them there is nothing."""


def family(problem: Problem, circuit: QuantumCircuit) -> str | None:
    """What must be the same of two workloads for the angles of one to be a start for the other.

    Args:
        problem: What is minimized.
        circuit: The ansatz.

    Returns:
        JSON; None where the problem's source or the circuit's metadata do not say what they are, as of an operator or a
        circuit that somebody wrote by hand.
    """
    ansatz = (circuit.metadata or {}).get("ansatz")
    words, numbers = _split(problem.source)
    if ansatz is None or "kind" not in problem.source or not numbers:
        return None
    qubits = None if ansatz in PER_LAYER else circuit.num_qubits
    return json.dumps([ansatz, circuit.num_parameters, qubits, problem.unit, words], sort_keys=True)


def features(problem: Problem) -> dict[str, float]:
    """The numbers of a problem in which its family's members differ, by name.

    Of a molecule the distance of each pair of atoms, angstrom; of a graph its nodes, its mean degree and the mean size
    of its weights; of other problems what their source has.
    """
    return _split(problem.source)[1]


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """How far two members of a family are apart: the root of the sum of the squares of relative differences.

    Args:
        one: Features.
        other: Features; infinitely far if they have other names.

    >>> round(distance({"r": 1.5}, {"r": 1.6}), 4)
    0.0625
    """
    if one.keys() != other.keys():
        return math.inf
    pairs = [(value, other[name]) for name, value in one.items()]
    return math.sqrt(sum(((a - b) / max(abs(a), abs(b))) ** 2 for a, b in pairs if a != b))


def _split(source: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    """A problem's source as words and numbers."""
    words: dict[str, Any] = {}
    numbers: dict[str, float] = {}
    for key, value in source.items():
        if key == "geometry" and isinstance(value, str):
            words[key], lengths = _molecule(value)
            numbers |= lengths
        elif key == "edges" and value:
            words[key], sizes = _graph(value)
            numbers |= sizes
        elif key in COUNTS or not _is_numeric(value):
            words[key] = value
        elif isinstance(value, list | tuple):
            numbers |= {f"{key}[{k}]": float(one) for k, one in enumerate(value)}
        else:
            numbers[key] = float(value)
    return words, numbers


def _is_numeric(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(map(_is_numeric, value)) and not any(isinstance(one, list | tuple) for one in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _molecule(text: str) -> tuple[str, dict[str, float]]:
    atoms = geometry.atoms(text)
    places = np.array([position for _, position in atoms])
    names = [f"{symbol}{k}" for k, (symbol, _) in enumerate(atoms)]
    lengths = {
        f"{names[i]}-{names[j]}": float(np.linalg.norm(places[i] - places[j]))
        for i in range(len(atoms))
        for j in range(i + 1, len(atoms))
    }
    return geometry.formula(atoms), lengths


def _graph(edges: Any) -> tuple[str, dict[str, float]]:
    """Whether every node has the same degree, and all weights are equal; then the graph's numbers."""
    ends = [node for edge in edges for node in map(str, edge[:2])]
    weights = [abs(float(edge[2])) if len(edge) > 2 else 1.0 for edge in edges]
    nodes, degrees = np.unique(ends, return_counts=True)
    kind = "regular" if len(set(degrees.tolist())) == 1 else "irregular"
    sizes = {"nodes": float(len(nodes)), "degree": float(degrees.mean()), "weight": float(np.mean(weights))}
    return f"{kind}, {'equal weights' if len(set(weights)) == 1 else 'weights'}", sizes
