"""The tree of random seeds: each draw has a place in it, and no two places share a stream."""

import numpy as np

BITS = 128
"""Of a child's seed: among 2^50 of them, two are equal with a probability below 1e-8."""


def child_seed(root: int | None, *place: int) -> int:
    """A seed from a root and a place in the tree below it.

    Args:
        root: Zero or above; None for fresh entropy.
        place: Numbers on the way from the root, each zero or above.

    Returns:
        A whole number of 128 bits; the same root and place give the same one.

    References:
        M. E. O'Neill, PCG technical report HMC-CS-2014-0905 (2014), and NumPy's SeedSequence, for hashing entropy.
    """
    words = np.random.SeedSequence(root, spawn_key=place).generate_state(BITS // 64, np.uint64)
    return int(words[0]) | int(words[1]) << 64


def folded(seed: int | None, bits: int) -> int | None:
    """A seed for a library that takes fewer bits; such a library repeats a stream after about 2^(bits / 2) draws.

    Args:
        seed: Zero or above; None stays None.
        bits: At most 64.
    """
    if seed is None:
        return None
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]) >> (64 - bits)
