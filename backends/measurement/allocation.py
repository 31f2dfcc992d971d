"""How the shots of an evaluation are shared among its measured groups.

The variance of an estimate is sum_g s_g^2 / n_g for groups with standard deviations s_g of one shot each; with N shots
in all it is smallest, (sum_g s_g)^2 / N, where n_g is proportional to s_g. A job has one number of shots for all its
circuits, so groups share a few numbers: sorted by s, they are cut into levels such that the variance, (sum_l sqrt(k_l
sum_{g in l} s_g^2))^2 / N for levels of k_l groups, is smallest; a level more is taken only where it saves a twentieth.

Before anything is measured, s_g is not known. Shares by the weights of the coefficients alone starve groups whose terms
happen to fluctuate, and can do worse than equal ones. Softened, they are proportional to the root of the weights, the
geometric mean of both: n_g = N sqrt(u_g w_g) / Z for shares u_g and w_g, where Z = sum_g sqrt(u_g w_g) <= 1. Their
variance is then, whatever the state, at most the geometric mean of the two variances:
Z / N sum_g s_g^2 / sqrt(u_g w_g) <= sqrt(V_u V_w), after Cauchy and Schwarz.

References:
    Rubin, Babbush and McClean, New J. Phys. 20, 053020 (2018), for the optimal shares;
    Arrasmith et al., arXiv:2004.06252 (2020), for shares by weight.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

Allocation = Literal["softened", "weights", "variance", "uniform"]

ALLOCATIONS = (
    '"softened": by the root of the weights of the terms, "weights": by these weights, "variance": by what a first '
    'share of the shots has shown, or "uniform": as many for each circuit'
)
"""What the option must be."""

LEVELS = 3
"""Numbers of shots that groups may have, but for the remainder: each takes a job."""

WORTHWHILE = 0.05
"""Part of the shots that another number of shots must save."""

PILOT = 8
"""One in so many shots is spent on observing variances, where shots follow those."""


def allocate(deviations: Sequence[float] | np.ndarray, total: int, *, at_least: int = 1) -> np.ndarray:
    """Share shots among groups so that the sum of their estimates has the smallest variance.

    Args:
        deviations: Standard deviation of one shot of each group, shape (groups,), in any unit.
        total: Shots in all.
        at_least: Of each group; less where the total does not suffice.

    Returns:
        Whole numbers, shape (groups,), whose sum is the total, at most four different ones.

    >>> allocate([1.0, 3.0], 4000).tolist()
    [1000, 3000]
    """
    s = np.asarray(deviations, dtype=float)
    if not len(s):
        return np.zeros(0, dtype=int)
    at_least = min(at_least, total // len(s))
    s = s / s.max() if s.any() else np.ones_like(s)
    order = np.argsort(-s, kind="stable")
    shots, free = np.full(len(s), at_least), total - at_least * len(s)
    pieces = levels(s[order])
    shares = np.array([np.sqrt(np.mean(s[order][piece] ** 2)) for piece in pieces])
    sizes = np.array([piece.stop - piece.start for piece in pieces])
    wanted = np.maximum(total * shares / (shares @ sizes) - at_least, 0)  # of each group in a level, beyond the least
    each = np.floor(free * wanted / max(wanted @ sizes, 1e-300) + 1e-9).astype(int)
    for piece, n in zip(pieces, each, strict=True):
        shots[order[piece]] += n
    left = total - int(shots.sum())
    for piece, size in zip(pieces, sizes, strict=True):  # whole levels first, so that few numbers differ
        more = left // size if piece is pieces[-1] else min(1, left // size)
        shots[order[piece]] += more
        left -= more * size
    shots[order[:left]] += 1
    return shots


def levels(s: np.ndarray) -> list[slice]:
    """Cut descending deviations into as few runs as bring the variance near its least.

    Args:
        s: Shape (groups,), descending.

    Returns:
        Slices of s, in order.
    """
    n = len(s)
    squares = np.concatenate([[0.0], np.cumsum(s**2)])
    length = np.arange(n + 1)
    best, cuts = np.sqrt(length * squares), []  # of the first groups as one level
    found = [(best[n], [slice(0, n)])]
    for _ in range(1, min(LEVELS, n)):
        more = np.sqrt(np.maximum(np.subtract.outer(length, length), 0) * np.subtract.outer(squares, squares).clip(0))
        options = np.where(np.subtract.outer(length, length) > 0, best[None, :] + more, np.inf)
        options[0, 0] = 0.0
        cuts.append(np.argmin(options, axis=1))
        best = options[length, cuts[-1]]
        ends, end = [n], n
        for cut in reversed(cuts):
            end = int(cut[end])
            ends.append(end)
        ends = sorted({*ends, 0})
        found.append((best[n], [slice(a, b) for a, b in pairwise(ends)]))
    chosen = found[0]
    for other in found[1:]:
        if other[0] ** 2 < (1 - WORTHWHILE) * chosen[0] ** 2:
            chosen = other
    return chosen[1]
