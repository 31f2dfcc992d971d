"""`hybrid machine`, of runs and of studies."""

import json

import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.cli.machine import machine

STUDY = """
[problem]
kind = "tfim"
n = {n}
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
kind = "spsa"
max_steps = 20
[backend]
name = "statevector"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "ended"
    return hybrid.minimize(
        hardware_efficient(3, layers=1), tfim(3), backend="statevector", optimizer="spsa", max_steps=4, folder=place
    )


def test_a_run_is_divided_and_changed(run, capsys, tmp_path):
    machine(run.folder, simulator=4.0, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["seconds"]["simulator"] == pytest.approx(found["before_s"]["simulator"] / 4)
    assert found["work"]["rows"] == run.evaluations
    machine(run.folder, gpu="1e6,1e-3", picture=tmp_path / "faster.png")
    shown = " ".join(capsys.readouterr().out.split())
    assert "a card of 1e+06 GFLOP/s and 0.001 GB/s" in shown
    assert "intensity" in shown
    assert (tmp_path / "faster.png").stat().st_size > 1000


def test_a_study_is_predicted(capsys, tmp_path):
    study = tmp_path / "study.toml"
    study.write_text(STUDY.format(n=4))
    machine(study, optimizer=2.0, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["measured"] is False
    assert found["seconds"]["optimizer"] == pytest.approx(found["before_s"]["optimizer"] / 2)
    assert "work" not in found
    study.write_text(STUDY.format(n='"{n}"') + "[sweep]\nn = [3, 4]\n")
    with pytest.raises(Refused, match="sweep of 2 points"):
        machine(study)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"simulator": 2.0}, "asked of a run or a study"),
        ({"qubits": "many"}, "--qubits must be whole numbers"),
        ({"gpu": "fast"}, "--gpu must be GFLOP/s and GB/s"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(Refused, match=said):
        machine(**options)


def test_a_run_without_jobs_has_no_queue(run):
    with pytest.raises(Refused, match="no job is sent"):
        machine(run.folder, queue_s=1.0)
