"""What is checked before anything is sent, and what moves with a study."""

import errno
import json
import shutil
from pathlib import Path

import pytest

from circuits.errors import Refused
from hybrid.routing.plan import candidates, rank
from hybrid.sites.local import Local
from hybrid.sites.submit import check_points
from hybrid.studies.preparation import workload_of
from hybrid.studies.study import read

STUDY = """
[problem]
kind = "tfim"
n = 4
[ansatz]
kind = "hardware_efficient"
layers = 1
topology = "{t}"
[backend]
name = "reference"
[sweep]
t = ["linear", "ring"]
"""

GRAPH = """
[problem]
kind = "maxcut"
path = "graph.txt"
[ansatz]
kind = "qaoa"
layers = "{p}"
[backend]
name = "reference"
[sweep]
p = [1, 2]
"""


@pytest.fixture
def handed(monkeypatch):
    """The batches that a site is given, instead of starting anything."""
    batches = []

    def take(self, batch):
        batches.append((batch, batch.script.read_text()))
        yield {"host": "here"}

    monkeypatch.setattr(Local, "submit", take)
    return batches


PRECISION = (
    STUDY.partition("[sweep]")[0].replace("{t}", "ring").replace('"reference"', '"statevector"\nprecision = "single"')
    + '[optimizer]\naccuracy = "{e}"\n[sweep]\ne = [1e-3, 1e-9]\n'
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (STUDY.replace('"ring"]', '"star"]'), ["(at t = star)", "[ansatz]"]),
        (STUDY.replace('"ring"]', f'"{"é" * 127}"]'), ["a name of 256 bytes", "shorter values"]),
        (PRECISION, ["(at e = 1e-09)", "no backend can run", "single precision cannot"]),
    ],
    ids=["circuit", "name", "precision"],
)
def test_the_last_point_is_checked_before_the_first_is_sent(cli, tmp_path, handed, text, words):
    (tmp_path / "study.toml").write_text(text)
    code, _, err = cli("submit", "study.toml", "--folder", "sweep")
    assert (code, handed, Path("sweep").exists()) == (2, [], False)
    for word in words:
        assert word in err


def test_points_share_what_they_have_in_common(tmp_path, monkeypatch):
    """Ten seeds of two depths: one problem, two circuits."""
    import hybrid.studies.study as module

    (tmp_path / "study.toml").write_text(
        STUDY.replace("layers = 1", 'layers = "{p}"')
        .replace('"{t}"', '"ring"')
        .replace('t = ["linear", "ring"]', f"seed = {list(range(10))}\np = [1, 2]")
        .replace("[sweep]", '[run]\nseed = "{seed}"\n[sweep]')
    )
    study, made = read(tmp_path / "study.toml"), []
    for name in ("_problem", "_circuit"):
        build = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args, name=name, build=build: (made.append(name), build(*args))[1])
    assert len(study.points()) == 20
    check_points(study.points())
    assert made == ["_problem", "_circuit", "_circuit"]


def test_what_does_not_fit_here_may_fit_where_it_runs(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.replace("n = 4", "n = 36").replace('"reference"', '"lightning"'))
    points = read(tmp_path / "study.toml").points()
    work, backend = workload_of(points[0])
    with pytest.raises(Refused, match=r"are free|qubits"):
        _ = rank(work, candidates(backend)).chosen
    check_points(points)


def test_a_study_goes_on_where_it_was_moved_with_its_inputs_and_its_record(cli, tmp_path, handed):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "graph.txt").write_text("0 1\n1 2\n0 2\n")
    (first / "study.toml").write_text(GRAPH)
    assert cli("submit", first / "study.toml", "--folder", first / "sweep")[0] == 0
    shutil.move(first, second)
    record = second / "sweep" / "batch" / "submissions.json"
    assert json.loads(record.read_text())["study"] == "../study.toml"
    code, _, err = cli("submit", second / "study.toml", "--folder", second / "sweep")
    assert code == 0, err
    (_, before), (batch, after) = handed
    assert batch.run == second / "sweep"
    assert str(first) in before
    assert str(first) not in after
    (second / "study.toml").write_text(GRAPH.replace("layers", "# layers\nlayers"))
    assert cli("submit", second / "study.toml", "--folder", second / "sweep")[0] == 0, "a comment is no other study"
    (second / "study.toml").write_text(GRAPH.replace("[1, 2]", "[1, 3]"))
    assert "holds another study" in cli("submit", second / "study.toml", "--folder", second / "sweep")[2]


@pytest.mark.parametrize("full", ["mkdir", "write_text", "write_bytes"])
def test_a_full_disk_is_one_sentence(cli, tmp_path, handed, monkeypatch, full):
    (tmp_path / "study.toml").write_text(STUDY)

    def no_space(self, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, full, no_space)
        code, out, err = cli("submit", "study.toml", "--folder", "sweep")
    assert (code, out, handed) == (1, "", [])
    assert "No space left on device" in err
    assert err.count("\n") == 1
    assert cli("submit", "study.toml", "--folder", "sweep")[0] == 0


def test_a_folder_that_vanishes_is_one_sentence(cli, tmp_path, handed, monkeypatch):
    (tmp_path / "study.toml").write_text(STUDY)

    def vanish(self, batch):
        shutil.rmtree(batch.run)
        yield {"host": "here"}

    monkeypatch.setattr(Local, "submit", vanish)
    code, _, err = cli("submit", "study.toml", "--folder", "sweep")
    assert code == 1
    assert "submissions.json cannot be written" in err


@pytest.mark.parametrize("place", ["study.toml", "study.toml/sweep"])
def test_a_folder_that_is_a_file_is_one_sentence(cli, tmp_path, handed, place):
    (tmp_path / "study.toml").write_text(STUDY)
    code, _, err = cli("submit", "study.toml", "--folder", place)
    assert code in (1, 2)
    assert err.count("\n") == 1
    assert not handed
