"""The benchmark of tampered records, small: what changes meaning is found by name, and no honest one is accused."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # where the script lies

import tampering


@pytest.mark.parametrize(("n", "seed"), [(60, 7), pytest.param(400, 8, marks=pytest.mark.slow)])
def test_what_changes_the_meaning_of_a_record_is_found_and_named(n, seed, tmp_path):
    told = tampering.tamper(tmp_path, n, seed)
    assert told["missed"] == []
    assert told["total"]["named"] == told["total"]["meaning changed"] > 0.8 * n


def test_honest_records_are_not_accused(tmp_path):
    told = tampering.honest(tmp_path, len(tampering.WAYS), 7)
    assert told["accused"] == []
    assert told["by_way"]["older"]["unchained"] == told["by_way"]["older"]["all"] > 0
