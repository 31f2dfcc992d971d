"""Several points in a task, a submission that is only shown, one that is waited for, and a status that is watched."""

import json
from pathlib import Path

import pytest

from circuits.errors import Refused
from hybrid.sites.cancel import whole_tasks
from hybrid.sites.site import Batch
from hybrid.sites.slurm import Slurm
from hybrid.sites.words import ranges

ROOT = Path(__file__).parents[3]

STUDY = """
[problem]
kind = "tfim"
n = 3
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[optimizer]
kind = "cobyla"
max_steps = "{steps}"
[backend]
name = "reference"
[sweep]
h = [0.5, 1.0, 2.0]
steps = [3, 200]
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "sites.toml").write_text(
        '[lab]\nkind = "slurm"\npartition = "short"\ncpus = 4\nmemory = "8G"\n[local]\nkind = "local"\n'
    )
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_points_of_a_task_run_one_after_the_other_and_each_has_its_result(study, cli):
    code, out, err = cli("submit", "study.toml", "--folder", "sweep", "--points-per-task", "6", "--wait", "--json")
    assert code == 3, err  # three points were given three steps, which is not enough
    said = json.loads(out)
    assert said["per_task"] == 6
    assert [point["state"] for point in said["results"]] == ["max_steps", "converged"] * 3
    (report,) = [path for path in (study / "sweep" / "batch").glob("*.json") if path.stem.isdecimal()]
    assert len(json.loads(report.read_text())["points"]) == 6
    assert "nothing to submit" in cli("submit", "study.toml", "--folder", "sweep")[1]
    code, out, _ = cli("status", "sweep", "--watch")
    assert code == 0
    assert "\x1b" not in out
    assert out.splitlines()[-1] == "3 max_steps, 3 converged"


def test_a_dry_run_shows_all_and_writes_nothing(study, cli, monkeypatch):
    monkeypatch.setenv("PATH", str(study))  # no Slurm, no anything
    before = sorted(study.rglob("*"))
    asked = ("submit", "study.toml", "--site", "lab", "--folder", "sweep", "--dry-run", "--time", "2:00:00")
    code, out, err = cli(*asked, "--account", "qc", "--throttle", "2", "--points-per-task", "2")
    assert (code, err) == (0, "")
    for words in (
        "--array=0-4:2%2",
        "--account=qc",
        "--partition=short",
        "--time=2:00:00",
        "--mem=8G",
        "3, each 2 points",
    ):
        assert words in out
    assert "4) hybrid_only=(--only 4-5)" in out
    assert sorted(study.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--time", "soon"], ["--time", "hours:minutes:seconds"]),
        (["--throttle", "0"], ["--throttle = 0", "from 1"]),
        (["--partition", "a b"], ["--partition", "one word"]),
        (["--points-per-task", "0"], ["--points-per-task 0", "from 1"]),
        (["--points-per-task", "many"], ["whole number", "auto"]),
        (["--site", "local", "--account", "x"], ["--account x", "'local'"]),
        (["--dry-run", "--wait"], ["nothing to wait for"]),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(study, cli, options, words):
    before = sorted(study.rglob("*"))
    code, out, err = cli("submit", "study.toml", "--site", "lab", "--folder", "sweep", *options)
    assert (code, out) == (2, "")
    for word in words:
        assert word in err
    assert sorted(study.rglob("*")) == before


def test_the_number_of_points_follows_from_the_plan(study, cli):
    code, out, err = cli(
        "submit", "study.toml", "--folder", "sweep", "--points-per-task", "auto", "--dry-run", "--json"
    )
    assert code == 0
    assert json.loads(out)["tasks"] == [[0, 1, 2, 3, 4, 5]], "points of a second: all in one task of a minute"
    assert "6 points in a task" in err


def test_a_point_is_not_cancelled_with_others_that_nobody_named():
    batch = Batch(Path("/sweep"), "job", 1, [0, 1, 2, 5, 7], per_task=2)
    assert batch.tasks == {0: [0, 1], 2: [2, 5], 7: [7]}
    assert whole_tasks(batch, [1, 7], active={1, 2, 5, 7}) == [0, 7], "point 0 has ended already"
    with pytest.raises(Refused, match="points 5 share a task"):
        whole_tasks(batch, [2], active={2, 5})


@pytest.mark.parametrize(
    "numbers", [[0], [3, 4], [0, 7], [0, 2, 4, 6], [0, 1, 2, 9, 12, 15, 40], list(range(0, 100, 5))]
)
def test_ranges_say_what_they_stand_for(numbers):
    def read(text):
        found = []
        for part in text.split(","):
            span, _, step = part.partition(":")
            first, _, last = span.partition("-")
            found += range(int(first), int(last or first) + 1, int(step or 1))
        return found

    assert read(ranges(numbers)) == numbers
    assert read(ranges(numbers, steps=False)) == numbers
    assert ":" not in ranges(numbers, steps=False)


def test_what_slurm_says_of_tasks_is_told(tmp_path, monkeypatch):
    rows = "7|0|RUNNING|a.0|1:02:03|node[1-2]\n7|4|PENDING|a.0|0:00|(Priority)\n8|0|RUNNING|x|y|a.0|0:05|n3\n"
    (tmp_path / "squeue").write_text(f"#!/bin/sh\nprintf '{rows}'\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    batch = Batch(tmp_path, "a", 1, range(8), per_task=4)
    found = Slurm.active(batch, [{"id": "7", "offset": 0}])
    assert (found[0].job, found[0].node, found[0].elapsed_s) == ("7_0", "node[1-2]", 3723)
    assert (found[4].state, found[4].reason, found[4].node) == ("pending", "Priority", "")
