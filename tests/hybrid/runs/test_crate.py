"""Runs as RO-Crates: they say what the record says, others' validator accepts them, and they can be repeated."""

import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.loop.rerun import rerun
from hybrid.runs.crate.words import Words
from hybrid.runs.crate.write import write
from hybrid.runs.evidence import examine
from hybrid.runs.files import digest_of

rocrate = pytest.importorskip("rocrate.rocrate")

SHOTS = {"shots": 64, "optimizer": "spsa", "accuracy": 0.2, "max_steps": 5}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A run, and a folder of two runs as a sweep leaves it."""
    home = tmp_path_factory.mktemp("home")
    for name, seed, options in (("run", 0, {}), ("sweep/seed=1", 1, SHOTS), ("sweep/seed=2", 2, SHOTS)):
        circuit = hardware_efficient(2, layers=1)
        hybrid.minimize(circuit, tfim(2), backend="reference", seed=seed, folder=home / name, **options)
    return home


def graph(path):
    with zipfile.ZipFile(path) as file:
        nodes = json.loads(file.read("ro-crate-metadata.json"))["@graph"]
    return {node["@id"]: node for node in nodes}


def test_a_crate_says_what_the_record_says(home, tmp_path):
    path = write(home / "run", tmp_path / "run.zip", agent="https://orcid.org/0000-0002-1825-0097", terms="Ask us.")
    nodes, spec = graph(path), json.loads((home / "run" / "spec.json").read_text())
    action, root = nodes["#run"], nodes["./"]
    assert action["startTime"] == spec["provenance"]["created_utc"].replace("Z", "+00:00")
    assert {one["@id"] for one in action["object"]} == {"spec.json", "circuit.qpy", "hamiltonian.json"}
    assert {one["@id"] for one in action["result"]} == {"journal.sqlite", "result.json"}
    assert examine(home / "run").head in action["description"]
    assert action["agent"] == {"@id": "https://orcid.org/0000-0002-1825-0097"}
    assert nodes[root["license"]["@id"]]["description"] == "Ask us."
    for name, version in spec["provenance"]["packages"].items():
        if name != "hybrid-codesign":
            assert nodes[f"https://pypi.org/project/{name}/{version}/"]["softwareVersion"] == version
    assert any(node.get("name") == spec["provenance"]["machine"] for node in nodes.values())


def test_nothing_is_made_up(home, tmp_path):
    nodes = graph(write(home / "run", tmp_path / "run.zip"))
    assert "agent" not in nodes["#run"]
    assert nodes["./"]["license"].startswith("No license was given")
    assert not any("Person" in str(node["@type"]) for node in nodes.values())


def test_the_files_come_out_as_they_went_in_and_verify(home, tmp_path):
    path = write(home / "run", tmp_path / "run.zip")
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path / "out")
    assert examine(tmp_path / "out").head == examine(home / "run").head
    said = json.loads((tmp_path / "out" / "provenance.jsonld").read_text())["@graph"]
    digests = {node["@id"]: node["schema:sha256"] for node in said if node["@type"] == "prov:Entity"}
    assert len(digests) == 5
    assert all(digest_of(tmp_path / "out" / name) == digest for name, digest in digests.items())
    (activity,) = [node for node in said if node["@type"] == "prov:Activity"]
    assert {one["@id"] for one in activity["prov:used"]} == {"spec.json", "circuit.qpy", "hamiltonian.json"}


def test_a_sweep_is_one_crate(home, tmp_path):
    nodes = graph(write(home / "sweep", tmp_path / "sweep.zip"))
    assert {one["@id"] for one in nodes["./"]["mentions"]} == {"#run-seed%3D1", "#run-seed%3D2"}
    assert nodes["#run-seed%3D2"]["result"][0]["@id"].startswith("seed%3D2/")


def test_what_was_changed_or_has_not_ended_is_not_handed_on(home, tmp_path):
    run = Path(shutil.copytree(home / "run", tmp_path / "run"))
    with pytest.raises(Refused, match="no such folder"):
        write(tmp_path / "nothing", tmp_path / "out.zip")
    (run / "circuit.qpy").write_bytes(b"another")
    with pytest.raises(Refused, match=r"circuit.qpy: changed"):
        write(run, tmp_path / "out.zip")
    shutil.copy(home / "run" / "circuit.qpy", run)
    (run / "result.json").unlink()
    with pytest.raises(Refused, match="has not ended"):
        write(run, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_a_crate_is_repeated_elsewhere_to_the_same_bits(home, tmp_path):
    path = write(home / "sweep", tmp_path / "sweep.zip")
    repeated = list(rerun(path, tmp_path / "again"))
    assert [one.name for one in repeated] == ["seed=1", "seed=2"]
    assert {one.verdict for one in repeated} == {"same bits"}
    for one in repeated:
        first, again = hybrid.load(home / "sweep" / one.name), hybrid.load(tmp_path / "again" / one.name)
        assert first.history.same_bits(again.history)
        assert examine(tmp_path / "again" / one.name).head != examine(home / "sweep" / one.name).head


def test_what_is_different_is_said_and_why(home, tmp_path, monkeypatch):
    """The values of the record are lowered by a thousandth in all rows, and its chain made anew, as a liar might."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "verification"))
    import forge

    run = Path(shutil.copytree(home / "run", tmp_path / "run"))
    forge.last_energy(-1e-3, everywhere=True)(run, None)
    assert examine(run).faults == ()
    (one,) = rerun(run, tmp_path / "again")
    assert one.verdict == "different"
    assert "1.0e-03 coupling apart" in one.reason
    assert "versions and machine are the same" in one.reason


def test_a_changed_crate_is_not_repeated(home, tmp_path):
    run = Path(shutil.copytree(home / "run", tmp_path / "run"))
    with sqlite3.connect(run / "journal.sqlite") as database:
        database.execute("UPDATE evaluation SET seconds = 0 WHERE number = 1")
    with pytest.raises(Refused, match="evaluation, row 1: changed"):
        list(rerun(run, tmp_path / "again"))
    (tmp_path / "no.zip").write_text("no crate")
    with pytest.raises(Refused, match="cannot be unpacked"):
        list(rerun(tmp_path / "no.zip", tmp_path / "again"))


def test_commands_write_and_repeat(home, tmp_path, cli):
    code, out, _ = cli("export", home / "run", "--format", "crate", "--output", tmp_path / "run.zip")
    assert (code, "run.zip" in out) == (0, True)
    code, out, err = cli("rerun", tmp_path / "run.zip", "--folder", tmp_path / "again", "--json")
    assert code == 0, err
    assert json.loads(out)["runs"][0]["verdict"] == "same bits"


VALIDATE = """
import json, sys
from types import SimpleNamespace

from rocrate_validator import models, services
from rocrate_validator.utils import document_loader, http

# The terms of RO-Crate as the package rocrate brings them; these few stood elsewhere in version 1.1.
context = json.load(open(sys.argv[2]))
for name in ("ComputationalWorkflow", "FormalParameter"):
    context["@context"][name] = f"https://bioschemas.org/{name}"
for name in ("input", "output"):
    context["@context"][name] = f"https://bioschemas.org/ComputationalWorkflow#{name}"
kind = {"Content-Type": "application/ld+json"}
answer = SimpleNamespace(status_code=200, headers=kind, json=lambda: context, text=json.dumps(context))
http.HttpRequester.get = lambda self, url, **options: answer
document_loader._fetch_json_ld = lambda url: context
for profile in ("workflow-run-crate-0.5",):  # and all that it stands on
    settings = services.ValidationSettings(
        rocrate_uri=models.URI(sys.argv[1]),
        profile_identifier=profile,
        requirement_severity=models.Severity.RECOMMENDED,
    )
    for issue in services.validate(settings).get_issues():
        print(issue.severity.name, profile, issue.check.identifier, issue.message, issue.violatingEntity)
"""


@pytest.fixture(scope="module")
def validator(tmp_path_factory):
    """Python with roc-validator, in an environment of its own, since it wants an older rich."""
    place = tmp_path_factory.mktemp("validator") / "venv"
    uv, python = Path(sys.executable).with_name("uv"), place / "bin" / "python"
    subprocess.run([uv, "venv", "-q", place], check=True)
    installed = subprocess.run([uv, "pip", "install", "-q", "-p", python, "roc-validator==0.13.0"], capture_output=True)
    if installed.returncode:
        pytest.skip(f"roc-validator cannot be installed here: {installed.stderr.decode()[-200:]}")
    return python


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run", "sweep"])
def test_the_validator_of_ro_crate_accepts_it(name, home, tmp_path, validator):
    given = {"agent": "Anna", "terms": "https://spdx.org/licenses/CC-BY-4.0", "usage": "Not for export."}
    given |= {"sites": {"seed=1": {"site": "lab", "kind": "slurm", "job": "12_0", "submission": 1}}}
    if name == "sweep":
        given["redact"] = Words(known={"TFIM": "word"})
    path = write(home / name, tmp_path / f"{name}.zip", **given)
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path / "out")
    terms = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"
    told = subprocess.run([validator, "-c", VALIDATE, tmp_path / "out", terms], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert [line for line in told.stdout.splitlines() if line.startswith("REQUIRED")] == []
