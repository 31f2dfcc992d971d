"""Cuts of graphs in what was counted."""

import math
from collections.abc import Sequence

import numpy as np

from hybrid.codesign.suite.benchmark import Estimate

Edges = Sequence[tuple[int, int, float]]
"""Pairs of qubits with a weight."""


def cut_values(bit_strings: Sequence[str], edges: Edges) -> np.ndarray:
    """The weight of the edges that each bit string cuts.

    Args:
        bit_strings: Qubit 0 rightmost.
        edges: Of the graph.

    Returns:
        Shape (bit strings,).

    >>> cut_values(["001", "010"], [(0, 1, 1.0), (1, 2, 0.5)])
    array([1. , 1.5])
    """
    bits = np.array([[letter == "1" for letter in reversed(text)] for text in bit_strings], dtype=bool)
    return np.array([sum(w * (row[i] != row[j]) for i, j, w in edges) for row in bits], dtype=float)


def moments(values: np.ndarray, counts: Sequence[int]) -> Estimate:
    """The mean of what was counted, and its standard error.

    Args:
        values: One for each outcome.
        counts: How often each was seen.
    """
    weights = np.asarray(counts, dtype=float)
    shots = float(np.sum(weights))
    average = float(np.sum(weights * values) / shots)
    variance = float(np.sum(weights * (values - average) ** 2)) / max(shots - 1, 1)
    return Estimate(average, math.sqrt(variance / shots))
