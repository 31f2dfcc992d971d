"""Choices that no other one beats in everything."""

from collections.abc import Sequence


def front(rows: Sequence[Sequence[float]]) -> list[int]:
    """Numbers of the rows that no other row beats: none that is as small in every column and smaller in one.

    Args:
        rows: Of quantities of which less is better, all of one length.

    >>> front([(1, 5), (2, 2), (3, 3), (4, 1)])
    [0, 1, 3]
    """
    return [k for k, row in enumerate(rows) if not any(_beats(other, row) for other in rows)]


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and any(a < b for a, b in zip(one, other, strict=True))
