"""Random numbers of an optimizer: each draw has a place in the run's tree of seeds."""

import numpy as np

from backends import seeds

OPTIMIZER = 4
"""Branch of the run's tree of seeds that optimizers draw from; starting point, evaluations and checks have others."""


def stream(seed: int, *place: int) -> np.random.Generator:
    """The random numbers at a place, such as the number of a step; no two seeds and places share a stream.

    Args:
        seed: That the optimizer was given, zero or above, of any length.
        place: Numbers below 2^32 that tell one draw from all others of this optimizer.

    Returns:
        A generator that starts anew at each call.

    References:
        NumPy's SeedSequence, after M. E. O'Neill, PCG technical report HMC-CS-2014-0905 (2014).
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(OPTIMIZER, *place)))


def child_seed(seed: int, *place: int) -> int:
    """The seed, of 128 bits, of an optimizer inside this one; its place must differ from those that are drawn from.

    Args:
        seed: That the optimizer was given.
        place: As of `stream`.

    Returns:
        A whole number below 2^128.
    """
    return seeds.child_seed(seed, OPTIMIZER, *place)
