import itertools

import numpy as np
import pytest

from backends.seeds import child_seed as seed_of_a_child
from circuits import hardware_efficient, tfim
from hybrid.optimizers import Told, get, names
from hybrid.optimizers.streams import child_seed, stream
from hybrid.workload.workload import workload

LONG = seed_of_a_child(7, 3)
"""A seed of 128 bits, as stages of an algorithm have."""

SEEDS = (5, 5 + 2**31, 5 + 2**32, 5 + 2**63, 2**32, 2**64, LONG)
PLACES = ((0,), (1,), (0, 0), (0, 1), (1, 0))


def test_no_two_seeds_and_places_share_a_stream():
    """Written side by side as words of 32 bits, the seed 5 and the place 1 are the seed 5 + 2^32."""
    draws = {tuple(stream(seed, *place).integers(0, 2**63, 4)) for seed, place in itertools.product(SEEDS, PLACES)}
    assert len(draws) == len(SEEDS) * len(PLACES)
    children = {child_seed(seed, *place) for seed, place in itertools.product(SEEDS, PLACES)}
    assert len(children) == len(SEEDS) * len(PLACES)
    assert min(children) > 2**100


def points(kind: str, seed: int, steps: int) -> list[np.ndarray]:
    """The rows of the first steps on a slope; for those that start by a kick, with no slope at first."""
    optimizer, theta = get(kind), np.full(12, 0.5)
    state, asked = optimizer.init(theta, accuracy=0.1, seed=seed), []
    for _ in range(steps):
        points = optimizer.ask(state)
        rows = points.rows
        asked.append(rows)
        gradients = np.zeros_like(rows) if points.gradient else None
        metrics = np.tile(np.eye(12), (len(rows), 1, 1)) if points.metric else None
        fidelities = None if points.pairs is None else np.full(len(points.pairs), 0.9)
        values = (rows.sum(axis=1) > 6.0) * 1.0
        state = optimizer.tell(state, Told(values, np.zeros(len(rows)), gradients, metrics, fidelities))
    return asked


RANDOM = [kind for kind in names() if kind not in ("adam", "cobyla", "nelder-mead", "rotosolve")]


@pytest.mark.parametrize("kind", RANDOM)
def test_long_seeds_are_not_shortened(kind):
    """Seeds that agree in their lowest 31, 32 or 64 bits give other points."""
    runs = {seed: points(kind, seed, 2) for seed in (5, 5 + 2**31, 5 + 2**32, 5 + 2**64)}
    for one, other in itertools.combinations(runs.values(), 2):
        assert not np.array_equal(one[1], other[1])


def test_a_step_does_not_repeat_that_of_another_run():
    """Step 0 of the seed 5 + 2^32 drew the signs of step 1 of the seed 5."""
    one = points("spsa", 5, 2)[1]
    other = points("spsa", 5 + 2**32, 1)[0][:2]
    signs = [np.sign(rows[0] - rows[1]) for rows in (one, other)]
    assert not np.array_equal(*signs)


def test_the_starting_point_is_drawn_elsewhere():
    """Of a seed of 128 bits, start and step 0 were drawn from one stream."""
    circuit = hardware_efficient(3, layers=2)
    start = workload(circuit, tfim(3), optimizer="cma-es", seed=LONG).theta
    assert np.ptp(start) > 0.01
    assert not np.any(np.isclose(stream(LONG, 0).uniform(-0.1, 0.1, start.size), start))
