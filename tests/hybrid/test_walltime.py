import json
import time

import pytest

from circuits.errors import Refused
from hybrid.loop.stop import Stop
from hybrid.loop.walltime import end_time

STUDY = """
[problem]
kind = "tfim"
n = 3
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[optimizer]
kind = "nelder-mead"
max_steps = 60
[backend]
name = "reference"
"""


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr("hybrid.loop.stop.time.time", lambda: Clock.now)
    return Clock


def stops_at(clock, stop, step_s):
    while not stop():
        clock.now += step_s
    return clock.now


def test_it_stops_when_no_further_step_fits(clock):
    stop = Stop(end=2000.0)
    assert (
        stops_at(clock, stop, 40.0) == 1960.0
    )  # 1.5 steps and ten seconds, 70, fit into the 80 left before, not into 40
    assert stop()


def test_one_long_step_costs_no_more_than_a_quarter_of_the_time(clock):
    stop = Stop(end=2000.0)
    clock.now += 700.0
    assert stops_at(clock, stop, 1.0) == 1751.0


def test_without_an_end_it_never_stops(clock):
    stop = Stop()
    clock.now += 1e9
    assert not stop()


@pytest.mark.parametrize(
    ("environment", "end"),
    [
        ({}, None),
        ({"HYBRID_END_TIME": "1795000000"}, 1795000000.0),
        ({"SLURM_JOB_END_TIME": "1795000000", "SLURM_JOB_ID": "7"}, 1795000000.0),
        ({"HYBRID_END_TIME": "5", "SLURM_JOB_END_TIME": "9"}, 5.0),
    ],
)
def test_where_the_end_is_known_from(environment, end):
    assert end_time(environment) == end


def test_a_variable_that_holds_no_number_is_refused():
    with pytest.raises(Refused, match="HYBRID_END_TIME=noon: must be"):
        end_time({"HYBRID_END_TIME": "noon"})


def test_an_older_slurm_is_asked(tmp_path, monkeypatch):
    tool = tmp_path / "scontrol"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    tool.write_text(
        "#!/bin/sh\n[ $3 = 7 ] && echo '   StartTime=2026-01-01T10:00:00 EndTime=2026-01-01T11:00:00 X=1'\n"
    )
    tool.chmod(0o755)
    assert end_time({"SLURM_JOB_ID": "7"}) == time.mktime((2026, 1, 1, 11, 0, 0, 0, 0, -1))
    tool.write_text("#!/bin/sh\necho EndTime=Unknown\n")
    assert end_time({"SLURM_JOB_ID": "7"}) is None
    tool.write_text("#!/bin/sh\nexit 1\n")
    assert end_time({"SLURM_JOB_ID": "7"}) is None


def test_a_run_out_of_time_saves_exits_75_and_goes_on_to_the_same_bits(cli, tmp_path, monkeypatch):
    (tmp_path / "study.toml").write_text(STUDY)
    whole = json.loads(cli("run", "study.toml", "--folder", "whole", "--json", "--no-plot")[1])
    with monkeypatch.context() as patch:
        ticks = iter(range(1_000_000))
        patch.setattr("hybrid.loop.stop.time.time", lambda: 1000.0 + next(ticks))  # each step takes a second
        patch.setenv("HYBRID_END_TIME", "1040")
        code, out, _ = cli("run", "study.toml", "--folder", "cut", "--json", "--no-plot")
    cut = json.loads(out)
    assert (code, cut["status"]) == (75, "stopped")
    assert 0 < cut["steps"] < whole["steps"]
    code, out, _ = cli("run", "study.toml", "--folder", "cut", "--json", "--no-plot", "--resume")
    resumed = json.loads(out)
    for key in ("energy", "theta", "steps", "evaluations", "status"):
        assert resumed[key] == whole[key]
