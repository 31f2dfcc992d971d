"""A run may start where another has ended: the descent on a simulator, the last mile on a device."""

import json

import numpy as np
import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.runs.listing import listing

PROBLEM = tfim(2)
CIRCUIT = hardware_efficient(2, layers=1)


@pytest.fixture
def first(tmp_path):
    return hybrid.minimize(CIRCUIT, PROBLEM, backend="statevector", folder=tmp_path / "first")


def test_a_device_goes_on_from_a_simulators_angles_and_the_record_says_so(tmp_path, first):
    last = hybrid.minimize(
        *(CIRCUIT, PROBLEM),
        theta=f"run:{first.folder}",
        backend="ibm:fake_manila",
        optimizer="spsa",
        shots=100,
        max_steps=2,
        folder=tmp_path / "last",
    )
    spec = json.loads((last.folder / "spec.json").read_text())
    assert spec["workload"]["theta"] == first.theta.tolist()
    start = spec["notes"]["start"]
    assert (start["run"], start["backend"], start["status"]) == (str(first.folder), "statevector", "converged")
    assert start["energy"] == first.energy
    assert np.abs(last.history.theta[0] - first.theta).max() < 1.0
    assert hybrid.resume(last.folder).history.same_bits(last.history)
    (entry,) = [entry for entry in listing(tmp_path) if entry["folder"] == str(last.folder)]
    assert entry["start"] == start


def test_what_cannot_be_a_start_is_refused(tmp_path, first):
    for theta, reason in (
        ("somewhere", "must be numbers"),
        ("run:", "must be numbers"),
        (f"run:{tmp_path / 'nowhere'}", "no such folder"),
    ):
        with pytest.raises(Refused, match=reason):
            hybrid.minimize(CIRCUIT, PROBLEM, theta=theta, folder=tmp_path / "x")
    with pytest.raises(Refused, match="parameters, the circuit has"):
        hybrid.minimize(hardware_efficient(2, layers=2), PROBLEM, theta=f"run:{first.folder}", folder=tmp_path / "x")
    (first.folder / "result.json").unlink()
    with pytest.raises(Refused, match="no result to start from"):
        hybrid.minimize(CIRCUIT, PROBLEM, theta=f"run:{first.folder}", folder=tmp_path / "x")
    assert not (tmp_path / "x").exists()


STUDY = """
[problem]
kind = "tfim"
n = 2
field = "{h}"
[ansatz]
kind = "hardware_efficient"
layers = 1
[sweep]
h = [0.5, 1.0]
"""


def test_a_study_starts_each_point_from_that_of_another_study(cli, tmp_path):
    (tmp_path / "first.toml").write_text(STUDY)
    last = STUDY + '[backend]\nname = "reference"\n[run]\ntheta = "run:first/h={h}"\n'
    (tmp_path / "last.toml").write_text(last)
    code, _, err = cli("plan", "last.toml")
    assert code == 2
    assert "no run there that has ended" in err
    assert cli("run", "first.toml", "--folder", "first", "--no-plot")[0] == 0
    code, _, err = cli("run", "last.toml", "--folder", "last", "--no-plot", "--json")
    assert code == 0, err
    for h in ("0.5", "1.0"):
        spec = json.loads((tmp_path / "last" / f"h={h}" / "spec.json").read_text())
        result = json.loads((tmp_path / "first" / f"h={h}" / "result.json").read_text())
        assert spec["workload"]["theta"] == result["theta"]
        assert spec["notes"]["start"]["energy"] == result["energy"]
    assert cli("run", "last.toml", "--folder", "last", "--no-plot", "--resume")[0] == 0
    (tmp_path / "last.toml").write_text(last.replace('"run:first/h={h}"', '"first"'))
    code, _, err = cli("plan", "last.toml")
    assert code == 2
    assert "run:FOLDER" in err
    (tmp_path / "last.toml").write_text(last.replace("run:first/h={h}", "run:nowhere"))
    _, _, err = cli("plan", "last.toml")
    assert "no run there that has ended" in err
    assert "list of angles" not in err  # it is none, and says one thing


def test_a_study_may_give_angles(cli, tmp_path):
    theta = [0.1, 0.2, 0.3, 0.4]
    study = STUDY.partition("[sweep]")[0].replace('"{h}"', "1.0") + f"[run]\ntheta = {theta}\n"
    (tmp_path / "x.toml").write_text(study)
    assert cli("run", "x.toml", "--folder", "x", "--no-plot")[0] == 0
    assert json.loads((tmp_path / "x" / "spec.json").read_text())["workload"]["theta"] == theta
