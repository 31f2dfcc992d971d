"""Checks of the answer: intervals made again, repeated evaluations, the slope at the end, conserved numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

import hybrid
from circuits import hardware_efficient, heisenberg, tfim
from hybrid.runs.detects import detects
from hybrid.verification import answer
from hybrid.verification.checks import CHECKS
from hybrid.verification.claim import claim


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A run on exact values that converged, and one with shots that did not."""
    home = tmp_path_factory.mktemp("runs")
    circuit = hardware_efficient(2, layers=2)
    hybrid.minimize(circuit, tfim(2), backend="statevector", exact=False, folder=home / "exact")
    hybrid.minimize(
        circuit, tfim(2), backend="statevector", shots=200, optimizer="spsa", max_steps=8, folder=home / "shots"
    )
    return home


@pytest.mark.parametrize("name", ["exact", "shots"])
def test_the_intervals_are_made_again_from_the_journal(folders, name, monkeypatch):
    for other in set(CHECKS) - {"record", "replay", "uncertainty"}:
        monkeypatch.delitem(CHECKS, other)  # they are tested elsewhere, and take their time
    assert answer.uncertainty(claim(folders / name)).outcome == "passed"
    verification = hybrid.verify(folders / name)
    stated = hybrid.load(folders / name).uncertainty
    assert verification.uncertainty == stated
    written = json.loads((folders / name / "verification.json").read_text())
    assert written["uncertainty"]["state"]["low"] == stated.low
    for check in written["checks"]:
        assert (check["detects"], check["misses"]) == detects(check["name"])
        assert check["detects"]
        assert check["misses"]


def test_a_run_without_intervals_claims_none(folders):
    found = claim(folders / "exact")
    older = replace(found, result=found.result.model_copy(update={"uncertainty": None}))
    assert answer.uncertainty(older).outcome == "none"


def test_the_ground_state_lies_in_the_interval_that_the_state_itself_gives(folders):
    ground = hybrid.load(folders / "exact").uncertainty.ground
    assert ground.low <= -np.sqrt(5) <= ground.high + 1e-12  # of two sites, in closed form
    assert ground.high - ground.low < 1e-2


def test_evaluations_of_the_answer_that_disagree_are_seen(folders):
    assert answer.evaluated_again(claim(folders / "exact")).outcome == "none"
    found = claim(folders / "shots")
    assert answer.evaluated_again(found).outcome == "passed"
    content = found.journal_content
    last = content.evaluations[-1]
    drifted = replace(last, told=replace(last.told, values=last.told.values + 3.0))
    later = replace(found)
    later.__dict__["journal_content"] = replace(content, evaluations=(*content.evaluations[:-1], drifted))
    assert answer.evaluated_again(later).outcome == "failed"


def test_an_answer_from_which_the_energy_falls_is_not_at_rest(folders):
    found = claim(folders / "exact")
    assert answer.slope(found).outcome == "passed"
    theta = (found.theta + 0.3).tolist()
    moved = replace(found, result=found.result.model_copy(update={"theta": theta}))
    energy = moved.energy_on(moved.backend).value
    assert answer.slope(replace(moved, result=moved.result.model_copy(update={"energy": energy}))).outcome == "failed"
    assert answer.slope(claim(folders / "shots")).outcome == "none"


def test_a_state_keeps_or_mixes_what_the_hamiltonian_conserves(tmp_path):
    a, mixing = Parameter("a"), hardware_efficient(2, layers=1)
    keeping = QuantumCircuit(2)
    keeping.x(0)
    keeping.rxx(a, 0, 1)
    keeping.ryy(a, 0, 1)
    for name, circuit in (("keeping", keeping), ("mixing", mixing)):
        start = np.full(circuit.num_parameters, 0.3)
        options = {"theta": start, "max_steps": 2, "exact": False, "backend": "statevector"}
        hybrid.minimize(circuit, heisenberg(2), folder=tmp_path / name, **options)
    kept, mixed = (answer.conserved(claim(tmp_path / name)) for name in ("keeping", "mixing"))
    assert kept.outcome == "passed"
    assert kept.text.startswith("1 ones")
    assert mixed.outcome == "none"
    assert "mixes" in mixed.text


def test_of_a_field_across_the_axis_nothing_is_conserved(folders):
    assert answer.conserved(claim(folders / "exact")).outcome == "none"
