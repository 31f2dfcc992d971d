"""A sweep through a real Slurm of one node: cancelled, requeued, killed, out of time, and whole in the end."""

import importlib.util
import json
import re
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from hybrid.runs import journal

ROOT = Path(__file__).parents[3]

spec = importlib.util.spec_from_file_location("cluster", Path(__file__).with_name("cluster.py"))
assert spec is not None
assert spec.loader is not None
cluster = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cluster)

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(cluster.why_not() is not None, reason=str(cluster.why_not())),
]

STUDY = """
[problem]
kind = "tfim"
n = 4
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 3
[optimizer]
kind = "cobyla"
max_steps = "{steps}"
accuracy = 1e-12
[backend]
name = "statevector"
[sweep]
h = [1.0, 1.5, 2.0, 3.0]
steps = [20, 21, 22, 23, 3000]  # the last takes seconds, so that something can happen to it
"""

SITES = """
[lab]
kind = "slurm"
partition = "test"
time = "1"
warn_s = 5
cpus = 1
throttle = 2
requeue = 5
environment = { OMP_NUM_THREADS = "1" }
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    (tmp_path / "sites.toml").write_text(SITES)
    (tmp_path / "study.toml").write_text(STUDY)
    with cluster.Cluster(cpus=4, array_size=12) as running:
        monkeypatch.setenv("SLURM_CONF", str(running.conf))
        monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        yield running


@pytest.fixture
def submitted(cli, tmp_path):
    """The study's folder, and what the command line says of it."""
    folder = tmp_path / "sweep"

    class Study:
        def submit(self):
            code, out, err = cli("submit", "study.toml", "--site", "lab", "--folder", folder, "--json")
            return json.loads(out)["points"] if code == 0 else err

        def cancel(self, *points):
            return json.loads(cli("cancel", folder, *points, "--json")[1])["cancelled"]

        def states(self):
            return {p["number"]: p["state"] for p in json.loads(cli("status", folder, "--json")[1])["points"]}

        def running(self):
            return {p for p, state in self.states().items() if state in ("pending", "running")}

        def jobs(self):
            submissions = json.loads((folder / "batch" / "submissions.json").read_text())["submissions"]
            return [(job["id"], job["offset"]) for entry in submissions for job in entry["jobs"]]

    study = Study()
    study.folder = folder
    return study


def count(place):
    """How many evaluations are on disk."""
    address = f"file:{quote(str(place / 'journal.sqlite'))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            return database.execute("SELECT count(*) FROM evaluation").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # it is not there yet, or half made


def process_of(folder, point):
    """The run of a point, once it has an evaluation on disk."""
    if not count(folder / point_name(point)):
        return None
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if str(folder) in words and words[-2:] == ["--only", str(point)]:
            return process
    return None


def point_name(point):
    return f"h={[1.0, 1.5, 2.0, 3.0][point // 5]},steps={[20, 21, 22, 23, 3000][point % 5]}"


def wait_for(true, seconds=500):
    """What something becomes, once it is true; looking takes a fifth of the time at most, the node needs the rest."""
    began = time.monotonic()
    deadline = began + seconds
    while not (found := true()):
        looked = time.monotonic()
        assert looked < deadline
        time.sleep(max(0.05, 4 * (looked - began)))
        began = time.monotonic()
    return found


def evaluations(place):
    kept = journal.read(place / "journal.sqlite").evaluations
    return [(e.step, e.theta.tobytes(), e.told.values.tobytes()) for e in kept]


@pytest.mark.slow
def test_a_sweep_survives_what_a_cluster_does_to_it(slurm, submitted, cli, tmp_path):
    folder = submitted.folder
    assert submitted.submit() == list(range(20))
    jobs = submitted.jobs()
    assert [offset for _, offset in jobs] == [0, 12], "no array holds more than MaxArraySize"
    assert submitted.cancel("17", point_name(18)) == [17, 18]
    assert "already" in submitted.submit()

    ids = {p: f"{job}_{p - offset}" for job, offset in jobs for p in (4, 9, 14) if offset <= p < offset + 12}
    left = set(ids)

    def all_hit():
        for point in sorted(left):
            if process := process_of(folder, point):
                left.remove(point)
                if point == 4:
                    process.parent().send_signal(signal.SIGUSR1)  # to the script, as Slurm does
                elif point == 9:
                    process.kill()
                else:
                    process.send_signal(signal.SIGSTOP)  # an evaluation that hangs, until Slurm ends it
        return not left

    wait_for(all_hit)
    wait_for(lambda: not submitted.running())
    assert re.search(r"Restarts=[1-9]", slurm.ask("scontrol", "show", "job", ids[4]))
    assert "JobState=TIMEOUT" in slurm.ask("scontrol", "show", "job", ids[14])
    states = submitted.states()
    assert {point for point, state in states.items() if state == "cancelled"} == {17, 18}
    assert {point for point, state in states.items() if state == "interrupted"} == {9, 14}
    assert {state for point, state in states.items() if point not in (9, 14, 17, 18)} <= {"converged", "max_steps"}

    finished = {place: place.stat().st_mtime_ns for place in folder.glob("*/journal.sqlite")}
    kept = {point: evaluations(folder / point_name(point)) for point in (9, 14)}
    assert all(0 < len(some) < 3000 for some in kept.values())
    assert submitted.submit() == [9, 14, 17, 18]
    wait_for(lambda: not submitted.running())
    assert set(submitted.states().values()) <= {"converged", "max_steps"}
    assert "nothing to submit" in cli("submit", "study.toml", "--site", "lab", "--folder", folder)[1]
    again = {point_name(point) for point in (9, 14)}
    assert all(place.stat().st_mtime_ns == time for place, time in finished.items() if place.parent.name not in again)

    assert cli("run", "study.toml", "--folder", "serial", "--json", "--no-plot")[0] in (0, 3)
    for point in range(20):
        mine, whole = folder / point_name(point), tmp_path / "serial" / point_name(point)
        assert evaluations(mine) == evaluations(whole)
        results = [json.loads((place / "result.json").read_text()) for place in (mine, whole)]
        for key in ("energy", "theta", "status", "steps", "evaluations"):
            assert results[0][key] == results[1][key]
    for point, some in kept.items():
        assert evaluations(folder / point_name(point))[: len(some)] == some


@pytest.mark.slow
def test_a_job_whose_answer_was_lost_is_found_and_cancelled_while_it_runs(slurm, submitted, cli, tmp_path, monkeypatch):
    study = STUDY.replace("[1.0, 1.5, 2.0, 3.0]", "[1.0]").replace("[20, 21, 22, 23, 3000]", "[3000]")
    (tmp_path / "study.toml").write_text(study)
    silent = tmp_path / "bin" / "sbatch"
    silent.parent.mkdir()
    silent.write_text(f'#!/bin/bash\n{shutil.which("sbatch")} "$@" >/dev/null\nexec sleep 60\n')
    silent.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(silent.parent), prepend=":")
        patch.setattr("hybrid.sites.slurm.ANSWER_S", 3)
        code, _, err = cli("submit", "study.toml", "--site", "lab", "--folder", submitted.folder)
    assert code == 5
    assert "Submit again" in err
    assert submitted.jobs() == []
    assert "wait or run already" in submitted.submit(), "it is found by its name, and not sent again"

    place = submitted.folder / "h=1.0,steps=3000"
    wait_for(lambda: count(place))
    assert submitted.cancel() == [0]
    wait_for(lambda: not submitted.running())
    assert submitted.states() == {0: "cancelled"}
    assert json.loads((place / "result.json").read_text())["status"] == "stopped"
    assert 0 < len(evaluations(place)) < 3000
    assert "JobState=CANCELLED" in slurm.ask("scontrol", "show", "job", submitted.jobs()[0][0])


HOSTILE = [
    "$(touch PWNED) `touch PWNED`; touch PWNED",
    "' ; touch PWNED; '",
    '" --comment=PWNED "',
    "#SBATCH --comment=PWNED",
    "%A_%a %% %x é\t*",
    "-n 99 --exclusive",
]
"""Names of folders, and comments."""

GIVEN = """#!/bin/bash
# stands for runs: writes down what it was given
printf '%s\\n' "$PWD" "$VALUE" "$@" >"${GIVEN}.${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
"""


def test_slurm_is_asked_for_what_the_user_named_and_for_nothing_else(slurm, cli, tmp_path, monkeypatch):
    run = tmp_path / "given"
    run.write_text(GIVEN)
    run.chmod(0o755)
    monkeypatch.setenv("GIVEN", str(tmp_path / "words"))
    for name in ("ACCOUNT", "PARTITION", "TIMELIMIT", "OUTPUT", "JOB_NAME", "ARRAY_INX", "NO_REQUEUE"):
        monkeypatch.setenv(f"SBATCH_{name}", "1")  # in the place of a directive, sbatch would take this
    jobs = {}
    for text in HOSTILE:
        settings = SITES.replace('{ OMP_NUM_THREADS = "1" }', f"{{ VALUE = {json.dumps(text)} }}")
        settings += f'python = "{run}"\naccount = "chem+x@y"\noptions = [{json.dumps("--comment=" + text)}]\n'
        (tmp_path / "sites.toml").write_text(settings)
        study = tmp_path / f"{text}.toml"
        study.write_text(STUDY.replace("[1.0, 1.5, 2.0, 3.0]", "[1.0]").replace("22, 23, 3000]", "]"))
        command = ("submit", "--site", "lab", "--folder", tmp_path / text, "--json", "--", study.name)
        code, out, err = cli(*command)
        assert code == 0, err
        (job,) = json.loads(out)["jobs"]
        jobs[job["id"]] = text
    wait_for(lambda: not slurm.ask("squeue", "--noheader"))
    for job, text in jobs.items():
        folder = f"{tmp_path / text}/batch"
        for index in range(2):
            said = slurm.ask("scontrol", "show", "job", f"{job}_{index}").splitlines()
            for line in (f"Comment={text}", f"Command={folder}/job-1.sh 0"):
                assert f"   {line}".rstrip() in [other.rstrip() for other in said]
            words = " ".join(said).split()
            limits = {"Account=chem+x@y", "Partition=test", "TimeLimit=00:01:00", "NumTasks=1", "OverSubscribe=OK"}
            assert {*limits, "NumCPUs=1", "Requeue=1", "Dependency=(null)"} <= set(words)
            (name,) = (word for word in words if word.startswith("JobName="))
            assert re.fullmatch(r"JobName=[A-Za-z0-9._-]+-[0-9a-f]{8}\.0", name)
            assert Path(folder, "slurm", f"{job}_{index}.out").exists()
            given = (tmp_path / f"words.{job}_{index}").read_text().splitlines()
            assert given[:2] == [str(tmp_path), text]
            assert given[-2:] == ["--only", str(index)]
            assert given[given.index("--folder") + 1] == str(tmp_path / text)
    assert not list(tmp_path.rglob("PWNED"))


def test_slurms_own_words_reach_the_user(slurm, submitted, cli, tmp_path, monkeypatch):
    (tmp_path / "sites.toml").write_text(SITES.replace('"test"', '"nowhere"'))
    code, out, err = cli("submit", "study.toml", "--site", "lab", "--folder", submitted.folder)
    assert (code, out) == (2, "")
    assert "Slurm has no such partition" in err
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        code, out, err = cli("submit", "study.toml", "--site", "lab")
    assert (code, out) == (5, "")
    assert "scontrol is not here" in err


def test_points_in_groups_say_where_they_run_and_why_they_wait(slurm, cli, tmp_path):
    (tmp_path / "small.toml").write_text(STUDY.replace("[1.0, 1.5, 2.0, 3.0]", "[1.0]"))
    submit = ("submit", "small.toml", "--site", "lab", "--folder", tmp_path / "groups")
    for options, words in (
        (["--partition", "tset"], "Slurm has no such partition"),
        (["--time", "2:00:00"], "more than the partition test allows, 01:00:00"),
    ):
        code, _, err = cli(*submit, *options)
        assert code == 2
        assert words in err
        assert not (tmp_path / "groups").exists()
    assert cli(*submit, "--points-per-task", "3", "--throttle", "1")[0] == 0
    seen = {}

    def both():
        for point in json.loads(cli("status", tmp_path / "groups", "--json")[1])["points"]:
            seen.setdefault((point["number"], point["state"]), point)
        return (3, "pending") in seen and any((number, "running") in seen for number in range(3))

    wait_for(both)
    running = next(point for (_, state), point in seen.items() if state == "running")
    assert re.fullmatch(r"[0-9]+_0", running["job"])
    assert running["node"]
    assert seen[3, "pending"]["job"].endswith("_3")
    assert seen[3, "pending"]["reason"]
    cli("cancel", tmp_path / "groups")
