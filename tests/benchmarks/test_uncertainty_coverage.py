"""Intervals that whole runs state hold the truth, and would not if they were much narrower."""

import sys
from importlib import import_module
from pathlib import Path

import pytest
from scipy.stats import binom

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RUNS = 16


@pytest.fixture(scope="module")
def coverage():
    sys.path.insert(0, str(BENCHMARKS))
    yield import_module("uncertainty_coverage")
    sys.path.remove(str(BENCHMARKS))


def test_intervals_of_whole_runs_hold_the_truth(coverage):
    found = [coverage.KINDS[kind](seed) for kind in ("shots", "few shots") for seed in range(100, 100 + RUNS)]
    assert sum(one.held for one in found) >= binom.ppf(1e-6, len(found), 0.95)
    narrow = [abs((one.low + one.high) / 2 - one.truth) <= (one.high - one.low) / 8 for one in found]
    assert sum(narrow) < binom.ppf(1e-6, len(found), 0.95)  # a quarter of the width holds 38 of 100


def test_bounds_hold_always(coverage):
    stated = [coverage.stopped(seed) for seed in range(8)]
    said = [one for one in stated if one is not None]
    assert len(said) >= 4
    assert all(one.low - 1e-9 <= one.truth <= one.high + 1e-9 for one in said)
