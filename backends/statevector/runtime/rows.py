"""How many rows of parameters are evaluated together."""

MOST_ROWS, TILE_BYTES = 16, 2**20
"""Rows that are evaluated together, and what their states may take: with the kept ones, they should stay in cache.

The last bits of a row depend on the program that computes it, so there are two only: as many rows as a tile or more go
by full tiles, the last one padded; fewer go one by one.
"""


def tile_rows(state_bytes: int) -> int:
    """Rows of a full tile, a power of two.

    Args:
        state_bytes: Of one state.
    """
    return max(1, min(MOST_ROWS, 1 << max(TILE_BYTES // state_bytes, 1).bit_length() - 1))
