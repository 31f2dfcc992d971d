"""Where points stand: told without writing anything, from a copy, from a damaged record, with every number's error."""

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from circuits.errors import ProviderUnreachable
from hybrid.runs.lock import Lock
from hybrid.sites.local import Local
from hybrid.sites.script import BEGINS, ENDS
from hybrid.terminal.words import measured

STUDY = """
[problem]
kind = "tfim"
n = 2
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[optimizer]
kind = "spsa"
max_steps = 5
[backend]
name = "reference"
shots = 100
[sweep]
h = [0.5, 1.0, 2.0]
"""


@pytest.fixture
def folder(cli, tmp_path, monkeypatch):
    """A study that was submitted to this machine: one point is done, two have left nothing."""
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "study.toml").write_text(STUDY)
    monkeypatch.setattr(Local, "submit", lambda self, batch: iter([{"host": "here"}]))
    assert cli("submit", "study.toml", "--folder", "sweep")[0] == 0
    assert cli("run", "study.toml", "--folder", "sweep", "--resume", "--only", "0", "--no-plot")[0] in (0, 3)
    return tmp_path / "sweep"


@pytest.fixture
def stand(cli):
    def ask(folder):
        code, out, err = cli("status", folder, "--json")
        assert code in (0, 5), err
        return json.loads(out)["points"]

    return ask


def tree(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [folder, *folder.rglob("*")]}


@contextmanager
def nobody():
    """Without the rights of root, if the tests have them."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_energy_never_comes_without_its_error_and_unit(folder, stand, cli):
    first, second, _ = stand(folder)
    result = json.loads((folder / "h=0.5" / "result.json").read_text())
    assert result["standard_error"] > 0
    assert (first["energy"], first["standard_error"], first["unit"]) == (
        result["energy"],
        result["standard_error"],
        "coupling",
    )
    assert (second["energy"], second["standard_error"]) == (None, None)
    words = measured(result["energy"], result["standard_error"], "coupling")
    assert f" ± {result['standard_error']:.2g} coupling" in words
    for command in (("status", folder), ("show", folder), ("runs", folder)):
        assert words in cli(*command)[1]


def test_looking_needs_no_right_to_write_and_leaves_no_trace(folder, stand):
    """A share that is mounted read-only, or a colleague's folder."""
    (folder / "batch" / "local-1.json").write_text('{"host": "here", "pending": [1], "running": [2], "cancelled": []}')
    (folder / "batch" / "local-1.lock").touch()
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, "share")
        shutil.copytree(folder, copy)
        for path in (Path(place), copy, *copy.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        before, here = tree(copy), stand(folder)
        with nobody():
            assert not os.access(copy / "batch" / "local-1.lock", os.W_OK, effective_ids=True)
            there = stand(copy)
        assert tree(copy) == before
        Path(place).chmod(0o755)
    for point, other in zip(here, there, strict=True):
        keys = ("state", "energy", "standard_error", "exit_code")
        assert [point[key] for key in keys] == [other[key] for key in keys]


def test_a_point_that_is_run_by_hand_runs(folder, stand):
    (folder / "h=1.0").mkdir()
    with Lock(folder / "h=1.0"):
        assert stand(folder)[1]["state"] == "running"
    assert stand(folder)[1]["state"] == "interrupted"


def test_a_point_that_ends_while_one_looks_is_not_called_interrupted(folder, stand, cli, monkeypatch):
    """Between a look at its result and one at its task, both have changed."""

    def meanwhile(batch, jobs):
        with monkeypatch.context() as patch:
            patch.setattr(Local, "active", lambda batch, jobs: {})
            assert cli("run", "study.toml", "--folder", folder, "--resume", "--only", "1", "--no-plot")[0] in (0, 3)
        return {}

    monkeypatch.setattr(Local, "active", meanwhile)
    assert [point["state"] for point in stand(folder)][1:] == ["max_steps", "interrupted"]


def test_a_task_that_failed_says_why_and_how(folder, stand, cli):
    (folder / "batch" / "1.log").write_text(f"{BEGINS} 1, on x at y\n/bin/sh: 3: module: not found\n{ENDS} 127\n")
    (folder / "batch" / "2.log").write_text(f"{BEGINS} 1, on x at y\nKilled\n{ENDS} 137\n")
    _, second, third = stand(folder)
    assert (second["state"], second["message"], second["exit_code"]) == ("failed", "/bin/sh: 3: module: not found", 127)
    assert (third["state"], third["message"], third["exit_code"]) == ("interrupted", "Killed", 137)
    assert "failed: /bin/sh: 3: module: not found (exit code 127)" in " ".join(cli("status", folder)[1].split())


def test_slurm_cannot_be_asked_and_all_that_is_known_is_told_all_the_same(folder, stand, cli, monkeypatch):
    record = folder / "batch" / "submissions.json"
    content = json.loads(record.read_text())
    content["submissions"][0] |= {"kind": "slurm", "jobs": [{"id": "7", "offset": 0}]}
    record.write_text(json.dumps(content))

    def silent(command):
        raise ProviderUnreachable("squeue is not here")

    monkeypatch.setattr("hybrid.sites.slurm._ask", silent)
    code, out, err = cli("status", folder)
    assert code == 5
    assert "2 of its points may wait or run, or not: squeue is not here" in err
    assert " ± " in out
    assert [point["state"] for point in stand(folder)][1:] == ["unknown", "unknown"]
    assert cli("submit", "study.toml", "--folder", folder)[0] == 5

    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    assert [point["state"] for point in stand(copy)][1:] == ["interrupted", "interrupted"], "its tasks write elsewhere"
    assert cli("status", copy)[0] == 0
    assert cli("cancel", copy)[1] == "0 points cancelled\n"

    (folder / "batch" / "slurm").mkdir()
    (copy / "batch" / "slurm").mkdir()
    (copy / "batch" / "slurm" / "7_2.out").write_text("slurmstepd: error: *** JOB 7 CANCELLED DUE TO TIME LIMIT ***\n")
    assert "DUE TO TIME LIMIT" in stand(copy)[2]["message"]


def test_a_finished_study_is_shown_where_there_is_no_scheduler(folder, cli):
    for _ in range(2):
        assert cli("run", "study.toml", "--folder", folder, "--resume", "--no-plot")[0] in (0, 3)
        assert cli("status", folder)[0] == 0
        text = (folder / "batch" / "submissions.json").read_text()
        (folder / "batch" / "submissions.json").write_text(text.replace('"kind": "local"', '"kind": "slurm"'))


def test_tasks_of_another_machine_are_said_to_be_of_another_machine(folder, stand):
    (folder / "batch" / "local-1.json").write_text('{"host": "login7", "pending": [1, 2]}')
    (folder / "batch" / "local-1.lock").touch()
    assert "submitted on login7" in stand(folder)[1]["message"]


@pytest.mark.parametrize(
    "damage", ['{"format": 1}', "[", '{"energy": "low"}', '{"energy": NaN}', "9" * 5000, "[" * 10**5]
)
def test_a_damaged_point_does_not_hide_the_others(folder, stand, cli, damage):
    spec = folder / "h=0.5" / ("result.json" if "energy" in damage else "spec.json")
    spec.write_text(damage)
    states = [point["state"] for point in stand(folder)]
    assert states[1:] == ["interrupted", "interrupted"]
    assert states[0] == "damaged"
    assert cli("status", folder)[0] == 0


def test_a_damaged_record_does_not_hide_the_other_folders(folder, cli, monkeypatch):
    shutil.copytree(folder, folder.with_name("other"))
    (folder / "batch" / "submissions.json").write_text("{")
    monkeypatch.setenv("HYBRID_RUNS", str(folder.parent))
    code, out, _ = cli("status", "--json")
    assert code == 0
    assert [entry["counts"] for entry in json.loads(out)["runs"]][1] == {"damaged": 1}
