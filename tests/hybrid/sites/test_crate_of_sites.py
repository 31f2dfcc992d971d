"""A sweep that ran on two sites, some points here and some under a real Slurm, as one crate."""

import importlib.util
import json
import zipfile
from pathlib import Path

import pytest

from hybrid.runs.evidence import examine

ROOT = Path(__file__).parents[3]

spec = importlib.util.spec_from_file_location("cluster", Path(__file__).with_name("cluster.py"))
assert spec is not None
assert spec.loader is not None
cluster = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cluster)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.skipif(cluster.why_not() is not None, reason=str(cluster.why_not())),
]

STUDY = """
[problem]
kind = "tfim"
n = 3
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[backend]
name = "statevector"
[sweep]
h = [1.0, 1.5, 2.0]
"""

SITES = """
[lab]
kind = "slurm"
partition = "test"
time = "2"
warn_s = 5
cpus = 1
environment = { OMP_NUM_THREADS = "1" }
"""


@pytest.fixture
def swept(tmp_path, monkeypatch, cli):
    """The folder of a study whose first point ran here, and the others under Slurm."""
    pytest.importorskip("rocrate.rocrate")
    (tmp_path / "sites.toml").write_text(SITES)
    (tmp_path / "study.toml").write_text(STUDY)
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "sweep"
    code, _, err = cli("run", "study.toml", "--folder", folder, "--only", "h=1.0")
    assert code == 0, err
    with cluster.Cluster(cpus=2, array_size=12) as slurm:
        monkeypatch.setenv("SLURM_CONF", str(slurm.conf))
        code, _, err = cli("submit", "study.toml", "--site", "lab", "--folder", folder, "--wait")
        assert code == 0, err
    return folder


def nodes_of(crate):
    with zipfile.ZipFile(crate) as file:
        return {node["@id"]: node for node in json.loads(file.read("ro-crate-metadata.json"))["@graph"]}


def test_points_of_two_sites_are_one_crate_which_says_where_each_ran(swept, cli, tmp_path):
    code, _, err = cli("export", swept, "--crate", "--output", tmp_path / "plain.zip")
    assert code == 0, err
    nodes = nodes_of(tmp_path / "plain.zip")
    assert {one["@id"] for one in nodes["./"]["mentions"]} == {f"#run-h%3D{h}" for h in ("1.0", "1.5", "2.0")}
    with zipfile.ZipFile(tmp_path / "plain.zip") as file:
        sites = json.loads(file.read("sites.json"))
    job = json.loads((swept / "batch" / "submissions.json").read_text())["submissions"][0]["jobs"][0]["id"]
    assert sites["h=1.5"] == {"site": "lab", "kind": "slurm", "job": f"{job}_1", "submission": 1}
    assert set(sites) == {"h=1.5", "h=2.0"}
    assert f"submitted to lab (slurm, job {job}_1)" in nodes["#run-h%3D1.5"]["description"]
    assert "submitted" not in nodes["#run-h%3D1.0"]["description"]

    code, _, err = cli("import", tmp_path / "plain.zip", "--folder", tmp_path / "ours")
    assert code == 0, err
    for point in ("h=1.0", "h=1.5", "h=2.0"):
        assert examine(tmp_path / "ours" / point).head == examine(swept / point).head
    code, out, _ = cli("compare", swept, tmp_path / "ours", "--json")
    assert [one["verdict"] for one in json.loads(out)["agreements"]] == ["same bits"] * 3

    code, _, err = cli("export", swept, "--crate", "--redact", "--output", tmp_path / "redacted.zip")
    assert code == 0, err
    with zipfile.ZipFile(tmp_path / "redacted.zip") as file:
        content = {name: file.read(name) for name in file.namelist()}
    for name, found in content.items():
        for word in (str(tmp_path), '"lab"', f'"{job}_1"', f"lab (slurm, job {job}"):
            assert word.encode() not in found, (name, word)
    withheld = {
        one["word"]: one["kind"]
        for one in json.loads((tmp_path / "redacted.zip.withheld.json").read_text())["withheld"]
    }
    assert (withheld["lab"], withheld[f"{job}_1"]) == ("site", "job")
    code, _, err = cli("import", tmp_path / "redacted.zip", "--folder", tmp_path / "theirs")
    assert code == 0, err
