"""A Slurm that hangs, loses its answer, or says something else: programs on PATH stand for it."""

import json
import os

import pytest

STUDY = """
[problem]
kind = "tfim"
n = 2
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[backend]
name = "reference"
[sweep]
h = [0.5, 1.0, 2.0]
"""

PROGRAMS = {
    "scontrol": "echo 'MaxArraySize = 2'",
    "squeue": 'cat "$FAKE/queue" 2>/dev/null; true',
    "scancel": 'echo "$@" >>"$FAKE/cancelled"',
    "sbatch": 'n=$(cat "$FAKE/number" 2>/dev/null || echo 40); echo $((n + 1)) >"$FAKE/number"; echo "$n;cluster"; '
    'for word in "$@"; do case "$word" in --job-name=*) echo "${word#*=}" >>"$FAKE/names";; esac; done',
}


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Write programs of a Slurm that works, and others in their place; a folder in which they keep what they know."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "sites.toml").write_text('[lab]\nkind = "slurm"\n')
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("FAKE", str(tmp_path))
    monkeypatch.setattr("hybrid.sites.slurm.ANSWER_S", 1)

    def write(**programs):
        for name, text in (PROGRAMS | programs).items():
            (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
            (tmp_path / "bin" / name).chmod(0o755)
        return tmp_path

    return write


@pytest.fixture
def submit(cli):
    def call():
        code, out, err = cli("submit", "study.toml", "--site", "lab", "--folder", "sweep", "--json")
        return json.loads(out)["jobs"] if code == 0 else (code, err)

    return call


def states(cli):
    return [point["state"] for point in json.loads(cli("status", "sweep", "--json")[1])["points"]]


@pytest.mark.parametrize(
    "lost",
    [
        "sleep 20",
        "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1",
        "echo 'Welcome to the cluster'",
        "printf '\\xff'",
    ],
    ids=["hangs", "times out", "says something else", "says no words"],
)
def test_a_job_that_slurm_may_have_taken_is_looked_for_before_another_is_sent(fake, submit, cli, lost):
    place = fake(sbatch=f"({PROGRAMS['sbatch']}) >/dev/null; {lost}")
    code, err = submit()
    assert code == 5
    assert "nobody knows whether it took the job" in err
    (name,) = (place / "names").read_text().split()
    fake()
    (place / "queue").write_text(f"a line that means nothing\n40|0|PENDING|{name}\n40|1|RUNNING|{name}\n")
    assert states(cli) == ["pending", "running", "missing"]
    code, err = submit()
    assert code == 2
    assert "2 of its points wait or run already" in err
    (place / "queue").unlink()
    assert states(cli) == ["missing"] * 3
    assert [job["offset"] for job in submit()] == [0, 2]


def test_what_slurm_refuses_was_not_sent(fake, submit, cli):
    fake(sbatch="echo 'sbatch: error: invalid partition: x' >&2; echo 'sbatch: error: no' >&2; exit 1")
    code, err = submit()
    assert (code, err) == (5, "hybrid: sbatch: error: invalid partition: x; sbatch: error: no\n")
    assert states(cli) == ["missing"] * 3
    fake()
    assert len(submit()) == 2


def test_a_scheduler_that_hangs_when_a_point_is_cancelled_is_no_success(fake, submit, cli):
    place = fake(scancel="sleep 20")
    assert [job["id"] for job in submit()] == ["40", "41"]
    (place / "queue").write_text("40|0|PENDING|a\n40|1|RUNNING|a|b|c\n41|0|RUNNING|x\n7|0|RUNNING|x\n")
    code, out, err = cli("cancel", "sweep", "1")
    assert (code, out) == (5, "")
    assert "scancel did not answer" in err
    fake(scancel="echo 'scancel: error: Invalid job id' >&2; exit 1")
    assert "Invalid job id" in cli("cancel", "sweep", "1")[2]
    assert states(cli) == ["pending", "running", "running"]
    fake()
    assert json.loads(cli("cancel", "sweep", "1-2", "--json")[1])["cancelled"] == [1, 2]
    assert (place / "cancelled").read_text() == "40_[1]\n41_[0]\n"
    (place / "queue").unlink()
    assert states(cli) == ["interrupted", "cancelled", "cancelled"]


def test_a_program_that_cannot_be_run_is_one_sentence(fake, submit, tmp_path):
    fake()
    (tmp_path / "bin" / "scontrol").chmod(0o644)
    os.environ["PATH"] = str(tmp_path / "bin")
    code, err = submit()
    assert code == 5
    assert "scontrol cannot be run here: Permission denied" in err
