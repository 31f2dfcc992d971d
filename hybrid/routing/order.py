"""Which of several ways is taken."""

import math
from collections.abc import Sequence

from backends.cost import Cost

NEAR = 2.0
"""Times the fastest prediction within which the order of the candidates decides: speeds that were measured on a loaded
machine, or on another day, must not change the choice."""


def order(costs: Sequence[Cost]) -> list[int]:
    """The first of those that are about as fast as the fastest, then the others, fastest first.

    Args:
        costs: In the order in which near-ties are decided.

    Returns:
        Their places, the chosen one's first.
    """
    if not costs:
        return []
    seconds = [known_s(cost) for cost in costs]
    chosen = next(k for k, own in enumerate(seconds) if own <= NEAR * min(seconds))
    return [chosen, *sorted((k for k in range(len(costs)) if k != chosen), key=seconds.__getitem__)]


def known_s(cost: Cost) -> float:
    """The predicted seconds; infinite where they are not known."""
    return math.inf if math.isnan(cost.seconds) else cost.seconds
