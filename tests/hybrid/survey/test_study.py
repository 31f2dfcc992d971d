"""The survey of a study file and of Python: its folder, going on, its commands, and what is refused."""

import importlib.util
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hybrid
from circuits import hamiltonian_variational, tfim
from circuits.errors import Refused
from hybrid.studies.study import check
from hybrid.survey.record import differing, read
from hybrid.survey.result import load
from hybrid.survey.study import run_survey

STUDY = {
    "problem": {"kind": "tfim", "n": 2, "field": "{h}"},
    "ansatz": {"kind": "hamiltonian_variational", "layers": 1},
    "backend": {"name": "reference"},
    "survey": {"h": [0.5, 1.5], "interval": 1e-3, "runs": 12},
}


def study(**sections):
    return check({**STUDY, **sections}, path="study.toml", surveys=True)


def exact(h):
    """Two spins, H = -Z Z - h (X + X): in the even sector [[-1, -2h], [-2h, 1]] in the basis of Bell states."""
    return -math.sqrt(1.0 + 4.0 * h * h)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    place = tmp_path_factory.mktemp("surveys") / "whole"
    return run_survey(study(), place, resume=False)


def table(survey):
    return [(step.proposal.name, step.reading.energy.hex()) for step in survey.runs]


def test_the_promise_holds(done):
    assert done.status == "converged"
    for h in (0.55, 0.77, 1.0, 1.31):
        mean, deviation = done.surrogate(h=h)
        assert abs(mean - exact(h)) < 1e-3
        assert 1.96 * deviation < 1e-3
    assert "and the checks agree" in str(done)


def test_going_on_gives_the_same_runs_and_bits(done, tmp_path):
    left = [30]

    def stop():
        left[0] -= 1
        return left[0] < 0

    place = tmp_path / "parts"
    first = run_survey(study(), place, resume=False, should_stop=stop)
    assert first.status == "stopped"
    assert 0 < len(first.runs) < len(done.runs)
    with pytest.raises(Refused, match="--resume"):
        run_survey(study(), place, resume=False)
    second = run_survey(study(), place, resume=True)
    assert table(second) == table(done)
    strip = {"folder"}
    ours, theirs = ({k: v for k, v in one.surrogate.to_dict().items() if k not in strip} for one in (second, done))
    assert ours == theirs


def test_more_can_be_promised_later_and_nothing_else(done, tmp_path):
    place = tmp_path / "later"
    wide = study(survey={**STUDY["survey"], "interval": 0.2})
    first = run_survey(wide, place, resume=False)
    assert first.status == "converged"
    second = run_survey(study(), place, resume=True)
    assert table(second) == table(done)
    assert table(second)[: len(first.runs)] == table(first)
    with pytest.raises(Refused, match=r"asks something else .ranges"):
        run_survey(study(survey={**STUDY["survey"], "h": [0.5, 1.6]}), place, resume=True)
    with pytest.raises(Refused, match="optimizer"):
        run_survey(study(optimizer={"kind": "adam"}), place, resume=True)


def test_files_are_made_of_the_runs_and_checked(done):
    told = json.loads((done.folder / "survey.json").read_text())
    assert told["format"] == 1
    assert [run["folder"] for run in told["runs"]] == [name for name, _ in table(done)]
    assert read(done.folder).status == "converged"
    assert load(done.folder).to_dict() == done.to_dict()
    assert differing(done.folder) == ""
    for file, change in (
        ("survey.json", ("half_width", "half_widths")),
        ("surrogate.json", ('"deviation"', '"spread"')),
    ):
        before = (done.folder / file).read_text()
        (done.folder / file).write_text(before.replace(*change))
        wrong = differing(done.folder)
        (done.folder / file).write_text(before)
        assert f"{file} says otherwise than the runs" in wrong
    swapped = [*told["runs"][:5], told["runs"][6], told["runs"][5], *told["runs"][7:]]
    (done.folder / "survey.json").write_text(json.dumps({**told, "runs": swapped}))
    assert differing(done.folder).startswith("run 6 (")
    assert len(read(done.folder).steps) >= 7  # a survey goes on from runs that were chosen otherwise
    (done.folder / "survey.json").write_text(json.dumps({**told, "runs": [{**told["runs"][0], "why": "luck"}]}))
    with pytest.raises(Refused, match="damaged"):
        read(done.folder)
    changed = {**told, "verdict": {**told["verdict"], "half_width": 1e-9}}
    (done.folder / "survey.json").write_text(json.dumps(changed))
    assert "verdict.half_width" in differing(done.folder)
    (done.folder / "survey.json").write_text(json.dumps({**told, "format": 2}))
    with pytest.raises(Refused, match="format 2"):
        read(done.folder)
    (done.folder / "survey.json").write_text(json.dumps({**told, "question": {"ranges": {"h": [1, 0]}}}))
    with pytest.raises(Refused, match="damaged"):
        read(done.folder)
    (done.folder / "survey.json").write_text(json.dumps(told))


def test_python_finds_the_same(done, tmp_path):
    def chain(h):
        problem = tfim(2, field=h)
        return hamiltonian_variational(problem, layers=1), problem

    asked = {"interval": 0.1, "runs": 12, "backend": "reference", "folder": tmp_path / "python", "progress": False}
    found = hybrid.survey(chain, {"h": (0.5, 1.5)}, warm_start=False, **asked)
    assert table(found) == table(done)[: len(found.runs)]
    again = hybrid.survey(chain, {"h": (0.5, 1.5)}, warm_start=False, **asked)
    assert again.to_dict() == found.to_dict()
    with pytest.raises(Refused, match=r"asks something else .seed"):
        hybrid.survey(chain, {"h": (0.5, 1.5)}, warm_start=False, seed=1, **asked)
    with pytest.raises(Refused, match="reversed"):
        hybrid.survey(chain, {"h": (1.5, 0.5)}, **asked)
    with pytest.raises(Refused, match="below accuracy"):
        hybrid.survey(chain, {"h": (0.5, 1.5)}, **asked | {"interval": 1e-9})
    with pytest.raises(Refused, match="two numbers each"):
        hybrid.survey(chain, {"h": 1.0}, **asked)
    with pytest.raises(Refused, match="warm_start"):
        hybrid.survey(chain, {"h": (0.5, 1.5)}, warm_start="nearest", **asked)


def test_warm_starts_come_from_the_nearest_run(tmp_path):
    warm = run_survey(
        study(run={"warm_start": True}, survey={**STUDY["survey"], "runs": 6}), tmp_path / "warm", resume=False
    )
    origins = {}
    for step in warm.runs:
        spec = json.loads((warm.folder / step.proposal.name / "spec.json").read_text())
        start = spec["notes"].get("start")
        origins[step.proposal.values["h"]] = start and Path(start["run"]).name
    assert origins[0.5] is None
    assert origins[1.5] == "h=0.5"
    assert origins[0.75] in ("h=0.5", "h=1.0")


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"sweep": {"h": [0.5]}}, "leave one out"),
        ({"problem": {"kind": "tfim", "n": 2, "field": 1.0}}, "h: is used nowhere"),
        ({"problem": {"kind": "tfim", "n": 2, "field": "{k}"}}, "unknown survey variable 'k'"),
        ({"survey": {"h": [1.5, 0.5], "interval": 1e-3}}, r"study.toml: \[survey\] h = \[1.5, 0.5\]: the range is rev"),
        ({"survey": {"h": [0.5, 1.5], "interval": 1e-7}}, r"below \[optimizer\] accuracy"),
        ({"survey": {"h": [0.5, 1.5], "interval": "small"}}, "must be a positive number"),
        ({"problem": {"kind": "tfim", "n": "{h}"}}, "n = 0.5"),
        ({"budget": {"usd": "{h}"}}, "must not depend on"),
    ],
)
def test_wrong_studies_are_refused(sections, words):
    with pytest.raises(Refused, match=words):
        study(**sections)


def test_what_takes_no_survey_says_so(tmp_path):
    with pytest.raises(Refused, match="only `hybrid run` and `hybrid plan`"):
        check(STUDY, path="study.toml")
    with pytest.raises(Refused, match="none can be chosen"):
        study().only(["0"])
    place = tmp_path / "other"
    (place / "r=1").mkdir(parents=True)
    (place / "r=1" / "spec.json").write_text("{}")
    with pytest.raises(Refused, match="holds other runs"):
        run_survey(study(), place, resume=True)


TOML = """
[problem]
kind = "tfim"
n = 2
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[backend]
name = "reference"
[survey]
h = [0.5, 1.5]
interval = 0.1
first = 3
runs = 8
"""


@pytest.mark.slow
def test_commands(cli):
    Path("study.toml").write_text(TOML)
    code, out, _ = cli("plan", "study.toml", "--json")
    plan = json.loads(out)
    assert (code, plan["most"]["runs"], len(plan["points"])) == (0, 8, 3)
    code, out, _ = cli("run", "study.toml", "--folder", "place", "--json")
    told = json.loads(out)
    assert (code, told["status"]) == (0, "converged")
    assert Path("place/survey.png").stat().st_size > 1000
    shown = json.loads(cli("show", "place", "--json")[1])
    assert len(shown["points"]) == len(told["runs"]) == len(shown["survey"]["runs"])
    code, out, _ = cli("verify", "place", "--json")
    points = json.loads(out)["points"]
    assert (code, points[-1]["point"], points[-1]["verdict"]) == (0, "survey", "passed")
    assert cli("report", "place")[0] == 0
    assert "Promised half width" in Path("place/report.html").read_text()
    assert cli("export", "place")[0] == 0
    Path("study.toml").write_text(TOML.replace("runs = 8", "runs = 3").replace("0.1", "1e-5"))
    code, out, _ = cli("run", "study.toml", "--folder", "short")
    assert code == 3
    assert "the promise does not hold after 3 runs" in out
    assert cli("run", "study.toml", "--only", "0")[0] == 2


@pytest.mark.slow
def test_a_killed_survey_goes_on_to_the_same_bits(cli, start, tmp_path, done):
    file, place = tmp_path / "study.toml", tmp_path / "place"
    file.write_text(TOML.replace("0.1", "1e-3").replace("first = 3", "").replace("runs = 8", "runs = 12"))
    process = start("-m", "hybrid", "run", file, "--folder", place, "--no-plot", stdout=subprocess.DEVNULL)
    until = time.monotonic() + 300
    while len(list(place.glob("*/result.json"))) < 3 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert cli("run", file, "--folder", place, "--resume", "--no-plot")[0] == 0
    assert table(load(place)) == table(done)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="mpiexec is not on PATH")
@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed")
def test_ranks_make_the_same_runs(tmp_path, done):
    file, place = tmp_path / "study.toml", tmp_path / "place"
    file.write_text(TOML)
    line = ["mpiexec", "-n", "2", sys.executable, "-m", "hybrid", "run", file, "--folder", place, "--no-plot"]
    assert subprocess.run(list(map(str, line)), cwd=tmp_path, timeout=300, check=False).returncode == 0
    runs = dict(table(done))
    assert all(energy == runs.get(name, energy) for name, energy in table(load(place)))
    assert load(place).status == "converged"
