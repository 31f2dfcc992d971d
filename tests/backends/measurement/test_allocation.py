"""Shots shared among groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.measurement.allocation import LEVELS, WORTHWHILE, allocate, levels


def variance(s, shots):
    return float(np.sum(np.asarray(s) ** 2 / shots))


def test_two_groups_share_in_proportion():
    assert allocate([1.0, 3.0], 4000).tolist() == [1000, 3000]


def test_like_groups_get_one_number_of_shots():
    assert allocate([1.0, 1.01, 0.99], 3000).tolist() == [1000, 1000, 1000]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=40), st.integers(0, 10**6), st.integers(0, 50))
def test_every_shot_is_given_to_somebody_and_few_numbers_differ(s, total, least):
    shots = allocate(s, total, at_least=least)
    assert shots.sum() == total
    assert len(set(shots.tolist())) <= LEVELS + 1
    assert shots.min() >= min(least, total // len(s))


def test_levels_come_near_the_best_and_never_fall_behind_equal_shares():
    rng = np.random.default_rng(3)
    for _ in range(20):
        s = np.sort(rng.exponential(size=30))[::-1]
        total = 3_000_000
        found, best = variance(s, allocate(s, total)), s.sum() ** 2 / total
        assert best <= found * (1 + 1e-9)
        assert found < 1.25 * best
        assert found <= variance(s, np.full(30, total / 30)) * (1 + 1e-9)


def test_levels_against_all_ways_to_cut():
    from itertools import combinations, pairwise

    s = np.sort(np.random.default_rng(5).exponential(size=9) ** 2)[::-1]

    def cost(cuts):
        return sum(np.sqrt((b - a) * np.sum(s[a:b] ** 2)) for a, b in pairwise((0, *cuts, 9)))

    best = min(cost(cuts) for cuts in combinations(range(1, 9), LEVELS - 1))
    found = cost(tuple(piece.start for piece in levels(s))[1:])
    assert found**2 <= best**2 / 0.95


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0, 1)), min_size=1, max_size=3))
def test_softened_weights_are_never_worse_than_the_mean_of_equal_shares_and_weights(groups):
    """Three groups have a level each, so that shares are kept but for whole shots; no deviation exceeds the weight."""
    w = np.array([weight for weight, _ in groups])
    s = w * np.array([part for _, part in groups])
    total = 3_000_000
    softened = variance(s, allocate(np.sqrt(w), total))
    equal, weighted = variance(s, np.full(len(s), total / len(s))), variance(s, total * w / w.sum())
    assert softened <= max(equal, np.sqrt(equal * weighted)) * (1 + 2 * WORTHWHILE)  # like shares are made equal


def test_softened_weights_where_weights_mislead():
    """One heavy group of no variance and nine light ones: weights cost 9.9 times equal shares, softened ones 1.8 times.

    Weights 10 and nine times 1/9 give the light groups 1/11 of the shots, softened ones 3 / (3 + sqrt(10)).
    """
    w, s = np.array([10.0] + 9 * [1 / 9]), np.array([0.0] + 9 * [1 / 9])
    total = 10_000_000
    equal = variance(s, np.full(10, total / 10))
    assert variance(s, allocate(w, total)) / equal == pytest.approx(0.9 * 11, rel=1e-3)
    assert variance(s, allocate(np.sqrt(w), total)) / equal == pytest.approx(0.9 * (3 + np.sqrt(10)) / 3, rel=1e-3)


def test_no_groups():
    assert allocate([], 0).tolist() == []
    assert allocate([0.0, 0.0], 7).tolist() == pytest.approx([4, 3])
