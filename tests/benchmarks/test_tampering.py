"""The benchmark of tampered records, small: what changes meaning is found by name, and no honest one is accused."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # where the script lies

import tampering
import tampering_stages


@pytest.mark.parametrize(("n", "seed"), [(60, 7), pytest.param(400, 8, marks=pytest.mark.slow)])
def test_what_changes_the_meaning_of_a_record_is_found_and_named(n, seed, tmp_path):
    told = tampering.tamper(tmp_path, n, seed)
    assert told["missed"] == []
    assert told["total"]["named"] == told["total"]["meaning changed"] > 0.8 * n


def test_honest_records_are_not_accused(tmp_path):
    told = tampering.honest(tmp_path, len(tampering.WAYS), 7)
    assert told["accused"] == []
    assert told["by_way"]["older"]["unchained"] == told["by_way"]["older"]["all"] > 0


QUICK = (tampering_stages.qaoa, tampering_stages.evolution, tampering_stages.benchmark)


@pytest.mark.parametrize(
    ("n", "asked"), [(30, QUICK), pytest.param(280, tampering_stages.ASKED, marks=pytest.mark.slow)]
)
def test_what_changes_the_meaning_of_stages_is_found_and_named(n, asked, tmp_path):
    told = tampering_stages.tamper(tmp_path, n, 3, asked)
    assert told["missed"] == []
    assert told["total"]["named"] == told["total"]["meaning changed"] > 0.8 * n


@pytest.mark.slow
def test_honest_records_of_stages_are_not_accused(tmp_path):
    n = len(tampering_stages.WAYS) * len(QUICK)
    told = tampering_stages.honest(tmp_path, n, 4, QUICK)
    assert told["accused"] == []
    assert told["by_way"]["older"]["unchained"] == told["by_way"]["older"]["all"] > 0
