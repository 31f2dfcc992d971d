"""What is printed of noisy work carries its statistical error and its unit, in a terminal and in a notebook."""

import json
import re

import numpy as np
import pytest

import hybrid
from circuits import hardware_efficient, maxcut, tfim
from circuits.errors import Refused

NUMBER = r"[-+]?[0-9.]+(e[-+]?[0-9]+)?"
NOISY = {"backend": "ibm:fake_manila", "optimizer": "spsa", "max_steps": 2, "shots": 100}


def measured(unit: str) -> str:
    return rf"{NUMBER} ± {NUMBER} {unit}"


def test_qaoa(tmp_path):
    found = hybrid.qaoa(maxcut([(0, 1), (1, 2)]), layers=1, mitigation="readout", folder=tmp_path / "run", **NOISY)
    for text in (str(found), found._repr_html_()):
        assert re.search(measured("weight") + rf", ratio {NUMBER} ± {NUMBER}", text)
    (run,) = found.runs
    assert found.ratio_errors == pytest.approx((run.standard_error / 2,))  # the worst cut is 0, the best 2
    spec = json.loads((tmp_path / "run" / "algorithm.json").read_text())
    assert spec["backend"]["options"]["mitigation"] == "readout"


def test_levels(tmp_path):
    found = hybrid.vqd(
        hardware_efficient(2, layers=1), tfim(2), levels=2, starts=1, budget={"usd": 1}, folder=tmp_path, **NOISY
    )
    overlap = rf"overlap with those below at most {NUMBER} ± {NUMBER}"
    for text in (str(found), found._repr_html_()):
        assert len(re.findall(rf"{measured('coupling')}, error {measured('coupling')}", text)) == 2
        assert re.search(overlap, text)
    p = found.levels[1].overlaps
    expected = np.sqrt(p * (1 - p) / 100)
    assert found.levels[1].overlap_errors == pytest.approx(expected, abs=0.01)


@pytest.mark.slow
def test_a_run_its_verification_and_its_lines_in_lists(tmp_path, cli):
    result = hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), folder=tmp_path / "run", **NOISY)
    for text in (str(result), result._repr_html_()):
        assert len(re.findall(measured("coupling"), text)) >= 3
    found = {check.name: check.finding for check in result.verify().checks}
    assert re.match(measured("coupling"), found["energy repeated"])
    assert re.match(measured("coupling"), found["variational bound"])
    assert "coupling on lightning" in found["energy on other engines"]
    assert re.search(measured("coupling"), " ".join(cli("show", tmp_path / "run")[1].split()))
    listed = cli("runs", tmp_path)[1]  # in columns, on several lines
    assert "±" in listed
    assert "coupling" in listed


def test_mitigation_in_a_study_with_a_sweep(tmp_path, cli):
    """Each point takes two circuits, with one and three times the gates, and two calibrations."""
    file = tmp_path / "study.toml"
    file.write_text(
        """
[problem]
kind = "tfim"
n = 2
field = "{field}"
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
kind = "spsa"
max_steps = 2
[backend]
name = "ibm:fake_manila"
shots = 100
mitigation = ["readout", {zne = {factors = [1, 3]}}]
[sweep]
field = [0.5, 1.0]
"""
    )
    assert cli("run", str(file), "--folder", str(tmp_path / "out"))[0] in (0, 3)
    runs = sorted(path.parent for path in (tmp_path / "out").glob("*/result.json"))
    assert len(runs) == 2
    for place in runs:
        spec = json.loads((place / "spec.json").read_text())
        assert spec["backend"]["options"]["mitigation"] == ["readout", {"zne": {"factors": [1, 3]}}]
        (way,) = spec["plan"]["ways"]
        assert (way["cost"]["circuits"], way["cost"]["shots"]) == (2 * 2 + 2, 100 * 6)
        result = hybrid.resume(place)
        assert result.bias > 0
        assert result.standard_error > 0


def test_mitigation_needs_a_backend_with_noise():
    with pytest.raises(Refused, match="name the backend"):
        hybrid.qaoa(maxcut([(0, 1)]), layers=1, mitigation="readout")
