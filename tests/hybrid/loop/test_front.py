"""Optimizers as objects, callbacks and tolerances in whole runs; their lists and results."""

import json

import numpy as np
import optax
import pytest
from qiskit.providers.basic_provider import BasicSimulator

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.optimizers import get
from hybrid.verification.checks import replay
from hybrid.verification.claim import claim

PROBLEM, ANSATZ = tfim(2, field=0.7), hardware_efficient(2, layers=1)


def minimized(folder, **options):
    return hybrid.minimize(ANSATZ, PROBLEM, backend="reference", folder=folder, tol=1e-4, max_steps=400, **options)


def test_a_callback_sees_every_step_and_may_stop(tmp_path):
    seen = []
    whole = minimized(tmp_path / "whole", optimizer="scipy:BFGS", callback=lambda *step: seen.append(step))
    assert whole.status == "converged"
    assert [step for step, _, _ in seen] == list(range(1, whole.steps + 1))
    assert [energy for _, _, energy in seen] == whole.history.energy[: len(seen)].tolist()
    assert np.array_equal([theta for _, theta, _ in seen], whole.history.theta[: len(seen)])

    def third(step, theta, energy):
        theta[:] = 0.0  # it is the callback's own
        if step == 3:
            raise StopIteration

    stopped = minimized(tmp_path / "a", optimizer="scipy:BFGS", callback=third)
    assert (stopped.status, stopped.steps, len(stopped.history)) == ("stopped", 3, 3)
    assert "callback" in stopped.message
    again = minimized(tmp_path / "b", optimizer="scipy:BFGS", callback=lambda step, theta, energy: step == 3)
    assert again.history.same_bits(stopped.history)
    resumed = []
    full = hybrid.resume(tmp_path / "a", callback=lambda *step: resumed.append(step[0]))
    assert full.history.same_bits(whole.history)
    assert len(resumed) == whole.steps
    assert hybrid.resume(tmp_path / "a", callback=third).status == "converged"  # a finished run is only read
    with pytest.raises(ZeroDivisionError):
        minimized(tmp_path / "c", callback=lambda *step: 1 / 0)
    assert hybrid.resume(tmp_path / "c").status == "converged"


def test_what_cannot_be_called_is_no_callback(tmp_path):
    for begin in (
        lambda: minimized(tmp_path / "a", callback=3),
        lambda: hybrid.resume(tmp_path / "a", callback="print"),
    ):
        with pytest.raises(Refused, match="callback must be a function of step, theta and energy, not"):
            begin()
    assert not (tmp_path / "a").exists()


def test_optax_objects_are_recorded_and_asked_for_again(tmp_path):
    whole = minimized(tmp_path / "whole", optimizer=optax.adam(0.1))
    assert whole.status == "converged"
    assert 0.0 <= whole.error < 1e-4
    path = tmp_path / "stopped"
    assert minimized(path, optimizer=optax.adam(0.1), callback=lambda *step: step[0] == 5).status == "stopped"
    written = json.loads((path / "spec.json").read_text())["workload"]["optimizer"]
    assert written["kind"] == "optax"
    assert "scale_by_adam(b1=0.9" in written["summary"]
    assert "0x" not in json.dumps(written).replace(written["digest"], "")
    with pytest.raises(Refused, match="which its folder cannot hold: give it again"):
        hybrid.resume(path)
    with pytest.raises(Refused, match="is another: give the same one"):
        hybrid.resume(path, optimizer=optax.adam(0.2))
    assert hybrid.resume(path, optimizer=optax.adam(0.1)).history.same_bits(whole.history)
    assert minimized(path, optimizer=optax.adam(0.1)).history.same_bits(whole.history)
    assert hybrid.load(path).history.same_bits(whole.history)
    for given, outcome in ((None, "unchecked"), (optax.adam(0.1), "passed")):
        assert replay(claim(path, optimizer=given)).outcome == outcome
    with pytest.raises(Refused, match="cannot be written in a file"):
        get("optax")


def test_tolerance_and_accuracy_are_one_thing(tmp_path):
    with pytest.raises(Refused, match="mean the same"):
        minimized(tmp_path / "a", accuracy=1e-3)
    assert not (tmp_path / "a").exists()
    assert hybrid.load(minimized(tmp_path / "b").folder).energy < PROBLEM.exact_energy() + 1e-4


def test_runs_are_listed_and_loaded(tmp_path):
    from hybrid.runs import places  # of the package behind the function

    assert str(hybrid.runs(tmp_path)) == "no runs here"
    first = minimized(tmp_path / "first")
    minimized(tmp_path / "second", callback=lambda *step: True)
    found = hybrid.runs(tmp_path)
    assert [entry["status"] for entry in found] == ["converged", "stopped"]
    assert isinstance(found[:1], hybrid.Runs)
    assert f"{first.energy:.6f}" in str(found)
    assert "<td>stopped</td>" in found._repr_html_()
    assert places.home().name
    loaded = hybrid.load(found[0]["folder"])
    assert str(loaded) == str(first)
    assert loaded.to_dict() == first.to_dict()
    assert loaded.history.same_bits(first.history)
    with pytest.raises(Refused, match="no such folder"):
        hybrid.runs(tmp_path / "nowhere")
    (tmp_path / "second" / "result.json").unlink()
    with pytest.raises(Refused, match="has no result yet: continue it"):
        hybrid.load(tmp_path / "second")
    result = tmp_path / "first" / "result.json"
    result.write_text(result.read_text().replace('"steps": ', '"steps": 1'))
    with pytest.raises(Refused, match="was changed after the run had ended"):
        hybrid.load(tmp_path / "first")


def test_a_result_hands_out_its_circuit_state_samples_and_rows(tmp_path):
    r = minimized(tmp_path / "run")
    psi = r.state()
    energy = np.vdot(psi, PROBLEM.hamiltonian.to_matrix() @ psi).real
    assert energy == pytest.approx(r.energy, abs=1e-10)
    assert r.circuit.num_parameters == len(r.theta)
    counts = r.sample(shots=4000, seed=1)
    assert sum(counts.values()) == 4000
    for bits, count in counts.items():
        p = abs(psi[int(bits, 2)]) ** 2
        assert abs(count - 4000 * p) < 6 * (4000 * p * (1 - p)) ** 0.5 + 1
    assert r.sample(shots=100, seed=3) == r.sample(shots=100, seed=3)
    row = r.history[0]
    assert (row.step, row.energy) == (0, r.history.energy[0])
    assert np.array_equal(row.theta, r.history.theta[0])
    assert len(r.history[1:3]) == 2
    assert [one.energy for one in r.history] == r.history.energy.tolist()


def test_histories_as_tables_need_pandas(tmp_path, monkeypatch):
    import sys
    from types import SimpleNamespace

    history = minimized(tmp_path / "run").history
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Refused, match="pip install pandas"):
        history.to_pandas()
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=dict))
    table = history.to_pandas()
    assert list(table)[:3] == ["step", "energy", "standard_error"]
    assert np.array_equal(table["theta_1"], history.theta[:, 1])


def test_a_backend_object_is_asked_for_by_the_function_that_needs_it(tmp_path):
    options = {"optimizer": "spsa", "shots": 20, "max_steps": 1, "accuracy": 0.5}
    run = hybrid.minimize(ANSATZ, PROBLEM, backend=BasicSimulator(), folder=tmp_path / "run", **options)
    with pytest.raises(Refused, match=r"give it again, hybrid\.verify\(folder, backend="):
        _ = claim(run.folder).backend
    (run.folder / "result.json").unlink()
    with pytest.raises(Refused, match=r"give it again, hybrid\.resume\(folder, backend="):
        hybrid.resume(run.folder)
