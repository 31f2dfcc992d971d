"""Damaged records: each is one sentence that names the file, whatever somebody or a disk has done to it."""

import json

import pytest

from hybrid.sites.local import Local

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
h = [0.5, 1.0]
"""

NO_JSON = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 10**5, b'{"a":' * 10**5, b"1" * 10**5]


@pytest.fixture
def batch(cli, tmp_path, monkeypatch):
    """The folder of a submission that went nowhere."""
    (tmp_path / "study.toml").write_text(STUDY)
    with monkeypatch.context() as patch:
        patch.setattr(Local, "submit", lambda self, batch: iter([{"host": "here"}]))
        assert cli("submit", "study.toml", "--folder", "sweep")[0] == 0
    return tmp_path / "sweep" / "batch"


@pytest.fixture
def refused(cli):
    """Every command refuses, in one line that holds these words."""

    def check(*words, commands=("status", "cancel", "submit", "run")):
        for command in commands:
            given = {"submit": ["study.toml", "--folder"], "run": ["study.toml", "--resume", "--no-plot", "--folder"]}
            code, out, err = cli(command, *given.get(command, []), "sweep")
            assert (code, out) == (2, ""), (command, err)
            assert err.count("\n") == 1
            assert len(err) < 1000
            for word in words:
                assert word in err

    return check


@pytest.mark.parametrize("content", NO_JSON)
def test_what_is_no_json_object(batch, refused, content):
    (batch / "submissions.json").write_bytes(content)
    refused("submissions.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("study", 3),
        ("points", {"h": 1}),
        ("points", [[0.5], [1.0]]),
        ("points", [{"h": 0.5}]),
        ("names", "h=0.5"),
        ("names", ["h=0.5", None]),
        ("names", ["h=0.5", "../h=1.0"]),
        ("names", []),
        ("submissions", None),
        ("submissions", [3]),
        ("submissions.0.number", "1"),
        ("submissions.0.kind", "pbs"),
        ("submissions.0.kind", ["local"]),
        ("submissions.0.points", [0, "1"]),
        ("submissions.0.points", [0, 2]),
        ("submissions.0.points", [-1]),
        ("submissions.0.points", [10**400]),
        ("submissions.0.points", [0.5]),
        ("submissions.0.points", [True]),
        ("submissions.0.jobs", {"id": 3}),
        ("submissions.0.jobs", ["7"]),
        ("submissions.0.answered", "yes"),
        ("submissions.0.cancelled", [7]),
        ("submissions.0.more", 1),
        ("more", 1),
    ],
)
def test_what_is_of_the_wrong_kind(batch, refused, key, value):
    path = batch / "submissions.json"
    content = json.loads(path.read_text())
    *way, last = key.split(".")
    place = content
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value
    path.write_text(json.dumps(content))
    refused("submissions.json", "damaged")


@pytest.mark.parametrize(
    "job", [{}, {"id": "7"}, {"id": 7, "offset": 0}, {"id": "--me", "offset": 0}, {"id": "7", "offset": "0"}]
)
def test_a_job_of_slurm_without_a_number(batch, refused, job, monkeypatch):
    monkeypatch.setattr("hybrid.sites.slurm._ask", lambda command: "")
    path = batch / "submissions.json"
    content = json.loads(path.read_text())
    content["submissions"][0] |= {"kind": "slurm", "jobs": [job]}
    path.write_text(json.dumps(content))
    refused("damaged", "submission 1")


@pytest.mark.parametrize(
    "content",
    [
        *NO_JSON,
        b'{"host": 3, "pending": []}',
        b'{"pending": []}',
        b'{"host": "a", "pending": 3}',
        b'{"host": "a", "pending": ["0"]}',
        b'{"host": "a", "pending": [], "running": {"1": 2}}',
    ],
)
def test_what_a_driver_wrote(batch, refused, content):
    (batch / "local-1.json").write_bytes(content)
    (batch / "local-1.lock").touch()
    refused("local-1.json")


def test_a_folder_in_the_place_of_a_file(batch, refused):
    (batch / "submissions.json").unlink()
    (batch / "submissions.json").mkdir()
    refused("nothing was submitted", commands=("status", "cancel"))
