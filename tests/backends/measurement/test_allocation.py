"""Shots shared among groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.measurement.allocation import LEVELS, allocate, levels


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


def test_no_groups():
    assert allocate([], 0).tolist() == []
    assert allocate([0.0, 0.0], 7).tolist() == pytest.approx([4, 3])
