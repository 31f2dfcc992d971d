"""A run whose backend fails in the middle goes on at another, if it may, and says so; nothing finished is lost."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import backends.registry
import hybrid
from circuits import hamiltonian_variational, tfim
from circuits.errors import FailedJob, Refused
from hybrid.runs import journal
from hybrid.runs.folder import is_run

sys.path.insert(0, str(Path(__file__).parents[1]))
import failing_run

PROGRAM = Path(failing_run.__file__)

PROBLEM = tfim(3)
CIRCUIT = hamiltonian_variational(PROBLEM, layers=2)


@pytest.fixture(autouse=True)
def fading(monkeypatch):
    monkeypatch.setitem(backends.registry.BUILT_IN, "fading", "failing_run:Fading")
    backends.registry.load.cache_clear()
    yield
    backends.registry.load.cache_clear()


def run(folder, **options):
    options = {"optimizer": "cobyla", "backend": "fading", "max_steps": 30, "failover": ["reference"]} | options
    options = {"theta": failing_run.START} | options
    return hybrid.minimize(CIRCUIT, PROBLEM, folder=folder, **options)


@pytest.mark.parametrize("error", ["failed", "foreign", "gone", "memory"])
def test_the_rest_comes_from_the_next_backend_and_what_was_finished_is_kept(tmp_path, monkeypatch, error):
    monkeypatch.setenv("FADING", error)
    result = run(tmp_path / "run")
    alone = run(tmp_path / "alone", backend="reference", failover=False)
    (failover,) = result.failovers
    assert result.history.same_bits(alone.history)  # both are the same engine, and no evaluation was lost or repeated
    at = failover["evaluation"]
    assert np.all(result.history.energy[:at] >= -2.5)
    assert result.history.energy[at] < -2.5
    assert (failover["from"], failover["to"], result.backend) == ("fading", "reference", "reference")
    assert failover["reason"]
    assert "fading failed" in str(result)
    assert alone.failovers == ()
    assert json.loads((tmp_path / "run" / "result.json").read_text())["failovers"] == [failover]
    again = hybrid.resume(tmp_path / "run")
    assert again.failovers == result.failovers
    assert again.history.same_bits(result.history)


def test_without_leave_the_run_ends_with_the_error_and_may_get_leave_later(tmp_path, monkeypatch):
    with pytest.raises(FailedJob, match="the ion was lost"):
        run(tmp_path / "run", failover=False)
    done = journal.read(tmp_path / "run" / "journal.sqlite").evaluations
    assert len(done) > 3
    result = hybrid.resume(tmp_path / "run", failover=True)
    assert result.failovers[0]["evaluation"] == len(done)
    assert result.failovers[0]["to"] != "fading"


def test_true_means_the_next_of_the_plan(tmp_path):
    plan = hybrid.plan(CIRCUIT, PROBLEM, optimizer="cobyla", max_steps=30)
    result = run(tmp_path / "run", failover=True)
    assert result.backend == plan.chosen.name
    assert result.plan.ways[1].reason.startswith("taken if fading fails")


def test_the_same_call_goes_on_with_a_run_that_failed_over_and_was_stopped(tmp_path):
    calls = iter(range(100))
    stopped = run(tmp_path / "run", should_stop=lambda: next(calls) > 20)
    assert (stopped.status, stopped.backend, len(stopped.failovers)) == ("stopped", "reference", 1)
    result, whole = run(tmp_path / "run"), run(tmp_path / "whole")
    assert result.failovers == stopped.failovers
    assert result.history.same_bits(whole.history)
    assert hybrid.resume(tmp_path / "run", failover=["reference"]).history.same_bits(whole.history)


def test_several_backends_may_fail_one_after_the_other(tmp_path, monkeypatch):
    class Worse(failing_run.Fading):
        def capabilities(self):
            from dataclasses import replace

            return replace(super().capabilities(), name="worse")

        def prepare(self, circuit, observables):
            raise ValueError("never ready")

    monkeypatch.setattr(failing_run, "Worse", Worse, raising=False)
    monkeypatch.setitem(backends.registry.BUILT_IN, "worse", "failing_run:Worse")
    result = run(tmp_path / "run", failover=["worse", "reference"])
    assert [(one["from"], one["to"]) for one in result.failovers] == [("fading", "worse"), ("worse", "reference")]
    assert result.failovers[1]["reason"] == "ValueError: never ready"
    with pytest.raises(FailedJob, match="worse failed, and there is nowhere left to go on: ValueError: never ready"):
        run(tmp_path / "ended", failover=["worse"])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"failover": ["ibm:fake_manila"]}, "have noise"),
        ({"backend": "ibm:fake_manila", "failover": True}, "have noise"),
        ({"backend": "ibm:fake_manila", "failover": ["statevector"]}, "have noise"),
        ({"failover": ["fading"]}, "is where the run begins"),
        ({"failover": []}, "is empty"),
        ({"failover": "reference"}, "list of names"),
        ({"failover": 3}, "list of names"),
        ({"failover": ["referense"]}, "did you mean 'reference'"),
    ],
)
def test_no_run_goes_on_with_values_of_another_kind(tmp_path, options, reason):
    with pytest.raises(Refused, match=reason):
        run(tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("one", "other", "shots", "reason"),
    [
        ("aer", "reference", 100, ""),
        ("aer", "pauli", 100, "values of pauli have truncation"),
        ("counting", "aer", 100, ""),  # a device without noise measures, and drops nothing
        ("aer", "counting", 100, ""),
        ("counting", "aer", None, "values of basic_simulator have statistical errors"),
        ("counting", "ibm:fake_manila", 100, "values of ibm:fake_manila have noise"),
    ],
)
def test_which_values_are_of_one_kind(one, other, shots, reason):
    from qiskit.providers.basic_provider import BasicSimulator

    from hybrid.routing.spares import why_not

    first, second = (backends.get(BasicSimulator() if name == "counting" else name) for name in (one, other))
    said = why_not(first, second, shots)
    assert said.startswith(reason) if reason else not said


def test_a_wrong_request_a_full_budget_and_a_lost_job_are_no_failures():
    from circuits.errors import BudgetExceeded, LostJob, OutOfMemory, PolicyViolation, RecordFailed
    from hybrid.loop.failover import is_failure

    for error in (Refused, BudgetExceeded, PolicyViolation, LostJob, RecordFailed):
        assert not is_failure(error("x"))
    assert is_failure(OutOfMemory("x"))


def test_a_study_says_whether_it_may_and_show_says_that_it_did(cli, tmp_path, monkeypatch):
    study = """
[problem]
kind = "tfim"
n = 3
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[optimizer]
kind = "cobyla"
max_steps = 30
[backend]
name = "fading"
"""
    (tmp_path / "x.toml").write_text(study)
    monkeypatch.setenv("FADING_BELOW", "-3.44")
    code, _, err = cli("run", "x.toml", "--folder", "one", "--json")
    assert code == 5, err
    (tmp_path / "x.toml").write_text(study + '[run]\nfailover = ["reference"]\n')
    code, out, err = cli("run", "x.toml", "--folder", "one", "--json", "--resume")
    assert code in (0, 3), err
    assert json.loads(out)["failovers"][0]["to"] == "reference"
    assert "fading failed, going on at reference: the ion was lost" in err
    _, shown, _ = cli("show", "one", "--json")
    assert json.loads(shown)["failovers"] == json.loads(out)["failovers"]
    assert json.loads(shown)["backend"] == "reference"
    _, shown, _ = cli("show", "one")
    assert "fading failed" in " ".join(shown.split())
    (tmp_path / "x.toml").write_text(study + '[run]\nfailover = ["referense"]\n')
    code, _, err = cli("plan", "x.toml")
    assert code == 2
    assert "failover" in err
    assert "'reference'" in err


def test_verification_knows_the_failover_and_that_it_was_not_changed(tmp_path):
    result = run(tmp_path / "run", optimizer="lbfgs", max_steps=200)
    assert result.failovers
    verification = result.verify()
    assert verification.passed, verification
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as database, database:
        database.execute("UPDATE failover SET evaluation = evaluation + 1")
    outcomes = {check.name: check.outcome for check in hybrid.verify(tmp_path / "run").checks}
    assert outcomes["record"] == "failed"
    assert outcomes["replay"] == "failed"


def _wait(true, process):
    deadline = time.monotonic() + 600
    while not true():
        assert process.poll() is None, f"ended early with {process.returncode}"
        assert time.monotonic() < deadline, "waited for ten minutes"
        time.sleep(0.01)


@pytest.mark.parametrize("moment", ["before", pytest.param("at random", marks=pytest.mark.slow)])
def test_killed_before_and_after_it_ends_the_same(tmp_path, start, moment):
    whole, folder = run(tmp_path / "whole"), tmp_path / "killed"
    process = start(PROGRAM, "descend", folder, 0.05)
    _wait(lambda: is_run(folder), process)
    time.sleep(0.0 if moment == "before" else random.uniform(0.0, 1.5))
    process.kill()
    process.wait()
    process = start(PROGRAM, "descend", folder, 0.05)
    _wait(lambda: journal.read_failovers(folder / "journal.sqlite"), process)
    process.kill()
    assert process.wait() != 0
    changed = [change.to_dict() for change in journal.read(folder / "journal.sqlite").failovers]
    killed = hybrid.resume(folder)
    assert killed.history.same_bits(whole.history)
    assert [*killed.failovers] == changed
    assert changed[0]["evaluation"] == whole.failovers[0]["evaluation"]
    assert (killed.energy, killed.status, killed.backend) == (whole.energy, whole.status, "reference")


STUDY = """
[problem]
kind = "tfim"
n = 3
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[optimizer]
kind = "adam"
max_steps = 4
[backend]
name = "fading"
[run]
failover = ["reference"]
"""


@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="mpiexec is not on PATH")
@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("error", ["failed", "foreign"])
def test_all_ranks_go_on_together(tmp_path, rank, error):
    (tmp_path / "x.toml").write_text(STUDY)
    environment = os.environ | {"PYTHONPATH": str(PROGRAM.parents[2]), "OMP_NUM_THREADS": "1", "FADING": error}
    environment |= {"FADING_RANK": str(rank), "FADING_BELOW": ["-3.42", "10"][rank]}
    program = ["mpiexec", "-n", "2", sys.executable, str(PROGRAM), "run", "x.toml", "--folder", "two", "--json"]
    done = subprocess.run(program, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    (failover,) = told["failovers"]
    assert (told["ranks"], told["backend"]) == (2, "reference")
    assert f"rank {rank}" in failover["reason"]
    alone = run(tmp_path / "one", backend="reference", failover=False, optimizer="adam", max_steps=4, theta=None)
    assert hybrid.resume(tmp_path / "two").history.same_bits(alone.history)
