"""One sweep, several processes that would work on it: each point and the whole have one writer at a time."""

import json
import signal
import subprocess

import pytest

from hybrid.runs.lock import Lock
from hybrid.sites.local import Local
from hybrid.sites.site import Active

STUDY = """
[problem]
kind = "tfim"
n = 4
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[optimizer]
kind = "cobyla"
max_steps = "{steps}"
accuracy = 1e-12
[backend]
name = "reference"
[sweep]
h = [0.5, 1.0]
steps = [20, 100000]
"""

QUICK = STUDY.replace("20, 100000", "20")


@pytest.fixture
def study(tmp_path):
    (tmp_path / "study.toml").write_text(QUICK)
    (tmp_path / "long.toml").write_text(STUDY)
    return tmp_path


@pytest.fixture
def long_run(study, start, wait_until):
    """Another process in the middle of its work on a sweep, or on some of its points."""

    def begin(*options):
        command = ("-m", "hybrid.cli", "run", "long.toml", "--folder", "sweep", "--no-plot", *options)
        process = start(*command, cwd=study, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: list(study.glob("sweep/*/journal.sqlite")), process)
        process.send_signal(signal.SIGSTOP)  # it has what it has, and gets no further
        return process

    return begin


def test_a_sweep_that_somebody_works_on_is_left_alone(study, long_run, cli):
    """Before, every point was reported as failed, and the table of the sweep written over."""
    process = long_run()
    before = {path for path in study.glob("sweep/*") if path.is_file()}
    for command in (
        ("run", "long.toml", "--resume", "--no-plot"),
        ("run", "long.toml", "--resume", "--only", "0", "--no-plot"),
        ("submit", "long.toml"),
    ):
        code, out, err = cli(*command, "--folder", "sweep")
        assert (code, out) == (2, "")
        assert "another process is working on the run in sweep" in err.replace(f"{study}/", "")
    assert {path for path in study.glob("sweep/*") if path.is_file()} == before
    assert process.poll() is None


def test_points_are_worked_on_side_by_side_but_the_whole_only_alone(study, long_run, cli):
    long_run("--only", "1")
    assert cli("run", "long.toml", "--folder", "sweep", "--only", "2", "--resume", "--no-plot")[0] in (0, 3)
    assert "another process" in cli("run", "long.toml", "--folder", "sweep", "--resume", "--no-plot")[2]
    assert not (study / "sweep" / "sweep.json").exists()
    assert "wait or run already" in cli("submit", "long.toml", "--folder", "sweep")[2]
    assert json.loads(cli("status", "sweep", "--json")[1] or "{}") == {}, "nothing was submitted"


def test_a_sweep_whose_points_wait_for_a_scheduler_is_not_run_by_hand(study, cli, monkeypatch):
    monkeypatch.setattr(Local, "submit", lambda self, batch: iter([{"host": "here"}]))
    assert cli("submit", "study.toml", "--folder", "sweep")[0] == 0
    with monkeypatch.context() as patch:
        patch.setattr(Local, "active", lambda batch, jobs: {1: Active("pending")})
        code, _, err = cli("run", "study.toml", "--folder", "sweep", "--resume", "--no-plot")
        assert code == 2
        assert "1 of its points wait or run already" in err
        assert "hybrid cancel" in err
        assert cli("run", "study.toml", "--folder", "sweep", "--resume", "--no-plot", "--only", "1")[0] in (0, 3)
    assert cli("run", "study.toml", "--folder", "sweep", "--resume", "--no-plot")[0] in (0, 3)


def test_what_another_did_while_the_points_were_built_is_not_overlooked(study, cli, monkeypatch):
    import hybrid.studies.run as module

    build, begun = module.build_all, []

    def slowly(task, ranks):
        begun.append(True)
        if len(begun) == 1:  # the other one begins and ends meanwhile
            assert cli("run", "study.toml", "--folder", "sweep", "--no-plot")[0] in (0, 3)
        return build(task, ranks)

    with monkeypatch.context() as patch:
        patch.setattr(module, "build_all", slowly)
        code, _, err = cli("run", "study.toml", "--folder", "sweep", "--no-plot", "--resume")
    assert code == 2
    assert "somebody else has worked there" in err
    assert "failed" not in (study / "sweep" / "sweep.json").read_text()


def test_a_single_workload_has_one_writer_too(study, cli, tmp_path):
    text = QUICK.partition("[sweep]")[0].replace('"{h}"', "1.0").replace('"{steps}"', "20")
    (study / "study.toml").write_text(text)
    (tmp_path / "sweep").mkdir()
    with Lock(tmp_path / "sweep"):
        for command in ("run", "submit"):
            code, _, err = cli(command, "study.toml", "--folder", "sweep")
            assert code == 2
            assert "another process is working" in err or "wait or run already" in err
    assert cli("run", "study.toml", "--folder", "sweep")[0] in (0, 3)
