import contextlib
import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hybrid.runs.files import read_json
from hybrid.sites.local import Local

ROOT = Path(__file__).parents[3]

STUDY = """
[problem]
kind = "tfim"
n = 4
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[optimizer]
kind = "lbfgs"
[backend]
name = "reference"
[sweep]
h = [0.5, 1.0, 2.0]
"""

RUN = """#!/bin/bash
# stands for runs: point 0 is refused, point 1 takes long, point 2 is stopped the first time
trap 'echo saved >&2; exit 75' TERM USR1
point=${@: -1}
echo "$point" >>"$RECORD"
[ "$point" = 0 ] && { echo 'hybrid: the disk is full' >&2; exit 1; }
[ "$point" = 1 ] && for i in $(seq 1200); do sleep 0.1; done
[ "$(grep -c 2 "$RECORD")" = 1 ] && exit 75
echo '{"points": [{"status": "failed", "message": "the device is away"}]}'
"""


@pytest.fixture
def batch(cli, tmp_path, monkeypatch):
    """Submit to this machine and watch, by the command line."""
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "sites.toml").write_text('[local]\nkind = "local"\nthrottle = 2\n')
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))

    class Batch:
        def fake(self):
            program = tmp_path / "run"
            program.write_text(RUN)
            program.chmod(0o755)
            (tmp_path / "sites.toml").write_text(f'[local]\nkind = "local"\npython = "{program}"\nthrottle = 2\n')

        def submit(self):
            return cli("submit", "study.toml", "--folder", "sweep", "--json")

        def points(self):
            return json.loads(cli("status", "sweep", "--json")[1])["points"]

        def states(self):
            return [point["state"] for point in self.points()]

        def idle(self):
            return not {"pending", "running"} & set(self.states())

        def processes(self):
            """The driver, and the processes of the tasks."""
            here = str(tmp_path / "sweep" / "batch")
            found = [p for p in psutil.process_iter(["cmdline"]) if any(here in w for w in p.info["cmdline"] or [])]
            (driver,) = [p for p in found if "hybrid.sites.driver" in p.info["cmdline"]]
            return driver, [p for p in found if p != driver]

        def runs(self):
            record = tmp_path / "record"
            return record.read_text().split() if record.exists() else []

    yield Batch()
    cli("cancel", "sweep")


def test_a_sweep_in_the_background_has_the_bits_of_one_in_the_foreground(batch, cli, tmp_path, wait_until):
    (tmp_path / "study.toml").write_text(STUDY.replace("[0.5, 1.0, 2.0]", "[0.5, 1.0]"))
    code, out, _ = batch.submit()
    assert code == 0
    assert json.loads(out)["points"] == [0, 1]
    assert "2 of its points wait or run already" in batch.submit()[2]
    wait_until(batch.idle)
    assert batch.states() == ["converged"] * 2
    code, out, _ = batch.submit()
    assert (code, json.loads(out)["points"]) == (0, [])
    whole = json.loads(cli("run", "study.toml", "--folder", "serial", "--json", "--no-plot")[1])["points"]
    for point, other in zip(batch.points(), whole, strict=True):
        assert point["energy"] == other["energy"]
        mine = read_json(Path(point["output"]) / "result.json")
        assert (mine["theta"], mine["evaluations"]) == (other["theta"], other["evaluations"])
    assert "2 converged" in cli("status", "sweep")[1]
    assert cli("cancel", "sweep")[1] == "0 points cancelled\n"


@pytest.mark.slow
def test_points_of_an_algorithm_are_tasks_as_well(batch, cli, tmp_path, wait_until):
    (tmp_path / "study.toml").write_text(
        '[algorithm]\nkind = "qaoa"\nlayers = "{p}"\nsamples = 20\n[problem]\nkind = "maxcut"\n'
        'edges = [[0, 1], [1, 2], [2, 3], [3, 0]]\n[backend]\nname = "statevector"\n[sweep]\np = [1, 2]\n'
    )
    assert json.loads(batch.submit()[1])["points"] == [0, 1]
    wait_until(batch.idle)
    assert batch.states() == ["converged"] * 2
    assert json.loads(batch.submit()[1])["points"] == []
    assert [round(point["energy"], 4) for point in batch.points()] == [-3.0, -4.0]  # three of four edges, then all


def test_a_failure_stops_no_other_and_a_cancelled_point_comes_again_when_submitted(batch, cli, wait_until):
    batch.fake()
    assert batch.submit()[0] == 0
    wait_until(lambda: batch.runs().count("2") == 2)  # it stopped, and went back into the queue
    wait_until(lambda: batch.states() == ["failed", "running", "failed"])
    assert [point["message"] for point in batch.points()] == ["the disk is full", "", "the device is away"]
    assert "the disk is full" in cli("status", "sweep")[1]
    assert cli("cancel", "sweep", "h=1.0", "--json")[1] == '{"folder": "sweep", "cancelled": [1]}\n'
    wait_until(batch.idle)
    assert batch.states() == ["failed", "cancelled", "failed"]
    assert "saved" in Path("sweep/batch/1.log").read_text()
    assert json.loads(batch.submit()[1])["points"] == [0, 1, 2]
    wait_until(lambda: batch.runs().count("1") == 2)


def test_waiting_points_are_cancelled_before_they_start(batch, cli, wait_until, tmp_path):
    batch.fake()
    sites = tmp_path / "sites.toml"
    sites.write_text(sites.read_text().replace("throttle = 2", "throttle = 1"))
    study = tmp_path / "study.toml"
    study.write_text(STUDY.replace("[0.5, 1.0, 2.0]", "[0.5, 1.0, 2.0, 3.0]"))
    batch.submit()
    wait_until(lambda: batch.states()[1] == "running")
    assert json.loads(cli("cancel", "sweep", "3", "0", "--json")[1])["cancelled"] == [3]
    assert json.loads(cli("cancel", "sweep", "--json")[1])["cancelled"] == [1, 2]
    wait_until(batch.idle)
    assert batch.runs() == ["0", "1"]
    assert batch.states() == ["failed", "cancelled", "cancelled", "cancelled"]


@pytest.fixture
def orphans(batch, cli, wait_until, tmp_path):
    """One task runs, another waits, and their driver has been killed; the processes of the task."""
    batch.fake()
    sites = tmp_path / "sites.toml"
    sites.write_text(sites.read_text().replace("throttle = 2", "throttle = 1"))
    assert batch.submit()[0] == 0
    wait_until(lambda: batch.runs() == ["0", "1"])
    driver, task = batch.processes()
    driver.kill()
    psutil.wait_procs([driver])
    yield task
    for process in task:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def ended(processes):
    """Whether none of them works any more; whoever has to may not have asked yet how they ended."""
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def test_when_its_driver_is_killed_the_truth_is_told_and_a_task_can_still_be_cancelled(batch, cli, orphans):
    assert batch.states() == ["failed", "running", "interrupted"]
    assert "the driver of the tasks was ended before this one began" in batch.points()[2]["message"]
    assert "1 of its points wait or run already" in batch.submit()[2]
    bystander = subprocess.Popen(["bash", "-c", "sleep 60; true", "sweep/batch/job-1.sh", "1"], start_new_session=True)
    try:
        assert json.loads(cli("cancel", "sweep", "--json")[1])["cancelled"] == [1]
        assert ended(orphans)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
    assert batch.states() == ["failed", "cancelled", "interrupted"]
    assert "saved" in Path("sweep/batch/1.log").read_text()
    assert json.loads(batch.submit()[1])["points"] == [0, 1, 2]


def test_a_task_that_does_not_save_is_killed_in_the_end(batch, cli, orphans, monkeypatch):
    monkeypatch.setattr("hybrid.sites.local.GRACE_S", 0.2)
    for process in orphans:
        process.suspend()
    assert json.loads(cli("cancel", "sweep", "--json")[1])["cancelled"] == [1]
    assert ended(orphans)
    assert batch.states()[1] == "cancelled"


def test_what_is_left_of_a_task_whose_script_was_killed_is_found_too(batch, cli, orphans):
    script = next(process for process in orphans if "job-1.sh" in " ".join(process.cmdline()))
    script.kill()
    psutil.wait_procs([script])
    assert batch.states()[1] == "running"
    assert json.loads(cli("cancel", "sweep", "--json")[1])["cancelled"] == [1]
    assert ended(orphans)


def test_tasks_on_another_machine_whose_driver_has_gone_are_not_said_to_be_cancelled(batch, cli, orphans, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("hybrid.sites.tasks._processes", lambda lock: {})  # their numbers mean nothing here
        code, out, err = cli("cancel", "sweep")
    assert (code, out) == (5, "")
    assert "cancel them there" in err
    assert batch.states()[1] == "running"


def test_what_a_killed_script_leaves_behind_its_driver_ends(batch, wait_until):
    batch.fake()
    batch.submit()
    wait_until(lambda: batch.runs().count("1") == 1)
    _, task = batch.processes()
    script = next(process for process in task if process.cmdline()[-1] == "1" and process.cmdline()[0] == "bash")
    left = script.children(recursive=True)
    script.kill()
    wait_until(lambda: ended(left))
    wait_until(batch.idle)
    assert "saved" in Path("sweep/batch/1.log").read_text()
    assert batch.states()[1] == "interrupted"


def test_a_driver_that_does_not_answer_is_no_success(batch, cli, wait_until, monkeypatch):
    monkeypatch.setattr("hybrid.sites.local.ANSWER_S", 0.2)
    batch.fake()
    batch.submit()
    wait_until(lambda: batch.runs().count("1") == 1)
    driver, _ = batch.processes()
    driver.suspend()
    try:
        code, out, err = cli("cancel", "sweep", "1")
    finally:
        driver.resume()
    assert (code, out) == (5, "")
    assert "has not answered" in err
    wait_until(batch.idle)  # the driver has read it all the same


def test_what_the_driver_complained_of_is_shown(batch, tmp_path, wait_until):
    batch.fake()
    (tmp_path / "sweep" / "batch" / "2.log").mkdir(parents=True)  # its log cannot be written
    assert batch.submit()[0] == 0
    wait_until(lambda: "Is a directory" in batch.points()[2]["message"])
    assert batch.states()[2] == "interrupted"


def test_a_driver_that_does_not_start_is_said(batch, monkeypatch):
    batch.fake()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        code, out, err = batch.submit()
    assert (code, out) == (5, "")
    assert "did not start" in err
    assert batch.states() == ["missing"] * 3


def test_a_submission_that_is_killed_before_its_answer_is_found(batch, cli, wait_until, monkeypatch):
    """The driver has started, and nobody is left to write that down."""
    batch.fake()
    start = Local.submit

    def killed(self, handed):
        next(start(self, handed))
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr(Local, "submit", killed)
        assert batch.submit()[0] == 9
    wait_until(lambda: batch.runs().count("1") == 1)
    assert batch.states()[1] == "running"
    assert "wait or run already" in batch.submit()[2]
    assert 1 in json.loads(cli("cancel", "sweep", "--json")[1])["cancelled"]
    wait_until(batch.idle)


def test_a_submission_that_is_killed_before_anything_started_left_nothing(batch, monkeypatch):
    def killed(self, handed):
        raise SystemExit(9)
        yield

    with monkeypatch.context() as patch:
        patch.setattr(Local, "submit", killed)
        assert batch.submit()[0] == 9
    assert batch.states() == ["missing"] * 3
    batch.fake()
    assert json.loads(batch.submit()[1])["points"] == [0, 1, 2]


def test_of_two_submissions_at_once_one_is_refused(batch, start, tmp_path):
    batch.fake()
    command = ("-m", "hybrid.cli", "submit", "study.toml", "--folder", "sweep", "--json")
    both = [start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate() for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], said
    refused = next(err for process, (_, err) in zip(both, said, strict=True) if process.returncode == 2)
    assert "another process is working" in refused or "wait or run already" in refused
    assert len(json.loads((tmp_path / "sweep/batch/submissions.json").read_text())["submissions"]) == 1


def test_what_keeps_a_task_from_starting_is_shown(batch, cli, tmp_path, wait_until):
    (tmp_path / "sites.toml").write_text('[local]\nkind = "local"\npython = "/no/such/python"\nthrottle = 3\n')
    batch.submit()
    wait_until(batch.idle)
    for point in batch.points():
        assert (point["state"], point["exit_code"]) == ("failed", 127)
        assert "/no/such/python" in point["message"]
    out = cli("status", "sweep")[1]
    assert "/no/such/python" in out.replace("\n", "").replace(" ", "")
    assert "127" in out


def test_the_study_may_be_edited_while_it_runs_but_not_submitted_as_another(batch, tmp_path, wait_until):
    batch.fake()
    batch.submit()
    (tmp_path / "study.toml").write_text(STUDY.replace("layers = 2", "layers = 3"))
    assert (tmp_path / "sweep" / "batch" / "study.toml").read_text() == STUDY
    code, _, err = batch.submit()
    assert code == 2
    assert "holds another study" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["submit", "study.toml", "--site", "lcoal"], ["lcoal", "did you mean 'local'"]),
        (["submit", "gone.toml"], ["gone.toml", "no such file"]),
        (["status", "nowhere"], ["nowhere", "nothing was submitted"]),
        (["cancel", "nowhere"], ["nowhere", "nothing was submitted"]),
    ],
)
def test_wrong_commands_exit_2_and_write_nothing(batch, cli, tmp_path, arguments, words):
    before = sorted(tmp_path.rglob("*"))
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    for word in words:
        assert word in err
    assert sorted(tmp_path.rglob("*")) == before


def test_where_there_is_no_slurm_the_study_can_still_go_elsewhere(batch, cli, tmp_path, monkeypatch):
    batch.fake()
    sites = tmp_path / "sites.toml"
    sites.write_text(sites.read_text() + '[lab]\nkind = "slurm"\n')
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        code, out, err = cli("submit", "study.toml", "--folder", "sweep", "--site", "lab")
        assert (code, out) == (5, "")
        assert "scontrol is not here" in err
        assert batch.states() == ["missing"] * 3
    assert json.loads(batch.submit()[1])["points"] == [0, 1, 2]


def test_an_unknown_point_is_refused(batch, cli):
    batch.fake()
    batch.submit()
    code, _, err = cli("cancel", "sweep", "h=1.1")
    assert code == 2
    assert "did you mean 'h=1.0'" in err
    assert "points 0 to 2" in cli("cancel", "sweep", "3")[2]


def test_a_single_workload_is_a_study_of_one_point(batch, cli, tmp_path, wait_until):
    (tmp_path / "study.toml").write_text(STUDY.replace('"{h}"', "1.0").partition("[sweep]")[0])
    (tmp_path / "circuits.py").write_text("raise SystemExit('a program of the user, which is not the package')")
    assert json.loads(batch.submit()[1])["points"] == [0]
    wait_until(batch.idle)
    assert batch.states() == ["converged"]
    assert json.loads(cli("show", "sweep", "--json")[1])["status"] == "converged"


def test_status_lists_what_was_submitted(batch, cli, tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_RUNS", str(tmp_path))
    assert "nothing was submitted" in cli("status")[1]
    batch.fake()
    batch.submit()
    (entry,) = json.loads(cli("status", "--json")[1])["runs"]
    assert entry["folder"] == str(tmp_path / "sweep")
    assert sum(entry["counts"].values()) == 3


def test_a_damaged_record_is_refused(tmp_path, cli):
    (tmp_path / "sweep" / "batch").mkdir(parents=True)
    (tmp_path / "sweep" / "batch" / "submissions.json").write_text("{}")
    code, _, err = cli("status", "sweep")
    assert code == 2
    assert "damaged" in err
