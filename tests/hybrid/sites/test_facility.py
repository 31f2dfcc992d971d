"""Studies at a facility over HTTP: sent, watched, fetched, checked, cancelled; and whatever goes wrong on the way."""

import importlib.util
import json
import re
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

import hybrid
from hybrid.runs.evidence import examine
from hybrid.sites.facility import client as asking

ROOT = Path(__file__).parents[3]

spec = importlib.util.spec_from_file_location("facility", Path(__file__).with_name("facility.py"))
assert spec is not None
assert spec.loader is not None
facility = importlib.util.module_from_spec(spec)
spec.loader.exec_module(facility)
TOKEN = facility.TOKEN

STUDY = """
[problem]
kind = "tfim"
n = 3
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[optimizer]
kind = "spsa"
max_steps = 4
[backend]
name = "reference"
shots = 20
[sweep]
h = [0.5, 1.0, 2.0]
"""

RUN = """#!/bin/bash
# stands for runs at the facility: a point's record is copied from where it was made before
while [ $# -gt 0 ]; do
  case "$1" in --folder) folder=$2 ;; --only) point=$2 ;; --base) base=$2 ;; esac
  shift
done
cd {made} || exit 1
name=$(ls | sed -n "$((point + 1))p")
[ "$point" = {fails} ] && {{ echo 'hybrid: the disk is full' >&2; exit 1; }}
cp -r "$name" "$folder/"
"""

NAMES = ["h=0.5", "h=1.0", "h=2.0"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The study, and its sweep as it comes out here."""
    home = tmp_path_factory.mktemp("made")
    (home / "study.toml").write_text(STUDY)
    hybrid.sweep(home / "study.toml", folder=home / "sweep")
    return home


@pytest.fixture
def site(made, tmp_path, monkeypatch, cli):
    """A facility with an account here: its jobs copy records that were made before."""
    monkeypatch.setattr(asking, "PAUSE_S", 0.01)
    monkeypatch.setattr(asking, "POLL_S", 0.005)
    monkeypatch.setenv("FACILITY_LOGIN", TOKEN)
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "study.toml").write_text(STUDY)
    root = tmp_path / "there"
    root.mkdir()
    with facility.Facility(root) as far:
        far.cli, far.made = cli, made / "sweep"
        far.submit = lambda *options: cli(
            "submit", "study.toml", "--site", "far", "--folder", "sweep", "--json", *options
        )
        far.states = lambda: [p["state"] for p in json.loads(cli("status", "sweep", "--json")[1])["points"]]
        settings = {"python": program(tmp_path, made), "account": "m123", "queue": "debug", "time": "30"}
        far.settings = lambda **more: write_site(tmp_path, far, settings | more)
        far.settings()
        yield far


def program(tmp_path, made, fails=None):
    runs = tmp_path / "made"
    if not runs.exists():
        runs.mkdir()
        for name in NAMES:
            shutil.copytree(made / "sweep" / name, runs / name, ignore=shutil.ignore_patterns("lock"))
    file = tmp_path / "run"
    file.write_text(RUN.format(made=runs, fails=fails))
    file.chmod(0o755)
    return str(file)


def write_site(tmp_path, far, settings):
    given = {"kind": "facility", "url": far.url, "resource": "cpu", "storage": "scratch"}
    given |= {"directory": str(far.root), "token_variable": "FACILITY_LOGIN"} | settings
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items() if value is not None]
    (tmp_path / "sites.toml").write_text("\n".join(["[far]", *lines, ""]))


def test_a_sweep_goes_there_and_comes_back(site, tmp_path):
    code, out, err = site.submit()
    assert (code, err) == (0, "")
    assert json.loads(out)["points"] == [0, 1, 2]
    spec = site.jobs["100"]["spec"]
    assert spec["attributes"] == {"duration": 1800, "queue_name": "debug", "account": "m123"}
    assert spec["executable"] == "/bin/bash"
    site.wait()
    assert site.states() == ["ended"] * 3
    assert "have ended elsewhere" in site.submit()[2]
    assert site.cli("fetch", "sweep")[:2] == (0, "3 points fetched\n")
    assert site.states() == ["max_steps"] * 3
    for name in NAMES:
        assert examine(tmp_path / "sweep" / name).sealed
        for file in ("result.json", "journal.sqlite", "spec.json"):
            assert (tmp_path / "sweep" / name / file).read_bytes() == (site.made / name / file).read_bytes()
    before = len(site.requests)
    assert site.cli("fetch", "sweep")[1] == "0 points fetched\n"
    assert len(site.requests) == before  # what is here is not asked for again
    assert "nothing to submit" in site.cli("submit", "study.toml", "--site", "far", "--folder", "sweep")[1]
    code, out, _ = site.cli("run", "study.toml", "--folder", "sweep", "--resume", "--no-plot", "--json")
    assert code == 3  # not converged
    assert len(json.loads(out)["points"]) == 3
    written = "".join(file.read_text(errors="replace") for file in (tmp_path / "sweep").rglob("*") if file.is_file())
    assert TOKEN not in written
    assert not any(TOKEN.encode() in body for body in site.bodies)
    assert not any(TOKEN in file.read_text(errors="replace") for file in site.root.rglob("*") if file.is_file())


@pytest.mark.slow  # 3 s: looks are half a second apart, and more
def test_waiting_fetches_and_a_failed_point_says_why(site, made, tmp_path):
    site.settings(python=program(tmp_path, made, fails=1))
    code, out, _ = site.submit("--wait")
    results = json.loads(out)["results"]
    assert [point["state"] for point in results] == ["max_steps", "failed", "max_steps"]
    assert results[1]["message"] == "the disk is full"
    assert code == 1
    program(tmp_path, made)
    code, out, _ = site.submit("--wait")
    assert json.loads(out)["points"] == [1]
    assert site.states() == ["max_steps"] * 3


def test_a_campaign_on_two_sites_fills_one_folder(site, tmp_path):
    _, out, _ = site.submit("--points", "1-2")
    assert json.loads(out)["points"] == [1, 2]
    program_here = tmp_path / "run"
    with (tmp_path / "sites.toml").open("a") as sites:
        sites.write(f'[local]\nkind = "local"\npython = "{program_here}"\n')
    _, out, err = site.cli("submit", "study.toml", "--folder", "sweep", "--points", "h=0.5", "--wait", "--json")
    assert err == ""
    assert json.loads(out)["points"] == [0]
    site.wait()
    site.cli("fetch", "sweep")
    assert site.states() == ["max_steps"] * 3
    record = json.loads((tmp_path / "sweep" / "batch" / "submissions.json").read_text())
    assert [(one["site"], one["points"]) for one in record["submissions"]] == [("far", [1, 2]), ("local", [0])]
    _, out, _ = site.cli("run", "study.toml", "--folder", "sweep", "--resume", "--no-plot", "--json")
    assert [point["values"]["h"] for point in json.loads(out)["points"]] == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("fault", ["lost", pytest.param("late", marks=pytest.mark.slow), 500])
def test_a_job_whose_answer_is_lost_is_found_by_its_name(site, monkeypatch, fault):
    if fault == "late":
        monkeypatch.setattr(asking, "ANSWER_S", 2.0)
    site.faults["POST /compute/job"] = [None, fault]
    code, _, err = site.submit()
    if fault == 500:  # it was not done, and nobody knows
        assert code == 5
        assert "looked for by its name" in err
        monkeypatch.setattr(asking, "ANSWER_S", 60.0)
        site.wait()
        assert site.states() == ["ended", "missing", "missing"]
        site.cli("fetch", "sweep")
        assert json.loads(site.submit()[1])["points"] == [1, 2]
    else:
        assert (code, err) == (0, "")
    names = [job["spec"]["name"] for job in site.jobs.values()]
    assert len(names) == 3
    assert len({name.rpartition(".")[2] for name in names}) == 3


def test_a_client_that_was_killed_before_it_could_write_sends_no_job_twice(site, tmp_path, monkeypatch):
    from hybrid.sites.record import Submitted

    def killed(self):
        if self.submissions and self.submissions[-1].jobs:
            raise SystemExit(9)
        write(self)

    write = Submitted.write
    with monkeypatch.context() as until_then:
        until_then.setattr(Submitted, "write", killed)
        assert site.submit()[0] == 9
    (number,) = site.jobs
    code, _, err = site.submit()
    assert code == 2
    assert "wait or run already, or have ended elsewhere" in err
    site.wait()
    site.cli("fetch", "sweep")
    assert json.loads(site.submit()[1])["points"] == [1, 2]
    assert sorted(job["spec"]["name"].rpartition(".")[2] for job in site.jobs.values()) == ["0", "1", "2"]
    assert number == "100"


def test_a_facility_that_knows_requests_again_is_told_a_key(site):
    site.settings(idempotency=True)
    site.listed = False  # it is not searched: the same request is made again
    site.faults["POST /compute/job"] = ["lost", 503]
    assert site.submit("--points", "0")[0] == 0
    assert site.requests.count("POST /compute/job/cpu") == 3
    assert len(site.jobs) == len(site.keys) == 1
    assert all(re.fullmatch(r"[0-9a-f-]{36}", key) for key in site.keys)


@pytest.mark.parametrize(("status", "words"), [(401, "wrong or has expired"), (403, "does not allow this")])
def test_a_token_that_is_not_taken(site, status, words):
    site.faults["POST"] = [status]
    code, _, err = site.submit()
    assert code == 5
    assert words in err
    assert TOKEN not in err
    assert not site.jobs
    assert site.submit()[0] == 0  # nothing was lost


def test_a_busy_facility_is_asked_again_when_it_says(site):
    site.faults["POST /compute/job"] = [(429, {"Retry-After": "0"}), (429, {"Retry-After": "0"})]
    site.faults["GET /task"] = [503, 500, (429, {"Retry-After": "0"})]
    assert site.submit("--points", "0")[0] == 0
    assert len(site.jobs) == 1
    site.faults["POST /compute/job"] = [(429, {"Retry-After": "0"})] * 4
    code, _, err = site.submit("--points", "1")
    assert code == 5
    assert "takes no more requests for now" in err


def test_a_job_that_is_refused_says_why_and_can_be_sent_again(site):
    site.faults["POST /compute/job"] = [422]
    code, _, err = site.submit()
    assert code == 5
    assert "HTTP status 422: no, with [secret]" in err
    assert site.submit()[0] == 0


def test_files_that_come_damaged_are_asked_for_again_and_then_refused(site, tmp_path):
    site.submit("--points", "0")
    site.wait()
    site.faults["POST /filesystem/download"] = ["half", None]
    assert site.cli("fetch", "sweep")[1] == "1 point fetched\n"
    site.submit("--points", "1")
    site.wait()
    site.faults["POST /filesystem/download"] = ["half"] * 3
    code, _, err = site.cli("fetch", "sweep")
    assert code != 0
    assert "came otherwise than it is at the facility" in err
    assert site.states()[:2] == ["max_steps", "ended"]
    there = next(site.root.glob("*/run/h=1.0/journal.sqlite"))
    with sqlite3.connect(there) as database:  # somebody changes it there: the digest agrees, and the chain does not
        database.execute("UPDATE evaluation SET seconds = 0.123")
    code, _, err = site.cli("fetch", "sweep")
    assert "was changed on the way" in err
    assert not (tmp_path / "sweep" / "h=1.0" / "result.json").exists()


def test_what_waits_is_seen_and_cancelled(site):
    site.runs = False
    site.submit()
    points = json.loads(site.cli("status", "sweep", "--json")[1])["points"]
    assert {(p["state"], p["reason"]) for p in points} == {("pending", "waiting for its turn")}
    assert [p["job"] for p in points] == ["100", "101", "102"]
    assert site.cli("cancel", "sweep", "0", "2")[1] == "2 points cancelled\n"
    site.start("101")
    site.wait()
    site.cli("fetch", "sweep")
    assert site.states() == ["cancelled", "max_steps", "cancelled"]


def test_who_cannot_ask_is_told_so(site, monkeypatch):
    site.runs = False
    site.submit("--points", "0")
    monkeypatch.delenv("FACILITY_LOGIN")
    code, out, _ = site.cli("status", "sweep", "--json")
    assert json.loads(out)["points"][0]["state"] == "unknown"
    assert "FACILITY_LOGIN" in json.loads(out)["points"][0]["message"]
    assert code == 5
    assert "no token" in site.submit("--points", "1")[2]


def test_sites_and_dry_runs(site, tmp_path):
    _, out, _ = site.cli("sites", "--json")
    far = next(one for one in json.loads(out)["sites"] if one["name"] == "far")
    assert (far["kind"], far["reachable"]) == ("facility", True)
    assert TOKEN not in out
    site.faults["POST /compute/status"] = [401]
    out = site.cli("sites", "--json")[1]
    assert "wrong or has expired" in json.loads(out)["sites"][1]["why"]
    before = len(site.requests)
    out = json.loads(site.submit("--dry-run")[1])
    assert len(site.requests) == before
    assert len(out["commands"]) == 3
    assert "HYBRID_END_TIME" in out["script"]
    assert TOKEN not in json.dumps(out)
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "http://facility.example/api/v1"}, "must begin with https://"),
        ({"url": "https://me:word@facility.example/"}, "must be an address"),
        ({"directory": "scratch"}, "absolute path"),
        ({"token_variable": ""}, "either token_variable or token_file"),
        ({"token_file": "~/token"}, "either token_variable or token_file"),
        ({"throttle": 3}, "knows no such limit"),
        ({"token": "abc"}, "unknown key"),
    ],
)
def test_settings_that_cannot_be(site, change, words):
    site.settings(**change)
    code, _, err = site.submit()
    assert code == 2
    assert words in err


def test_a_token_in_a_file_is_its_owners_alone(site, tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o644)
    site.settings(token_variable=None, token_file=str(file))
    assert "chmod 600" in site.submit("--points", "0")[2]
    file.chmod(0o600)
    assert site.submit("--points", "0")[0] == 0


def test_inputs_go_along_and_those_elsewhere_are_refused(site, tmp_path):
    graph = (
        '[problem]\nkind = "maxcut"\npath = "{p}"\n[ansatz]\nkind = "qaoa"\nlayers = 1\n[backend]\nname = "reference"\n'
    )
    (tmp_path / "data").mkdir()
    for place in (tmp_path / "data" / "graph.txt", tmp_path.parent / "graph.txt"):
        place.write_text("0 1\n1 2\n")
    (tmp_path / "study.toml").write_text(graph + '[sweep]\np = ["data/graph.txt"]\n')
    site.runs = False
    assert site.submit()[0] == 0
    assert next(site.root.glob("*/inputs/data/graph.txt")).read_text() == "0 1\n1 2\n"
    (tmp_path / "study.toml").write_text(graph + '[sweep]\np = ["../graph.txt"]\n')
    code, _, err = site.cli("submit", "study.toml", "--site", "far", "--folder", "other")
    assert code == 2
    assert "lies outside of the study's folder" in err


@pytest.mark.slow  # 10 s: true runs in fresh processes
def test_true_runs_give_the_same_bits_and_go_on_from_what_is_here(site, made, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    site.settings(python=sys.executable, time=None)
    hybrid.sweep(tmp_path / "study.toml", folder=tmp_path / "sweep", only=["0"], should_stop=stop_after(4))
    begun = (tmp_path / "sweep" / "h=0.5" / "spec.json").read_bytes()
    _, out, err = site.submit("--points", "0-1", "--points-per-task", "2", "--wait")
    assert json.loads(out)["points"] == [0, 1], err
    assert (tmp_path / "sweep" / "h=0.5" / "spec.json").read_bytes() == begun
    for name in NAMES[:2]:
        here, there = (
            json.loads((home / name / "result.json").read_text()) for home in (made / "sweep", tmp_path / "sweep")
        )
        assert (here["energy"], here["theta"]) == (there["energy"], there["theta"])
        assert examine(tmp_path / "sweep" / name).sealed


def stop_after(times):
    asked = []
    return lambda: asked.append(1) or len(asked) > times
