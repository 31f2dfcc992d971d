"""`hybrid compare`: one study on several backends and with several optimizers."""

import json
from pathlib import Path

import pytest

from circuits.errors import Refused
from hybrid.studies.alternatives import read_alternatives

STUDY = """
[problem]
kind = "tfim"
n = 2
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
kind = "lbfgs"
max_steps = 40
[backend]
name = "reference"
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "chain.toml"
    path.write_text(STUDY)
    return path


def test_every_backend_with_every_optimizer(study):
    alternatives = read_alternatives(study, backends=["reference", "aer"], optimizers=["lbfgs", "adam"])
    asked = [(point.spec.backend.name, point.spec.optimizer.kind) for point in alternatives.points()]
    assert asked == [("reference", "lbfgs"), ("reference", "adam"), ("aer", "lbfgs"), ("aer", "adam")]
    assert all(point.spec.optimizer.max_steps == 40 for point in alternatives.points())


def test_a_sweep_of_the_file_goes_on_beside_it(study):
    study.write_text(STUDY.replace("n = 2", 'n = "{n}"') + "[sweep]\nn = [2, 3]\n")
    names = [point.name for point in read_alternatives(study, backends=["reference", "aer"]).points()]
    assert names == ["n=2,backend=reference", "n=2,backend=aer", "n=3,backend=reference", "n=3,backend=aer"]


def test_what_cannot_be_compared_is_refused(study):
    with pytest.raises(Refused, match="nothing to compare; give --backends"):
        read_alternatives(study)
    with pytest.raises(Refused, match="twice"):
        read_alternatives(study, backends=["aer", "aer"])
    study.write_text(STUDY.replace('"reference"', '"{backend}"') + '[sweep]\nbackend = ["aer"]\n')
    with pytest.raises(Refused, match="swept by --backends already"):
        read_alternatives(study, backends=["aer", "reference"])


def test_the_command_runs_and_shows_them_and_goes_on(cli, study):
    code, out, _ = cli("compare", study, "--backends", "reference, statevector", "--folder", "here", "--json")
    told = json.loads(out)
    assert code == 0
    assert [run["label"] for run in told["runs"]] == ["reference", "statevector"]
    energies = [run["energy"] for run in told["runs"]]
    assert energies[0] == pytest.approx(energies[1], abs=1e-8)
    assert Path(told["picture"]).read_bytes().startswith(b"\x89PNG")
    assert cli("compare", study, "--backends", "reference,statevector", "--folder", "here")[0] == 2
    code, again, _ = cli(
        "compare", study, "--backends", "reference,statevector", "--folder", "here", "--resume", "--json"
    )
    assert code == 0
    assert [run["energy"] for run in json.loads(again)["runs"]] == energies
    code, stored, _ = cli("compare", "here", "--json")
    assert code == 0
    assert {run["label"] for run in json.loads(stored)["runs"]} == {"reference", "statevector"}


def test_a_backend_that_nobody_has_is_found_before_anything_runs(cli, study):
    code, _, err = cli("compare", study, "--backends", "reference,nowhere", "--folder", "here")
    assert code == 2
    assert "backend = nowhere" in err
    assert not Path("here").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["here", "--backends", "aer"], "are for a study file"),
        (["a.toml", "b.toml", "--backends", "aer"], "2 paths were given"),
        (["a.toml", "--backends", "aer"], "no such file"),
        (["nowhere"], "no such folder"),
    ],
)
def test_the_message_says_what_would_be_right(cli, words, message):
    code, _, err = cli("compare", *words)
    assert code == 2
    assert message in err
