"""Plans for devices: what they would take, also of those that cannot be used here."""

import json
import time

import pytest

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
name = "{name}"
shots = 1000
[run]
label = "{label}"
"""


@pytest.fixture
def plan(cli, tmp_path):
    def call(name, *, n=3, label="open"):
        (tmp_path / "s.toml").write_text(STUDY.format(n=n, name=name, label=label))
        code, out, err = cli("plan", "s.toml", "--json")
        return code, json.loads(out) if out else None, err

    return call


def test_a_device_too_wide_to_be_simulated_is_planned(plan):
    start = time.monotonic()
    code, found, _ = plan("ibm:fake_sherbrooke", n=100)
    assert code == 0
    assert found["ways"] == []
    (refused,) = found["refused"]
    assert "are free" in refused["reason"]
    there = refused["hardware"]
    assert there["two_qubit_gates"] >= 99
    assert there["depth"] > 99
    assert there["shots"] == 1000 * there["circuits"]
    assert there["qpu_s"] > there["jobs"] * 2
    assert there["money_usd"] == pytest.approx(1.6 * there["qpu_s"])
    assert 0 <= there["fidelity"] < 0.1
    assert time.monotonic() - start < 60


def test_a_snapshot_that_fits_costs_nothing_here_and_something_there(plan):
    code, found, _ = plan("ibm:fake_manila")
    assert code == 0
    cost = found["ways"][0]["cost"]
    assert cost["money_usd"] == 0
    assert cost["hardware"]["money_usd"] > 1
    assert 0.5 < cost["hardware"]["fidelity"] < 1


def test_a_device_that_nobody_is_logged_in_to_is_priced(plan):
    code, found, _ = plan("ibm:ibm_nowhere")
    assert code == 0
    there = found["refused"][0]["hardware"]
    assert there["money_usd"] > 1
    assert there["depth"] is None
    assert "by the price table alone" in there["notes"][0]


def test_a_plan_says_it_in_a_terminal_and_in_a_notebook(plan, cli, tmp_path):
    plan("ibm:fake_manila")
    code, out, _ = cli("plan", "s.toml", "--backend", "ibm:fake_lima")
    assert code == 0
    assert "ibm:fake_lima" in out
    assert "2q gates" in out or "2q" in out
    assert "as the real device would take it" in " ".join(out.split())
    import hybrid
    from circuits import hardware_efficient, tfim

    shown = hybrid.plan(hardware_efficient(2, layers=1), tfim(2), backend="ibm:fake_lima", shots=10)._repr_html_()
    assert "<th>QPU time</th>" in shown


@pytest.mark.parametrize("name", ["iqm:fake_adonis", "qrmi:somewhere"])
def test_a_device_whose_packages_are_not_installed_is_a_row_with_the_cure(plan, name, tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_ENVIRONMENTS", str(tmp_path / "none"))
    code, found, _ = plan(name)
    assert code == 0
    (refused,) = found["refused"]
    assert f"hybrid backends --install {name.partition(':')[0]}" in refused["reason"]
    there = refused["hardware"]
    assert there["circuits"] > 0
    assert there["shots"] == 1000 * there["circuits"]
    assert there["money_usd"] is there["depth"] is None
    assert "cannot be asked from here" in there["notes"][0]


def test_a_run_on_a_device_whose_packages_are_not_installed_is_refused(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_ENVIRONMENTS", str(tmp_path / "none"))
    (tmp_path / "s.toml").write_text(STUDY.format(n=2, name="iqm:fake_adonis", label="open"))
    code, _, err = cli("run", "s.toml", "--folder", "run")
    assert code == 2
    assert "hybrid backends --install iqm" in " ".join(err.split())
    assert not (tmp_path / "run").exists()
