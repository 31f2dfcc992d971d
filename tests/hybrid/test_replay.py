"""A recorded run as a backend."""

import json
import sqlite3
import time

import numpy as np
import pytest

import backends
import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import FailedJob, Refused
from hybrid.runs.jobs import COLUMNS
from hybrid.runs.journal import read


@pytest.fixture
def small():
    return hardware_efficient(2, layers=1), tfim(2)


SPSA = {"optimizer": "spsa", "max_steps": 4, "accuracy": 1e-3, "shots": 64, "seed": 3}


@pytest.fixture
def recorded(small, tmp_path):
    return hybrid.minimize(*small, backend="aer", folder=tmp_path / "recorded", **SPSA)


def play(small, run, place, **options):
    made = backends.get(f"replay:{run.folder}", **({"speed": 1e6} | options))
    return hybrid.minimize(*small, backend=made, folder=place, **SPSA)


def test_a_recorded_run_is_played_to_the_same_bits(small, recorded, tmp_path):
    again = play(small, recorded, tmp_path / "again")
    assert again.energy == recorded.energy
    assert again.standard_error == recorded.standard_error > 0
    assert np.array_equal(again.theta, recorded.theta)
    assert again.evaluations == recorded.evaluations
    assert again.backend == "replay:recorded"
    assert hybrid.resume(again.folder).energy == recorded.energy


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_gradients_are_played_too(small, tmp_path, optimizer):
    words = {"optimizer": optimizer, "max_steps": 5, "seed": 1}
    run = hybrid.minimize(*small, backend="statevector", folder=tmp_path / "exact", **words)
    again = hybrid.minimize(*small, backend=f"replay:{run.folder}", folder=tmp_path / "again", **words)
    assert (again.energy, again.standard_error) == (run.energy, 0)


def test_what_was_never_recorded_is_refused(small, recorded, tmp_path):
    made = backends.get(f"replay:{recorded.folder}", speed=1e6)
    with pytest.raises(Refused, match="nothing was recorded at the parameters"):
        hybrid.minimize(*small, backend=made, folder=tmp_path / "other", **(SPSA | {"seed": 4}))
    with pytest.raises(Refused, match="the circuit is another"):
        hybrid.minimize(hardware_efficient(2, layers=2), small[1], backend=made, folder=tmp_path / "c", **SPSA)
    with pytest.raises(Refused, match="the observable is another"):
        hybrid.minimize(small[0], tfim(2, field=0.3), backend=made, folder=tmp_path / "o", **SPSA)
    with pytest.raises(Refused, match="no such folder"):
        backends.get(f"replay:{tmp_path / 'nothing'}")
    with pytest.raises(Refused, match="speed"):
        backends.get(f"replay:{recorded.folder}", speed=0.0)


def test_values_of_one_point_come_in_their_order_and_then_end(small, recorded):
    made = backends.get(f"replay:{recorded.folder}", speed=1e6)
    evaluate = made.prepare(small[0], small[1].hamiltonian)
    first = read(recorded.folder / "journal.sqlite").evaluations[0]
    rows, expected = first.theta, first.told.values
    assert np.array_equal(evaluate(rows).values[:, 0], expected)
    with pytest.raises(Refused, match="once more than in the recorded run"):
        evaluate(rows)


def test_it_waits_as_the_run_did(small, recorded, tmp_path, unchain):
    _slow_down(recorded.folder, 0.05, unchain)
    made = backends.get(f"replay:{recorded.folder}", speed=0.5)
    start = time.monotonic()
    try:
        made.prepare(small[0], small[1].hamiltonian)(_first(recorded.folder))
    finally:
        waited = time.monotonic() - start
    assert waited >= 0.1


def test_a_job_that_failed_fails_again_until_the_run_is_resumed(small, recorded, tmp_path, unchain):
    with sqlite3.connect(recorded.folder / "journal.sqlite") as database:
        job = (
            "",
            2,
            0,
            0,
            "digest",
            "tag",
            "vendor:machine",
            1,
            64,
            0.0,
            0.0,
            64,
            "given up",
            0.0,
            "the fridge was warm",
        )
        columns = (*COLUMNS[:14], "reason")
        database.execute(f"INSERT INTO job ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", job)
        unchain(database)
    with pytest.raises(FailedJob, match="evaluation 2 failed in the recorded run: the fridge was warm"):
        play(small, recorded, tmp_path / "again")
    assert hybrid.resume(tmp_path / "again").energy == recorded.energy
    assert play(small, recorded, tmp_path / "calm", failures=False).energy == recorded.energy


STUDY = """
[problem]
kind = "tfim"
n = 2
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
kind = "spsa"
max_steps = 3
accuracy = 0.001
[backend]
name = "aer"
shots = 64
"""


def test_a_study_is_tried_without_its_backend(cli, tmp_path):
    (tmp_path / "s.toml").write_text(STUDY)
    _, first, _ = cli("run", "s.toml", "--folder", "first", "--json")
    text = STUDY.replace('"aer"', f'"replay:{tmp_path / "first"}"') + "speed = 1000000.0\n"
    (tmp_path / "s.toml").write_text(text)
    code, out, err = cli("run", "s.toml", "--folder", "second", "--json")
    assert code in (0, 3), err
    assert json.loads(out)["energy"] == json.loads(first)["energy"]
    code, out, _ = cli("plan", "s.toml")
    assert code == 0
    assert "replay:first" in out


def _first(folder):
    return read(folder / "journal.sqlite").evaluations[0].theta


def _slow_down(folder, seconds, unchain):
    with sqlite3.connect(folder / "journal.sqlite") as database:
        database.execute("UPDATE evaluation SET seconds = ?", (seconds,))
        unchain(database)
