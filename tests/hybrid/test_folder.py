"""Run folders: damaged ones, orphaned journals, and names that others use, too."""

import json
import os

import numpy as np
import pytest

import hybrid
from circuits import Refused, hamiltonian_variational, tfim
from hybrid.runs import places
from hybrid.runs.listing import entry_of, listing, sweep_of


@pytest.fixture
def small():
    problem = tfim(2)
    return hamiltonian_variational(problem, layers=1), problem


@pytest.fixture
def run(small, tmp_path):
    hybrid.minimize(*small, backend="reference", folder=tmp_path / "run", max_steps=3)
    return tmp_path / "run"


def test_a_journal_without_its_spec_answers_no_new_run(small, run):
    (run / "spec.json").unlink()
    with pytest.raises(Refused, match=r"spec\.json is gone"):
        hybrid.minimize(*small, backend="reference", folder=run, max_steps=3)


@pytest.mark.parametrize("damage", [b"x", b"QISKIT\xff", b""])
def test_a_damaged_circuit_is_one_message(run, damage):
    (run / "circuit.qpy").write_bytes(damage)
    with pytest.raises(Refused, match="damaged") as caught:
        hybrid.resume(run)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["{}", '{"format": 1}', '{"format": 1, "problem": 3}', "["])
def test_a_damaged_run_does_not_hide_the_others(small, run, tmp_path, content):
    hybrid.minimize(*small, backend="reference", folder=tmp_path / "other", max_steps=3)
    (run / "spec.json").write_text(content)
    found = {entry["folder"]: entry["status"] for entry in listing(tmp_path)}
    assert found == {str(run): "damaged", str(tmp_path / "other"): "max_steps"}
    assert json.dumps(sweep_of(tmp_path))
    for judge in (entry_of, hybrid.resume, hybrid.verify):
        with pytest.raises(Refused, match=r"damaged|format|cannot be read"):
            judge(run)


def test_runs_that_start_in_the_same_second_have_names_of_their_own():
    assert len({places.fresh("h2") for _ in range(100)}) == 100


def test_the_latest_run_is_not_that_of_a_longer_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_RUNS", str(tmp_path))
    names = ["h2-20260101-120000", "h2-20260102-120000-0a1b2c", "h2-noisy-20260103-120000-0a1b2c", "h2-20260104"]
    for age, name in enumerate(names):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (age, age))
    assert places.latest("h2") == tmp_path / names[1]
    assert places.latest("h2-noisy") == tmp_path / names[2]
    assert places.latest("lih") is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"accuracy": "1e-6"}, "accuracy"),
        ({"accuracy": None}, "accuracy"),
        ({"seed": None}, "seed"),
        ({"seed": "a"}, "seed"),
        ({"max_steps": float("inf")}, "max_steps"),
        ({"max_steps": "10"}, "max_steps"),
        ({"shots": float("nan")}, "shots"),
        ({"shots": 2 * 10**9}, "shots"),
        ({"theta": "ab"}, "must be numbers"),
        ({"theta": np.zeros((1, 2))}, "theta"),
        ({"theta": [0.1, 0.2j]}, "complex"),
        ({"label": None}, "label"),
        ({"circuit": None}, "circuit"),
    ],
)
def test_values_of_the_wrong_kind_are_refused_before_anything_is_written(small, tmp_path, change, words):
    arguments = {"circuit": small[0], "problem": small[1], "backend": "reference", "folder": tmp_path / "run"} | change
    with pytest.raises(Refused, match=words):
        hybrid.minimize(**arguments)
    assert not (tmp_path / "run").exists()
