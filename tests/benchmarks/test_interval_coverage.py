"""Intervals hold what they promise, on devices whose truth is known."""

import sys
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def coverage():
    sys.path.insert(0, str(BENCHMARKS))
    yield import_module("interval_coverage")
    sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("name", ["plain shots, 40 of each", "by variance", "readout", "zne, linear"])
def test_intervals_hold_the_truth(coverage, name):
    found = coverage.coverage(coverage.cases()[name], 120)
    assert found["held"] > 0.88  # 3.5 standard deviations of 120 tries below 95 %
    assert abs(found["mean_error"]) < 4 * found["spread"] / 120**0.5
    assert found["standard_error"] == pytest.approx(found["spread"], rel=0.3)


def test_without_mitigation_the_same_devices_are_wrong(coverage):
    from dataclasses import replace

    case = coverage.cases()["readout"]
    assert coverage.coverage(replace(case, options={}, shots=4000), 60)["held"] < 0.8


def test_no_benchmark_hides_a_library():
    """A script's folder comes first where Python looks for modules: numba imports a package `coverage`, for one."""
    named = {path.stem for path in BENCHMARKS.glob("*.py")}
    installed = set(packages_distributions())
    assert not named & (installed | set(sys.stdlib_module_names))
