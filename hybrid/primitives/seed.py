"""Where the random numbers of a run of pubs come from."""

from numbers import Integral

import numpy as np

from circuits.errors import Refused

Seed = int | np.random.Generator | None
"""A whole number, with which every run gives the same; a generator, from which each run takes a number; or None."""


def checked_seed(seed: Seed) -> Seed:
    """The seed itself.

    Raises:
        Refused: if it is none.
    """
    if seed is None or isinstance(seed, np.random.Generator):
        return seed
    if not isinstance(seed, Integral) or isinstance(seed, bool) or seed < 0:
        raise Refused(f"seed must be a whole number, zero or above, a numpy Generator or None, not {seed!r}")
    return int(seed)


def root(seed: Seed) -> int:
    """The root of the random numbers of one run."""
    if isinstance(seed, int):
        return seed
    rng = np.random.default_rng() if seed is None else seed
    return int(rng.integers(2**63))
